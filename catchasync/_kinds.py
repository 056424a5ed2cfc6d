"""Questions about a callable and what it gives back: its kind, its parameters, its name."""

from __future__ import annotations

import functools
import inspect
from types import CoroutineType, GeneratorType, MethodType
from typing import Any, Final, Literal, TypeAlias

Kind: TypeAlias = Literal["sync", "coroutine", "generator", "async_generator"]

PLAIN_LIMIT: Final = 1024  # types remembered; beyond it the set starts anew, so it cannot grow

_FUTURE_LIKE: Final = ("__await__", "add_done_callback", "addErrback")

plain: set[type] = {type(None), bool, int, float, str, bytes, dict, list, tuple}
"""Types whose objects are neither awaitable nor futures, learned as they are met."""


def kind_of(handler: Any) -> Kind:
    """Say what calling a handler gives: asked once, at decoration."""
    if inspect.isasyncgenfunction(handler):
        return "async_generator"
    if inspect.isgeneratorfunction(handler) and not _is_generator_coroutine(handler):
        return "generator"
    return "coroutine" if inspect.iscoroutinefunction(handler) else "sync"


def _is_generator_coroutine(handler: Any) -> bool:
    function = functools.partial(handler).func  # nested partials come out flat
    code = getattr(function, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & inspect.CO_ITERABLE_COROUTINE)


def check_is_no_generator(what: str, function: Any) -> None:
    """Refuse a generator function, of which a call runs nothing."""
    if kind_of(function) in {"generator", "async_generator"}:
        msg = f"{what} takes no generator function: calling {name_of(function)}() runs nothing."
        raise TypeError(msg)


def is_plain(thing: object) -> bool:
    """Say whether a result is just a result: no awaitable, no future."""
    return type(thing) in plain or _learn_plain(thing)


def _learn_plain(thing: object) -> bool:
    if isinstance(thing, GeneratorType):
        return not thing.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE
    if any(hasattr(type(thing), name) for name in _FUTURE_LIKE):
        return False
    if len(plain) >= PLAIN_LIMIT:
        plain.clear()
    plain.add(type(thing))
    return True


def is_awaitable(thing: object) -> bool:
    """Say whether ``await`` takes it."""
    if type(thing) is CoroutineType:
        return True
    return not is_plain(thing) and inspect.isawaitable(thing)


def signature_of(handler: Any) -> inspect.Signature | None:
    """Return the signature that `inspect` shows, ``None`` for what has none."""
    try:
        return inspect.signature(handler)
    except (ValueError, TypeError):
        return None


def parameter_names(handler: Any) -> tuple[str, ...]:
    """Return the names of a handler's parameters, as `inspect` shows them."""
    signature = signature_of(handler)
    return () if signature is None else tuple(signature.parameters)


def name_of(handler: Any) -> str:
    """Return the name by which messages call a handler: never fails, never empty."""
    if isinstance(handler, functools.partial):
        return name_of(handler.func)
    for attribute in ("__qualname__", "__name__"):
        name = getattr(handler, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(handler).__qualname__


def short_name_of(handler: Any) -> str:
    """Return what serves as ``__name__`` for a handler that has none."""
    return name_of(handler).rpartition(".")[2]


def identity_of(function: Any) -> tuple[int, ...]:
    """Return what two references to one callable share; a bound method is new at each look."""
    if isinstance(function, MethodType):
        return id(function.__self__), id(function.__func__)
    return (id(function),)
