"""A library that is not here is skipped by name, with its reason, and counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent

WITHOUT_CELERY = """
import sys

import pytest

sys.modules["celery"] = None  # which makes importing it an ImportError
sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
"""


def run_without_celery(*arguments: str) -> str:
    """Run pytest where celery cannot be imported, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_CELERY, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER.parents[1],
    )
    return done.stdout


def test_missing_library_is_skipped_by_name_and_counted() -> None:
    """A test module and a program that need it are skipped; the last lines name it and count."""
    cookbook = str(FOLDER / "test_cookbook.py")
    printed = run_without_celery(str(FOLDER / "test_celery.py"), cookbook, "-k", "celery and runs")

    reason = "celery cannot be had here: import of celery halted; None in sys.modules"
    assert reason in printed
    assert "real libraries: 0 of 1 are here; skipped: celery (import of celery halted" in printed
    assert "2 skipped" in printed
