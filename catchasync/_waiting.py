"""A task that waits to be woken, from any thread."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import TypeAlias

from catchasync._trio import TrioWaiter

Waiter: TypeAlias = asyncio.Future[None] | TrioWaiter


def new_waiter() -> Waiter:
    """Make what the running task can wait for until it is woken."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return TrioWaiter(trio)
    return asyncio.get_running_loop().create_future()


def wake(waiter: Waiter, lost: Callable[[], object]) -> None:
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


def _wake(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(None)


class WakeUp:
    """A call on its way to the loop of what waits; says so where it is dropped on the way."""

    __slots__ = ("_lost", "_waiter")

    def __init__(self, waiter: Waiter, lost: Callable[[], object]) -> None:
        self._waiter = waiter
        self._lost: Callable[[], object] | None = lost

    def __call__(self) -> None:
        self._lost = None
        _wake(self._waiter)

    def __del__(self) -> None:
        if self._lost is not None:
            self._lost()
