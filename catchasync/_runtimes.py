"""Where code runs: asyncio, trio, or no loop at all.

The one file that knows event loops: which one runs here, how to start an awaitable on it so that
nobody can lose it, how to reach it from another thread, and how to run an awaitable where there is
none. uvloop is an asyncio loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from catchasync._trio import TrioHome

_kept: set[asyncio.Future[Any]] = (
    set()
)  # loops hold their tasks weakly (cpython #88831): we hold them

_draining: set[asyncio.Task[Any] | None] = set()  # of the kept ones, these wait for the others


class Home(Protocol):
    """An event loop that runs in some thread."""

    def start(self, awaitable: Awaitable[Any], name: str | None = None) -> Awaitable[Any]:
        """Run it here as a task that is kept; call this on the loop's own thread."""
        ...

    async def drain(self, seconds: float | None) -> list[Any]:
        """Wait for all kept tasks but the running one; return those that are left by then."""
        ...

    def send(self, awaitable: Awaitable[Any]) -> None:
        """Run it there, from any thread; ``RuntimeError`` where that loop is over."""
        ...

    def later(self, seconds: float, function: Callable[[], object]) -> Timer:
        """Call a function there after that time; call this on the loop's own thread."""
        ...

    async def shield(self, awaitable: Awaitable[Any]) -> bool:
        """Await it where no cancellation reaches it; true where one came, and was held back."""
        ...

    def cancel_again(self) -> None:
        """Let the cancellation that was held back come, unless it was taken back meanwhile."""
        ...


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> object:
        """Let it not come, from any thread."""
        ...


async def as_coroutine(awaitable: Awaitable[Any]) -> Any:
    """Await anything that can be awaited."""
    return await awaitable


class Work:
    """A coroutine, and the awaitable inside it, which is not missed where it is never begun.

    A task that is cancelled before it begins leaves what it was to await unawaited.
    """

    __slots__ = ("_coroutine", "_inside", "_lost")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        inside: object,
        lost: Callable[[], object] | None = None,
    ) -> None:
        self._coroutine = coroutine
        self._inside = inside
        self._lost = lost  # called where it is closed before it began

    def __await__(self) -> Any:
        return self._coroutine.__await__()

    def start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[Any]:
        """Make a task of it."""
        task = loop.create_task(self._coroutine)
        task.add_done_callback(self.close)
        return task

    def close(self, _task: object = None) -> None:
        """Close what was not begun."""
        if self._lost is not None and _is_unbegun(self._inside):
            self._lost()
        self._lost = None
        discard(self._coroutine)
        discard(self._inside)


def _is_unbegun(awaitable: object) -> bool:
    if not inspect.iscoroutine(awaitable):
        return False
    return inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED


def discard(awaitable: object) -> None:
    """Close a coroutine that nobody is going to await, so that it does not complain."""
    if isinstance(awaitable, Coroutine | Work):
        awaitable.close()


@dataclass(frozen=True, slots=True)
class AsyncioHome:
    """A running asyncio loop."""

    loop: asyncio.AbstractEventLoop

    def start(self, awaitable: Awaitable[Any], name: str | None = None) -> Awaitable[Any]:
        if isinstance(awaitable, Work):
            task: asyncio.Future[Any] = awaitable.start(self.loop)
        else:
            task = asyncio.ensure_future(awaitable, loop=self.loop)
        if name is not None and isinstance(task, asyncio.Task):
            task.set_name(name)
        _kept.add(task)
        task.add_done_callback(_kept.discard)
        return task

    def _others(self) -> list[asyncio.Future[Any]]:
        current = asyncio.current_task(self.loop)
        apart = {current} | (_draining if current in _kept else set())
        return [task for task in {*_kept} - apart if task.get_loop() is self.loop]

    async def drain(self, seconds: float | None) -> list[Any]:
        current = asyncio.current_task(self.loop)
        _draining.add(current)
        try:
            return await self._drain(seconds)
        finally:
            _draining.discard(current)

    async def _drain(self, seconds: float | None) -> list[Any]:
        end = None if seconds is None else self.loop.time() + seconds
        await asyncio.sleep(0)  # what other threads sent comes first
        while others := self._others():
            left = None if end is None else end - self.loop.time()
            if left is not None and left <= 0:
                break
            await asyncio.wait(others, timeout=left)
        return others

    def send(self, awaitable: Awaitable[Any]) -> None:
        errand = Errand(self, awaitable)
        try:
            self.loop.call_soon_threadsafe(errand, context=contextvars.copy_context())
        except RuntimeError:
            errand.take()
            raise

    def later(self, seconds: float, function: Callable[[], object]) -> Timer:
        return LoopTimer(self.loop, self.loop.call_later(seconds, function))

    async def shield(self, awaitable: Awaitable[Any]) -> bool:
        task: Any = self.start(awaitable)
        # Or the end of `asyncio.run` would cancel it. Documented for those who extend asyncio.
        asyncio._unregister_task(task)  # noqa: SLF001
        held_back = False
        with _anyio_shield():
            while not task.done():
                try:
                    await asyncio.wait([task])
                except asyncio.CancelledError:
                    held_back = True
        return held_back

    def cancel_again(self) -> None:
        # Not at once: a timeout around us, whose cancellation it was, takes it back first.
        self.loop.call_soon(_cancel_again, asyncio.current_task(self.loop))


class Errand:
    """An awaitable on its way to a loop; where that closes before it came, it is run all the same.

    ``RuntimeError`` comes from a loop that is closed already: then whoever sends it runs it.
    """

    __slots__ = ("_awaitables", "_home")

    def __init__(self, home: AsyncioHome, awaitable: Awaitable[Any]) -> None:
        self._home = home
        self._awaitables = [awaitable]

    def __call__(self) -> None:
        _ = self._home.start(self._awaitables.pop())

    def take(self) -> None:
        """Leave it to the sender."""
        self._awaitables.clear()

    def __del__(self) -> None:
        for awaitable in self._awaitables:
            finish(awaitable)


@dataclass(frozen=True, slots=True)
class LoopTimer:
    """A timer of an asyncio loop that any thread may cancel."""

    loop: asyncio.AbstractEventLoop
    handle: asyncio.TimerHandle

    def cancel(self) -> None:
        if asyncio._get_running_loop() is self.loop:  # noqa: SLF001 - as in `here`
            self.handle.cancel()
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is to come
            self.loop.call_soon_threadsafe(self.handle.cancel)


def _cancel_again(task: asyncio.Task[Any] | None) -> None:
    if task is not None and task.cancelling() and not task.done():
        task.uncancel()
        task.cancel()


def _anyio_shield() -> Any:
    """Keep anyio from cancelling us over and over: its scopes do so until the task obeys."""
    anyio = sys.modules.get("anyio")
    return contextlib.nullcontext() if anyio is None else anyio.CancelScope(shield=True)


def here() -> Home | None:
    """Return the loop that runs in this thread, or ``None``."""
    loop = asyncio._get_running_loop()  # noqa: SLF001 - documented for libraries, and never raises
    return trio_home() or as_home(loop)


def trio_home() -> Home | None:
    """Return the trio loop that runs in this thread, or ``None``; cheap where trio is not used."""
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_task():
        return None
    return TrioHome(trio, trio.lowlevel.current_trio_token(), run)


def as_home(loop: Any) -> Home | None:
    """Return a loop that was noted as it is, as a home."""
    return AsyncioHome(loop) if isinstance(loop, asyncio.AbstractEventLoop) else loop


def current_task() -> object:
    """Return what runs now: the asyncio task, or ``None`` outside of one."""
    loop = asyncio._get_running_loop()  # noqa: SLF001 - as above
    return None if loop is None else asyncio.current_task(loop)


async def pause() -> None:
    """Let the loop go round once."""
    home = here()
    await (home.trio.lowlevel.checkpoint() if isinstance(home, TrioHome) else asyncio.sleep(0))


def later(seconds: float, function: Callable[[], object]) -> Timer:
    """Call a function after that time: on the loop that runs here, else in a thread of its own."""
    home = here()
    if home is not None:
        return home.later(seconds, function)
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    return timer


def run(awaitable: Awaitable[Any]) -> Any:
    """Run an awaitable to its end in this thread, which has no loop."""
    coroutine = awaitable if isinstance(awaitable, Coroutine) else as_coroutine(awaitable)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine, context=contextvars.copy_context())


def finish(awaitable: Awaitable[Any], home: Home | None = None) -> Any:
    """See an awaitable through, wherever we are.

    On a loop it becomes a kept task, which is returned. Elsewhere it is sent to ``home``, where
    one is given and still runs, else run to its end in this thread.
    """
    local = here()
    if local is not None and home in {None, local}:
        return local.start(awaitable)
    if home is None:
        return run(awaitable)
    try:
        return home.send(awaitable)
    except RuntimeError:  # that loop is closed: the promise is that nothing is lost
        return run(awaitable) if local is None else local.start(awaitable)
