"""Runs of a suite: without a wrapping and with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.transparency.suites import HERE, Suite

PLUGIN: Final = HERE / "plugin"
ABSENT: Final = "not run"

DJANGO: Final = ("--settings=handler_wrapping.django_settings", "--parallel=1")
PYTEST: Final = (
    *("-p", "handler_wrapping", "-p", "no:cacheprovider"),
    *("--continue-on-collection-errors", "--quiet", "--tb=short"),
)


class Run(NamedTuple):
    """
    What came out of one run.

    Args:
        outcomes: How each test came out: passed, failed, skipped, xfailed.
        wrapped: How many handlers were wrapped.
    """

    outcomes: dict[str, str]
    wrapped: int

    @property
    def counts(self) -> str:
        """How many tests passed, failed, were skipped (or failed as they are expected to)."""
        count = Counter(self.outcomes.values())
        return f"{count['passed']} / {count['failed']} / {count['skipped'] + count['xfailed']}"


class Difference(NamedTuple):
    """A test that came out differently."""

    test: str
    without: str
    wrapped: str


@dataclass(frozen=True)
class Runner:
    """
    Runs a suite.

    Args:
        suite: Which one.
        source: Its unpacked source distribution.
        folder: Where records and logs go.
    """

    suite: Suite
    source: Path
    folder: Path

    def run(self, *, on: bool, only: Iterable[str] = ()) -> Run:
        """Run all tests of the suite, or some."""
        wanted = list(only)
        name = f"{self.suite.name}-{'wrapped' if on else 'plain'}{'-again' if wanted else ''}"
        record, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        record.unlink(missing_ok=True)
        with log.open("w") as output:
            subprocess.run(
                self._command(wanted),
                cwd=self.source / self.suite.folder,
                env=self._environment(record, on=on),
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,  # some tests of most suites fail here, with and without
            )
        if not record.exists():
            sys.exit(f"{name}: the tests could not be run, see {log}")
        found = json.loads(record.read_text())
        return Run(found["outcomes"], found["wrapped"])

    def _command(self, wanted: list[str]) -> list[str]:
        tests = [*self.suite.options, *(wanted or self.suite.run)]
        if self.suite.runner == "django":
            return [sys.executable, "runtests.py", *DJANGO, *tests]
        return [sys.executable, "-P", "-m", "pytest", *PYTEST, *tests]

    def _environment(self, record: Path, *, on: bool) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(PLUGIN),
            "PYTHONHASHSEED": "0",
            "WRAPPING_FRAMEWORK": self.suite.name,
            "WRAPPING_ON": "1" if on else "0",
            "WRAPPING_RECORD": str(record),
            "WRAPPING_LEFT_OUT": json.dumps(list(self.suite.left_out)),
        }


def differences(plain: Run, wrapped: Run) -> list[Difference]:
    """Compare two runs, test by test."""
    tests = sorted(plain.outcomes.keys() | wrapped.outcomes.keys())
    both = [
        Difference(test, plain.outcomes.get(test, ABSENT), wrapped.outcomes.get(test, ABSENT))
        for test in tests
    ]
    return [found for found in both if found.without != found.wrapped]
