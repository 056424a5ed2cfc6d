"""Who is told of an error, and what becomes of an error in telling it.

Nothing of it goes round in circles. The rules:

1. *What a reporter raises*, at once or later, is told to those that have not failed themselves;
   each round has one reporter fewer, so it ends. Where nobody is left, it is logged.
2. *What a reporter starts*, a call or a task on a loop, is told no more: its errors are logged.
3. *What the log starts* is told to nobody: the entry that it is about has been written.

What is going on is noted in `_inside`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._failures import described
from catchasync._inside import enter, leave, place_of
from catchasync._kinds import is_awaitable, name_of
from catchasync._log import is_silent, last_resort, log_error

Reporter: TypeAlias = Callable[[BaseException, Any], Any]
"""Is told of errors: called with the error and its context; what it returns is dropped."""

# Past whatever an error class does with attributes.
_cause_of: Callable[[BaseException], BaseException | None] = BaseException.__dict__[
    "__cause__"
].__get__
_context_of: Callable[[BaseException], BaseException | None] = BaseException.__dict__[
    "__context__"
].__get__
_set_context: Callable[[BaseException, BaseException], None] = BaseException.__dict__[
    "__context__"
].__set__

Broken: TypeAlias = list[tuple[Reporter, BaseException]]

FAILURES: Final = (Exception, asyncio.CancelledError)  # an exit, and Ctrl-C, go on


class Reporters:
    """Those who are told of errors."""

    __slots__ = ("_is_log", "_place", "all", "serial")

    def __init__(self, reporters: Iterable[Reporter], serial: int) -> None:
        came: object = reporters
        if isinstance(came, str) or not isinstance(came, Iterable):
            msg = f"ErrorHandler(reporters=...) takes a list of callables: got {reporters!r}"
            raise TypeError(msg)
        self.all = tuple(reporters)
        self.serial = serial
        self._place = place_of("tell", serial)
        self._is_log = len(self.all) == 1 and self.all[0] is log_error
        for reporter in self.all:
            if not callable(reporter):
                msg = f"a reporter is a callable (error, context): got {reporter!r}"
                raise TypeError(msg)

    def is_silent(self, level: int) -> bool:
        """Say whether nobody is told of an expected error of this level."""
        return not self.all or (self._is_log and is_silent(is_expected=True, level=level))

    def tell(self, error: BaseException, context: ErrorContext) -> None:
        """Tell each of an error; never raises."""
        if self._is_log and is_silent(context.expected, context.level):
            return
        if (before := enter(self._place)) is None:
            last_resort(f"an error in reporting: {described(error)}", error)
            return
        try:
            _Round(self.all).tell(error, context)
        finally:
            leave(before)

    def tell_defect(self, error: BaseException, context: ErrorContext) -> None:
        """Same, for what a rule or the like raised: where nobody is told, it is logged."""
        if self.all:
            self.tell(error, context)
        else:
            last_resort(f"a defect in a {context.source}: {described(error)}", error)


class _Round:
    """The telling of one error, and of what is raised on the way."""

    __slots__ = ("left",)

    def __init__(self, reporters: tuple[Reporter, ...]) -> None:
        self.left = reporters  # those that have not failed

    def tell(self, error: BaseException, context: ErrorContext) -> None:
        """Tell those that are left, and then, of what some raised, those that are left then."""
        broken: Broken = []
        for each in self.left:
            self._call(each, error, context, broken)
        if broken:
            self.left = tuple(one for one in self.left if all(one is not bad[0] for bad in broken))
        while broken:  # an error must not stay in a frame that its traceback leads to
            self._failed(*broken.pop(0), error)

    def _call(
        self, reporter: Reporter, error: BaseException, context: ErrorContext, broken: Broken
    ) -> None:
        try:
            result = reporter(error, context)
            if is_awaitable(result):
                self._see_through(result, reporter, error)
        except FAILURES as raised:
            broken.append((reporter, raised))

    def _see_through(
        self, awaitable: Awaitable[Any], reporter: Reporter, error: BaseException
    ) -> None:
        if _runtimes.here() is None:
            _runtimes.run(awaitable)  # what it raises is raised here and now
        else:
            _runtimes.finish(self._awaited(awaitable, reporter, error))

    async def _awaited(
        self, awaitable: Awaitable[Any], reporter: Reporter, error: BaseException
    ) -> None:
        try:
            await awaitable
        except FAILURES as raised:
            self.left = tuple(other for other in self.left if other is not reporter)
            self._failed(reporter, raised, error)
            if isinstance(raised, asyncio.CancelledError):
                raise

    def _failed(self, reporter: Reporter, raised: BaseException, error: BaseException) -> None:
        _connect(raised, error)
        if self.left:
            self.tell(raised, ErrorContext("reporter", handler=reporter))
        else:
            last_resort(f"the reporter {name_of(reporter)} failed on {described(error)}", raised)


def _connect(raised: BaseException, error: BaseException) -> None:
    """Let the traceback of what a reporter raised show what it was told of."""
    if _context_of(raised) is None and not any(raised is one for one in _chain(error)):
        _set_context(raised, error)


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and not any(error is one for one in chain):
        chain.append(error)
        error = _cause_of(error) or _context_of(error)
    return chain
