"""`promisify_all`: an object, a class or a module with async twins of what calls back."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from types import MemberDescriptorType
from typing import Any, Final

from catchasync._completion import check_callable
from catchasync._kinds import identity_of, kind_of
from catchasync._promisify import is_promisified, promisify
from catchasync._proxies import CallThrough, ReadThrough

_MISSING: Final = object()

Select = Callable[[str, Any], bool]


def promisify_all(
    target: Any,
    /,
    *,
    suffix: str = "_async",
    select: Select | None = None,
    **promisify_options: Any,
) -> Any:
    """Return a proxy with ``name_async`` beside each public callable ``name`` of a target.

    It reads through to the target, which stays untouched: a method that is replaced later is the
    one that runs, and no property is asked for its value here. Names that begin with an underscore
    and functions that are async already are left out. Instances made by the proxy of a class are
    proxies as well.

    Args:
        target: An object, a class or a module.
        suffix: What the async names end with.
        select: Called with ``(name, function)``, says whether it is to be promisified.
        **promisify_options: The options of `promisify`.

    Returns:
        The proxy, which passes `isinstance`.

    Raises:
        TypeError: Something is not what it has to be.
        ValueError: The target has both ``x`` and an ``x_async`` of its own; or no suffix is given.
    """
    check_callable("select", "a callable of (name, function)", select, is_optional=True)
    if not (suffix and f"x{suffix}".isidentifier()):
        msg = f"`suffix` takes what an async name shall end with, as '_async': got {suffix!r}."
        raise ValueError(msg)
    if issubclass(type(target), All):  # once is enough; the suffix may be another one
        target = target.__wrapped__
    promisify(_takes_anything, **promisify_options)  # bad options are told here, not at first use
    twins = Twins(target, suffix, select, promisify_options)
    twins.check()
    return AllCallable(target, twins) if callable(target) else All(target, twins)


def _takes_anything(*args: Any, **kwargs: Any) -> None:
    """Have every place for a callback."""


class Twins:
    """The async twins of a target's functions, made when they are asked for."""

    def __init__(
        self, target: Any, suffix: str, select: Select | None, options: dict[str, Any]
    ) -> None:
        self.target, self.suffix, self.select, self.options = target, suffix, select, options
        self._made: dict[str, tuple[Any, Any]] = {}

    def names(self) -> Iterator[str]:
        """Give the names of the functions that have a twin."""
        return (name for name in dir(self.target) if self._has_twin(name))

    def check(self) -> None:
        """Refuse a target that has a function and something else by the name of its twin."""
        for name in self.names():
            foreign = inspect.getattr_static(self.target, name + self.suffix, _MISSING)
            if foreign is not _MISSING and not is_promisified(foreign):
                msg = (
                    f"{_name(self.target)} has {name!r} and also {name + self.suffix!r}, "
                    "which would be its async name. Give another suffix=, or leave it out by "
                    "select=."
                )
                raise ValueError(msg)

    def _has_twin(self, name: str) -> bool:
        function = _static(self.target, name)
        if name.startswith("_") or not _calls_back(function):
            return False
        return self.select is None or bool(self.select(name, _function_in(function)))

    def get(self, async_name: str) -> Any:
        """Return a twin by its own name; ``None``: there is no such one."""
        name = async_name.removesuffix(self.suffix)
        if name == async_name or not self._has_twin(name):
            return None
        function = getattr(self.target, name)
        known, twin = self._made.get(name, (None, None))
        if known is None or identity_of(known) != identity_of(function):
            twin = self._make(async_name, function)
            self._made[name] = function, twin
        return twin

    def _make(self, async_name: str, function: Any) -> Any:
        try:
            return promisify(function, **self.options)
        except (TypeError, ValueError) as error:
            msg = f"{_name(self.target)} has no {async_name!r}: {error}"
            raise AttributeError(msg) from error


def _static(target: Any, name: str) -> Any:
    """Look an attribute up without running any code of the target; slots have none."""
    found = inspect.getattr_static(target, name, None)
    if isinstance(found, MemberDescriptorType) and not inspect.isclass(target):
        with contextlib.suppress(AttributeError):
            return found.__get__(target)
    return found


def _calls_back(function: Any) -> bool:
    function = _function_in(function)
    return callable(function) and not inspect.isclass(function) and kind_of(function) == "sync"


def _function_in(function: Any) -> Any:
    if isinstance(function, classmethod | staticmethod):
        return function.__func__
    return function.func if isinstance(function, functools.partialmethod) else function


def _name(target: Any) -> str:
    """Return what messages call a target."""
    if inspect.isclass(target) or inspect.ismodule(target):
        return str(target.__name__)
    return f"a {type(target).__name__}"


class All(ReadThrough):  # type: ignore[type-arg]
    """A target with its async twins."""

    def __init__(self, target: Any, twins: Twins) -> None:
        super().__init__(target)
        self._self_twins = twins

    def __getattr__(self, name: str) -> Any:
        twin = self._self_twins.get(name) if name.endswith(self._self_twins.suffix) else None
        return super().__getattr__(name) if twin is None else twin

    def __dir__(self) -> list[str]:
        twins = self._self_twins
        return sorted({*dir(self.__wrapped__), *(name + twins.suffix for name in twins.names())})


class AllCallable(All, CallThrough):  # type: ignore[type-arg]
    """Same, of what can be called: a class makes instances that have their twins."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = self.__wrapped__(*args, **kwargs)
        if not (inspect.isclass(self.__wrapped__) and isinstance(made, self.__wrapped__)):
            return made
        twins = self._self_twins
        return promisify_all(made, suffix=twins.suffix, select=twins.select, **twins.options)
