"""Where code runs: asyncio, trio, or no loop at all.

The one file that knows event loops: which one runs here, how to start an awaitable on it so that
nobody can lose it, how to reach it from another thread, and how to run an awaitable where there is
none. uvloop is an asyncio loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

_kept: set[object] = set()  # loops hold their tasks weakly (cpython #88831): we hold them


class Home(Protocol):
    """An event loop that runs in some thread."""

    def start(self, awaitable: Awaitable[Any]) -> Awaitable[Any]:
        """Run it here as a task that is kept; call this on the loop's own thread."""
        ...

    def send(self, awaitable: Awaitable[Any]) -> None:
        """Run it there, from any thread; ``RuntimeError`` where that loop is over."""
        ...

    async def shield(self, awaitable: Awaitable[Any]) -> bool:
        """Await it where no cancellation reaches it; true where one came, and was held back."""
        ...

    def cancel_again(self) -> None:
        """Let the cancellation that was held back come, unless it was taken back meanwhile."""
        ...


async def as_coroutine(awaitable: Awaitable[Any]) -> Any:
    """Await anything that can be awaited."""
    return await awaitable


@dataclass(frozen=True, slots=True)
class AsyncioHome:
    """A running asyncio loop."""

    loop: asyncio.AbstractEventLoop

    def start(self, awaitable: Awaitable[Any]) -> Awaitable[Any]:
        task = asyncio.ensure_future(awaitable, loop=self.loop)
        _kept.add(task)
        task.add_done_callback(_kept.discard)
        return task

    def send(self, awaitable: Awaitable[Any]) -> None:
        self.loop.call_soon_threadsafe(self.start, awaitable, context=contextvars.copy_context())

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


@dataclass(frozen=True, slots=True)
class TrioHome:
    """A running trio loop."""

    trio: Any  # the module, which is not imported where it is not used
    token: Any

    def start(self, awaitable: Awaitable[Any]) -> Awaitable[Any]:
        task = TrioTask(self.trio)
        self.trio.lowlevel.spawn_system_task(
            task.run, awaitable, context=contextvars.copy_context()
        )
        return task

    def send(self, awaitable: Awaitable[Any]) -> None:
        self.token.run_sync_soon(self.start, awaitable)

    async def shield(self, awaitable: Awaitable[Any]) -> bool:
        with self.trio.CancelScope(shield=True):
            await awaitable
        return False

    def cancel_again(self) -> None:
        """Do nothing: trio cancels again of itself, at every checkpoint."""


class TrioTask:
    """What trio has no word for: a started piece of work that may be awaited, or not.

    A system task must not fail, so the outcome is kept here for whoever awaits; a failure that
    nobody awaited is told to the interpreter when the task is collected, as asyncio does.
    """

    def __init__(self, trio: Any) -> None:
        self._done = trio.Event()
        self._cancelled = trio.Cancelled
        self._value: Any = None
        self._error: BaseException | None = None

    async def run(self, awaitable: Awaitable[Any]) -> None:
        try:
            self._value = await awaitable
        except self._cancelled:
            raise
        except BaseException as error:  # noqa: BLE001 - kept for whoever awaits
            here = error.__traceback__
            self._error = error.with_traceback(here and here.tb_next)  # without this frame
        finally:
            self._done.set()
            del self, awaitable  # the error's frames lead here: what they hold must not hold it

    def __await__(self) -> Any:
        yield from self._done.wait().__await__()
        error, self._error = self._error, None
        if error is None:
            return self._value
        try:
            raise error
        finally:
            del error

    def __del__(self) -> None:
        if self._error is not None:
            raise self._error


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
    if trio is None or not _in_trio(trio):
        return None
    return TrioHome(trio, trio.lowlevel.current_trio_token())


def as_home(loop: Any) -> Home | None:
    """Return a loop that was noted as it is, as a home."""
    return AsyncioHome(loop) if isinstance(loop, asyncio.AbstractEventLoop) else loop


def _in_trio(trio: Any) -> bool:
    try:
        trio.lowlevel.current_task()
    except (RuntimeError, AttributeError):
        return False
    return True


def current_task() -> object:
    """Return what runs now: the asyncio task, or ``None`` outside of one."""
    loop = asyncio._get_running_loop()  # noqa: SLF001 - as above
    return None if loop is None else asyncio.current_task(loop)


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
    if local is not None:
        return local.start(awaitable)
    if home is None:
        return run(awaitable)
    try:
        return home.send(awaitable)
    except RuntimeError:  # that loop is closed: the promise is that nothing is lost
        return run(awaitable)
