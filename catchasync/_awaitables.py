"""`as_awaitable`, `spawn`, `drain`: any future-like awaited, any awaitable kept and delivered."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

from catchasync import _runtimes
from catchasync._completion import Callback, check_callable, check_timeout
from catchasync._delivery import Delivery, new_call
from catchasync._futures import check_future_like, is_native, watch
from catchasync._kinds import name_of
from catchasync._marks import clock
from catchasync._promisify import Plan, Promisified, driver
from catchasync._returned import await_result
from catchasync.types import Next


def as_awaitable(thing: Any, /) -> Coroutine[Any, Any, Any]:
    """Await any future-like, on asyncio or trio.

    An awaitable is awaited; anything else tells when it is done, on whatever thread: futures of
    `concurrent.futures`, another event loop, grpc, dask; Deferreds; results of gevent, kazoo,
    cassandra-driver; what has only ``ready()`` and ``get()`` (celery, `multiprocessing.pool`) is
    waited for in a thread. Cancelling the await calls the ``cancel()`` of what is awaited.

    Args:
        thing: The future-like.

    Returns:
        A coroutine that gives its result, or raises its error.

    Raises:
        TypeError: It is none.
    """
    if isinstance(thing, Coroutine):
        return thing
    if is_native(thing):
        return _runtimes.as_coroutine(thing)
    check_future_like("as_awaitable()", thing)
    return _watched(thing)


def _watch(thing: Any, callback: Callback) -> Any:
    return watch(thing, callback)


_watched: Final[Promisified] = driver(Plan(_watch, name="as_awaitable"))


def spawn(awaitable: Any, /, *, next: Next, name: str | None = None) -> Any:
    """Start a task that is kept, and whose failure reaches ``next``.

    Args:
        awaitable: A coroutine, or any future-like.
        next: Where its failure goes; what it returns is the task's result then.
        name: The task's name.

    Returns:
        The task: an `asyncio.Task`, or under trio what can be awaited and cancelled like one.

    Raises:
        RuntimeError: No event loop is running.
        TypeError: Something is not what it has to be.
    """
    try:
        check_callable("next", "a callable of one argument, the error", next)
        home = _home("spawn()")
        coroutine = as_awaitable(awaitable)
    except (RuntimeError, TypeError):
        _runtimes.discard(awaitable)
        raise
    delivery = Delivery(name or name_of(awaitable))
    work = await_result(coroutine, new_call(delivery, next, clock.now))
    return home.start(_runtimes.Work(work, coroutine), name)


def _home(what: str) -> _runtimes.Home:
    home = _runtimes.here()
    if home is None:
        msg = f"{what} needs a running event loop, asyncio or trio: call it from async code."
        raise RuntimeError(msg)
    return home


async def drain(timeout: float | None = None) -> None:  # noqa: ASYNC109 - none is cancelled
    """Wait for every kept task of this loop, also for those that are started meanwhile.

    Kept tasks are what `spawn` started, and what an async `next` had still to do. Their failures
    have gone where they go; nothing is raised here for them.

    Args:
        timeout: Seconds (above 0) to wait at most; by default as long as it takes.

    Raises:
        TimeoutError: Some are still running, which go on; the message names them.
    """
    check_timeout(timeout)
    left = await _home("drain()").drain(timeout)
    if left:
        msg = f"{len(left)} kept tasks are still running after {timeout:g} seconds: {left!r}"
        raise TimeoutError(msg)
