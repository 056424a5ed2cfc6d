"""The pages of `docs/`: their programs run, the site has all pages, the reference all names.

The Python blocks of a page are one program: later ones build on earlier ones. A ``text`` block that
follows one is what it prints. Each program runs in a process of its own, without a network.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Final

import pytest

import catchasync
import catchasync.integrations

DOCS: Final = Path(__file__).parents[1] / "docs"
CONFIG: Final = (DOCS / "site" / "mkdocs.yml").read_text(encoding="utf-8")
ELSEWHERE: Final = {"errors.md", "integrations.md", "libraries.md", "testing.md"}
"""Pages whose blocks are no program: tests of their own run them."""

PATIENCE: Final = 60
BLOCK: Final = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END: Final = "\x1e"


def pages() -> dict[str, str]:
    """Return the text of each page, by its path below `docs/`."""
    return {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(DOCS.rglob("*.md"))
    }


PAGES: Final = pages()
PROGRAMS: Final = sorted(
    name for name, text in PAGES.items() if "\n```python\n" in text and name not in ELSEWHERE
)


def program_of(text: str) -> str:
    """Return the Python of a page, each line where the page has it."""
    lines = [""] * len(text.splitlines())
    for block in BLOCK.finditer(text):
        if block[1] == "python":
            first = text.count("\n", 0, block.start(2))
            code = block[2].splitlines()
            lines[first : first + len(code) + 1] = [*code, f"print({END!r}, end='')"]
    return "\n".join(lines)


def printed_by(text: str) -> list[str | None]:
    """Return what each program block of a page prints; ``None`` where the page does not say."""
    found: list[str | None] = []
    end = 0
    for block in BLOCK.finditer(text):
        if block[1] == "python":
            found.append(None)
            end = block.end()
        elif not text[end : block.start()].strip():
            found[-1] = block[2]
    return found


def filters(request: pytest.FixtureRequest) -> str:
    """Return the statement, of one line, that sets the warnings as our settings have them."""
    calls = ["warnings.simplefilter('error')"]
    for setting in request.config.getini("filterwarnings")[1:]:
        action, message, category = setting.split(":")
        calls.append(f"warnings.filterwarnings({action!r}, {message!r}, {category})")
    return "; ".join(["import warnings", *calls])


@pytest.mark.parametrize("page", PROGRAMS)
def test_program_runs(page: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A page's program runs to its end and prints what the page says; lines are the page's own."""
    program = program_of(PAGES[page])
    for library in set(re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE)):
        if library not in sys.stdlib_module_names:
            pytest.importorskip(library)
    file = tmp_path / Path(page).with_suffix(".py").name.replace(".", "_page.")
    file.write_text(filters(request) + program, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-P", str(file)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "PYTHONUTF8": "1"},
        timeout=PATIENCE,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    outputs = zip(printed_by(PAGES[page]), done.stdout.split(END), strict=False)
    said = [(expected, actual) for expected, actual in outputs if expected is not None]
    assert [expected for expected, _ in said] == [actual for _, actual in said]


@pytest.mark.parametrize("page", sorted(ELSEWHERE))
def test_other_pages_have_a_test(page: str) -> None:
    """Where the blocks of a page are not run here, a test module names the page as its document."""
    tests = Path(__file__).parent.rglob("test_*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in tests if path != Path(__file__))

    assert "```python" not in PAGES[page] or f'/ "docs" / "{page}"' in text


def test_no_program_escapes() -> None:
    """Each Python block of each page is written so that the tests find it."""
    fence = re.compile(
        r"^\s*(?:```+|~~~+)\s*\{?\s*\.?(?:python|py)\b", re.MULTILINE | re.IGNORECASE
    )
    found = {name: len(fence.findall(text)) for name, text in PAGES.items()}

    assert found == {
        name: sum(block[1] == "python" for block in BLOCK.finditer(text))
        for name, text in PAGES.items()
    }


def test_each_page_has_its_place() -> None:
    """The navigation of the site has each page, and no page that is not there."""
    assert sorted(PAGES) == sorted(re.findall(r"(\S+\.md)$", CONFIG, re.MULTILINE))


def test_each_framework_has_a_page() -> None:
    """There is a page for each integration, with the line that imports it."""
    [folder] = catchasync.integrations.__path__
    modules = {path.stem for path in Path(folder).glob("[!_]*.py")}
    found = {
        name
        for name in modules
        if f"from catchasync.integrations.{name} import" in PAGES[f"frameworks/{name}.md"]
    }

    assert modules == found
    assert modules == {Path(name).stem for name in PAGES if name.startswith("frameworks/")}


def test_promised_versions_are_the_tested_ones() -> None:
    """The promise and each framework's page name the bounds and Pythons of the package."""
    with (DOCS.parent / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    bounds = {
        extra: bound.partition(">=")[2]
        for extra, [bound] in project["optional-dependencies"].items()
    }
    text = PAGES["compatibility.md"]
    pythons = re.findall(r":: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)

    assert bounds == dict(
        re.findall(r"^\| `catchasync\[(\w+)\]` \| .* (\S+) \|$", text, re.MULTILINE)
    )
    assert f"| {', '.join(pythons)} |" in text
    for extra, bound in bounds.items():
        page = PAGES.get(f"frameworks/{extra}.md") or str(bound)
        assert bound in page.partition("```")[0], extra


def reference() -> list[str]:
    """Return the names that the reference takes from docstrings."""
    text = "".join(text for name, text in PAGES.items() if name.startswith("reference/"))
    return re.findall(r"^::: (\S+)$", text, re.MULTILINE)


def test_reference_has_each_public_name() -> None:
    """Every name that `catchasync` exports, and every public module, is in the reference once."""
    [folder] = catchasync.__path__
    modules = {f"catchasync.{path.stem}" for path in Path(folder).glob("[!_]*.py")}
    [folder] = catchasync.integrations.__path__
    modules |= {f"catchasync.integrations.{path.stem}" for path in Path(folder).glob("[!_]*.py")}
    names = {f"catchasync.{name}" for name in catchasync.__all__}

    assert sorted(modules | names) == sorted(reference())


def test_reference_has_each_name_of_an_integration() -> None:
    """What an integration exports is listed; `wrap_router`, the same in all, is elsewhere."""
    listed = re.findall(
        r"^::: (catchasync\.integrations\.\w+)\n.*\n *members: \[(.*)\]$",
        PAGES["reference/integrations.md"],
        re.MULTILINE,
    )
    assert len(listed) == sum(name.startswith("catchasync.integrations.") for name in reference())
    for name, members in listed:
        pytest.importorskip(name)
        assert {*import_module(name).__all__} == {*members.split(", "), "wrap_router"}, name


@pytest.mark.parametrize("name", reference())
def test_each_name_of_the_reference_says_what_it_is(name: str) -> None:
    """What the reference shows has a docstring, and so has what is public in it."""
    module, _, last = name.rpartition(".")
    thing = getattr(import_module(module), last, None) or import_module(name)
    members = {
        member: value
        for member, value in vars(thing).items()
        if not member.startswith("_")
        and issubclass(type(value), (FunctionType, type))  # asking a lazy object would load it
        and value.__module__ == getattr(thing, "__module__", name)
    }

    assert set() == {member for member, value in members.items() if not inspect.getdoc(value)}
    assert inspect.getdoc(thing) or not callable(thing)
