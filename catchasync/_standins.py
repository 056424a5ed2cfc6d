"""Stand-ins: what a wrapped router registers in a handler's place.

A stand-in is the handler to whoever looks: equal to it, with its hash, `repr`, class name and
signature, copied and pickled as it is, and what is written on it is written on the handler. Only
a call of it differs: that is one of the decorated handler.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any, Final

from catchasync._catch import decorate, is_exempt, unwrap
from catchasync._likeness import Likeness, like
from catchasync._options import Options
from catchasync._proxies import Decorate, MadeAgain


def stand_in(options: Options, handler: Any) -> Any:
    """Make the stand-in for a handler; a call of it is one of the handler decorated."""
    for applies, kind in KINDS:
        if applies(handler):
            return like(kind, handler)(handler, options, decorate(options, handler))
    return like(StandIn, handler)(handler, options, stand_in(options, handler.__call__))


def is_settled(handler: Any) -> bool:
    """Say whether a handler is left as it is: exempt, decorated, or a stand-in already."""
    if is_exempt(handler) or unwrap(handler) is not handler:
        return True
    if isinstance(handler, functools.partial):
        return is_settled(handler.func)
    return not inspect.isroutine(handler) and is_settled(handler.__call__)


class StandIn(MadeAgain, Likeness):
    """The stand-in for a callable object."""

    __slots__ = ()

    def __init__(self, handler: Any, options: Options, call: Any) -> None:
        super().__init__(handler)
        self._self_options = options
        self._self_call = call

    def _self_again(self) -> Decorate:
        """Return what makes such a stand-in for a copy of the handler, in another process too."""
        return functools.partial(stand_in, self._self_options)

    def __catchasync_parts__(self) -> tuple[Any, Decorate]:
        return self.__wrapped__, self._self_again()

    def __reduce_ex__(self, protocol: object) -> Any:
        return _name_of(self) or super().__reduce_ex__(protocol)


def _name_of(thing: Any) -> str | None:
    """Return the name by which a thing's module knows it, where that finds this very thing."""
    name = getattr(thing, "__qualname__", None)
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    try:
        found = operator.attrgetter(name)(module)  # type: ignore[arg-type]
    except (AttributeError, TypeError):
        return None
    return name if found is thing else None


class HotStandIn(StandIn):
    """One for a partial or a function of C: its ``__call__`` is a slot, which is read fast."""

    __slots__ = ("__call__",)

    def __init__(self, handler: Any, options: Options, call: Any) -> None:
        super().__init__(handler, options, None)
        self.__call__ = call


class FunctionStandIn(HotStandIn):
    """The stand-in for a function, which becomes a method in a class as functions do."""

    __slots__ = ()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)


class MethodStandIn(HotStandIn):
    """The stand-in for a bound method; what binds its function anew binds a stand-in."""

    __slots__ = ()

    def __init__(self, handler: Any, options: Options, call: Any) -> None:
        super().__init__(handler, options, call)
        self._self_func = None

    @property
    def __func__(self) -> Any:
        if self._self_func is None:
            self._self_func = stand_in(self._self_options, self.__wrapped__.__func__)
        return self._self_func


def _binds(handler: Any) -> bool:
    return inspect.isroutine(handler) and hasattr(type(handler), "__get__")


KINDS: Final[tuple[tuple[Callable[[Any], bool], type[StandIn]], ...]] = (
    (lambda handler: isinstance(handler, MethodType), MethodStandIn),
    (_binds, FunctionStandIn),
    (inspect.isroutine, HotStandIn),
    (lambda handler: isinstance(handler, functools.partial), HotStandIn),
)
