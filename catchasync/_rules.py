"""Rules: which errors are expected, and what they are answered with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from catchasync._context import Case
from catchasync._kinds import kind_of, name_of, signature_of
from catchasync._plain import guarded
from catchasync._statuses import SERVER_ERROR, attribute, checked_status, own_status

Rule: TypeAlias = Callable[[Any, Any], Any]
"""Says what an error is answered with: called with the error and its context."""

RuleT = TypeVar("RuleT", bound=Rule)

TOO_WIDE: Final = (Exception, BaseException)  # to answer them makes no bug expected


class Entry(NamedTuple):
    """
    What is registered for one type.

    Args:
        function: The rule, if there is one.
        status: What errors of the type are answered with; ``None``: as they say themselves.
        report: Whether reporters are told, or at which level of `logging`; ``None``: as usual.
        operational: Whether its errors are expected ones.
    """

    function: Rule | None = None
    status: int | None = None
    report: bool | int | None = None
    operational: bool = False


NOTHING: Final = Entry()


class Rules:
    """What is registered, by type."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[type[BaseException], Entry] = {}

    def add(
        self,
        types: tuple[type[BaseException], ...],
        status: int | None,
        report: bool | int | None,  # noqa: FBT001 - as `on` hands it over
    ) -> Callable[[RuleT], RuleT]:
        """Register types, and return what registers their rule."""
        _check_types(types)
        _check_report(report)
        entry = Entry(None, status and checked_status(status, "on(status=)"), report)
        self._set(types, entry)

        def rule_for(function: RuleT) -> RuleT:
            _check_rule(function)
            self._set(types, entry._replace(function=function))
            return function

        return rule_for

    def _set(self, types: tuple[type[BaseException], ...], entry: Entry) -> None:
        for each in types:
            self._entries[each] = entry._replace(operational=each not in TOO_WIDE)

    def entry_of(self, case: Case) -> Entry:
        """Return what is registered for a failure; a class may do what it likes when asked."""
        return guarded(self._find, case.subject, default=NOTHING)

    def _find(self, error: BaseException) -> Entry:
        for each in type(error).__mro__:
            if each in self._entries:
                return self._entries[each]
        return NOTHING

    def __len__(self) -> int:
        return len(self._entries)


def classify(case: Case, entry: Entry, expected_level: int, status: int | None = None) -> None:
    """Note of a failure whether it is expected or a bug, and at which level it is reported.

    Args:
        case: The failure.
        entry: What is registered for it.
        expected_level: The level of `logging` for what is expected.
        status: What its rule has answered.
    """
    own = own_status(case.subject)
    flag = attribute(case.subject, "operational")
    case.status = status or entry.status or own or SERVER_ERROR
    case.operational = flag if type(flag) is bool else entry.operational or own is not None
    case.expected = case.operational and case.status < SERVER_ERROR and entry.report is not True
    case.level = expected_level if case.expected else logging.ERROR
    if entry.report is not None and type(entry.report) is not bool:
        case.level = entry.report


def status_in(answer: object) -> int | None:
    """Return the status of a response of any framework, ``None`` where it cannot be told."""
    parts = answer[1:2] if type(answer) is tuple else ()  # Flask: (body, status)
    for value in (attribute(answer, "status_code"), attribute(answer, "status"), *parts):
        if isinstance(value, int) and 100 <= value < 600:  # noqa: PLR2004 - RFC 9110, section 15
            return int(value)
    return None


def _check_types(types: tuple[object, ...]) -> None:
    for each in types:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            msg = f"on() takes exception classes, `@errors.on(KeyError)`: got {each!r}"
            raise TypeError(msg)
    if not types:
        msg = "on() takes at least one exception class, `@errors.on(KeyError)`: got none"
        raise TypeError(msg)


def _check_report(report: object) -> None:
    if report is not None and not isinstance(report, int):
        msg = f"on(report=) takes True, False, or a level of logging: got {report!r}"
        raise TypeError(msg)


def _check_rule(function: object) -> None:
    if not callable(function):
        msg = f"a rule is a callable (error, context): got {function!r}"
        raise TypeError(msg)
    if kind_of(function) not in ("sync", "coroutine"):
        msg = f"{name_of(function)} is a generator function: a rule returns what it answers"
        raise TypeError(msg)
    signature = signature_of(function)
    if signature is None:
        return
    try:
        signature.bind(None, None)
    except TypeError as error:
        msg = f"a rule is called as (error, context), and {name_of(function)} is not: {error}"
        raise TypeError(msg) from None
