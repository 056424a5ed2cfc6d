"""Rules: which errors are expected, and what they are answered with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from catchasync._facts import is_plain
from catchasync._kinds import kind_of, name_of, signature_of
from catchasync._plain import guarded
from catchasync._statuses import attribute, checked_status

Rule: TypeAlias = Callable[[Any, Any], Any]
"""Says what an error is answered with: called with the error and its context."""

RuleT = TypeVar("RuleT", bound=Rule)

REMEMBERED: Final = 256  # classes of exceptions

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

PLAIN: Final = Entry()
"""The same, and it is a class of plain `HttpError`s."""

Entries: TypeAlias = dict[type[BaseException], Entry]


class Rules:
    """What is registered, by type."""

    __slots__ = ("_entries", "_remembered")

    def __init__(self) -> None:
        self._entries: Entries = {}
        self._set((), NOTHING)

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
        entries = {each: entry._replace(operational=each not in TOO_WIDE) for each in types}
        self._entries = {**self._entries, **entries}
        # With the entries, so that no thread remembers what another has replaced meanwhile.
        self._remembered = functools.lru_cache(REMEMBERED)(functools.partial(_find, self._entries))

    def entry_of(self, error: object) -> Entry:
        """Return what is registered for an error."""
        kind = type(error)
        if type(kind) is type:
            return self._remembered(kind)  # type: ignore[arg-type]  # mypy: a class has no hash
        return _find(self._entries, kind)  # a metaclass could lie about its hash

    def __len__(self) -> int:
        return len(self._entries)


def _find(entries: Entries, kind: type) -> Entry:
    """Look a class up, by its MRO; it may do what it likes when asked."""
    found = guarded(_nearest, entries, kind, default=NOTHING)
    return PLAIN if found is NOTHING and guarded(is_plain, kind, default=False) else found


def _nearest(entries: Entries, kind: type[BaseException]) -> Entry:
    return next((entries[each] for each in kind.__mro__ if each in entries), NOTHING)


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
