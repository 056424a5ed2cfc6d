"""`catch_async`: any handler in, the same kind of handler out, its failures delivered to `next`.

Functions become functions, partials partials, objects proxies, methods methods of the same
binding; a view class stays the class it is, with its verb methods decorated.
"""

from __future__ import annotations

import functools
import inspect
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from catchasync import _kinds
from catchasync._functions import handler_inside, wrap_function
from catchasync._options import Options
from catchasync.types import Handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from catchasync.types import Errors, Late, Next, PassThrough

HandlerT = TypeVar("HandlerT", bound=Handler)

VERBS: Final = (
    "get", "post", "put", "patch", "delete", "head", "options", "trace", "connect",
    "on_get", "on_post", "on_put", "on_patch", "on_delete", "on_head", "on_options",
    "on_connect", "on_receive", "on_disconnect", "on_websocket",
)  # fmt: skip
"""The methods by which frameworks call a view class; Falcon adds a suffix, as in on_get_item."""

OTHER_ENTRIES: Final = ("dispatch_request", "__call__")
"""The method that they call where a class has none of those."""

EXEMPT: Final = "__catchasync_exempt__"

_MISSING: Final = object()


@overload
def catch_async(handler: HandlerT, /) -> HandlerT: ...
@overload
def catch_async(
    *,
    next: Next | str | None = None,
    catch: Errors = Exception,
    pass_through: PassThrough = (),
    track_response: bool | object = False,
    late: Late | None = None,
) -> Callable[[HandlerT], HandlerT]: ...
def catch_async(  # noqa: PLR0913 - the public options
    handler: Any = _MISSING,
    /,
    *,
    next: Next | str | None = None,
    catch: Errors = Exception,
    pass_through: PassThrough = (),
    track_response: bool | object = False,
    late: Late | None = None,
) -> Any:
    """
    Decorate a handler so that its failures reach `next`, exactly once.

    What comes out is of the same kind: a function for a function (sync, async, generator, async
    generator), a bound method for a bound method, and so on; `inspect` answers as for the handler.
    Cancellation, `KeyboardInterrupt`, `SystemExit` and `GeneratorExit` are never caught.

    Args:
        handler: Any callable, a `classmethod` or `staticmethod`, or a view class.
        next: Called with each failure; what it returns (awaited where that is an awaitable) is the
            handler's result. A string names the handler's parameter that brings `next` with each
            call. Without it: the handler's own parameter named ``next``, else one more trailing
            positional argument or the keyword ``next``, taken off before the handler is called.
        catch: The exception type, or types, that are failures.
        pass_through: What to leave alone among them: types, or a predicate ``error -> bool``.
        track_response: ``True`` to watch the argument named ``res``, ``response`` or ``resp``, or
            a `ResponseTracker`: a failure after the response began is late.
        late: Called with each failure that comes after the decision (a result was returned, `next`
            was called, the response was sent). Default: logged as an error on ``catchasync``.

    Returns:
        The decorated handler; without a handler, a decorator.

    Raises:
        TypeError: What came is no handler, or an option is not what it has to be.
    """
    options = Options(next, catch, pass_through, track_response, late)
    return (
        functools.partial(decorate, options) if handler is _MISSING else decorate(options, handler)
    )


def decorate(options: Options, handler: Any) -> Any:
    """Decorate a handler of any kind as `catch_async` was told."""
    for applies, decorator in DECORATORS:
        if applies(handler):
            return decorator(options, handler)
    remedy = "Options go by keyword: catch_async(next=...)."
    if hasattr(type(handler), "__get__"):
        remedy = "Decorate the function inside: put @catch_async below the other decorator."
    msg = f"catch_async() takes a handler, a callable of any kind: got {handler!r}. {remedy}"
    raise TypeError(msg)


def _decorate_binding(options: Options, handler: Any) -> Any:
    return type(handler)(decorate(options, handler.__func__))


def _decorate_partialmethod(options: Options, handler: functools.partialmethod[Any]) -> Any:
    function = decorate(options, handler.func)
    return functools.partialmethod(function, *handler.args, **handler.keywords)


def _decorate_bound(options: Options, handler: MethodType) -> Any:
    return MethodType(decorate(options, handler.__func__), handler.__self__)


def _decorate_class(options: Options, view: type) -> type:
    """Decorate a view class in place: its own and inherited verb methods, never its bases."""
    entries = entries_of(view)
    if not entries:
        msg = (
            "catch_async() takes a view class, one with a method per verb (get, on_post, ...) or a "
            f"`__call__`: {view.__qualname__} has none. Decorate its methods one by one."
        )
        raise TypeError(msg)
    for name, method in entries.items():
        setattr(view, name, decorate(options, method))
    return view


def entries_of(view: type) -> dict[str, Any]:
    """Return the methods, by name, by which frameworks call a view class: none if it is none."""
    return _entries(view, is_verb) or _entries(view, OTHER_ENTRIES.__contains__)


def is_verb(name: str) -> bool:
    """Say whether frameworks call a view's method of this name with requests."""
    return name in VERBS or (name.startswith("on_") and name.rpartition("_")[0] in VERBS)


def _entries(view: type, is_entry: Callable[[str], bool]) -> dict[str, Any]:
    named = {name: inspect.getattr_static(view, name) for name in dir(view) if is_entry(name)}
    return {name: method for name, method in named.items() if _is_method(method)}


def _is_method(method: Any) -> bool:
    kinds = (classmethod, staticmethod, functools.partialmethod)
    return inspect.isroutine(method) or isinstance(method, kinds)


def _decorate_object(options: Options, handler: Any) -> Any:
    from catchasync._proxies import proxy_of  # noqa: PLC0415 - wrapt is loaded when it is needed

    return proxy_of(handler, functools.partial(decorate, options))


DECORATORS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Options, Any], Any]], ...]] = (
    (lambda handler: isinstance(handler, classmethod | staticmethod), _decorate_binding),
    (lambda handler: isinstance(handler, functools.partialmethod), _decorate_partialmethod),
    (lambda handler: isinstance(handler, type), _decorate_class),
    (lambda handler: isinstance(handler, MethodType), _decorate_bound),
    (lambda handler: inspect.isroutine(handler) and callable(handler), wrap_function),
    (callable, _decorate_object),
)


def unwrap(handler: Any) -> Any:
    """
    Return the handler inside a decorated one, under however many decorations of ours.

    Args:
        handler: Any handler; one that is not decorated is returned as it is.

    Returns:
        What `catch_async` was given: for a method, bound as the decorated one is.
    """
    if isinstance(handler, classmethod | staticmethod):
        return _unwrap_binding(handler)
    if isinstance(handler, MethodType):
        inside = unwrap(handler.__func__)
        return handler if inside is handler.__func__ else MethodType(inside, handler.__self__)
    inside = _inside(handler)
    return handler if inside is None else unwrap(inside)


def _unwrap_binding(handler: Any) -> Any:
    inside = unwrap(handler.__func__)
    return handler if inside is handler.__func__ else type(handler)(inside)


def _inside(handler: Any) -> Any:
    inside = handler_inside(handler)
    if inside is None and hasattr(type(handler), "__catchasync_parts__"):
        return type(handler).__catchasync_parts__(handler)[0]
    return inside


def exempt(handler: HandlerT) -> HandlerT:
    """
    Mark a handler that `wrap_router` and `install` leave alone.

    Args:
        handler: A function, a method, a class or an object that takes attributes.

    Returns:
        The same handler.

    Raises:
        TypeError: It is no callable, or takes no attributes (as functions of C do).
    """
    if not callable(handler):
        msg = f"exempt() takes a handler, a callable of any kind: got {handler!r}."
        raise TypeError(msg)
    try:
        setattr(getattr(handler, "__func__", handler), EXEMPT, True)
    except (AttributeError, TypeError) as error:
        name = _kinds.name_of(handler)
        msg = f"exempt() cannot mark {name}, it takes no attributes: wrap it in a function first."
        raise TypeError(msg) from error
    return handler


def is_exempt(handler: Any) -> bool:
    """Say whether `exempt` has marked a handler."""
    return bool(getattr(handler, EXEMPT, False))
