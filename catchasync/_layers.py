"""The layers of a chain: how each is called, and which one comes after which."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from catchasync import _kinds
from catchasync._delivery import Delivery

EVERY: Final = (BaseException,)

NORMAL: Final = ("req", "res", "next")
ERROR: Final = ("error", *NORMAL)


@dataclass(slots=True)
class Step:
    """One layer in its place.

    Args:
        layer: What `use` was given.
        types: For an error layer, the exception types that it takes; ``None``: a normal layer.
        group: The number of the group that it belongs to; ``None``: to none.
        call: Calls it with ``(req, res, next)``, an error layer with the error before those.
        call_here: The same, for a driver without a loop.
        is_async: Whether calling it surely gives a coroutine.
        delivery: Where its late failures go.
        rest: Gives a coroutine of what comes after it, for its turn.
        index: Its place in the chain.
        following: The place of the first normal layer after it.
        group_end: The place after its group; where it is in none, after itself.
        after_group: The place of the first normal layer from there on.
    """

    layer: Any
    types: tuple[type[BaseException], ...] | None
    group: int | None
    call: Callable[..., Any] = field(init=False)
    call_here: Callable[..., Any] = field(init=False)
    is_async: bool = field(init=False)
    delivery: Delivery = field(init=False)
    rest: Callable[[Any], Any] = field(init=False)
    index: int = 0
    following: int = 0
    group_end: int = 0
    after_group: int = 0

    def __post_init__(self) -> None:
        """Look the layer over."""
        names = NORMAL if self.types is None else ERROR
        self.call = adapted(self.layer, names)
        self.call_here = self.call
        self.is_async = is_async(self.layer)

    @property
    def name(self) -> str:
        """How messages call it."""
        return _kinds.name_of(self.layer)


def is_async(layer: Any) -> bool:
    """Say whether calling a layer surely gives a coroutine."""
    if _kinds.kind_of(layer) == "coroutine":
        return True
    return not inspect.isroutine(layer) and not isinstance(layer, type) and _has_async_call(layer)


def _has_async_call(layer: Any) -> bool:
    return _kinds.kind_of(getattr(layer, "__call__", None)) == "coroutine"  # noqa: B004


def is_error_layer(layer: Any) -> bool:
    """Say whether a layer has four required positional parameters, as error layers of Express."""
    signature = _kinds.signature_of(layer)
    if signature is None:
        return False
    required = [p for p in _positional(signature) if p.default is p.empty]
    return len(required) == len(ERROR)


def _positional(signature: inspect.Signature) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in signature.parameters.values() if p.kind in kinds]


def adapted(layer: Any, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return a layer as a callable of all these arguments, of which it is handed what it takes.

    These are the first ones; `next` is also found by the name of its parameter.
    """
    signature = _kinds.signature_of(layer)
    if signature is None or any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return layer  # type: ignore[no-any-return]
    parameters = [p.name for p in _positional(signature)]
    _refuse_too_many(layer, signature, names)
    return _called_with(layer, signature, parameters[: len(names)], len(names) - 1)


def _called_with(
    layer: Any, signature: inspect.Signature, parameters: list[str], last: int
) -> Callable[..., Any]:
    count = len(parameters)
    if "next" in parameters[:last]:
        place = parameters.index("next")
        return lambda *args: layer(*args[:place], args[last], *args[place : count - 1])
    if count > last:
        return layer  # type: ignore[no-any-return]
    if "next" in signature.parameters:
        return lambda *args: layer(*args[:count], next=args[last])
    return lambda *args: layer(*args[:count])


def _refuse_too_many(layer: Any, signature: inspect.Signature, names: tuple[str, ...]) -> None:
    required = [p.name for p in _positional(signature) if p.default is p.empty]
    if len(required) > len(names):
        msg = (
            f"a layer is called with ({', '.join(names)}) or fewer of them: "
            f"{_kinds.name_of(layer)} requires ({', '.join(required)})."
        )
        raise TypeError(msg)


def flattened(layers: Iterable[Any], where: str) -> Iterator[Any]:
    """Yield the layers in lists and tuples, however deep; refuse what is no callable."""
    for number, layer in enumerate(layers):
        place = f"{where}[{number}]"
        if isinstance(layer, list | tuple):
            yield from flattened(layer, place)
        elif callable(layer):
            yield layer
        else:
            msg = (
                f"a layer is a callable, or a list of them: got {layer!r} of type "
                f"{type(layer).__name__} at {place}."
            )
            raise TypeError(msg)


def linked(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Tell each step its place, and which one comes after it."""
    normal = end = len(steps)
    group, normal_after = None, normal
    for index in reversed(range(len(steps))):
        step = steps[index]
        if step.group is None or step.group != group:
            end, normal_after, group = index + 1, normal, step.group
        step.index, step.following = index, normal
        step.group_end, step.after_group = end, normal_after
        if step.types is None:
            normal = index
    return tuple(steps)


def first_normal(steps: Sequence[Step]) -> int:
    """Return the place of the first normal layer."""
    return next((step.index for step in steps if step.types is None), len(steps))


def error_layer_after(steps: Sequence[Step], step: Step, error: BaseException) -> int:
    """Return the place of the layer that takes an error of this step.

    A group that the error comes from before of is passed over as a whole.
    """
    index = step.index + 1
    while index < len(steps):
        other = steps[index]
        if other.group is not None and other.group != step.group:
            index = other.group_end
        elif other.types is not None and isinstance(error, other.types):
            return index
        else:
            index += 1
    return index
