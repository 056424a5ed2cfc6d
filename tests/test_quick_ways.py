"""What is remembered, or left out, to save time: nothing else may come of it."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchasync import ErrorContext, ErrorHandler, _handler, _marks
from catchasync._case import Case
from catchasync._context import FIELDS
from catchasync._failures import is_never_caught
from catchasync._inside import inside, is_inside
from catchasync._log import log_error
from catchasync._told import LOG, is_known
from catchasync.errors import HttpError, NotFound


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


# --- Errors that are answered at once ------------------------------------------------------------


def answers(error: Any, copy: Any, context: ErrorContext, **options: Any) -> list[Any]:
    """Return what an error is answered with, at once where that can be, and in full."""
    alike = SimpleNamespace(**{name: getattr(context, name) for name in FIELDS})
    given = ((error, context), (copy, alike))
    made = [ErrorHandler(**options)(each, where) for each, where in given]
    return [(answer.status, answer.headers, answer.body) for answer in made]


@given(
    parts=st.fixed_dictionaries(
        {"status": st.integers(400, 599), "message": st.none() | st.text(max_size=300)},
        optional={
            "code": st.text(max_size=300) | st.integers(),
            "details": st.none() | st.lists(st.integers()),
            "headers": st.just({}) | st.just({"X-Wait": "1"}),
            "expose": st.booleans(),
            "operational": st.booleans(),
        },
    ),
    accept=st.sampled_from([None, "*/*", "text/html", "text/plain", "application/vnd.api+json"]),
    method=st.sampled_from([None, "GET", "HEAD", "head"]),
    debug=st.sampled_from([None, False]),
    format=st.sampled_from([None, "json"]),
)
def test_what_is_answered_at_once_is_answered_as_in_full(
    parts: dict[str, Any],
    accept: str | None,
    method: str | None,
    debug: bool | None,  # noqa: FBT001 - a parameter
    format: Any,  # noqa: A002 - a parameter
) -> None:
    """Invariant: an error has one answer, whichever way it takes to it."""
    context = ErrorContext("route", object(), None, accept, method, debug)
    at_once, in_full = answers(
        HttpError(**parts), HttpError(**parts), context, format=format, reporters=()
    )

    assert in_full == at_once


@pytest.fixture
def no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever is answered in full fail."""
    monkeypatch.setattr(_handler, "Case", None)


class Gone(HttpError):
    """A class of errors of a program's own."""

    code = "gone"

    def __init__(self) -> None:
        super().__init__(410, "It is gone.")


@pytest.mark.usefixtures("no_case")
@pytest.mark.parametrize("error", [NotFound(), NotFound("no user 7", code="user"), Gone()])
@pytest.mark.parametrize("reporters", [(), (log_error,)])
def test_a_plain_error_that_nobody_is_told_of_is_answered_at_once(
    error: HttpError, reporters: Any
) -> None:
    """An expected error with a message and a code takes the short way, and counts as reported."""
    errors = ErrorHandler(reporters=reporters)
    answer = errors(error, ErrorContext("route"))

    assert error.status == answer.status
    assert error.message.encode() in answer.body
    assert is_known(error, errors._serial)


class Asking(NotFound):
    """An error whose message is made when it is asked for."""

    message: Any = property(lambda _self: "asked", lambda _self, _value: None)


class Looking(NotFound):
    """An error that looks for what it has not."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError


class Bare(NotFound):
    """An error that has never been made as an `HttpError` is."""

    def __init__(self) -> None:
        pass


class Text(str):
    """A text that may say what it likes."""

    __slots__ = ()


class Unequal:
    """What must not be compared with anything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError


def with_parts(**parts: Any) -> HttpError:
    """Return an error that has been given other parts since it was made."""
    error = NotFound("a message")
    vars(error).update(parts)
    return error


def told(*_given: object) -> None:
    """Be told of an error."""


LONG_WAYS: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "a class that is asked": (Asking(), {}, None),
    "a class that looks": (Looking(), {}, None),
    "a class without __init__": (Bare(), {}, None),
    "no HttpError": (KeyError(), {"reporters": ()}, None),
    "a server's error": (HttpError(503, expose=True), {"reporters": ()}, None),
    "a status that is none": (with_parts(status=200), {"reporters": ()}, None),
    "a status that is no int": (with_parts(status=404.0), {"reporters": ()}, None),
    "a message that is no text": (with_parts(message=7), {}, None),
    "a message of a class of its own": (with_parts(message=Text("a message")), {}, None),
    "a code that is a number": (NotFound(code=7), {}, None),
    "details": (NotFound(details=[1]), {}, None),
    "headers": (NotFound(headers={"X-Wait": "1"}), {}, None),
    "headers of another kind": (with_parts(headers=[]), {}, None),
    "headers that are none": (with_parts(headers=Unequal()), {}, None),
    "a secret message": (NotFound("secret", expose=False), {}, None),
    "a bug": (NotFound(operational=False), {"reporters": ()}, None),
    "another reporter": (NotFound(), {"reporters": (told,)}, None),
    "a level that is none": (NotFound(), {"expected_level": "INFO"}, None),
    "two reporters": (NotFound(), {"reporters": (log_error, told)}, None),
    "a level that is logged": (NotFound(), {"expected_level": logging.CRITICAL}, None),
    "a handler that shows the stack": (NotFound(), {"debug": True}, None),
    "a context that shows it": (NotFound(), {}, ErrorContext("route", debug=True)),
    "another context": (NotFound(), {}, SimpleNamespace(source="route")),
}


@pytest.mark.parametrize("name", LONG_WAYS)
def test_there_is_more_to_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is answered in full where there is more to it, or to who answers it."""
    error, options, context = LONG_WAYS[name]
    made = []

    def case(*given: Any) -> Case:
        made.append(Case(*given))
        return made[-1]

    monkeypatch.setattr(_handler, "Case", case)
    answer = ErrorHandler(**options)(error, context or ErrorContext("route"))

    assert 400 <= answer.status < 600
    assert 1 == len(made)


def test_a_rule_ends_what_was_plain() -> None:
    """A rule that is registered later is asked of errors that were answered at once before."""
    errors = ErrorHandler()
    before = errors(NotFound(), ErrorContext("route"))
    errors.on(NotFound)(lambda error, context: HttpError(410))
    after = errors(NotFound(), ErrorContext("route"))

    assert [404, 410] == [before.status, after.status]


@pytest.mark.parametrize("metaclass", [LyingHash, type])
def test_a_class_that_is_not_remembered_is_asked_in_full(metaclass: Any) -> None:
    """An error whose class may lie about itself is answered all the same."""
    kind = metaclass("Odd", (NotFound,), {})

    assert 404 == ErrorHandler()(kind("a message"), ErrorContext("route")).status
