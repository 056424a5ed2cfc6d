"""Proxies whose very class looks like that of the real object.

`type` cannot be proxied, and frameworks ask it for a name, a module, a source file, and whether
its ``__call__`` is async. So each class of real objects gets a class of proxies that answers alike.
"""

from __future__ import annotations

import weakref
from typing import Any, Final, TypeVar

from catchasync._proxies import Proxy

LikenessT = TypeVar("LikenessT", bound="Likeness")

SPECIAL: Final = (
    "__iter__", "__next__", "__reversed__", "__await__", "__aiter__", "__anext__",
)  # fmt: skip
"""What Python looks up on the class and a bare proxy has not."""


class Likeness(Proxy):  # type: ignore[type-arg]
    """A proxy to be made by `like`; what is written on it reaches the real object.

    Its subclasses keep what a call of it calls in ``_self_call``. Their attributes are annotated
    nowhere in a class body: the class's ``__annotations__`` would hide those of the real object.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


class Through:
    """A special method of the real object, looked up on the proxy's class."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, proxy: Likeness | None, owner: Any) -> Any:
        return getattr(real_class(owner) if proxy is None else proxy.__wrapped__, self.name)


class Entry(Through):
    """``__call__``: the real class's own on the class, what the proxy was told on the proxy."""

    def __get__(self, proxy: Any, owner: Any) -> Any:
        return super().__get__(None, owner) if proxy is None else proxy._self_call  # noqa: SLF001


def call_of(thing: Any) -> Any:
    """Return what a proxy's ``__call__`` is, ``None`` where the thing is no callable."""
    return thing if isinstance(thing, type) else getattr(thing, "__call__", None)  # noqa: B004


def real_class(likeness: Any) -> Any:
    """Return the class that a class of proxies was made after."""
    return likeness.__catchasync_like__()


def like(base: type[LikenessT], thing: Any) -> type[LikenessT]:
    """Return the subclass of a proxy class that looks like the class of an object."""
    known = _known.setdefault(base, weakref.WeakKeyDictionary())
    real = type(thing)
    if real not in known:
        known[real] = _make(base, real)
    made: type[LikenessT] = known[real]
    return made


_known: dict[Any, weakref.WeakKeyDictionary[type, Any]] = {}


def _make(base: type, real: type) -> type:
    special: dict[str, Any] = {name: Through(name) for name in SPECIAL if defines(real, name)}
    if defines(real, "__call__") and not defines(base, "__call__"):
        special["__call__"] = Entry("__call__")
    looks = {"__qualname__": real.__qualname__, "__module__": real.__module__}
    own = {"__slots__": (), "__catchasync_like__": weakref.ref(real)}
    made = type(real.__name__, (base,), {**special, **looks, **own})
    if "__firstlineno__" in vars(real):  # leads to the source since 3.13; wrapt's own is in the way
        made.__firstlineno__ = vars(real)["__firstlineno__"]  # type: ignore[attr-defined]
    return made


def defines(cls: type, name: str) -> bool:
    """Say whether the objects of a class have an attribute by their class, not by its metaclass."""
    return any(name in vars(base) for base in cls.__mro__)
