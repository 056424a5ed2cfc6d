"""Objects wrapped by proxies: the one door to wrapt.

A proxy passes `isinstance` and reads through to the real object. What stands for a handler is
nevertheless a thing of its own: unequal to the real one, and what is written on it stays on it.
"""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import wrapt

from catchasync import _kinds

Decorate = Callable[[Any], Any]

ReadThrough = wrapt.ObjectProxy
"""A proxy that is the real object in all but `type` and `is`; writes go to the real object."""

CallThrough = wrapt.CallableObjectProxy
"""Same as `ReadThrough`, for what can be called."""

Proxy = wrapt.BaseObjectProxy
"""What `ReadThrough` is but for iteration, which an object either has or has not."""


def is_compiled() -> bool:
    """Say whether wrapt runs on its C extension."""
    return "wrapt._wrappers" in sys.modules


def proxy_of(handler: Any, decorate: Decorate) -> Any:
    """Return what takes the place of a callable object, its calls decorated."""
    if isinstance(handler, functools.partial):
        return CaughtPartial.of(handler, decorate)
    return CaughtObject(handler, decorate)


class MadeAgain:
    """What is copied and pickled by decorating a copy of the real object."""

    __slots__ = ()

    def __catchasync_parts__(self) -> tuple[Any, Decorate]:
        """Return the real object, and what decorated it."""
        raise NotImplementedError  # pragma: no cover - each subclass has its own

    def __reduce_ex__(self, protocol: object) -> Any:
        handler, decorate = self.__catchasync_parts__()
        return decorate, (handler,)

    def __copy__(self) -> Any:
        handler, decorate = self.__catchasync_parts__()
        copied = copy.copy(handler)
        return self if copied is handler else decorate(copied)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        handler, decorate = self.__catchasync_parts__()
        copied = copy.deepcopy(handler, memo)
        return self if copied is handler else decorate(copied)


class CaughtPartial(MadeAgain, functools.partial):  # type: ignore[type-arg]
    """A decorated `functools.partial`: one of the decorated function, and it has a name."""

    @classmethod
    def of(cls, handler: functools.partial[Any], decorate: Decorate) -> CaughtPartial:
        """Decorate a partial."""
        self = cls(decorate(handler.func), *handler.args, **handler.keywords)
        name = _kinds.short_name_of(handler)
        self.__dict__.update(__name__=name, __qualname__=name)
        functools.update_wrapper(self, handler)
        self.__dict__["_catchasync_decorate"] = decorate
        return self

    def __catchasync_parts__(self) -> tuple[Any, Decorate]:
        return self.__dict__["__wrapped__"], self.__dict__["_catchasync_decorate"]


class CaughtObject(MadeAgain, wrapt.BaseObjectProxy):  # type: ignore[type-arg]
    """A decorated callable object."""

    __slots__ = ()

    def __init__(self, handler: Any, decorate: Decorate) -> None:
        name = _kinds.short_name_of(handler)
        self._self_own = {
            attribute: name
            for attribute in ("__name__", "__qualname__")
            if not hasattr(handler, attribute)
        }
        self._self_decorate = decorate
        super().__init__(handler)
        self._self_call = decorate(handler.__call__)

    @property
    def __call__(self) -> Any:
        """The real object's ``__call__``, decorated: sync or async, bound, with its signature."""
        return self._self_call

    def __catchasync_parts__(self) -> tuple[Any, Decorate]:
        return self.__wrapped__, self._self_decorate

    def __getattribute__(self, name: str) -> Any:
        get = super().__getattribute__
        own = get("_self_own")
        return own[name] if name in own else get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_self_"):
            super().__setattr__(name, value)
        else:
            self._self_own[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._self_own:
            msg = f"{name!r} is not set on the decorated handler; delete it on the real object."
            raise AttributeError(msg)
        del self._self_own[name]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)


class CaughtAwaitable(wrapt.BaseObjectProxy):  # type: ignore[type-arg]
    """An object with an ``__await__`` of its own, whose failure is delivered when it is awaited."""

    def __init__(self, awaitable: Any, start: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        super().__init__(awaitable)
        self._self_start = start

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._self_start().__await__()
