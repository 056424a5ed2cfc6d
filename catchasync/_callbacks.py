"""`wrap_callback`: a callback for one call of a callback-style function."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any, Final, NamedTuple, overload

from catchasync import _runtimes
from catchasync._awaitables import as_awaitable
from catchasync._completion import (
    FAILURES,
    Callback,
    Reader,
    Receiver,
    check_callable,
    check_timeout,
    take,
)
from catchasync._delivery import Call, Delivery, leave
from catchasync._kinds import is_awaitable, name_of, signature_of
from catchasync._marks import clock
from catchasync.conventions import Convention, Outcome, TwoCallbacks, error_first
from catchasync.types import Late, Next

NO_ON_SUCCESS: Final = (
    "wrap_callback(next) without on_success calls next() on success: give it on_success, or let "
    "the parameter of `next` be None by default"
)


class CallbackPair(NamedTuple):
    """What `wrap_callback` returns for a library that takes two callbacks; one decision for both.

    Args:
        success: Called with the values.
        error: Called with the error; to be called is the failure.
    """

    success: Callable[..., Any]
    error: Callable[..., Any]


@overload
def wrap_callback(
    next: Next,
    on_success: Callable[..., Any] | None = None,
    *,
    convention: TwoCallbacks,
    error: Callable[[Any], Any] | None = None,
    timeout: float | None = None,
    late: Late | None = None,
) -> CallbackPair: ...
@overload
def wrap_callback(
    next: Next,
    on_success: Callable[..., Any] | None = None,
    *,
    convention: Callable[..., Outcome] = error_first,
    error: Callable[[Any], Any] | None = None,
    timeout: float | None = None,
    late: Late | None = None,
) -> Callable[..., Any]: ...
def wrap_callback(  # noqa: PLR0913 - the public options
    next: Next,
    on_success: Callable[..., Any] | None = None,
    *,
    convention: Convention = error_first,
    error: Callable[[Any], Any] | None = None,
    timeout: float | None = None,
    late: Late | None = None,
) -> Callable[..., Any] | CallbackPair:
    """Return a callback for one call of a callback-style function.

    An error goes to ``next``, the values to ``on_success``, whose failure goes to ``next`` too.
    The first completion wins; a failure among the others is late, as is what ``next`` raises:
    nothing is raised in the library's thread. A callback that is dropped uncalled reaches ``next``
    with `CallbackNeverCalled`. What is called again and again, such as a message handler, is a
    handler: decorate it with `catch_async`.

    ``on_success`` and ``next`` run on the thread that calls back, in the context of this call;
    what they have to await is awaited on the loop that runs here, or, where none does, at once.

    Args:
        next: Where failures go.
        on_success: Called with the values; by default ``next()`` goes on. It may be given by
            decorating it: ``@wrap_callback(next)``.
        convention: How the library calls back: one of `catchasync.conventions`, or your own.
        error: Called with an error that is no exception, returns (or raises) one; by default it
            becomes a `CallbackError`.
        timeout: Seconds (above 0) until ``next`` gets a `TimeoutError`; by default never.
        late: Where late failures go: called with the error. By default they are logged.

    Returns:
        The callback; with `conventions.two_callbacks` a pair, ``(success, error)``.

    Raises:
        TypeError: Something is not what it has to be.
        ValueError: The timeout is not above 0.
    """
    check_callable("next", "a callable of one argument, the error", next)
    check_callable("on_success", "a callable of the values", on_success, is_optional=True)
    check_timeout(timeout)
    is_pair = isinstance(convention, TwoCallbacks)
    read: Any = error_first if is_pair else convention
    name = name_of(next if on_success is None else on_success)
    reader = Reader(name, read, error, late)
    continuation = Continuation.of(next, on_success, reader.delivery)
    receivers: list[Receiver] = [continuation.receive]
    if timeout is not None:
        continuation.expire_after(timeout, reader, receivers)
    callback = Callback() if on_success is not None or is_pair else Undecorated()
    callback.reader, callback.receivers = reader, receivers
    if isinstance(callback, Undecorated):
        options: dict[str, Any] = {
            "convention": convention,
            "error": error,
            "timeout": timeout,
            "late": late,
        }
        callback.decorate = lambda function: wrap_callback(next, function, **options)
    return CallbackPair(callback.succeed, callback.fail) if is_pair else callback


class Undecorated(Callback):
    """A callback without ``on_success``, which may be given by decorating it."""

    __slots__ = ("decorate",)

    decorate: Callable[[Any], Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take what the library hands over, or the function that is decorated."""
        if len(args) == 1 and isinstance(args[0], FunctionType) and not kwargs:
            for receive in take(self.receivers):
                receive.__self__.stop_timer()  # type: ignore[attr-defined]
                return self.decorate(args[0])
        return super().__call__(*args, **kwargs)


class Continuation(Call):
    """What goes on when the callback is called; its decision is whether `next` got a failure."""

    on_success: Callable[..., Any] | None
    context: contextvars.Context
    home: _runtimes.Home | None
    timer: _runtimes.Timer | None = None

    @classmethod
    def of(cls, next: Next, on_success: Any, delivery: Delivery) -> Continuation:
        """Make one for the loop and the context that are here."""
        self = cls()
        self.delivery, self.next, self.since = delivery, next, clock.now
        self.open, self.over = [True], True  # over: it keeps nothing of what went to `next`
        self.on_success, self.home = on_success, _runtimes.here()
        self.context = contextvars.copy_context()
        return self

    def expire_after(self, seconds: float, reader: Reader, receivers: list[Receiver]) -> None:
        """Let the callback time out."""
        self.timer = _runtimes.later(seconds, lambda: _expire(reader, receivers, seconds))

    def receive(self, error: BaseException | None, values: tuple[Any, ...]) -> Any:
        """Take the outcome; never raises an `Exception`."""
        self.stop_timer()
        return self.context.run(self._continue, error, values)

    def stop_timer(self) -> None:
        """Let the callback not time out any more."""
        if self.timer is not None:
            self.timer.cancel()

    def _continue(self, error: BaseException | None, values: tuple[Any, ...]) -> Any:
        try:
            result = self._succeed(values) if error is None else self(error)
        except FAILURES as raised:  # the library's thread must not see it
            leave(raised)  # the frames that called this one hold the error, which may be this one
            self.delivery.late(raised)
            return None
        if not is_awaitable(result):
            return result
        lost = None if error is None else lambda: self.delivery.late(error)
        return _runtimes.finish(_runtimes.Work(self._see(result), result, lost), self.home)

    def _succeed(self, values: tuple[Any, ...]) -> Any:
        if self.on_success is None:
            return self._next()
        try:
            result = self.on_success(*values)
        except Exception as failure:
            if self.delivery.passes(failure, self.since, self.next):
                raise
            return self(failure)
        if not is_awaitable(result):
            return result
        awaitable = as_awaitable(result)
        return _runtimes.Work(self._awaited(awaitable), awaitable)

    def _next(self) -> Any:
        try:
            return self()
        except TypeError as error:
            if not _may_be_called(self.next):
                error.add_note(NO_ON_SUCCESS)
            raise

    async def _awaited(self, awaitable: Awaitable[Any]) -> Any:
        try:
            return await awaitable
        except Exception as failure:
            if self.delivery.passes(failure, self.since, self.next):
                raise
            result = self(failure)
        return await result if is_awaitable(result) else result

    async def _see(self, awaitable: Awaitable[Any]) -> Any:
        try:
            return await awaitable
        except Exception as raised:  # noqa: BLE001 - nobody awaits this
            self.delivery.late(raised)

    def answered(self, result: Any, _failure: BaseException | None) -> Any:
        """Take what `next` returned as it is: who called it sees it through."""
        return result


def _may_be_called(function: Any) -> bool:
    """Say whether a function can be called without arguments, as far as its signature tells."""
    signature = signature_of(function)
    if signature is None:
        return True
    try:
        signature.bind()
    except TypeError:
        return False
    return True


def _expire(reader: Reader, receivers: list[Receiver], seconds: float) -> None:
    for receive in take(receivers):
        receive(reader.timed_out(seconds), ())
