"""Functions wrapped by functions: the plan of one wrapper, and its making."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from catchasync import _kinds, _runtimes
from catchasync._delivery import AsyncCall, Call, Delivery, no_next
from catchasync._marks import clock, mark
from catchasync._returned import Results
from catchasync._signatures import GENERIC, LastPlace, Place, as_source, place_of
from catchasync._templates import FILE, Shape, make

if TYPE_CHECKING:
    from catchasync._options import Options

RESPONSE_NAMES: Final = ("res", "response", "resp")

# How often a wrapper itself refers to the `next` that it handed to the handler: as `_call`, as an
# argument, and as the argument of the question (which Python only lends from 3.14 on).
UNHELD: Final = 3 if sys.version_info < (3, 14) else 2

# The field of `inspect` that says whether a function takes *args or **kwargs.
_STARS: Final = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def wrap_function(options: Options, handler: Any) -> Any:
    """Wrap a function, or whatever else is a routine, in a function of the same kind."""
    return Plan(options, handler).wrapper()


def handler_inside(wrapper: Any) -> Any:
    """Return the handler that a wrapper of ours calls, ``None`` for any other function."""
    is_ours = type(wrapper) is FunctionType and wrapper.__code__.co_filename.startswith(FILE)
    return wrapper.__globals__["_handler"] if is_ours else None


@dataclass(slots=True)
class Plan:
    """How one function will be wrapped: all of it decided when it is decorated."""

    options: Options
    handler: Any
    kind: _kinds.Kind = field(init=False)
    place: Place | LastPlace | None = field(init=False)  # of `next`; None: the decorator has it
    response: Place | None = field(init=False)
    watch_response: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Look the handler over."""
        self.kind = _kinds.kind_of(self.handler)
        self.place = self._find_next()
        self.response = self._find_response()

    def _find_next(self) -> Place | LastPlace | None:
        name = self.options.next
        if callable(name):
            return None
        place = place_of(self.handler, name or "next")
        if place is None and name is not None:
            raise TypeError(self._has_no_parameter(f"next={name!r}", name))
        return place or LastPlace()

    def _find_response(self) -> Place | None:
        if self.options.track_response is False:
            return None
        from catchasync._response import as_tracker, watch  # noqa: PLC0415 - they need wrapt

        tracker = as_tracker(self.options.track_response)
        self.watch_response = functools.partial(watch, tracker)
        names = (tracker.argument,) if tracker.argument else RESPONSE_NAMES
        for name in names:
            place = place_of(self.handler, name)
            if place is not None:
                return place
        remedy = " Name it: track_response=ResponseTracker(argument=...)."
        raise TypeError(self._has_no_parameter("track_response=...", *names) + remedy)

    def _has_no_parameter(self, option: str, *names: str) -> str:
        return (
            f"catch_async({option}): {_kinds.name_of(self.handler)} has no parameter named "
            f"{' or '.join(names)}; it has ({', '.join(_kinds.parameter_names(self.handler))})."
        )

    def wrapper(self) -> Any:
        """Make the wrapper, and give it the handler's looks."""
        exact = as_source(self.handler) if self._may_be_exact() else None
        wrapper = make(self._shape(exact), self._values())
        Results(wrapper.__globals__["_delivery"]).serve(wrapper.__globals__)
        if exact:
            _copy_defaults(wrapper, self.handler)
            self._let_next_be_missing(wrapper)
        return _dress(wrapper, self.handler)

    def _may_be_exact(self) -> bool:
        """Say whether a wrapper of the handler's own parameters can find all that it needs."""
        if type(self.handler) is not FunctionType:
            return False
        code = self.handler.__code__
        positional = code.co_varnames[: code.co_argcount]
        keyword_only = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        if self.response is not None and self.response.name not in positional + keyword_only:
            return False
        if isinstance(self.place, Place):
            return self.place.name in (*positional[-1:], *keyword_only)
        is_open = bool(keyword_only or code.co_flags & _STARS or self.handler.__defaults__)
        return self.place is None or not (is_open or self.place.name in code.co_varnames)

    def _shape(self, exact: tuple[str, str, tuple[str, ...]] | None) -> Shape:
        parameters, arguments, names = exact or GENERIC
        source = self._source()
        next_name = "_next"
        if self.place is not None:
            next_name = self.place.name if exact else "_found"
            names = tuple(dict.fromkeys((*names, next_name)))
        if exact and source == "extra":
            parameters = ", ".join(filter(None, (parameters, next_name)))
        response = self.response.name if self.response else None
        return Shape(
            self.kind, parameters, arguments, names, source, next_name, response, exact is not None
        )

    def _source(self) -> str:
        if self.place is None:
            return "fixed"
        return "own" if isinstance(self.place, Place) else "extra"

    def _values(self) -> dict[str, Any]:
        name = _kinds.name_of(self.handler)
        options = self.options
        delivery = Delivery(
            name, catch=options.catch, pass_through=options.pass_through, late=options.late
        )
        is_async = self.kind in {"coroutine", "async_generator"}
        return {
            "_handler": self.handler,
            "_catch": options.catch,
            "_next": options.next,
            "_delivery": delivery,
            "_failed": delivery.failed_async if is_async else delivery.failed,
            "_mark": mark,
            "_clock": clock,
            "_call_type": AsyncCall if is_async else Call,
            "_running_loop": asyncio._get_running_loop,  # noqa: SLF001
            "_home": _runtimes.trio_home,
            "_references": sys.getrefcount,
            "_UNHELD": UNHELD,
            "_no_next": functools.partial(no_next, name),
            "_place": self.place,
            "_watch_response": self.watch_response,
            "_response_place": self.response,
        }

    def _let_next_be_missing(self, wrapper: FunctionType) -> None:
        """Let a call without `next` reach the wrapper, whose message says more than Python's."""
        if self.place is None:
            return
        code = wrapper.__code__
        if self.place.name in code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]:
            wrapper.__kwdefaults__ = {self.place.name: None} | (wrapper.__kwdefaults__ or {})
        elif not wrapper.__defaults__:
            wrapper.__defaults__ = (None,)


def _copy_defaults(wrapper: FunctionType, handler: FunctionType) -> None:
    wrapper.__defaults__ = handler.__defaults__
    wrapper.__kwdefaults__ = handler.__kwdefaults__ and dict(handler.__kwdefaults__)


def _dress(wrapper: FunctionType, handler: Any) -> FunctionType:
    """Make introspection answer as for the handler, and keep writes from reaching it."""
    functools.update_wrapper(wrapper, handler)
    if "__annotations__" in functools.WRAPPER_ASSIGNMENTS:  # pragma: no branch - not from 3.14 on
        wrapper.__annotations__ = dict(wrapper.__annotations__)
    if not hasattr(handler, "__name__"):
        wrapper.__name__ = wrapper.__qualname__ = _kinds.short_name_of(handler)
    if type(handler) is not FunctionType:
        _copy_public_attributes(wrapper, handler)
    return wrapper


def _copy_public_attributes(wrapper: FunctionType, handler: Any) -> None:
    """Bring along what a routine of C has beside a function: ``cache_clear`` of ``lru_cache``."""
    for name in dir(handler):
        if not name.startswith("_") and not hasattr(wrapper, name):
            setattr(wrapper, name, getattr(handler, name))
