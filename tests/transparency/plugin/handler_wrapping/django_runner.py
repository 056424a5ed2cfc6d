"""Django's test runner, with a record of how every test came out."""

from __future__ import annotations

import unittest
from typing import Any

from django.test.runner import DiscoverRunner

from . import record, write_record


class RecordingResult(unittest.TextTestResult):
    """Records outcomes."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        record.add(test.id(), "passed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        record.add(test.id(), "failed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        record.add(test.id(), "failed")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            record.add(test.id(), "failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        record.add(test.id(), "skipped")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        record.add(test.id(), "xfailed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        record.add(test.id(), "failed")


class RecordingRunner(DiscoverRunner):  # type: ignore[misc]  # Django has no types
    """Runs with `RecordingResult`, and writes the record."""

    def get_resultclass(self) -> Any:
        return RecordingResult

    def run_suite(self, suite: unittest.TestSuite, **kwargs: Any) -> Any:
        result = super().run_suite(suite, **kwargs)
        write_record()
        return result
