"""Routes declared as data, checked where they are declared, and registered on any router."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar, Unpack

from catchasync import _kinds
from catchasync._handlers import settle
from catchasync._options import options_for
from catchasync._recognition import VERBS, takes_handlers
from catchasync._registration import KEYWORDS
from catchasync.types import NextAndCatchOptions

RouterT = TypeVar("RouterT")

KEYS: Final = ("method", "path", "handler")

Register = Callable[[str, "Route"], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """
    One route, as `create_routes` makes it.

    Args:
        method: The HTTP method in capitals: ``"GET"``.
        path: The path, in whatever form the router takes.
        handler: The stand-in for the handler.
    """

    method: str
    path: Any
    handler: Any


def create_routes(
    declarations: Mapping[str, Mapping[str, Any]], /, **catch_options: Unpack[NextAndCatchOptions]
) -> dict[str, Route]:
    """
    Make routes of their declarations, with their handlers wrapped.

    Args:
        declarations: By the route's name, a mapping with ``"method"`` (an HTTP method in any
            case), ``"path"`` and ``"handler"``.
        catch_options: The options of `catch_async`, `next` among them.

    Returns:
        The routes by name, in the order of their declarations.

    Raises:
        ValueError: A key is missing or unknown, or the method is; the message names the route.
        TypeError: A handler is no callable, the declarations are no mapping, or an option is not
            what it has to be.
    """
    options = options_for("create_routes", **catch_options)
    _check_mapping("create_routes", "declarations", declarations)
    for name, declaration in declarations.items():
        _check(name, declaration)
    return {
        name: Route(
            declaration["method"].upper(),
            declaration["path"],
            settle(options, declaration["handler"]),
        )
        for name, declaration in declarations.items()
    }


def _check_mapping(caller: str, what: str, came: object) -> None:
    if not isinstance(came, Mapping):
        msg = f"{caller}() takes {what} by name, a mapping: got {came!r}."
        raise TypeError(msg)


def _check(name: str, declaration: Any) -> None:
    if not isinstance(declaration, Mapping):
        _refuse(TypeError, name, f"takes a mapping with method, path, handler: got {declaration!r}")
    missing = [key for key in KEYS if key not in declaration]
    if missing:
        _refuse(ValueError, name, f"has no {missing[0]!r}: got {dict(declaration)!r}")
    unknown = [key for key in declaration if key not in KEYS]
    if unknown:
        _refuse(ValueError, name, f"takes method, path and handler: got {unknown[0]!r} besides")
    method = declaration["method"]
    if not isinstance(method, str) or method.lower() not in VERBS:
        _refuse(ValueError, name, f"takes an HTTP method ({', '.join(VERBS)}): got {method!r}")
    if not callable(declaration["handler"]):
        _refuse(TypeError, name, f"takes a callable as handler: got {declaration['handler']!r}")


def _refuse(error_type: type[Exception], name: str, said: str) -> NoReturn:
    msg = f"create_routes(): route {name!r} {said}."
    raise error_type(msg)


def apply_routes(router: RouterT, routes: Mapping[str, Route], /) -> RouterT:
    """
    Register routes on a router, in their order.

    Args:
        router: Any object with a method per verb (``get`` or ``add_get``, that takes the handler
            or is a decorator), with ``add_route`` or with ``add_url_rule``.
        routes: What `create_routes` made.

    Returns:
        The router.

    Raises:
        TypeError: The router has no way to register one of them, or the routes are no mapping;
            then none was registered.
    """
    _check_mapping("apply_routes", "routes", routes)
    found = [(_find(router, name, route), name, route) for name, route in routes.items()]
    for register, name, route in found:
        register(name, route)
    return router


def _find(router: Any, name: str, route: Any) -> Register:
    """Find out how a router takes a route, before any is registered."""
    if not isinstance(route, Route):
        msg = f"apply_routes(): route {name!r} is no Route, make it by create_routes(): {route!r}."
        raise TypeError(msg)
    verb = route.method.lower()
    for target in (router, getattr(router, "router", None)):
        for method, register in WAYS:
            if takes_handlers(target, method.format(verb)):
                return register(getattr(target, method.format(verb)))
    msg = (
        f"apply_routes(): route {name!r} cannot be registered, {_kinds.name_of(router)} has no "
        f"method {verb}, add_{verb}, add_route or add_url_rule."
    )
    raise TypeError(msg)


def _by_rule(add_url_rule: Any) -> Register:
    """Register as Flask does; its endpoints must differ, and the routes' names do."""
    return lambda name, route: add_url_rule(
        route.path, endpoint=name, view_func=route.handler, methods=[route.method]
    )


def _by_verb(method: Any) -> Register:
    if _takes_handler(method):
        return lambda _name, route: method(route.path, route.handler)
    return lambda _name, route: method(route.path)(route.handler)


def _takes_handler(method: Any) -> bool:
    """Say whether a verb method takes the handler after the path, or returns a decorator."""
    signature = _kinds.signature_of(method)
    if signature is None:
        return True
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    second = [p for p in signature.parameters.values() if p.kind not in kinds][1:2]
    return any(p.default is p.empty or p.name in KEYWORDS for p in second)


def _by_route(add_route: Any) -> Register:
    """Register as aiohttp does, the method first; or as Starlette does, the methods last."""
    if _kinds.parameter_names(add_route)[:1] == ("method",):
        return lambda _name, route: add_route(route.method, route.path, route.handler)
    return lambda _name, route: add_route(route.path, route.handler, methods=[route.method])


WAYS: Final[tuple[tuple[str, Callable[[Any], Register]], ...]] = (
    ("add_url_rule", _by_rule),
    ("add_{}", _by_verb),
    ("{}", _by_verb),
    ("add_route", _by_route),
)
