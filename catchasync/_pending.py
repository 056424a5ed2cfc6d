"""Where the outcome of a call and the task that awaits it meet.

Each appends itself to one list, and whoever finds the other there acts: the task does not wait, or
is woken. `list.append` is atomic, also without a GIL, so one of the two always does.
"""

from __future__ import annotations

import contextlib
from typing import Any

from catchasync._completion import Callback, Reader, Receiver
from catchasync._marks import traceback_of
from catchasync._wakes import wake
from catchasync.errors import CallbackNeverCalled


class Pending(list[Any]):
    """The receiver of one awaited call: a list of its waiter and its outcome, whichever is first.

    The outcome is a tuple of one value, or a `Failed`. ``reader`` is filled in by hand: its `late`
    hears of a failure that nobody came to see.
    """

    __slots__ = ("reader",)

    reader: Reader

    def __call__(self, error: BaseException | None, values: tuple[Any, ...]) -> None:
        """Take the outcome, and wake the task if it waits."""
        outcome: Any
        if error is not None:
            outcome = Failed(error, self.reader)
        else:
            outcome = values if len(values) == 1 else (values or None,)
        self.append(outcome)
        if self[0] is not outcome:
            wake(self[0], outcome.tell if error is not None else _nothing_lost)

    def outcome(self) -> Any:
        """Return what came: a tuple of one value, or a `Failed`."""
        first, *second = self
        return first if isinstance(first, tuple | Failed) else second[0]


def _nothing_lost() -> None:
    """Let a value go that nobody comes to see."""


class Failed:
    """A failure on its way to the task that awaits it; where it does not arrive, it is late."""

    __slots__ = ("error", "reader", "trace")

    def __init__(self, error: BaseException, reader: Reader) -> None:
        self.reader = reader
        self.error: BaseException | None = error
        self.trace = traceback_of(error)

    def take(self) -> Any:
        """Return the error as it came: one that many tasks wait for does not grow."""
        error: Any = self.error
        self.error = None
        return BaseException.with_traceback(error, self.trace)

    def tell(self) -> None:
        """Tell `late`, unless the error was taken."""
        error, self.error = self.error, None
        self.reader.late(error)

    def __del__(self) -> None:
        self.tell()


class Returned:
    """What completes a call for an awaitable that the function returned beside the callback.

    ``None`` is no outcome while the callback may still be called.
    """

    __slots__ = ("_callback",)

    def __init__(self, callback: Callback) -> None:
        self._callback = callback  # held: it cannot be missed before the awaitable is done

    def complete(self, error: BaseException | None, values: tuple[Any, ...]) -> None:
        """Take the awaitable's outcome."""
        if error is not None or len(values) != 1 or values[0] is not None:
            self._callback.complete(error, values)
            return
        receivers = self._callback.receivers
        with contextlib.suppress(IndexError):  # the callback was called meanwhile
            receivers[0] = _Forgiving(receivers[0])


class _Forgiving:
    """A receiver that takes a callback that is never called for success without a value."""

    def __init__(self, receive: Receiver) -> None:
        self._receive = receive

    def __call__(self, error: BaseException | None, values: tuple[Any, ...]) -> Any:
        return self._receive(None if isinstance(error, CallbackNeverCalled) else error, values)
