"""What users install: its metadata, its face, and what importing it costs them."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.resources
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import catchasync

ROOT: Final = Path(__file__).parents[1]
FRAMEWORKS: Final = {
    "aiohttp",
    "blacksheep",
    "bottle",
    "celery",
    "django",
    "falcon",
    "fastapi",
    "flask",
    "gevent",
    "grpc",
    "litestar",
    "pyramid",
    "quart",
    "robyn",
    "sanic",
    "starlette",
    "tornado",
    "trio",
    "twisted",
    "uvloop",
    "werkzeug",
}


def test_importing_it_loads_no_framework() -> None:
    """A fresh interpreter that has imported catchasync has imported no framework."""
    program = "import catchasync, sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()}

    assert "catchasync" in loaded
    assert set() == FRAMEWORKS & loaded


def test_it_says_that_it_is_typed() -> None:
    """Type checkers read the annotations of a package only where it holds this file."""
    assert importlib.resources.files(catchasync).joinpath("py.typed").is_file()


def test_the_installed_version_is_the_written_one() -> None:
    """The metadata carry the version that the package names."""
    assert catchasync.__version__ == importlib.metadata.version("catchasync")


def test_the_changelog_knows_the_version() -> None:
    """The newest entry of the changelog with a number is of this version."""
    numbers = re.findall(
        r"^## \[?(\d[^\] ]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )

    assert catchasync.__version__ == numbers[0]


def test_wrapt_is_all_that_is_installed_with_it() -> None:
    """Without an extra, wrapt is the only dependency."""
    required = importlib.metadata.requires("catchasync") or []

    assert ["wrapt>=2.2.2"] == [line for line in required if "extra ==" not in line]


def test_all_names_what_is_public() -> None:
    """``__all__`` has every public name that the face imports from the package, once, no other."""
    tree = ast.parse(inspect.getsource(catchasync))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [
        alias.asname or alias.name
        for node in imports
        if (node.module or "").startswith("catchasync")
        for alias in node.names
    ]

    assert sorted(name for name in names if not name.startswith("_")) == sorted(catchasync.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """A misspelt name fails as in any module, with the name in the message."""
    with pytest.raises(AttributeError, match="catch_asink"):
        getattr(catchasync, "catch_asink")  # noqa: B009 - type checkers know that it is not there


def test_what_is_public_has_a_docstring() -> None:
    """Every public function and class tells what it is for."""
    public = {name: getattr(catchasync, name) for name in catchasync.__all__}

    assert [] == [name for name, thing in public.items() if callable(thing) and not thing.__doc__]


def test_every_session_is_explained() -> None:
    """CONTRIBUTING names each session of nox, so that nobody has to read the noxfile."""
    sessions = re.findall(
        r"^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE
    )
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    assert {"tests", "build"} <= {*sessions}
    assert [] == [name for name in sessions if f"`{name}`" not in text]


def test_every_public_name_is_in_the_changelog() -> None:
    """The changelog tells users of each name that they can import, and of each module."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    [folder] = catchasync.__path__
    modules = {path.stem for path in Path(folder).glob("[!_]*.py")} - {"types"}
    names = {*catchasync.__all__, *(f"catchasync.{name}" for name in modules)}

    assert [] == sorted(name for name in names if not re.search(rf"\b{name}\b", text))
