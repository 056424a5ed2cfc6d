"""One call of a registration method: which of its arguments are handlers."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any, Final

from catchasync import _kinds

Wrap = Callable[[Any], Any]

KEYWORDS: Final = frozenset(
    {
        "action", "callback", "callbacks", "controller", "endpoint", "f", "fn", "func", "function",
        "handler", "handlers", "middleware", "middlewares", "resource", "sink", "target", "to",
        "view", "views", "view_func",
    }
)  # fmt: skip
"""The keywords under which handlers come, besides what a method takes by position too."""

SETTINGS: Final = frozenset({"apply", "skip", "plugins", "decorator", "decorators", "mapper"})
"""The parameters that take callables which are no handlers: Bottle's and Pyramid's."""

FIELDS: Final = ("handler", "handler_class", "target", "endpoint")
"""Where route definitions keep their handler: aiohttp's ``web.get(...)``, Tornado's ``url``."""


def rewrite(method: Any, args: tuple[Any, ...], kwargs: dict[str, Any], wrap: Wrap) -> Any:
    """Return the arguments of a registration with each handler among them wrapped."""
    names = list(_positional(method))
    places = itertools.zip_longest(args, names[: len(args)], fillvalue="handler")
    new_args = tuple(arg if name in SETTINGS else deep(arg, wrap) for arg, name in places)
    handlers = (KEYWORDS | set(names)) - SETTINGS
    new_kwargs = {
        name: deep(value, wrap) if name in handlers else value for name, value in kwargs.items()
    }
    return new_args, new_kwargs


def _positional(method: Any) -> Iterator[str]:
    signature = _kinds.signature_of(method)
    for parameter in signature.parameters.values() if signature else ():
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            yield parameter.name


def deep(thing: Any, wrap: Wrap) -> Any:
    """Wrap a handler, those in a list of whatever depth, or the one of a route definition."""
    if callable(thing) or isinstance(thing, str | bytes | range):
        return wrap(thing)
    if isinstance(thing, Sequence):
        return _wrap_items(thing, wrap)
    return _wrap_field(wrap(thing), wrap)


def _wrap_items(things: Sequence[Any], wrap: Wrap) -> Any:
    items = [deep(thing, wrap) for thing in things]
    if all(new is old for new, old in zip(items, things, strict=True)):
        return things
    if isinstance(things, tuple):
        make: Wrap = getattr(things, "_make", tuple)  # a named tuple has one of its own
        return make(items)
    return items


def _wrap_field(definition: Any, wrap: Wrap) -> Any:
    for name in FIELDS:
        if inspect.getattr_static(definition, name, None) is not None:
            handler = getattr(definition, name)
            wrapped = wrap(handler) if callable(handler) else handler
            return definition if wrapped is handler else _with(definition, name, wrapped)
    return definition


def _with(definition: Any, name: str, handler: Any) -> Any:
    """Copy a definition with another handler, also a frozen one."""
    copied = copy(definition)
    object.__setattr__(copied, name, handler)
    return copied
