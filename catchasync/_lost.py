"""Which failures were lost: those that nobody was told of, so that a test can fail on them.

A failure is lost when it ended in a log, or in a hook of the interpreter, for want of a better
place: late ones without ``late=``, those of threads, of tasks that nobody awaited, of finalisers.
What an `ErrorHandler` was told of is not lost.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from catchasync._failures import described
from catchasync._hooks import Found, Installation, is_exit
from catchasync._kinds import name_of
from catchasync._told import is_known_to_any

ErrorT = TypeVar("ErrorT", bound=BaseException)

LOGGERS: Final = ("catchasync", "asyncio")
PLACES: Final = ("thread", "unraisable", "loop")


@dataclass(frozen=True, slots=True)
class Lost:
    """A failure that nobody was told of.

    Args:
        error: The failure.
        how: Where it ended, in a few words.
    """

    error: BaseException
    how: str


class LostFailures:
    """
    Watch for failures that nobody is told of; a context manager that fails when there were some.

    The pytest fixture `lost_failures` is one. While it is open, what would be printed by the hooks
    of the interpreter, or of a loop, goes no further; what is logged is logged as ever.
    """

    def __init__(self) -> None:
        self.failures: list[Lost] = []
        self._log = _Log(self._add)
        self._hooks: Installation | None = None

    def _add(self, error: BaseException, how: str) -> None:
        if not (is_known_to_any(error) or any(error is one.error for one in self.failures)):
            self.failures.append(Lost(error, how))

    def take(self, error_type: type[ErrorT], /) -> ErrorT:
        """
        Take a failure that the test expects to be lost: it fails nothing then.

        Args:
            error_type: The class that it must be of.

        Returns:
            The first such failure.

        Raises:
            AssertionError: None was lost.
        """
        gc.collect()
        for lost in self.failures:
            if isinstance(lost.error, error_type):
                self.failures.remove(lost)
                return lost.error
        msg = f"expected that {error_type.__name__} was lost:{self._told()}"
        raise AssertionError(msg)

    def check(self) -> None:
        """
        Demand that nothing was lost so far.

        Raises:
            AssertionError: Something was; with that, or a group of all, as its ``__cause__``.
        """
        gc.collect()  # tasks and callbacks say when they are dropped that nobody asked for them
        errors = [lost.error for lost in self.failures]
        if errors:
            cause = (
                errors[0] if len(errors) == 1 else BaseExceptionGroup("failures were lost", errors)
            )
            msg = f"failures were lost:{self._told()}"
            raise AssertionError(msg) from cause

    def _told(self) -> str:
        if not self.failures:
            return " none was."
        lines = (f"\n  {described(one.error)} ({one.how})" for one in self.failures)
        return "".join(lines)

    def __enter__(self) -> Self:
        self._hooks = _Hooks(self._add)
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self._log)
        return self

    def __exit__(
        self, _type: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            self.check()
        except AssertionError as found:
            if error is None:
                raise
            error.add_note(str(found))
        finally:
            self._close()

    def _close(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self._log)
        if self._hooks is not None:
            self._hooks.close()

    def __repr__(self) -> str:
        return f"<LostFailures: {[lost.error for lost in self.failures]!r}>"


class _Hooks(Installation):
    """The hooks of the process: what they are told of goes no further."""

    def __init__(self, add: Any) -> None:
        super().__init__(add, PLACES, lambda _error: True)
        self._add = add

    def takes(self, found: Found) -> bool:
        """Note a failure."""
        if not isinstance(found.error, BaseException) or is_exit(found.error):
            return False
        self._add(found.error, f"{found.source} {_name(found.handler)}, where nobody caught it")
        return True


def _name(thing: Any) -> str:
    if isinstance(thing, threading.Thread):
        return thing.name
    return name_of(thing.get_coro() if isinstance(thing, asyncio.Task) else thing)


class _Log(logging.Handler):
    """What was logged for want of somebody to tell."""

    def __init__(self, add: Any) -> None:
        super().__init__(logging.ERROR)
        self._add = add

    def emit(self, record: logging.LogRecord) -> None:
        """Note the failure of a record, unless an `ErrorHandler` has reported it so."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not hasattr(record, "catchasync_source"):
            self._add(error, record.getMessage().partition("\n")[0])
