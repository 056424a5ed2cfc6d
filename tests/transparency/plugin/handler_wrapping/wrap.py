"""What takes a handler's place: its stand-in, whose `next` raises the error again."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NoReturn

from catchasync import wrap_handler


def raise_again(error: BaseException) -> NoReturn:
    """Be a `next` that changes nothing."""
    raise error


class Wrapping:
    """Wraps handlers, and counts them; the methods of a view class one by one."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, handler: Any) -> Any:
        """Return what shall be registered for a handler."""
        before = dict(vars(handler)) if isinstance(handler, type) else {}
        wrapped = wrap_handler(handler, next=raise_again)
        if isinstance(handler, type):
            after = vars(handler)
            self.count += sum(before.get(name) is not after[name] for name in after)
        else:
            self.count += wrapped is not handler
        return wrapped


def patch_argument(owner: Any, method: str, name: str, wrap: Callable[[Any], Any]) -> None:
    """Let a method receive its argument of this name wrapped, however it is passed."""
    original = inspect.getattr_static(owner, method)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def patched(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return original(*args, **kwargs)  # which says what is wrong
        if bound.arguments.get(name) is not None:
            bound.arguments[name] = wrap(bound.arguments[name])
        return original(*bound.args, **bound.kwargs)

    setattr(owner, method, patched)


def patch_values(owner: Any, method: str, wrap: Callable[[Any], Any]) -> None:
    """Let a method return its mapping with the values wrapped."""
    original = inspect.getattr_static(owner, method)

    @functools.wraps(original)
    def patched(*args: Any, **kwargs: Any) -> dict[Any, Any]:
        return {key: wrap(value) for key, value in original(*args, **kwargs).items()}

    setattr(owner, method, patched)
