"""A pytest plugin: every handler is wrapped where a framework takes it, and outcomes are recorded.

``pytest -p handler_wrapping``, in the tests of a framework. It is told by the environment:

- ``WRAPPING_FRAMEWORK``: the framework, one of `POINTS`.
- ``WRAPPING_ON``: ``1`` to wrap; otherwise all is as without the plugin.
- ``WRAPPING_LEFT_OUT``: a JSON list of tests, files of tests and folders not to run.
- ``WRAPPING_RECORD``: the file that the outcomes are written to, as JSON.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .outcomes import Record
from .points import POINTS
from .wrap import Wrapping

wrapping = Wrapping()
record = Record(json.loads(os.environ.get("WRAPPING_LEFT_OUT", "[]")))

if "WRAPPING_FRAMEWORK" in os.environ:
    _is_on = os.environ["WRAPPING_ON"] == "1"
    POINTS[os.environ["WRAPPING_FRAMEWORK"]](wrapping if _is_on else None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not look into what is left out; whatever else is ignored stays so."""
    name = os.path.relpath(collection_path, config.rootpath)
    return record.is_left_out(name) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests that are left out."""
    left_out = [item for item in items if record.is_left_out(item.nodeid)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Record what could not be collected, and what is skipped as a whole."""
    if not report.passed:
        record.add(report.nodeid, report.outcome)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record how a test came out, its setup and teardown included."""
    if report.when == "call" or not report.passed:
        expected = report.skipped and hasattr(report, "wasxfail")
        record.add(report.nodeid, "xfailed" if expected else report.outcome)


def pytest_sessionfinish() -> None:
    """Write the record."""
    write_record()


def write_record() -> None:
    """Write how the tests came out to where the environment says."""
    record.write(os.environ["WRAPPING_RECORD"], wrapping.count)
