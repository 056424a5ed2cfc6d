"""`wrap_router`: a router through which only wrapped handlers pass."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MethodType
from typing import Any, Final, TypeVar, Unpack

from catchasync import _kinds
from catchasync._handlers import settle
from catchasync._likeness import Likeness, call_of, like
from catchasync._options import Options, options_for
from catchasync._proxies import Decorate, MadeAgain
from catchasync._recognition import METHODS, is_router, takes_handlers
from catchasync._registration import rewrite
from catchasync._standins import is_settled
from catchasync.types import CatchOptions, Handler, Next

SERVING: Final = ("matches", "handle")
"""The methods that run as the wrapped router's own: in them FastAPI asks whether the router that
an application has included ``is self``, and what was included may be the wrapped one."""

RouterT = TypeVar("RouterT")
HandlerT = TypeVar("HandlerT", bound=Handler)


def wrap_handler(
    handler: HandlerT, /, *, next: Next | str | None, **catch_options: Unpack[CatchOptions]
) -> HandlerT:
    """
    Return what a wrapped router registers for one handler.

    Args:
        handler: Any handler. A view class is wrapped in place, by method.
        next: Where its failures go, as for `catch_async`.
        catch_options: The other options of `catch_async`.

    Returns:
        A stand-in: equal to the handler, with its hash, `repr`, class name and signature; a call
        of it is one of the handler decorated. The handler itself where that is `exempt`, decorated
        or wrapped already, an error handler of four parameters, a mounted application, or no
        callable.

    Raises:
        TypeError: An option is not what it has to be.
    """
    stand_in: HandlerT = settle(options_for("wrap_handler", next=next, **catch_options), handler)
    return stand_in


def wrap_router(
    router: RouterT,
    /,
    *,
    next: Next | str | None = None,
    methods: Iterable[str] | None = None,
    **catch_options: Unpack[CatchOptions],
) -> RouterT:
    """
    Wrap a router, so that every handler registered through it is wrapped.

    Handlers are found wherever routers take them: by position, in lists, under a keyword, through
    a decorator, and along chained calls. Everything else of the router is as it was; what is
    written on the wrapped router reaches the router.

    Args:
        router: Any object with registration methods: ``get``, ``use``, ``route``, ``add_route``,
            ``add_url_rule``, ``add_api_route`` and the like.
        next: Where failures go, as for `catch_async`.
        methods: The names of further registration methods.
        catch_options: The other options of `catch_async`.

    Returns:
        The wrapped router. The router itself is not changed: what is registered on it directly,
        as by a framework for itself, is not wrapped.

    Raises:
        TypeError: The router has no such method, or an option is not what it has to be.
    """
    more = _checked_names(router, methods)
    router, named = unwrapped(router)
    options = options_for("wrap_router", next=next, **catch_options)
    registrar = Registrar(options, more | named)
    if not any(registrar.is_registration(router, name) for name in METHODS | registrar.more):
        msg = (
            "wrap_router() takes a router, an object with registration methods such as get, use or "
            f"add_route: got {router!r}. Name its own: wrap_router(router, methods=(...))."
        )
        raise TypeError(msg)
    wrapped: RouterT = registrar.wrapped(router)
    return wrapped


def _checked_names(router: Any, methods: Iterable[str] | None) -> frozenset[str]:
    if isinstance(methods, str):
        msg = f"wrap_router(methods=...) takes several names, such as ({methods!r},): got a string."
        raise TypeError(msg)
    names = frozenset(methods or ())
    for name in sorted(names):
        if not callable(getattr(router, name, None)):
            msg = f"wrap_router(methods=...): {_kinds.name_of(router)} has no method {name!r}."
            raise TypeError(msg)
    return names


@dataclass(frozen=True, slots=True)
class Registrar:
    """What one wrapped router, and whatever its methods return, do with handlers.

    Args:
        options: How handlers are caught.
        more: The names of registration methods beside the usual ones.
    """

    options: Options
    more: frozenset[str]

    def wrapped(self, router: Any, parent: RouterProxy | None = None) -> Any:
        """Return the proxy of a router, or of what a method of a wrapped one returned."""
        return like(RouterProxy, router)(router, self, parent)

    def is_registration(self, router: Any, name: str) -> bool:
        """Say whether a router takes handlers by a method of this name."""
        if name in self.more:
            return callable(getattr(router, name, None))
        return name in METHODS and takes_handlers(router, name)

    def registering(self, proxy: RouterProxy, method: Any, name: str = "") -> Callable[..., Any]:
        """Return a registration method that wraps the handlers among its arguments."""

        def register(*args: Any, **kwargs: Any) -> Any:
            seen: list[Any] = []

            def wrap(thing: Any) -> Any:
                settled = settle(self.options, thing, may_be_error_handler=name != "param")
                seen.append(settled)
                return settled

            args, kwargs = rewrite(method, args, kwargs, wrap)
            return self._came_back(proxy, method(*args, **kwargs), seen)

        return functools.update_wrapper(register, method, updated=())

    def _came_back(self, proxy: RouterProxy, result: Any, seen: list[Any]) -> Any:
        """Return what a registration returned, wrapped where handlers can pass through it."""
        known = proxied(proxy, result)
        if known is not result or isinstance(result, type):
            return known
        is_known = any(result is thing for thing in seen) or _is_handler(result)
        is_open = callable(result) or is_router(result, METHODS | self.more)
        return self.wrapped(result, proxy) if is_open and not is_known else result


def _is_handler(result: Any) -> bool:
    return callable(result) and is_settled(result)


def unwrapped(router: Any) -> tuple[Any, frozenset[str]]:
    """Return the router inside a wrapped one, and what `methods` named there."""
    if not isinstance(router, RouterProxy):
        return router, frozenset()
    inside: Any = router
    return inside.__wrapped__, inside._self_registrar.more  # noqa: SLF001 - wrapt's kind of name


def proxied(proxy: Any, result: Any) -> Any:
    """Return the proxy where a method returned the router, or the one that led to it."""
    while proxy is not None:
        if result is proxy.__wrapped__:
            return proxy
        proxy = proxy._self_parent  # noqa: SLF001 - likewise
    return result


class RouterProxy(MadeAgain, Likeness):
    """A router in all but its registration methods."""

    __slots__ = ()

    def __init__(self, router: Any, registrar: Registrar, parent: RouterProxy | None) -> None:
        super().__init__(router)
        self._self_registrar = registrar
        self._self_parent = parent
        is_chained = parent is not None and callable(router)
        self._self_call = registrar.registering(self, router) if is_chained else call_of(router)

    def __catchasync_parts__(self) -> tuple[Any, Decorate]:
        return self.__wrapped__, self._self_registrar.wrapped

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        registrar = self._self_registrar
        if registrar.is_registration(self.__wrapped__, name):
            return registrar.registering(self, found, name)
        if name == "router" and is_router(found):
            return registrar.wrapped(found)
        if not inspect.ismethod(found):
            return found
        if name in SERVING:
            return MethodType(found.__func__, self)
        return like(FluentMethod, found)(found, self)


class FluentMethod(Likeness):
    """Any other method of a wrapped router, which may return the router for a chain of calls."""

    __slots__ = ()

    def __init__(self, method: Any, proxy: RouterProxy) -> None:
        super().__init__(method)
        self._self_call = lambda *args, **kwargs: proxied(proxy, method(*args, **kwargs))
