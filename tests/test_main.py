"""``python -m catchasync``: what is installed, and which integrations are at hand."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata

import pytest

import catchasync
from catchasync import __main__ as program
from tests.test_packaging import FRAMEWORKS


def run_it(**env: str) -> subprocess.CompletedProcess[str]:
    """Run the command on what is installed, never on the working tree."""
    command = [sys.executable, "-P", "-X", "importtime", "-m", "catchasync"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **env}
    )


def rows(text: str) -> dict[str, str]:
    """Read the report: what is said of each name."""
    return dict(re.findall(r"^(\S+) +(.*)$", text, re.MULTILINE))


def test_it_prints_the_versions() -> None:
    """Our version, Python's and wrapt's stand first, in the form of a bug report."""
    said = rows(run_it().stdout)

    assert catchasync.__version__ == said["catchasync"]
    assert f"{platform.python_version()} ({platform.python_implementation()})" == said["Python"]
    assert re.fullmatch(rf"{metadata.version('wrapt')}, with(out)? its C extension", said["wrapt"])


def test_it_says_that_wrapt_has_no_extension() -> None:
    """Without its C extension, wrapt is slower: that is said."""
    said = rows(run_it(WRAPT_DISABLE_EXTENSIONS="1").stdout)

    assert f"{metadata.version('wrapt')}, without its C extension" == said["wrapt"]


def test_it_knows_every_extra_and_integration() -> None:
    """Each extra and each integration has a line, in the order of the alphabet."""
    extras = metadata.metadata("catchasync").get_all("Provides-Extra") or []
    said = list(rows(run_it().stdout))[3:]

    assert sorted({*extras, "asgi", "wsgi"}) == said


def test_it_imports_no_framework() -> None:
    """What is installed is looked up, not imported."""
    imported = {line.rpartition("|")[2].strip() for line in run_it().stderr.splitlines()}

    assert "catchasync.integrations" in imported
    assert set() == FRAMEWORKS & imported


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let pytest be a framework of ours, of any version."""
    versions = {"wrapt": "2"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    requirements = [
        "wrapt>=2",
        "pytest>=4.2.0; extra == 'pytest'",
        'nowhere>=1; extra == "nowhere"',
    ]
    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", lambda _name: requirements)
    return versions


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("4.2", "4.2, at hand"),
        ("4.10.0", "4.10.0, at hand"),
        ("4.2.0.post1", "4.2.0.post1, at hand"),
        ("5.0rc1", "5.0rc1, at hand"),
        ("4.2+abc", "4.2+abc, at hand"),
        ("4.1.13", "4.1.13 is too old, needs 4.2.0: pip install -U 'catchasync[pytest]'"),
        ("4.2rc1", "4.2rc1 is too old, needs 4.2.0: pip install -U 'catchasync[pytest]'"),
        ("unknown", "unknown is too old, needs 4.2.0: pip install -U 'catchasync[pytest]'"),
    ],
)
def test_the_lower_bound_counts(
    asked: dict[str, str], capsys: pytest.CaptureFixture[str], version: str, expected: str
) -> None:
    """An integration is at hand from the version on that our own metadata ask for."""
    asked["pytest"] = version
    program.main()

    assert expected == rows(capsys.readouterr().out)["pytest"]


def test_what_is_missing(asked: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is not installed, or is and cannot be imported, is told apart."""
    asked["nowhere"] = "1.0"
    program.main()
    said = rows(capsys.readouterr().out)

    assert "not installed: pip install 'catchasync[pytest]'" == said["pytest"]
    assert "1.0, but 'nowhere' cannot be imported" == said["nowhere"]
    assert "at hand, needs nothing else" == said["asgi"]


def test_without_metadata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy that nobody installed says that it cannot know."""

    def nothing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", nothing)
    program.main()

    assert capsys.readouterr().out.splitlines()[-1].startswith("This is no installed catchasync")
