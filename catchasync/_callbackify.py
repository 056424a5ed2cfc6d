"""`callbackify`: an error-first callback-style function of an async one."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any

from catchasync import _runtimes
from catchasync._awaitables import as_awaitable
from catchasync._completion import FAILURES, check_callable
from catchasync._delivery import Delivery
from catchasync._kinds import check_is_no_generator, is_plain, name_of, short_name_of, signature_of
from catchasync.types import Late


def callbackify(function: Callable[..., Any], /, *, late: Late | None = None) -> Callable[..., Any]:
    """Return an error-first callback-style function of an async one.

    It is called with the arguments and then the callback, last or as ``callback=``, which is
    called exactly once, never before the call has returned: ``callback(None, value)`` or
    ``callback(error)``; a cancelled call gives the cancellation. What the callback raises is late.
    A callback of fewer parameters gets fewer arguments, one that insists on a value gets ``None``.

    Args:
        function: An async function; one that raises at once, or returns a plain value or any
            future-like, is served like it.
        late: Where late failures go: called with the error. By default they are logged.

    Returns:
        A function that returns the kept task, which may be cancelled; without a running loop, the
        thread that runs it.

    Raises:
        TypeError: ``function`` is not callable; at a call: there is no callable callback.
    """
    if isinstance(function, classmethod | staticmethod):
        bound: Any = type(function)(callbackify(function.__func__, late=late))
        return bound  # type: ignore[no-any-return]
    check_callable("function", "an async function", function)
    check_callable("late", "a callable of one argument, the error", late, is_optional=True)
    check_is_no_generator("callbackify()", function)
    delivery = Delivery(name_of(function), late=late)

    def callbackified(*args: Any, **kwargs: Any) -> Any:
        args, callback = _parted(args, kwargs)
        if not callable(callback):
            msg = (
                f"{delivery.name}() takes a callback as its last argument, or as callback=: got "
                f"{callback!r}, which is not callable."
            )
            raise TypeError(msg)
        result = _begin(function, args, kwargs)
        return _start(result, Answer(callback, delivery))

    made: Callable[..., Any] = _with_callback(callbackified, function)
    return made


def _parted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
    if "callback" in kwargs:
        return args, kwargs.pop("callback")
    return args[:-1], args[-1] if args else None


def _begin(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except FAILURES as error:  # it goes to the callback
        own_frame = error.__traceback__
        return Raised(error.with_traceback(own_frame and own_frame.tb_next))


class Raised:
    """What a function raised at once, as an awaitable."""

    def __init__(self, error: BaseException) -> None:
        self._errors = [error]

    def __await__(self) -> Any:
        yield from ()
        raise self._errors.pop()


class Answer:
    """The callback of one call: called once, with the outcome, or else when nobody can come."""

    __slots__ = ("_callbacks", "_delivery")

    def __init__(self, callback: Callable[..., Any], delivery: Delivery) -> None:
        self._callbacks = [callback]
        self._delivery = delivery

    @property
    def name(self) -> str:
        """What the function is called, whose outcome it is."""
        return self._delivery.name

    def __call__(self, *outcome: Any) -> None:
        """Call the callback with the error, or with ``None`` and the value."""
        callback = self._callbacks.pop()
        try:
            callback(*_suited(callback, outcome))
        except Exception as error:  # noqa: BLE001 - it is the callback's own
            self._delivery.late(error)

    def __del__(self) -> None:
        if self._callbacks and not sys.is_finalizing():  # cancelled before it began
            self(asyncio.CancelledError())


def _suited(callback: Any, outcome: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return as many arguments as the callback takes."""
    signature = signature_of(callback)
    for arguments in (outcome, (*outcome, None), outcome[:1]):
        try:
            _ = signature and signature.bind(*arguments)
        except TypeError:
            continue
        return arguments
    return outcome


def _start(result: Any, answer: Answer) -> Any:
    home = _runtimes.here()
    work = _runtimes.Work(_serve(result, answer), result)
    if home is not None:
        return home.start(work)
    returned = threading.Event()

    def run() -> None:
        returned.wait()
        _runtimes.run(work)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name=f"catchasync-{answer.name}")
    thread.start()
    returned.set()
    return thread


async def _serve(result: Any, answer: Answer) -> None:
    try:
        await _runtimes.pause()  # not before the call has returned, also in an eager task
        value = result if is_plain(result) else await as_awaitable(result)
    except BaseException as error:
        _runtimes.discard(result)  # it may have been cancelled in the pause
        answer(error)
        if not isinstance(error, Exception) and not isinstance(result, Raised):
            raise
    else:
        answer(None, value)
    finally:
        del result, answer


def _with_callback(callbackified: Any, function: Any) -> Any:
    """Let the callback-style function answer as the async one, and for the callback."""
    functools.update_wrapper(callbackified, function)
    callbackified.__name__ = short_name_of(function)
    signature = signature_of(function)
    if signature is not None:
        callbackified.__signature__ = _signature_with_callback(signature)
    return callbackified


def _signature_with_callback(signature: inspect.Signature) -> inspect.Signature:
    parameters = [p for p in signature.parameters.values() if p.name != "callback"]
    kinds = [p.kind for p in parameters]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        places = [kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds]
        is_free = any(p.default is not p.empty for p in parameters[: sum(places)])
        default = None if is_free else inspect.Parameter.empty
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.insert(sum(places), inspect.Parameter("callback", kind, default=default))
    return signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
