"""trio, told from `_runtimes`, which imports nothing of it: the module comes as an argument."""

from __future__ import annotations

import contextlib
import contextvars
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

_kept: set[TrioTask] = set()
_draining: set[object] = set()  # tasks: of the kept ones, these wait for the others


@dataclass(frozen=True, slots=True)
class TrioHome:
    """A running trio loop."""

    trio: Any  # the module, which is not imported where it is not used
    token: Any
    run: Callable[[Awaitable[Any]], Any] = field(compare=False)  # where no loop runs

    def start(self, awaitable: Awaitable[Any], name: str | None = None) -> Awaitable[Any]:
        task = TrioTask(self.trio, name)
        _kept.add(task)
        self.trio.lowlevel.spawn_system_task(
            task.run, awaitable, name=name, context=contextvars.copy_context()
        )
        return task

    def _others(self) -> list[TrioTask]:
        current = self.trio.lowlevel.current_task()
        tasks = [task for task in {*_kept} if task.token is self.token]
        is_kept = any(task.task is current for task in tasks)
        apart = {current, *_draining} if is_kept else {current}
        return [task for task in tasks if task.task not in apart]

    async def drain(self, seconds: float | None) -> list[Any]:
        sent = self.trio.Event()  # what other threads sent before comes first
        self.token.run_sync_soon(sent.set)
        await sent.wait()
        current = self.trio.lowlevel.current_task()
        _draining.add(current)
        try:
            with self.trio.move_on_after(seconds or math.inf):
                while others := self._others():
                    await others[0].wait()
            return self._others()
        finally:
            _draining.discard(current)

    def send(self, awaitable: Awaitable[Any]) -> None:
        self.token.run_sync_soon(contextvars.copy_context().run, self._take, awaitable)

    def _take(self, awaitable: Awaitable[Any]) -> None:
        try:
            _ = self.start(awaitable)
        except RuntimeError:  # the main task has ended: nothing can be started any more
            self.run(awaitable)

    def later(self, seconds: float, function: Callable[[], object]) -> TrioTimer:
        timer = TrioTimer(self.trio, self.token)
        self.trio.lowlevel.spawn_system_task(
            timer.run, seconds, function, context=contextvars.copy_context()
        )
        return timer

    async def shield(self, awaitable: Awaitable[Any]) -> bool:
        with self.trio.CancelScope(shield=True):
            await awaitable
        return False

    def cancel_again(self) -> None:
        """Do nothing: trio cancels again of itself, at every checkpoint."""


class TrioTimer:
    """What trio has no word for: a call that is to come, which any thread may cancel."""

    def __init__(self, trio: Any, token: Any) -> None:
        self._trio = trio
        self._token = token
        self._scope = trio.CancelScope()

    async def run(self, seconds: float, function: Callable[[], object]) -> None:
        with self._scope:
            await self._trio.sleep(seconds)
            function()

    def cancel(self) -> None:
        with contextlib.suppress(RuntimeError):  # that run is over: nothing is to come
            self._token.run_sync_soon(self._scope.cancel)


class TrioTask:
    """What trio has no word for: a started piece of work that may be awaited, or not.

    A system task must not fail, so the outcome is kept here for whoever awaits; a failure that
    nobody awaited is told to the interpreter when the task is collected, as asyncio does.
    """

    def __init__(self, trio: Any, name: str | None) -> None:
        self.token = trio.lowlevel.current_trio_token()
        self.task: object = None
        self._name = name
        self._done = trio.Event()
        self._scope = trio.CancelScope()
        self._trio = trio
        self._value: Any = None
        self._error: BaseException | None = None

    async def run(self, awaitable: Awaitable[Any]) -> None:
        self.task = self._trio.lowlevel.current_task()
        try:
            with self._scope:
                self._value = await awaitable
        except self._trio.Cancelled:
            raise
        except BaseException as error:  # noqa: BLE001 - kept for whoever awaits
            here = error.__traceback__
            self._error = error.with_traceback(here and here.tb_next)  # without this frame
        finally:
            self._done.set()
            _kept.discard(self)
            del self, awaitable  # the error's frames lead here: what they hold must not hold it

    async def wait(self) -> None:
        """Wait until it is over, however it ended."""
        await self._done.wait()

    def __repr__(self) -> str:
        return f"<kept task {self._name or ''}>"

    def cancel(self) -> None:
        """Cancel the work; its value is ``None`` then."""
        self._scope.cancel()

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


class TrioWaiter:
    """What a trio task waits for: awaited once, and woken from any thread."""

    __slots__ = ("_event", "_token")

    def __init__(self, trio: Any) -> None:
        self._event = trio.Event()
        self._token = trio.lowlevel.current_trio_token()

    def __await__(self) -> Any:
        return self._event.wait().__await__()

    def done(self) -> bool:
        """Say whether it was woken."""
        return bool(self._event.is_set())

    def set_result(self, _result: None) -> None:
        """Wake the task; call this in trio's own thread."""
        self._event.set()

    def send(self, call: Callable[[], None]) -> None:
        """Let a call come in trio's own thread; ``RuntimeError`` where its run is over."""
        self._token.run_sync_soon(call)
