"""The README's Python examples run, each on its own, as a reader would paste them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

README: Final = Path(__file__).parents[1] / "README.md"


def snippets() -> list[tuple[int, str]]:
    """Return the first line's number and the text of each Python block."""
    text = README.read_text(encoding="utf-8")
    blocks = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, block.start(1)) + 1, block[1]) for block in blocks]


@pytest.mark.parametrize(
    ("line", "source"), [pytest.param(*s, id=f"line {s[0]}") for s in snippets()]
)
def test_example_runs(line: int, source: str) -> None:
    """An example runs to its end; a traceback shows the README's own line numbers."""
    code = compile("\n" * (line - 1) + source, README.name, "exec")

    exec(code, {"__name__": "readme"})  # noqa: S102 - our own README


def test_there_are_examples() -> None:
    """The README shows Python, and no block of it is written so that it escapes the test above."""
    fences = re.findall(
        r"^\s*```\s*(?:python|py)\b", README.read_text("utf-8"), re.MULTILINE | re.IGNORECASE
    )

    assert 0 < len(fences) == len(snippets())


@pytest.mark.parametrize("session", ["demo", "tests"])
def test_one_line_sets_up_and_runs(session: str) -> None:
    """The README has one line that does all the set-up and runs the session."""
    command = f"python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s {session}"

    assert 1 == README.read_text("utf-8").splitlines().count(command)
