"""A wait that ends from any thread: of a task on asyncio or trio, or of a thread without a loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from catchasync import _runtimes
from catchasync._trio import TrioWaiter

Wakeable: TypeAlias = asyncio.Future[None] | TrioWaiter


def new_waiter() -> Wakeable:
    """Make what the running task can wait for until it is woken."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return TrioWaiter(trio)
    return asyncio.get_running_loop().create_future()


def wake(waiter: Wakeable, lost: Callable[[], object]) -> None:
    """Wake what waits, from any thread; call ``lost`` where its loop ends before it could wake.

    On the loop's own thread nothing goes through the loop's pipe, which costs most.
    """
    if isinstance(waiter, TrioWaiter):
        send: Callable[..., object] = waiter.send
    elif asyncio._get_running_loop() is waiter.get_loop():  # noqa: SLF001 - documented for libraries
        return _wake(waiter)
    else:
        send = waiter.get_loop().call_soon_threadsafe
    with contextlib.suppress(RuntimeError):  # its loop is over: the wake-up is dropped
        send(WakeUp(waiter, lost))
    return None


def _wake(waiter: Wakeable) -> None:
    if not waiter.done():
        waiter.set_result(None)


class WakeUp:
    """A call on its way to the loop of what waits; says so where it is dropped on the way."""

    __slots__ = ("_lost", "_waiter")

    def __init__(self, waiter: Wakeable, lost: Callable[[], object]) -> None:
        self._waiter = waiter
        self._lost: Callable[[], object] | None = lost

    def __call__(self) -> None:
        self._lost = None
        _wake(self._waiter)

    def __del__(self) -> None:
        if self._lost is not None:
            self._lost()


class Wake:
    """Something that is awaited until `set`, which any thread may call, also a finaliser.

    It belongs to the loop on which it is made. Without a loop, or with ``is_blocking``, it is the
    thread that waits.
    """

    __slots__ = ("_waiter", "is_set")

    def __init__(self, *, is_blocking: bool = False) -> None:
        self.is_set = False
        has_loop = not is_blocking and _runtimes.here() is not None
        self._waiter = new_waiter() if has_loop else threading.Event()

    def set(self, *_ignored: object) -> None:
        """End the wait; a loop that is over by now has nobody who waits."""
        self.is_set = True
        if isinstance(self._waiter, threading.Event):
            self._waiter.set()
        else:
            wake(self._waiter, _nobody_waits)

    def __await__(self) -> Generator[Any, Any, None]:
        if isinstance(self._waiter, threading.Event):
            self._waiter.wait()
        else:
            yield from self._waiter.__await__()

    def block(self) -> None:
        """Wait in this thread, which has no loop."""
        for _ in self.__await__():
            pass  # pragma: no cover - nothing is yielded where the thread itself waits


def _nobody_waits() -> None:
    """Lose nothing."""
