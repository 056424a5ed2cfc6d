"""The README's Python examples run, each on its own, as a reader would paste them."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, Final

import pytest
from starlette.applications import Starlette

import catchasync
from catchasync.integrations.starlette import install
from tests.support import Boom

README: Final = Path(__file__).parents[1] / "README.md"
README_TEXT: Final = README.read_text(encoding="utf-8")


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


def cells() -> list[str]:
    """Return the code of the tables that say what to write."""
    rows = re.findall(
        r"^\| (?:a|an|my|one|the|errors|only|layers|steps) .*$", README_TEXT, re.MULTILINE
    )
    return [code for row in rows for code in re.findall(r"`(.+?)`", row.split(" | ")[1])]


def world() -> dict[str, Any]:
    """Return what the tables speak of."""

    def read(path: str, callback: Any) -> None:
        callback(None, f"content of {path}")

    async def send_mail() -> None:
        """Fail no more than the others."""

    done: Future[None] = Future()
    done.set_result(None)
    public = {name: getattr(catchasync, name) for name in catchasync.__all__}
    return public | {
        "Redirect": Boom,
        "Thread": Thread,
        "answer": repr,
        "app": Starlette(),
        "client": SimpleNamespace(read=read),
        "controller": SimpleNamespace(show=print),
        "function": send_mail,
        "future": done,
        "install": install,
        "item": 1,
        "load": lambda req, res, next: next(),
        "log": lambda req, res, next: next(),
        "put_back": print,
        "read": read,
        "req": {},
        "res": [],
        "router": SimpleNamespace(get=print),
        "send_mail": send_mail,
        "show": lambda *args: None,
        "show_user": public["catch_async"](next=repr)(send_mail),
        "work": print,
    }


async def write_each(codes: list[str]) -> int:
    """Run what the tables say, one after the other, and return how much that was."""
    names = world()
    for code in codes:
        handler = "\nasync def handler(req, res): pass" if code.startswith("@") else ""
        tree = compile(code + handler, code, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        outcome = eval(tree, names)  # noqa: S307 - our own README
        if inspect.isawaitable(outcome):
            await outcome
    return len(codes)


def test_tables_can_be_written() -> None:
    """What the tables tell to write can be written, in a program that has the things they name."""
    codes = [code for code in cells() if code != "errors.install()"]  # tests/test_install.py

    assert asyncio.run(write_each(codes)) > 20


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
