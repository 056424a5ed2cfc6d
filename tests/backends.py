"""The event loops, and how to do on each what the tests need."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio
import trio.testing
import uvloop

from catchasync._runtimes import pause

T = TypeVar("T")

BACKENDS = ("asyncio", "uvloop", "trio")
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def run_on(backend: str, function: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run an async function to its end; a loop's exception handler that hears anything fails it."""
    if backend == "trio":
        result: T = trio.run(function, *args)
        return result
    problems: list[object] = []

    async def main() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: problems.append(what))
        return await function(*args)

    with asyncio.Runner(loop_factory=LOOPS[backend]) as runner:
        result = runner.run(main())
    assert [] == problems
    return result


def soon(callback: Callable[..., Any], *args: Any) -> None:
    """Call back on this loop's own thread, after the code that runs now."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        trio.lowlevel.current_trio_token().run_sync_soon(callback, *args)
    else:
        loop.call_soon(callback, *args)


def in_thread(callback: Callable[..., Any], *args: Any) -> None:
    """Call back on another thread, which ends before this returns."""
    thread = threading.Thread(target=callback, args=args)
    thread.start()
    thread.join()


async def cancel_while_pending(function: Callable[[], Awaitable[Any]]) -> bool:
    """Start a task, cancel it when it waits, and say whether it was cancelled."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return await _cancel_in_trio(function)
    task = asyncio.ensure_future(function())
    await pause()
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def _cancel_in_trio(function: Callable[[], Awaitable[Any]]) -> bool:
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await function()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
        scope.cancel()
    return scope.cancelled_caught
