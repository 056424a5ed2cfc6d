"""Future-likes: how each kind says that it is done.

`watch` asks a thing to complete a callback when it is done, and returns a handle to cancel it. The
kinds are told by what they have, so that nothing has to be imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from catchasync import _runtimes
from catchasync._failures import holdable
from catchasync._kinds import name_of
from catchasync.conventions import future


class Completes(Protocol):
    """What takes the outcome of a future-like."""

    def complete(self, error: BaseException | None, values: tuple[Any, ...], /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Handle:
    """Cancels what is being watched; it is no awaitable, whatever that is."""

    cancel: Callable[[], object]


def watch(thing: Any, callback: Completes) -> Handle:
    """Let a future-like complete a callback when it is done.

    Raises:
        TypeError: It is none.
    """
    attach = _attach_of(thing)
    if attach is not None:
        attach(thing, callback)
        return Handle(lambda: _cancel(thing))
    if inspect.isawaitable(thing):
        return _await(thing, callback)
    msg = f"the function has to return {FUTURE_LIKE}: got {thing!r}."
    raise TypeError(msg)


FUTURE_LIKE: Final = (
    "a future-like (something to await, or with add_done_callback(), addCallbacks(), rawlink(), "
    "add_callbacks(), or ready() and get())"
)


def is_native(thing: Any) -> bool:
    """Say whether ``await`` in the task that runs now is all that a thing needs."""
    return inspect.isawaitable(thing) and _attach_of(thing) is None


def check_future_like(what: str, thing: Any) -> None:
    """Refuse what nobody can wait for."""
    if _attach_of(thing) is None and not inspect.isawaitable(thing):
        call = f" Call it: {name_of(thing)}()." if callable(thing) else ""
        msg = f"{what} takes {FUTURE_LIKE}: got {thing!r}.{call}"
        raise TypeError(msg)


def _attach_of(thing: Any) -> Callable[[Any, Completes], None] | None:
    return next((attach for applies, attach in KINDS if applies(thing)), None)


def _cancel(thing: Any) -> None:
    cancel = getattr(thing, "cancel", None)
    if not callable(cancel):
        return
    if asyncio.isfuture(thing):  # of another loop
        with contextlib.suppress(RuntimeError):  # which may be closed
            thing.get_loop().call_soon_threadsafe(cancel)
    elif _is_deferred(thing):
        _in_reactor(cancel)
    else:
        cancel()


def _await(awaitable: Awaitable[Any], callback: Completes) -> Handle:
    home = _runtimes.here()
    if home is None:
        _runtimes.discard(awaitable)
        msg = f"there is no running event loop to await {awaitable!r}."
        raise RuntimeError(msg)
    task: Any = home.start(_runtimes.Work(_see(awaitable, callback), awaitable))
    return Handle(task.cancel)


async def _see(awaitable: Awaitable[Any], callback: Completes) -> None:
    try:
        value = await awaitable
    except Exception as error:  # noqa: BLE001 - it is the outcome
        callback.complete(holdable(error), ())
    except BaseException as error:
        callback.complete(holdable(error), ())
        raise
    else:
        callback.complete(None, (value,))
    finally:
        del awaitable, callback


def _read(done: Any, callback: Completes) -> None:
    error, values = future(done)
    callback.complete(holdable(error) if isinstance(error, BaseException) else None, values)


def _is_of_another_loop(thing: Any) -> bool:
    if not asyncio.isfuture(thing):
        return False
    home = _runtimes.here()
    return not (isinstance(home, _runtimes.AsyncioHome) and home.loop is thing.get_loop())


def _attach_there(thing: asyncio.Future[Any], callback: Completes) -> None:
    if thing.done():
        _read(thing, callback)
        return
    loop = thing.get_loop()
    loop.call_soon_threadsafe(thing.add_done_callback, lambda done: _read(done, callback))


def _is_deferred(thing: Any) -> bool:
    return hasattr(type(thing), "addCallbacks")


def _attach_deferred(thing: Any, callback: Completes) -> None:
    def succeeded(value: Any) -> Any:
        callback.complete(None, (value,))
        return value

    def failed(failure: Any) -> None:
        callback.complete(holdable(failure.value), ())

    _in_reactor(lambda: thing.addCallbacks(succeeded, failed))


def _in_reactor(function: Callable[[], object]) -> None:
    """Call a function in the reactor's thread, which alone may touch a Deferred."""
    threadable = sys.modules.get("twisted.python.threadable")
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    is_elsewhere = threadable is not None and threadable.ioThread not in {
        None,
        threading.get_ident(),
    }
    if is_elsewhere and reactor is not None and reactor.running:
        reactor.callFromThread(function)
    else:
        function()


def _calls_back_when_done(thing: Any) -> bool:
    has_it = hasattr(thing, "add_done_callback") and not asyncio.isfuture(thing)
    return has_it and (not inspect.isawaitable(thing) or _is_of_dask(thing))


def _is_of_dask(thing: Any) -> bool:
    """Tell a future whose ``__await__`` does not work, as its client is not asynchronous."""
    is_dask = type(thing).__module__ == "distributed.client"
    return is_dask and not getattr(getattr(thing, "client", None), "asynchronous", False)


def _attach_done(thing: Any, callback: Completes) -> None:
    thing.add_done_callback(lambda done: _read(done, callback))


def _attach_rawlink(thing: Any, callback: Completes) -> None:
    """Watch a Greenlet or an AsyncResult of gevent, or an AsyncResult of kazoo."""
    thing.rawlink(lambda done: _read(_Linked(done), callback))


@dataclass(frozen=True, slots=True)
class _Linked:
    done: Any

    def result(self) -> Any:
        return self.done.get(block=False)


def _attach_pair(thing: Any, callback: Completes) -> None:
    """Watch a `ResponseFuture` of the Cassandra driver."""
    thing.add_callbacks(
        lambda rows: callback.complete(None, (rows,)),
        lambda error: callback.complete(holdable(error), ()),
    )


def _attach_thread(thing: Any, callback: Completes) -> None:
    """Wait for what can only be waited for (celery, `multiprocessing.pool`), in a thread."""
    waits = threading.Thread(
        target=lambda: _read(_Got(thing), callback), name="catchasync-get", daemon=True
    )
    waits.start()


@dataclass(frozen=True, slots=True)
class _Got:
    done: Any

    def result(self) -> Any:
        return self.done.get()


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda thing: all(callable(getattr(type(thing), name, None)) for name in names)


KINDS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any, Completes], None]], ...]] = (
    (_is_of_another_loop, _attach_there),
    (_is_deferred, _attach_deferred),
    (_calls_back_when_done, _attach_done),
    (_has("rawlink", "get"), _attach_rawlink),
    (_has("add_callbacks"), _attach_pair),
    (_has("ready", "get"), _attach_thread),
)
