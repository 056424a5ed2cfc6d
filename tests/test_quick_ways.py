"""What is remembered, or left out, to save time: nothing else may come of it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from catchasync import ErrorContext, ErrorHandler, _marks
from catchasync._failures import is_never_caught
from catchasync._inside import inside, is_inside
from catchasync._log import log_error
from catchasync._told import LOG, is_known
from catchasync.errors import NotFound


class LyingHash(type):
    """A metaclass whose classes cannot be remembered."""

    def __hash__(cls) -> int:
        raise RuntimeError


class Unhashable(Exception, metaclass=LyingHash):
    """A failure of such a class."""


class UnhashableCancellation(asyncio.CancelledError, metaclass=LyingHash):
    """A cancellation of such a class."""


class NamedCancellation(Exception):
    """A cancellation that is told by its name alone."""


NamedCancellation.__module__, NamedCancellation.__name__ = "trio", "Cancelled"


@pytest.mark.parametrize("error_type", [ValueError, Unhashable])
def test_a_failure_is_none_of_those_never_caught(error_type: type[Exception]) -> None:
    """An ordinary error is a failure, asked the first time and the second."""
    assert [False, False] == [is_never_caught(error_type()) for _ in range(2)]


@pytest.mark.parametrize("error_type", [UnhashableCancellation, NamedCancellation])
def test_a_cancellation_is_never_caught(error_type: type[BaseException]) -> None:
    """A cancellation is one, asked the first time and the second."""
    assert [True, True] == [is_never_caught(error_type()) for _ in range(2)]


def test_few_functions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where functions raise is remembered for so many of them, and read anew for more."""
    monkeypatch.setattr(_marks, "CODES", 2)
    monkeypatch.setattr(_marks, "_raises", {})
    found = []
    for _ in range(2):
        for number in range(5):
            found.append(_marks.is_raise(traceback_of_raise(number)))
            assert len(_marks._raises) <= 2

    assert [True] * 10 == found


def traceback_of_raise(number: int) -> Any:
    """Return the traceback of an error that a function of its own has raised."""
    space: dict[str, Any] = {}
    exec(f"def f{number}():\n    raise KeyError({number})", space)  # noqa: S102 - made here
    try:
        space[f"f{number}"]()
    except KeyError as error:
        return error.__traceback__ and error.__traceback__.tb_next
    raise AssertionError("unreachable")


def test_a_call_is_no_raise() -> None:
    """The frame that called what raised is told from the one that raised."""
    with pytest.raises(KeyError) as caught:
        fails()
    outer = caught.value.__traceback__
    assert outer is not None
    assert outer.tb_next is not None

    assert [False, True] == [_marks.is_raise(outer), _marks.is_raise(outer.tb_next)]


def fails() -> None:
    """Fail."""
    raise KeyError


class Untold(NotFound):
    """An error that notes whether its message is asked for."""

    asked = 0

    def __str__(self) -> str:
        self.asked += 1
        return "asked"


@pytest.mark.parametrize(("level", "expected"), [(logging.WARNING, 0), (logging.INFO, 1)])
def test_an_expected_error_is_not_formatted_for_a_log_that_is_off(
    caplog: pytest.LogCaptureFixture, level: int, expected: int
) -> None:
    """An expected error is written where the log takes its level, and else not even asked."""
    error = Untold("a message")
    caplog.set_level(level, "catchasync")
    ErrorHandler()(error, ErrorContext("route", object()))

    assert expected == error.asked == len(caplog.records)


def test_a_bug_is_handed_to_a_log_that_is_off(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is noted as logged whatever the level, so that no other prints it."""
    error = ValueError("a bug")
    caplog.set_level(logging.CRITICAL, "catchasync")
    log_error(error)

    assert [] == caplog.records
    assert is_known(error, LOG)


def test_a_context_counts_as_it_is_when_it_is_handed_over() -> None:
    """Parts of an `ErrorContext` that were set or deleted after it was made count so."""
    context = ErrorContext("route", accept="text/html")
    context.accept = "text/plain"
    del context.method
    answer = ErrorHandler()(NotFound("gone"), context)

    assert "text/plain; charset=utf-8" == answer.headers["content-type"]


def test_what_goes_on_is_noted_inside_and_forgotten_after() -> None:
    """Notes are kept apart by what they say and for whom, and end in order."""
    with inside("rule", 1), inside("tell", 2):
        both = [is_inside("rule", 1), is_inside("tell", 2), is_inside("rule", 2)]

    assert [True, True, False] == both
    assert not is_inside("rule", 1)
    assert not is_inside("tell", 2)
