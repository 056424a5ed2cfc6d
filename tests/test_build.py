"""What is published: what is in the wheel and in the sdist, and that the wheel works by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

import pytest

import catchasync

ROOT: Final = Path(__file__).parents[1]
NAME: Final = f"catchasync-{catchasync.__version__}"
INFO: Final = f"{NAME}.dist-info"
KEPT_BACK: Final = (".ci/", ".gitignore")

pytest.importorskip("hatchling", reason="it builds what is tested here")
if not (ROOT / "catchasync").is_dir():
    pytest.skip("there is no source here to build from", allow_module_level=True)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel, with the build backend that everybody has."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel, which is what installing it does."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(dist / f"{NAME}-py3-none-any.whl") as archive:
        archive.extractall(folder)  # noqa: S202 - our own wheel
    return folder


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """Read what the wheel says of itself."""
    return HeaderParser().parsestr((wheel / INFO / "METADATA").read_text(encoding="utf-8"))


def files(folder: Path) -> set[str]:
    """List what is in a folder, by the paths inside it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths}


def test_the_wheel_holds_the_package_alone(wheel: Path) -> None:
    """Every module, the mark of types and the metadata are in it: no test, no example."""
    package = {f"catchasync/{path}" for path in files(ROOT / "catchasync") if ".pyc" not in path}
    about = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")

    assert package | {f"{INFO}/{name}" for name in about} == files(wheel)
    assert "catchasync/py.typed" in package


def test_the_wheel_names_the_pytest_plugin(wheel: Path) -> None:
    """Its entry point is what pytest finds, and it is the only one."""
    parser = ConfigParser()
    parser.read(wheel / INFO / "entry_points.txt")

    assert ["pytest11"] == parser.sections()
    assert {"catchasync": "catchasync._pytest_plugin"} == dict(parser["pytest11"])


def test_the_sdist_holds_all_that_is_kept(dist: Path, tmp_path: Path) -> None:
    """It has every file of the repository, but for what runs the project, and no rubbish."""
    with tarfile.open(dist / f"{NAME}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    found = files(tmp_path / NAME)

    assert [] == sorted(path for path in found if "__pycache__" in path or path.startswith("dist"))
    assert "PKG-INFO" in found
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("there is no repository here to compare with")
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - whichever is here
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    kept = {path for path in listed.stdout.splitlines() if (ROOT / path).exists()}
    assert {path for path in kept if not path.startswith(KEPT_BACK)} <= found


def test_what_it_says_of_itself(metadata: Message) -> None:
    """The metadata have what a user decides by: name, licence, Python, dependencies, text."""
    required = metadata.get_all("Requires-Dist") or []

    assert ("catchasync", catchasync.__version__) == (metadata["Name"], metadata["Version"])
    assert ("MIT", ">=3.11") == (metadata["License-Expression"], metadata["Requires-Python"])
    assert "text/markdown" == metadata["Description-Content-Type"].partition(";")[0]
    assert ["wrapt"] == [line.partition(">=")[0] for line in required if "extra ==" not in line]
    assert "# catchasync" in str(metadata.get_payload())


def test_its_classifiers_name_what_it_works_with(metadata: Message) -> None:
    """Each extra whose framework PyPI has a classifier for has that classifier, and no other."""
    known = pytest.importorskip("trove_classifiers").classifiers
    said = {line for line in metadata.get_all("Classifier") or [] if line.startswith("Framework")}
    extras = {"asyncio", "pytest", *(metadata.get_all("Provides-Extra") or [])}
    names = {f"framework :: {extra}" for extra in extras}

    assert said == {line for line in known if line.lower() in names}


def test_the_wheel_works_by_itself(wheel: Path, tmp_path: Path) -> None:
    """From the wheel alone, the command runs and knows the extras of the wheel's own metadata."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "catchasync"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert f"catchasync  {catchasync.__version__}" in done.stdout
    assert "\nflask       " in done.stdout
    assert "\nwsgi        at hand" in done.stdout
