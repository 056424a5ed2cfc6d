"""What answers a call: a callback that counts once, whoever calls it, whenever, on any thread.

A `Callback` shares a list of one item, its *receiver*, with whatever else may end the call (a
timer, a cancelled await). Who pops the receiver has the decision; `list.pop` is atomic, also
without a GIL. All others are late: nothing is ever raised in the library's thread.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Callable
from typing import Any, Final, cast

from catchasync._delivery import Delivery
from catchasync._failures import as_error, holdable, is_cancellation, is_exception
from catchasync._kinds import name_of
from catchasync.conventions import Outcome, error_only, result_only, two_callbacks
from catchasync.errors import CallbackError, CallbackNeverCalled
from catchasync.types import Late

FAILURES: Final = (Exception, asyncio.CancelledError)
"""What user's code may raise in a library's thread: its cancellation is none of that thread's."""

Read = tuple[BaseException | None, tuple[Any, ...]]
Receiver = Callable[[BaseException | None, tuple[Any, ...]], Any]


class Reader:
    """How the callbacks of one function are read: fixed when it is wrapped.

    Args:
        name: What messages call it.
        convention: What turns a call of the callback into ``(error, values)``.
        error: What turns an error that is no exception into one.
        late: Where late failures go; ``None``: they are logged.

    Raises:
        TypeError: One of them is not callable.
    """

    __slots__ = ("convention", "delivery", "error")

    def __init__(
        self,
        name: str,
        convention: Callable[..., Outcome],
        error: Callable[[Any], Any] | None,
        late: Late | None,
    ) -> None:
        check_callable("convention", "a function of `catchasync.conventions`", convention)
        if cast("object", convention) is two_callbacks:
            msg = "`convention` takes what two_callbacks() returns: got the function, uncalled."
            raise TypeError(msg)
        check_callable("error", "a callable that makes an exception", error, is_optional=True)
        check_callable("late", "a callable of one argument, the error", late, is_optional=True)
        self.convention = convention
        self.error = error
        self.delivery = Delivery(name, late=late)

    def read(self, convention: Callable[..., Outcome], args: Any, kwargs: Any) -> Read:
        """Read one call of a callback; what cannot be read is a failure."""
        try:
            error, values = convention(*args, **kwargs)
            if type(values) is not tuple:
                raise TypeError(_NO_TUPLE.format(values))
        except FAILURES as broken:  # the library's thread must not see it
            _explain(broken, convention, args, kwargs)
            return holdable(broken), ()
        return (None if error is None else self.failure(error)), values

    def failure(self, error: object) -> BaseException:
        """Make an error that can be raised of whatever the library handed over as one."""
        if self.error is None or is_exception(error):
            return holdable(as_error(error))
        try:
            made = self.error(error)
        except FAILURES as raised:  # to raise it is a way to say it
            return holdable(raised)
        return CallbackError(error) if made is None else holdable(as_error(made))

    def late(self, error: BaseException | None) -> None:
        """Tell `late` of a completion that came too late; a cancellation or a value is no news."""
        told = error.value if isinstance(error, CallbackError) else error
        if error is not None and not is_cancellation(told):
            self.delivery.late(error)

    def never_called(self) -> CallbackNeverCalled:
        """Make the error of a callback that nobody can call any more."""
        return CallbackNeverCalled(
            f"the callback of {self.delivery.name} was dropped without having been called: its "
            "outcome can never come. The library gave up on it, or never kept it."
        )

    def timed_out(self, seconds: float) -> TimeoutError:
        """Make the error of a callback that was not called in time."""
        return TimeoutError(f"{self.delivery.name} did not call back within {seconds:g} seconds")


_NO_TUPLE = "a convention returns (error, values), the values as a tuple: got {!r}"


def _explain(error: BaseException, convention: Any, args: Any, kwargs: Any) -> None:
    given = [*map(_brief, args), *(f"{key}={_brief(value)}" for key, value in kwargs.items())]
    error.add_note(
        f"while {name_of(convention)} read the callback's call ({', '.join(given)}); a convention "
        "is called with what the library hands over, and returns (error, values)"
    )


def _brief(value: object) -> str:
    return type(value).__name__


class Callback:
    """What a library is handed to call: the first call counts, any other is late.

    Both slots are filled in by hand, which costs least: there is one for each call.
    """

    __slots__ = ("__weakref__", "reader", "receivers")

    reader: Reader
    receivers: list[Receiver]  # one item, what takes the outcome; whoever pops it has the decision

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take what the library hands over; never raises an `Exception`."""
        reader = self.reader
        error, values = reader.read(reader.convention, args, kwargs)
        try:
            receive = self.receivers.pop()
        except IndexError:
            return reader.late(error)
        return receive(error, values)

    def succeed(self, *args: Any, **kwargs: Any) -> Any:
        """Serve as the first of two callbacks."""
        return self.complete(*self.reader.read(result_only, args, kwargs))

    def fail(self, *args: Any, **kwargs: Any) -> Any:
        """Serve as the second of two callbacks: to be called is the failure."""
        return self.complete(*self.reader.read(error_only, args, kwargs))

    def complete(self, error: BaseException | None, values: tuple[Any, ...]) -> Any:
        """Hand an outcome to the receiver, if it is the first."""
        try:
            receive = self.receivers.pop()
        except IndexError:
            self.reader.late(error)
            return None
        return receive(error, values)

    @property
    def __name__(self) -> str:
        """Some libraries log the name of what they call."""
        return self.reader.delivery.name.rpartition(".")[2]

    def __copy__(self) -> Callback:
        return self  # there is one call: a copy that was dropped would count as never called

    def __deepcopy__(self, _memo: object) -> Callback:
        return self

    def __repr__(self) -> str:
        state = "open" if self.receivers else "called"
        return f"<callback of {self.reader.delivery.name}: {state}>"

    def __del__(self) -> None:
        if self.receivers and not sys.is_finalizing():
            self.complete(self.reader.never_called(), ())


def take(receivers: list[Receiver]) -> list[Receiver]:
    """Take the decision: the receiver in a list, or an empty list where another was first."""
    try:
        return [receivers.pop()]
    except IndexError:
        return []


def check_callable(what: str, expected: str, came: object, *, is_optional: bool = False) -> None:
    """Refuse what is not callable."""
    if not (callable(came) or (is_optional and came is None)):
        msg = f"`{what}` takes {expected}: got {came!r}."
        raise TypeError(msg)


def check_timeout(seconds: object) -> None:
    """Refuse what is no number of seconds."""
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        msg = f"`timeout` takes seconds, an int or a float: got {seconds!r}."
        raise TypeError(msg)
    if not 0 < seconds < math.inf:
        msg = f"`timeout` takes seconds above 0: got {seconds!r}. Leave it out to wait for ever."
        raise ValueError(msg)
