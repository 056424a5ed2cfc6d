"""The suites as suites.toml has them, and their sources."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Suite:
    """
    One framework's own tests.

    Args:
        name: The framework.
        package: What is installed of it.
        needs: What its tests need beside it.
        run: Which tests: folders, files, labels.
        options: What else the test runner is told.
        folder: Where it runs, below the source.
        left_out: Tests that are not run, or not compared, each with the reason.
        runner: The test runner: ``pytest``, or ``django``, which brings its own.
    """

    name: str
    package: str
    run: list[str]
    needs: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    folder: str = "."
    left_out: dict[str, str] = field(default_factory=dict)
    runner: str = "pytest"

    @property
    def version(self) -> str:
        """The version that is installed."""
        return importlib.metadata.version(self.distribution)

    @property
    def distribution(self) -> str:
        """The package without its extras and bounds."""
        return re.split(r"[^\w.-]", self.package)[0]


def suites() -> dict[str, Suite]:
    """Read all suites."""
    tables: dict[str, Any] = tomllib.loads((HERE / "suites.toml").read_text())
    return {name: Suite(name=name, **table) for name, table in tables.items()}


def source_of(suite: Suite, folder: Path) -> Path:
    """Download and unpack the source distribution of what is installed, unless it is there."""
    folder = folder / f"{suite.distribution}-{suite.version}"
    if not folder.exists():
        name = suite.distribution
        options = ["--quiet", "--no-deps", "--no-binary", name, "--dest", str(folder)]
        pip = [sys.executable, "-m", "pip", "download", *options, f"{name}=={suite.version}"]
        subprocess.run(pip, check=True)
        [archive] = folder.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    [source] = [path for path in folder.iterdir() if path.is_dir()]
    tests = source / suite.folder / suite.run[0]
    if suite.runner == "pytest" and "--pyargs" not in suite.options and not tests.exists():
        sys.exit(f"the sdist of {suite.distribution} has no tests: name a checkout by --source")
    return source
