"""What counts as a failure, and how what is no exception becomes one."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from catchasync.errors import CallbackError


class Delivered:
    """
    A failure that a `next` has taken, on its way to whoever answers it.

    A class of exceptions inherits from it beside the class that a framework knows. Who is told of
    one is told of the failure.
    """

    __slots__ = ()

    error: BaseException


NEVER_CAUGHT: Final = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)

# Told by name, so that nothing has to be imported; most of them are plain `Exception`s.
CANCELLATIONS: Final = {
    ("concurrent.futures._base", "CancelledError"),
    ("trio", "Cancelled"),
    ("trio._core._exceptions", "Cancelled"),
    ("grpc", "FutureCancelledError"),
    ("distributed.client", "FutureCancelledError"),
    ("twisted.internet.defer", "CancelledError"),
    ("greenlet", "GreenletExit"),
}


def as_error(value: object) -> BaseException:
    """Turn what was handed over as an error into an exception; only ``None`` means "no error"."""
    kind = type(value)  # `isinstance` would ask the object too, which may do what it likes
    if issubclass(kind, BaseException):
        return value  # type: ignore[return-value]  # `cast` would be a call
    if issubclass(kind, type) and issubclass(cast("type", value), BaseException):
        return _instance_of(cast("type[BaseException]", value))
    return CallbackError(value)


def delivered(error: Any) -> Any:
    """Return the failure itself, of one that is on its way."""
    return error.error if issubclass(type(error), Delivered) else error


def _instance_of(error_type: type[BaseException]) -> BaseException:
    try:
        return error_type()
    except Exception:  # noqa: BLE001 - it wants arguments that nobody has
        return CallbackError(error_type)


def holdable(error: BaseException) -> BaseException:
    """Turn an error that was handed over into one that a future can hold, and that tells itself.

    Raised from an await, a cancellation that is somebody else's looks like one of the awaiting
    task, ``StopIteration`` is a `TypeError` (cpython #112182), and
    ``SystemExit`` ends the loop.
    """
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    held = CallbackError(error)
    held.__cause__ = error
    return held


def is_exception(value: object) -> bool:
    """Say whether an error speaks for itself: Twisted's ``Failure`` does not, it only holds one."""
    kind = type(value)  # as above
    if issubclass(kind, Exception):
        return True
    return issubclass(kind, BaseException) and is_never_caught(cast("BaseException", value))


def is_cancellation(error: object) -> bool:
    """Say whether an error is a cancellation, in any of its spellings."""
    return isinstance(error, asyncio.CancelledError) or _is_cancellation(type(error))


def is_never_caught(error: BaseException) -> bool:
    """Say whether an error is never a failure: a cancellation, or the interpreter's own exit.

    A group is one when all that it holds are, or when it holds one that ``except Exception``
    would have let by.
    """
    kind = type(error)
    if not issubclass(kind, BaseExceptionGroup):
        return issubclass(kind, NEVER_CAUGHT) or _is_cancellation(kind)
    leaves = list(_leaves(cast("BaseExceptionGroup[BaseException]", error)))
    exempt = [leaf for leaf in leaves if is_never_caught(leaf)]
    return exempt == leaves or not all(isinstance(leaf, Exception) for leaf in exempt)


def _is_cancellation(error_type: type) -> bool:
    if type(error_type) is not type:  # a metaclass could lie about its hash
        return _is_named_cancellation(error_type)
    return _is_remembered_cancellation(error_type)


def _is_named_cancellation(error_type: type) -> bool:
    return any((base.__module__, base.__name__) in CANCELLATIONS for base in error_type.__mro__)


_is_remembered_cancellation: Final[Callable[[type], bool]] = functools.lru_cache(maxsize=256)(
    _is_named_cancellation
)


def is_ordinary(error_type: type[BaseException]) -> bool:
    """Say whether the look-up of an attribute of such an error runs no code of its class."""
    lookup = error_type.__getattribute__
    return lookup is BaseException.__getattribute__ and not hasattr(error_type, "__getattr__")


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def described(error: BaseException) -> str:
    """Return the type and message of an error in one line, whatever its ``str()`` does."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error that cannot even say what it is
        return f"{name}: <its str() failed>"
    return f"{name}: {text}" if text else name
