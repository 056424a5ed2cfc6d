"""Where a callback goes in a call of the function that takes it, and the signature without it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from catchasync._kinds import name_of, signature_of
from catchasync.conventions import check_place

Args: TypeAlias = tuple[Any, ...]
Kwargs: TypeAlias = dict[str, Any]

Call: TypeAlias = Callable[[Args, Kwargs, Any], Any]
"""Calls the function with positional arguments, keywords, and what goes into its places."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a callback, found in the function's signature.

    Args:
        owner: The function's name, for messages.
        index: The position in the whole call; negative: counted from its end; ``None``: none.
        name: The keyword by which it may go as well; ``None``: none.
        fill: The defaults of the positional parameters before it, from the first that has one.
    """

    owner: str
    index: int | None
    name: str | None
    fill: tuple[Any, ...] = ()

    def position(self, count: int) -> int:
        """Return the index in a call of so many positional arguments; 0 for a keyword."""
        index = self.index or 0
        return index if index >= 0 else count + index

    def put(self, args: Args, kwargs: Kwargs, callback: Any, count: int) -> tuple[Args, Kwargs]:
        """Put a callback into a call, which may have left out what has a default."""
        index = self.position(count)
        missing = index - len(args)
        if self.name is not None and (self.index is None or missing > 0):
            return args, self._with_keyword(kwargs, self.name, callback)
        if missing > len(self.fill):
            msg = f"{self.owner} needs {index} arguments before its callback: got {len(args)}."
            raise TypeError(msg)
        if missing > 0:
            args += self.fill[-missing:]
        return (*args[:index], callback, *args[index:]), kwargs

    def _with_keyword(self, kwargs: Kwargs, name: str, callback: Any) -> Kwargs:
        if name in kwargs:
            msg = f"{self.owner} got {name}={kwargs[name]!r}, but that is where its callback goes."
            raise TypeError(msg)
        return {**kwargs, name: callback}


def slot_of(function: Any, place: int | str) -> Slot:
    """Find the place of a callback in a function.

    Raises:
        TypeError: The place is neither an index nor a keyword, or the function has no such one.
        ValueError: The index is beyond the function's last parameter.
    """
    check_place("callback=...", place)
    signature = signature_of(function)
    if isinstance(place, str):
        _check_keyword(function, signature, place)
        return Slot(name_of(function), None, place)
    if signature is None or _has_kind(signature, inspect.Parameter.VAR_POSITIONAL):
        return Slot(name_of(function), place, None)
    return _slot_at(function, signature, place)


def _check_keyword(function: Any, signature: inspect.Signature | None, name: str) -> None:
    if signature is None or _has_kind(signature, inspect.Parameter.VAR_KEYWORD):
        return
    parameter = signature.parameters.get(name)
    if parameter is None or parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        msg = f"{name_of(function)}{signature} takes no keyword {name!r} for its callback."
        raise TypeError(msg)


def _slot_at(function: Any, signature: inspect.Signature, index: int) -> Slot:
    parameters = [p for p in signature.parameters.values() if _is_positional(function, p)]
    if not parameters:
        msg = (
            f"{name_of(function)}{signature} takes no positional argument that could be its "
            "callback. Name its keyword: callback='...'."
        )
        raise TypeError(msg)
    if not -len(parameters) <= index < len(parameters):
        msg = f"{name_of(function)}{signature} has no position {index} for its callback."
        raise ValueError(msg)
    index %= len(parameters)
    parameter = parameters[index]
    has_name = parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    defaults = [p.default for p in parameters[:index] if p.default is not p.empty]
    return Slot(name_of(function), index, parameter.name if has_name else None, tuple(defaults))


def _is_positional(function: Any, parameter: inspect.Parameter) -> bool:
    """Say whether it is, also where a partial shows it as a keyword, as an earlier one is bound."""
    if parameter.kind in _POSITIONAL:
        return True
    inner = signature_of(function.func) if isinstance(function, functools.partial) else None
    return inner is not None and inner.parameters[parameter.name].kind in _POSITIONAL


def _has_kind(signature: inspect.Signature, kind: Any) -> bool:
    return any(parameter.kind is kind for parameter in signature.parameters.values())


def caller_of(function: Any, slots: Sequence[Slot]) -> Call:
    """Return what calls a function with its callbacks in their places: decided once.

    It takes the callback, or, where there are several places, as many callbacks.
    """
    if len(slots) > 1:
        return _with_many(function, slots)
    [slot] = slots
    return _with_last(function) if slot.index == -1 else _with_one(function, slot)


def _with_last(function: Any) -> Call:
    def call(args: Args, kwargs: Kwargs, callback: Any) -> Any:
        return function(*args, callback, **kwargs)

    return call


def _with_one(function: Any, slot: Slot) -> Call:
    def call(args: Args, kwargs: Kwargs, callback: Any) -> Any:
        if len(args) == slot.index:
            return function(*args, callback, **kwargs)
        args, kwargs = slot.put(args, kwargs, callback, len(args) + 1)
        return function(*args, **kwargs)

    return call


def _with_many(function: Any, slots: Sequence[Slot]) -> Call:
    def call(args: Args, kwargs: Kwargs, callbacks: Any) -> Any:
        count = len(args) + sum(slot.index is not None for slot in slots)
        pairs = zip(slots, callbacks, strict=True)
        for slot, callback in sorted(pairs, key=lambda pair: pair[0].position(count)):
            args, kwargs = slot.put(args, kwargs, callback, count)
        return function(*args, **kwargs)

    return call


def signature_without(function: Any, slots: Sequence[Slot]) -> inspect.Signature | None:
    """Return a function's signature less its callbacks; ``None`` where it shows none."""
    signature = signature_of(function)
    if signature is None:
        return None
    positional = [p.name for p in signature.parameters.values() if p.kind in _POSITIONAL]
    gone = {slot.name if slot.index is None else _name_at(positional, slot.index) for slot in slots}
    kept = [p for p in signature.parameters.values() if p.name not in gone]
    return signature.replace(parameters=kept, return_annotation=inspect.Signature.empty)


def _name_at(positional: list[str], index: int) -> str | None:
    return positional[index] if 0 <= index < len(positional) else None
