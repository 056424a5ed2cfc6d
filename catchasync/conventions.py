"""How libraries call back.

A convention is a function that takes what the library hands to the callback, and returns
``(error, values)``: the error, of any type, or ``None`` for success; and the values as a tuple. One
of your own is that function:

    def status_first(status, *values):
        return (None if status == 200 else status), values

What a convention raises is a failure, so it may raise the error as well as return it.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Outcome: TypeAlias = tuple[object, tuple[Any, ...]]
"""What a convention returns: the error or ``None``, and the values."""


def error_first(error: object = None, /, *values: Any) -> Outcome:
    """``callback(error, *values)``; ``None`` is no error, ``0`` and ``""`` are errors."""
    return error, values


def result_first(value: Any = None, error: object = None, /, *more: Any) -> Outcome:
    """``callback(value, error)``; ``None`` and ``0`` are no error, as with an errno."""
    is_success = error is None or (isinstance(error, numbers.Integral) and error == 0)
    return None if is_success else error, (value, *more)


def result_only(*values: Any) -> Outcome:
    """``callback(*values)``; the library reports failures in another way, or not at all."""
    return None, values


def error_only(error: object = None, /, *_more: Any) -> Outcome:
    """``errback(error)``: being called is the failure, so ``None`` is an error as well."""
    return FAILED_WITHOUT_ERROR if error is None else error, ()


def future(done: Any, /) -> Outcome:
    """``callback(future)``, as `add_done_callback` calls; the future has a ``result()``.

    For `promisify`: the function takes no callback, but returns such a future.
    """
    try:
        peek = getattr(done, "exception", None)  # asked first: `result` makes the traceback grow
        error = peek() if callable(peek) else None
        return (error, ()) if isinstance(error, BaseException) else (None, (done.result(),))
    except BaseException as error:  # noqa: BLE001 - it is the future's, and not for this thread
        own_frame = error.__traceback__
        return error.with_traceback(own_frame and own_frame.tb_next), ()


@dataclass(frozen=True, slots=True)
class TwoCallbacks:
    """One callback for success, ``(*values)``, and one for failure, ``(error)``.

    Args:
        success: Where the first goes: an index among the positional arguments, or a keyword.
        error: Where the second goes, likewise.

    Raises:
        TypeError: One of them is neither.
        ValueError: Both are the same.
    """

    success: int | str
    error: int | str

    def __post_init__(self) -> None:
        """Refuse what no call could satisfy."""
        for name in ("success", "error"):
            check_place(f"two_callbacks({name}=...)", getattr(self, name))
        if self.success == self.error:
            msg = f"two_callbacks(): both callbacks cannot go to the same place, {self.success!r}."
            raise ValueError(msg)


def two_callbacks(*, success: int | str = -2, error: int | str = -1) -> TwoCallbacks:
    """``function(..., callback, errback)``: by default the last two positions.

    Args:
        success: Where the callback for success goes: an index (negative: counted from the end of
            the whole call), or a keyword.
        error: Where the callback for failure goes, likewise.

    Raises:
        TypeError: One of them is neither.
        ValueError: Both are the same.
    """
    return TwoCallbacks(success, error)


class FailedWithoutError:
    """Stands for the error of a library that reports a failure and says nothing about it."""

    def __repr__(self) -> str:
        return "<failed without an error>"


FAILED_WITHOUT_ERROR = FailedWithoutError()

Convention: TypeAlias = Callable[..., Outcome] | TwoCallbacks
"""How a library calls back: a function of this module, or one of your own."""


def check_place(what: str, place: object) -> None:
    """Refuse what is no place for a callback."""
    is_index = isinstance(place, int) and not isinstance(place, bool)
    if not is_index and not (isinstance(place, str) and place.isidentifier()):
        msg = f"{what} takes an index (an int) or a keyword (a str): got {place!r}."
        raise TypeError(msg)
