"""The programs of `docs/libraries.md` run, each in a process of its own, as a reader would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.libraries.conftest import require
from tests.libraries.support import PATIENCE

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "libraries.md"
TEXT: Final = DOCUMENT.read_text(encoding="utf-8")


class Recipe(NamedTuple):
    """A program of the cookbook: its heading, and where it begins."""

    heading: str
    line: int
    source: str


def recipes() -> list[Recipe]:
    """Return each Python block with the heading above it."""
    found: list[Recipe] = []
    for block in re.finditer(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        heading = re.findall(r"^### (.*)$", TEXT[: block.start()], re.MULTILINE)[-1]
        found.append(Recipe(heading, TEXT.count("\n", 0, block.start(1)), block[1]))
    return found


def rows() -> list[tuple[str, str]]:
    """Return the heading that each row of the table leads to, and each line that it gives."""
    found: list[tuple[str, str]] = []
    for anchor, cell in re.findall(r"^\| \[.*?\]\(#(.*?)\) \|.*\| (.*?) \|$", TEXT, re.MULTILINE):
        found.extend((anchor, line) for line in re.findall(r"`(.+?)`", cell))
    return found


def anchor_of(heading: str) -> str:
    """Return what a link to a heading says."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def libraries_of(source: str) -> set[str]:
    """Return the packages that a program needs besides ours and what each Python has."""
    imported = re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE)
    everywhere = set(sys.stdlib_module_names) - {"tkinter"}
    return set(imported) - everywhere - {"catchasync"}


def given(request: pytest.FixtureRequest, source: str) -> str:
    """Return the lines that set the addresses that a program uses."""
    fixtures = {"DNS": "dns", "KAFKA": "kafka", "MQTT": "mqtt", "GRPC": "echo"}
    used = {name for name in fixtures if re.search(rf"\b{name}\b", source)}
    values: dict[str, Any] = {name: request.getfixturevalue(fixtures[name]) for name in used}
    if "GRPC" in values:
        values["GRPC"], _server = values["GRPC"]
    return "; ".join(f"{name} = {value!r}" for name, value in values.items())


@pytest.mark.parametrize("recipe", [pytest.param(r, id=r.heading) for r in recipes()])
def test_program_runs(recipe: Recipe, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A program runs to its end, with no warning; a traceback shows the document's line numbers."""
    for library in libraries_of(recipe.source):
        require(library)
    program = tmp_path / DOCUMENT.with_suffix(".py").name
    above = given(request, recipe.source) + "\n" * recipe.line
    program.write_text(above + recipe.source, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", str(program)],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )

    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize(("anchor", "line"), rows())
def test_line_of_the_table_is_in_its_program(anchor: str, line: str) -> None:
    """What the table tells to write is what the program that it leads to does."""
    [program] = [r.source for r in recipes() if anchor == anchor_of(r.heading)]

    assert line in program


def test_each_program_has_a_row_and_each_fence_is_run() -> None:
    """No program stands outside of the table but the last, and none escapes the tests above."""
    fences = re.findall(r"^\s*```\s*(?:python|py)\b", TEXT, re.MULTILINE | re.IGNORECASE)

    assert len(fences) == len(recipes())
    assert [anchor for anchor, _line in rows()][::2] == [
        anchor_of(recipe.heading) for recipe in recipes()[:-1]
    ]
