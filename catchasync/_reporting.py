"""Who is told of an error, and what becomes of an error in telling it.

All guards against loops live here. The rules:

1. *What a reporter raises*, at once or later, is told to those that have not failed themselves;
   each round has one reporter fewer, so it ends. Where nobody is left, it is logged.
2. *What a reporter starts*, a call or a task on a loop, is told no more: its errors are logged.
3. *What the log starts* is told to nobody: the entry that it is about has been written.

The guards are context variables: they hold for what a context starts, never for other threads and
tasks.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._failures import described
from catchasync._kinds import is_awaitable, name_of
from catchasync._marks import traceback_of
from catchasync._plain import guarded, text_of
from catchasync._statuses import attribute
from catchasync._told import LOG, is_news
from catchasync._traces import text_of_trace, trace_of

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

logger = logging.getLogger("catchasync")

MESSAGE_LIMIT: Final = 1_000  # characters of a client's mistake in the log

FAILURES: Final = (Exception, asyncio.CancelledError)  # an exit, and Ctrl-C, go on

Place: TypeAlias = frozenset[tuple[str, int]]

_inside: contextvars.ContextVar[Place] = contextvars.ContextVar(
    "catchasync_inside", default=frozenset()
)


def place_of(what: str, serial: int = 0) -> Place:
    """Return what is noted of something that goes on in a handler."""
    return frozenset(((what, serial),))


def enter(place: Place) -> Place | None:
    """Note, in this context and those that it starts, what is going on; `leave` ends it.

    Returns:
        What `leave` is to be called with; ``None``: it is going on already.
    """
    before = _inside.get()
    if not before:
        _inside.set(place)
    elif place <= before:
        return None
    else:
        _inside.set(before | place)
    return before


leave: Final = _inside.set  # not a token's `reset`: a coroutine may end in another context


class inside:  # noqa: N801 - it reads as a function would, and takes half the time
    """Note what is going on in a block."""

    __slots__ = ("_before", "_place")

    def __init__(self, what: str, serial: int = 0) -> None:
        self._place = place_of(what, serial)

    def __enter__(self) -> None:
        self._before = _inside.get()
        _inside.set(self._before | self._place)

    def __exit__(self, *_raised: object) -> None:
        leave(self._before)


def is_inside(what: str, serial: int = 0) -> bool:
    """Say whether that is going on in this context, or went on in one that started it."""
    return (what, serial) in _inside.get()


def log_error(error: BaseException, context: Any = None) -> None:
    """Report an error to the logger `catchasync`: the default reporter.

    A bug is logged with its traceback, what is expected in one line. The record has the attributes
    ``catchasync_source`` and ``catchasync_status``.

    Args:
        error: Any error.
        context: Whatever has the attributes of an `ErrorContext`.
    """
    level = attribute(context, "level") or logging.ERROR
    is_expected = attribute(context, "expected") is True
    if is_silent(is_expected, level):
        return
    source, status = attribute(context, "source"), attribute(context, "status")
    extra = {"catchasync_source": source, "catchasync_status": status}
    where = "an error" if source is None else f"an error in a {text_of(source)}"
    if is_expected:
        what = text_of(error, MESSAGE_LIMIT)
        logger.log(level, "%s: %s %s: %r", where, status, type(error).__name__, what, extra=extra)
    else:
        write(level, "%s: %s", (where, type(error).__name__), error, extra)
        is_news(error, LOG)  # `exit_process` need not repeat it


def is_silent(is_expected: bool, level: int) -> bool:  # noqa: FBT001 - the hot path
    """Say whether `log_error` writes nothing."""
    return is_expected and not logger.isEnabledFor(level or logging.ERROR)


def write(
    level: int,
    message: str,
    args: tuple[object, ...],
    error: BaseException,
    extra: dict[str, object] | None = None,
) -> None:
    """Log an error with its traceback, also one that `traceback` cannot read."""
    if guarded(_is_readable, error, default=False):
        exc_info = type(error), error, traceback_of(error)
        logger.log(level, message, *args, exc_info=exc_info, extra=extra)
    else:
        trace = text_of_trace(trace_of(error))
        logger.log(level, f"{message}\n%s", *args, trace, extra=extra)  # noqa: G004 - no data


def _is_readable(error: BaseException) -> bool:
    traceback.TracebackException(type(error), error, traceback_of(error), lookup_lines=False)
    return True


def last_resort(message: str, error: BaseException) -> None:
    """Log what can be told to nobody else; once, and it never raises."""
    if is_inside("log"):
        return
    with inside("log"):
        try:
            write(logging.ERROR, "%s", (message,), error)
        except Exception:  # noqa: BLE001 - a filter, or a handler that does not do as it should
            guarded(_print, f"catchasync: {message}: {described(error)}", default=None)


def _print(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - logging itself has failed


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
