"""`promisify`: an async function of a callback-style one.

Each call has a `Pending`, where the outcome and the waiting task meet, and hands the library a
`Callback` whose receiver it is. The await holds the `Pending` and never the `Callback`: a callback
that the library drops is collected, and says so.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from types import FunctionType, MethodType
from typing import Any, Final

from catchasync import _runtimes
from catchasync._completion import (
    Callback,
    Reader,
    Receiver,
    check_callable,
    check_timeout,
    take,
)
from catchasync._futures import watch
from catchasync._kinds import is_awaitable, kind_of, name_of, short_name_of, signature_of
from catchasync._pending import Pending, Returned
from catchasync._places import Call, caller_of, signature_without, slot_of
from catchasync._wakes import new_waiter
from catchasync.conventions import Convention, TwoCallbacks, error_first, future
from catchasync.types import Late

Promisified = Callable[..., Coroutine[Any, Any, Any]]

PROMISIFIED: Final = "__promisified__"
_OWN: Final = "__catchasync_promisified__"

_known: weakref.WeakValueDictionary[int, Promisified] = weakref.WeakValueDictionary()


def promisify(  # noqa: PLR0913 - the public options
    function: Any,
    /,
    *,
    convention: Convention = error_first,
    callback: int | str | None = None,
    error: Callable[[Any], Any] | None = None,
    timeout: float | None = None,
    on_cancel: Callable[..., Any] | None = None,
    late: Late | None = None,
) -> Promisified:
    """Return an async function of one that calls back.

    The callback may be called before the function returns or later, on any thread, or never: one
    that is dropped uncalled fails the await with `CallbackNeverCalled`. The first completion wins;
    a failure among the others is late. No values are ``None``, one is itself, several a tuple.

    Args:
        function: What takes a callback. One with a ``__promisified__`` attribute has its
            promisified form there; a promisified function is returned as it is.
        convention: How it calls back: one of `catchasync.conventions`, or one of your own.
        callback: Where the callback goes: an index among all arguments, or a keyword. By default
            the last position.
        error: Called with an error that is no exception, returns (or raises) one; by default it
            becomes a `CallbackError`.
        timeout: Seconds (above 0) until the await fails with `TimeoutError`; by default never.
        on_cancel: Called once where the await is cancelled or timed out before the outcome; with
            what the function returned, if it takes an argument. By default the ``cancel()`` of
            what the function returned, if it has one.
        late: Where late failures go: called with the error. By default they are logged.

    Returns:
        An async function with the signature of ``function`` less the callback. Decorates methods,
        class methods and static methods as well.

    Raises:
        TypeError: Something is not what it has to be, or the function has no such place.
        ValueError: The index is beyond the parameters, or the timeout not above 0.
    """
    form: Promisified | None = _own_form(function)
    if form is not None:
        return form
    options: dict[str, Any] = {
        "convention": convention,
        "callback": callback,
        "error": error,
        "timeout": timeout,
        "on_cancel": on_cancel,
        "late": late,
    }
    if isinstance(function, classmethod | staticmethod):
        bound: Any = type(function)(promisify(function.__func__, **options))
        return bound  # type: ignore[no-any-return]
    _check_function(function)
    if options != _USUAL:
        return _promisified(function, options)
    known = _known.get(id(function))  # it keeps its function alive, so the id means this one
    if known is None:
        known = _known[id(function)] = _promisified(function, options)
    return known


_USUAL: Final = {
    "convention": error_first,
    "callback": None,
    "error": None,
    "timeout": None,
    "on_cancel": None,
    "late": None,
}


def _promisified(function: Any, options: dict[str, Any]) -> Promisified:
    plan = Plan(function, **options)
    dressed: Promisified = _dress(driver(plan), function, plan.signature)
    return dressed


def _own_form(function: Any) -> Any:
    if is_promisified(function):
        return function
    holder = function.__func__ if isinstance(function, MethodType) else function
    if inspect.getattr_static(holder, PROMISIFIED, None) is None:  # what answers any name has none
        return None
    form = getattr(function, PROMISIFIED)
    if not callable(form):
        msg = f"{name_of(function)}.__promisified__ must be an async function: got {form!r}."
        raise TypeError(msg)
    is_of_class = isinstance(function, MethodType) and inspect.isfunction(form)
    return MethodType(form, function.__self__) if is_of_class else form


def is_promisified(function: Any) -> bool:
    """Say whether a function was made by `promisify`."""
    made = getattr(function, "__func__", function)
    known = vars(made).get(_OWN) if isinstance(made, FunctionType) else None
    return known is not None and known() is made


KINDS: Final = {
    "coroutine": "a coroutine",
    "generator": "a generator",
    "async_generator": "an async generator",
}


def _check_function(function: Any) -> None:
    if not callable(function):
        msg = f"promisify() takes a function that calls back: got {function!r}."
        raise TypeError(msg)
    kind = kind_of(function)
    if kind == "sync":
        kind = kind_of(type(function).__call__)
    if kind != "sync":
        msg = (
            f"{name_of(function)} is {KINDS[kind]} function, which never calls back. "
            "Use it as it is: promisify() is for plain functions that take a callback."
        )
        raise TypeError(msg)


class Plan:
    """What is decided when a function is promisified: the options of `promisify`."""

    __slots__ = ("_takes_returned", "call", "on_cancel", "reader", "signature", "timeout")

    def __init__(  # noqa: PLR0913 - as many as `promisify` has
        self,
        function: Any,
        *,
        name: str = "",
        convention: Convention = error_first,
        callback: int | str | None = None,
        error: Callable[[Any], Any] | None = None,
        timeout: float | None = None,
        on_cancel: Callable[..., Any] | None = None,
        late: Late | None = None,
    ) -> None:
        expected = "a callable, called when the await is cancelled"
        check_callable("on_cancel", expected, on_cancel, is_optional=True)
        check_timeout(timeout)
        read = error_first if isinstance(convention, TwoCallbacks) else convention
        self.reader = Reader(name or name_of(function), read, error, late)
        self.call, self.signature = _placed(function, convention, callback)
        self.timeout = timeout
        self.on_cancel = on_cancel
        self._takes_returned = on_cancel is not None and _takes_one(on_cancel)

    def timer(self, receivers: list[Receiver], returned: Any) -> _runtimes.Timer:
        """Let the await time out."""
        seconds = self.timeout or 0.0
        return _runtimes.later(seconds, lambda: self._expire(receivers, returned, seconds))

    def _expire(self, receivers: list[Receiver], returned: Any, seconds: float) -> None:
        for receive in take(receivers):
            receive(self.reader.timed_out(seconds), ())
            self._cancel(returned)

    def abandon(self, receivers: list[Receiver], returned: Any) -> None:
        """Give up on the outcome, if it has not come."""
        for _ in take(receivers):
            self._cancel(returned)

    def _cancel(self, returned: Any) -> None:
        """Let the library know that nobody waits any more; what that raises is late."""
        try:
            done = self._call_off(returned)
            if is_awaitable(done):
                _runtimes.finish(self._cancelled(done))
        except Exception as error:  # noqa: BLE001 - the cancellation itself must go on
            self.reader.late(error)

    def _call_off(self, returned: Any) -> Any:
        if self.on_cancel is not None:
            return self.on_cancel(returned) if self._takes_returned else self.on_cancel()
        cancel = getattr(returned, "cancel", None)
        return cancel() if callable(cancel) else None

    async def _cancelled(self, awaitable: Awaitable[Any]) -> None:
        try:
            await awaitable
        except Exception as error:  # noqa: BLE001 - as above
            self.reader.late(error)


def _takes_one(function: Any) -> bool:
    signature = signature_of(function)
    try:
        return signature is not None and bool(signature.bind(None))
    except TypeError:
        return False


def _placed(
    function: Any, convention: Convention, callback: int | str | None
) -> tuple[Call, inspect.Signature | None]:
    """Decide how the function is called with its callback, and what is left of its signature."""
    if callback is not None and (convention is future or isinstance(convention, TwoCallbacks)):
        msg = f"callback={callback!r} has no meaning with {convention!r}, which says where it goes."
        raise TypeError(msg)
    if convention is future:
        return _future_of(function), signature_without(function, ())
    if isinstance(convention, TwoCallbacks):
        slots = [slot_of(function, place) for place in (convention.success, convention.error)]
        call = caller_of(function, slots)
        pair: Call = lambda args, kwargs, shot: call(args, kwargs, (shot.succeed, shot.fail))  # noqa: E731
        return pair, signature_without(function, slots)
    slots = [slot_of(function, -1 if callback is None else callback)]
    return caller_of(function, slots), signature_without(function, slots)


def _future_of(function: Any) -> Call:
    def call(args: tuple[Any, ...], kwargs: dict[str, Any], callback: Callback) -> Any:
        return watch(function(*args, **kwargs), callback)

    return call


def driver(plan: Plan) -> Promisified:
    """Make the async function itself: one frame, which waits only where it has to."""
    call, reader = plan.call, plan.reader

    async def promisified(*args: Any, **kwargs: Any) -> Any:
        pending = Pending()
        pending.reader = reader
        callback = Callback()
        callback.reader = reader
        receivers: list[Receiver] = [pending]
        callback.receivers = receivers
        try:
            returned = call(args, kwargs, callback)
        except BaseException as failure:
            if take(receivers) or not isinstance(failure, Exception):
                raise
            reader.late(failure)  # it called back as well, and that was first
            returned = None
        if returned is not None:
            returned = _seen_through(returned, callback)
        del args, kwargs, callback
        if not pending:
            waiter = new_waiter()
            timer = None if plan.timeout is None else plan.timer(receivers, returned)
            pending.append(waiter)
            try:
                if pending[0] is waiter:
                    await waiter
            except BaseException:
                plan.abandon(receivers, returned)
                raise
            finally:
                if timer is not None:
                    timer.cancel()
        outcome = pending.outcome()
        if type(outcome) is tuple:
            return outcome[0]
        error = outcome.take()
        try:
            raise error
        finally:
            del error

    return promisified


def _seen_through(returned: Any, callback: Callback) -> Any:
    """Await what a function returned besides; what it gives is a completion as well."""
    return watch(returned, Returned(callback)) if is_awaitable(returned) else returned


def _dress(promisified: Any, function: Any, signature: inspect.Signature | None) -> Any:
    """Let the async function answer as the plain one, but for the callback."""
    functools.update_wrapper(promisified, function)
    name = short_name_of(function)
    promisified.__name__ = name
    promisified.__qualname__ = getattr(function, "__qualname__", name)
    promisified.__dict__[_OWN] = weakref.ref(promisified)  # a wrapper that copies it is none
    if signature is not None:
        promisified.__signature__ = signature
        hints = getattr(function, "__annotations__", {})
        promisified.__annotations__ = {k: v for k, v in hints.items() if k in signature.parameters}
    return promisified
