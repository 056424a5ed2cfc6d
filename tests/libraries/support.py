"""What a test waits with, and the one demand that every library's thread must meet."""

from __future__ import annotations

import asyncio
import functools
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from catchasync import wrap_callback
from catchasync.testing import RecordingNext
from tests.support import Boom

Wrap = Callable[..., Any]
"""`wrap_callback`, with all that the check decides: it wants what the library needs besides."""

PATIENCE = 20.0  # seconds until a test that waits gives up; where all is well nothing waits so long


def awaited(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Mark an async test, and end it where a library does not answer."""

    @functools.wraps(test)
    async def limited(**fixtures: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            await test(**fixtures)

    marked: Callable[..., Awaitable[None]] = pytest.mark.asyncio(limited)
    return marked


class WaitedNext(RecordingNext):
    """A `RecordingNext` whose calls can be waited for."""

    def __init__(self, answer: Any = None) -> None:
        super().__init__(answer)
        self._came: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def __call__(self, error: object = None, *values: object) -> Any:
        """Record the call, and let the waiting test know."""
        try:
            return super().__call__(error, *values)
        finally:
            self._came.put(error if isinstance(error, BaseException) else None)

    def wait(  # type: ignore[override]  # here every call is waited for in its turn
        self,
    ) -> BaseException | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Wait for the next call that no earlier `wait` saw, and return its error."""
        return self._came.get(timeout=PATIENCE)


class Inbox:
    """
    An `on_success` that a test can wait for.

    Args:
        error: What it raises; by default nothing.
    """

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self._came: queue.SimpleQueue[tuple[tuple[Any, ...], int]] = queue.SimpleQueue()

    def __call__(self, *values: Any) -> None:
        """Keep what came, and on which thread."""
        self._came.put((values, threading.get_native_id()))
        if self._error is not None:
            raise self._error

    def wait(self) -> tuple[Any, ...]:
        """Wait for a call, and return the values."""
        return self._came.get(timeout=PATIENCE)[0]

    def wait_for_thread(self) -> int:
        """Wait for a call, and return the id that the system gives to its thread."""
        return self._came.get(timeout=PATIENCE)[1]


def check_thread_survives(call: Callable[[Wrap], object]) -> int:
    """
    Let `on_success`, then `next` too, fail on the library's thread, which has to go on serving.

    Args:
        call: Makes one new call of the library, with a callback from the `Wrap` that it is given.

    Returns:
        The id that the system gives to the library's thread.
    """
    failures, raising, late = WaitedNext(), WaitedNext(LookupError()), WaitedNext()
    failing, working = Inbox(Boom()), Inbox()

    call(functools.partial(wrap_callback, failures, failing, late=late))
    own_thread = failing.wait_for_thread()
    assert isinstance(failures.wait(), Boom)
    call(functools.partial(wrap_callback, raising, failing, late=late))
    assert isinstance(raising.wait(), Boom)
    assert raising.answer is late.wait()
    call(functools.partial(wrap_callback, failures, working, late=late))

    assert own_thread == failing.wait_for_thread() == working.wait_for_thread()
    assert own_thread != threading.get_native_id()
    assert (1, 1, 1) == (len(failures.arrivals), len(raising.arrivals), len(late.arrivals))
    return own_thread
