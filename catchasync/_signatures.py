"""The parameters of a handler, as source for a wrapper, and as places in a call."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from catchasync import _kinds
from catchasync._templates import USED

if TYPE_CHECKING:
    from collections.abc import Callable

GENERIC: Final = ("*args, **kwargs", "*args, **kwargs", ("args", "kwargs"))

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def as_source(function: FunctionType) -> tuple[str, str, tuple[str, ...]] | None:
    """Return a function's parameters, how to pass them on, and their names; all as source.

    Read from the code, which says how the function is really called, whatever its signature
    shows. ``None`` where a name is one that the wrapper itself uses.
    """
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[: count + _stars(code)]
    if not USED.isdisjoint(names) or not all(name.isidentifier() for name in names):
        return None
    return ", ".join(_parameters(function)), ", ".join(_arguments(code)), names


def _stars(code: CodeType) -> int:
    flags = code.co_flags
    return bool(flags & inspect.CO_VARARGS) + bool(flags & inspect.CO_VARKEYWORDS)


def _star_names(code: CodeType) -> tuple[str | None, str | None]:
    rest = list(code.co_varnames[code.co_argcount + code.co_kwonlyargcount :])
    args = rest.pop(0) if code.co_flags & inspect.CO_VARARGS else None
    kwargs = rest.pop(0) if code.co_flags & inspect.CO_VARKEYWORDS else None
    return args, kwargs


def _parameters(function: FunctionType) -> list[str]:
    code = function.__code__
    positional = list(code.co_varnames[: code.co_argcount])
    first_default = code.co_argcount - len(function.__defaults__ or ())
    parts = [f"{n}=None" if i >= first_default else n for i, n in enumerate(positional)]
    if code.co_posonlyargcount:
        parts.insert(code.co_posonlyargcount, "/")
    args, kwargs = _star_names(code)
    if args or code.co_kwonlyargcount:
        parts.append(f"*{args or ''}")
    keyword_only = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    defaults = function.__kwdefaults__ or {}
    parts += [f"{name}=None" if name in defaults else name for name in keyword_only]
    return parts + ([f"**{kwargs}"] if kwargs else [])


def _arguments(code: CodeType) -> list[str]:
    args, kwargs = _star_names(code)
    parts = list(code.co_varnames[: code.co_argcount])
    parts += [f"*{args}"] if args else []
    parts += [f"{n}={n}" for n in code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]]
    return parts + ([f"**{kwargs}"] if kwargs else [])


@dataclass(frozen=True, slots=True)
class Place:
    """Where one parameter stands in a call of a handler.

    Args:
        name: The parameter's name, by which it may come as a keyword.
        index: Its position among the positional arguments; ``None`` where it has none.
    """

    name: str
    index: int | None

    def get(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the argument, ``None`` where the call has none."""
        if self.name in kwargs:
            return kwargs[self.name]
        has_it = self.index is not None and self.index < len(args)
        return args[self.index] if has_it else None  # type: ignore[index]

    def take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the argument, and the call as it is."""
        return self.get(args, kwargs), args, kwargs

    def put(self, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> Arguments:
        """Return the call with another argument in this place."""
        if self.name in kwargs or self.index is None or self.index >= len(args):
            return args, {**kwargs, self.name: value}
        return (*args[: self.index], value, *args[self.index + 1 :]), kwargs

    def swap(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        change: Callable[[Any, Any], Any],
        *more: Any,
    ) -> Arguments:
        """Return the call with this argument changed."""
        return self.put(args, kwargs, change(self.get(args, kwargs), *more))


@dataclass(frozen=True, slots=True)
class LastPlace:
    """The place of an argument that the handler has no parameter for: the last, or a keyword."""

    name: str = "next"

    def take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the argument, and the call without it."""
        if self.name in kwargs:
            rest = {key: value for key, value in kwargs.items() if key != self.name}
            return kwargs[self.name], args, rest
        if not args:
            return None, args, kwargs
        return args[-1], args[:-1], kwargs


def place_of(handler: Any, name: str) -> Place | None:
    """Find a handler's parameter in the signature that `inspect` shows; ``None``: it has none."""
    signature = _kinds.signature_of(handler)
    if signature is None or name not in signature.parameters:
        return None
    parameter = signature.parameters[name]
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
        return None
    if parameter.kind is parameter.KEYWORD_ONLY:
        return Place(name, None)
    return Place(name, list(signature.parameters).index(name))
