"""What a sync handler gave back, where that settles later: watch it, and deliver its failure.

A coroutine stays a coroutine, a future a future, a `Deferred` the same `Deferred`: what came back
differs from what the handler returned in that its failure goes to `next`, also where nobody awaits
it (a coroutine has not begun, so there is nothing to watch).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from collections.abc import Awaitable, Callable
from types import CoroutineType, GeneratorType
from typing import Any, Final

from catchasync import _runtimes
from catchasync._delivery import Call, Delivery, new_call
from catchasync._kinds import PLAIN_LIMIT, is_plain
from catchasync.types import Next


class Results:
    """What one handler has been seen to give back, so that a wrapper can tell the usual at once."""

    __slots__ = ("_delivery", "_namespace", "_plain")

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._plain: set[type] = set()
        self._namespace: dict[str, Any] = {}

    def serve(self, namespace: dict[str, Any]) -> None:
        """Fill in what a wrapper asks: the one usual type, the plain types, and what to do else."""
        self._namespace = namespace
        namespace.update(_usual=None, _plain=self._plain, _watch=self.watch)

    def watch(self, result: Any, next: Next, since: int, call: Call | None = None) -> Any:
        """Return what a sync handler gave back, watched if it settles later."""
        call = call or new_call(self._delivery, next, since)
        if is_plain(result):
            self._learn(type(result))
            return _settled(result, call)
        for applies, watcher in WATCHERS:
            if applies(result):
                return watcher(result, call)
        return _watch_future_like(result, call)

    def _learn(self, result_type: type) -> None:
        if issubclass(result_type, GeneratorType):  # some of them are coroutines
            return
        if self._namespace["_usual"] is None:
            self._namespace["_usual"] = result_type
        if len(self._plain) >= PLAIN_LIMIT:
            self._plain.clear()
        self._plain.add(result_type)


def _run(function: Callable[[], Any], call: Call) -> Any:
    """Call a function that gives the outcome, as the sync wrapper would have called it."""
    try:
        result = function()
    except call.delivery.catch as error:
        return call.delivery.failed(error, call.since, call.next, call)
    return _settled(result, call)


def _settled(result: Any, call: Call) -> Any:
    call.over = True
    if call.open and (result is None or call.take()):
        return result
    return call.concluded(result)


async def await_result(awaitable: Awaitable[Any], call: Call) -> Any:
    """Await a result, as the async wrapper would have awaited the handler."""
    try:
        result = await awaitable
    except call.delivery.catch as error:
        return await call.delivery.failed_async(error, call.since, call.next, call)
    finally:
        del awaitable
    return _settled(result, call)


def _is_coroutine(result: Any) -> bool:
    return isinstance(result, CoroutineType | GeneratorType)


def _watch_coroutine(coroutine: Any, call: Call) -> Any:
    watching: Any = await_result(coroutine, call)
    watching.__name__ = coroutine.__name__  # whoever forgets to await it shall read its name
    watching.__qualname__ = coroutine.__qualname__
    return watching


def _watch_asyncio(future: asyncio.Future[Any], call: Call) -> Any:
    """Give a task for a future, on the future's own loop."""
    if future.cancelled():
        return future
    if future.done() and future.exception() is None:
        _settled(future.result(), call)
        return future
    loop = future.get_loop()
    if loop.is_closed():  # it has failed, and no loop will ever tell
        _run(future.result, call)
        return future
    if loop.is_running() and not _is_current(loop):
        loop.call_soon_threadsafe(
            lambda: _runtimes.AsyncioHome(loop).start(await_result(future, call))
        )
        return future
    return _runtimes.AsyncioHome(loop).start(await_result(future, call))


def _is_current(loop: asyncio.AbstractEventLoop) -> bool:
    return asyncio._get_running_loop() is loop  # noqa: SLF001


class _Watched(concurrent.futures.Future[Any]):
    """A future that settles as another does, after its failure was delivered."""

    def __init__(self, inner: concurrent.futures.Future[Any], call: Call) -> None:
        super().__init__()
        self._inner = inner
        context = contextvars.copy_context()
        inner.add_done_callback(lambda done: context.run(self._settle, done, call))

    def cancel(self) -> bool:
        return self._inner.cancel()

    def running(self) -> bool:
        return self._inner.running()

    def _settle(self, inner: concurrent.futures.Future[Any], call: Call) -> None:
        if inner.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
            return
        try:
            self.set_result(_run(inner.result, call))
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result shall see it
            self.set_exception(error)


def _is_deferred(result: Any) -> bool:
    return hasattr(type(result), "addCallbacks")


def _watch_deferred(deferred: Any, call: Call) -> Any:
    """Watch Twisted's `Deferred` with a callback pair of its own: it stays the same object."""

    def failed(failure: Any) -> Any:
        return _as_deferred(_run(failure.raiseException, call), type(deferred))

    return deferred.addCallbacks(lambda result: _settled(result, call), failed)


def _as_deferred(result: Any, deferred_type: Any) -> Any:
    return deferred_type.fromFuture(result) if asyncio.isfuture(result) else result


def _watch_awaitable(awaitable: Any, call: Call) -> Any:
    from catchasync._proxies import CaughtAwaitable  # noqa: PLC0415 - wrapt is loaded when needed

    return CaughtAwaitable(awaitable, lambda: await_result(awaitable, call))


def _watch_future_like(future: Any, call: Call) -> Any:
    """Watch what calls back when it is done, whatever else it is: it stays the same object."""
    future.add_done_callback(lambda done: _swallow(done.result, call))
    return future


def _swallow(outcome: Callable[[], Any], call: Call) -> None:
    """Deliver an outcome that its future keeps as well: what `next` raises is the loser's."""
    try:
        _run(outcome, call)
    except Exception as error:  # noqa: BLE001 - the library's thread must not see it
        if call.decided:
            call.delivery.late(error)


WATCHERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any, Call], Any]], ...]] = (
    (_is_coroutine, _watch_coroutine),
    (asyncio.isfuture, _watch_asyncio),
    (lambda result: isinstance(result, concurrent.futures.Future), _Watched),
    (_is_deferred, _watch_deferred),
    (lambda result: not hasattr(result, "add_done_callback"), _watch_awaitable),
)
