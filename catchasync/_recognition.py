"""What is handed to a router: a handler, or something that only looks like one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from catchasync import _kinds
from catchasync._catch import entries_of, is_verb
from catchasync._likeness import defines

VERBS: Final = (
    "get", "post", "put", "patch", "delete", "head", "options", "trace", "connect", "query",
)  # fmt: skip

ADDERS: Final = (
    "use", "add_route", "add_routes", "add_url_rule", "add_api_route", "add_websocket_route",
    "add_api_websocket_route", "add_websocket", "add_view", "add_handlers", "add_resource",
    "add_sink",
)  # fmt: skip
"""Methods that routers have and nothing else has."""

METHODS: Final = frozenset(
    {
        *VERBS, *(f"add_{verb}" for verb in VERBS), *ADDERS, "all", "any", "route", "api_route",
        "websocket", "websocket_route", "endpoint", "param",
    }
)  # fmt: skip
"""The methods by which routers take handlers."""

APPS: Final = (
    ("scope", "receive", "send"),
    ("environ", "start_response"),
    ("env", "start_response"),
)
"""The parameters of an ASGI or WSGI application: https://asgi.readthedocs.io, PEP 3333."""

ERROR_NAMES: Final = frozenset({"e", "er", "err", "error", "ex", "exc", "exception", "failure"})

EXPRESS: Final = (frozenset({"req", "request"}), frozenset({"res", "resp", "response"}), {"next"})


RESPONDERS: Final = tuple(f"on_{verb}" for verb in (*VERBS[:7], "websocket"))
"""How the methods of Falcon's resources begin."""


def takes_handlers(router: Any, name: str) -> bool:
    """Say whether a router has a method of this name; a mapping's ``get`` does not count."""
    is_lookup = name == "get" and isinstance(router, Mapping)
    return not is_lookup and callable(getattr(router, name, None))


def is_router(thing: Any, names: frozenset[str] = METHODS) -> bool:
    """Say whether an object's class has methods of these names, by which routers take handlers."""
    return any(defines(type(thing), name) and takes_handlers(thing, name) for name in names)


def is_app(thing: Any) -> bool:
    """Say whether a callable is an application of its own, to be mounted: no handler."""
    names = tuple(_kinds.parameter_names(thing))
    is_object = not isinstance(thing, type) and not inspect.isroutine(thing)
    return names in APPS or (is_object and any(defines(type(thing), name) for name in ADDERS))


def is_error_handler(handler: Any) -> bool:
    """Say whether a handler takes an error before the usual three, as Express tells them.

    Four required positional parameters alone would be any handler with four of them, so they must
    be named for it: an error first, or ``req``, ``res``, ``next`` after it.
    """
    parameters = _kinds.signature_of(handler)
    required = [p for p in parameters.parameters.values() if _is_required(p)] if parameters else []
    names = [parameter.name.strip("_").lower() for parameter in required]
    if len(names) != 4:  # noqa: PLR2004 - error, req, res, next
        return False
    is_express = all(name in words for name, words in zip(names[1:], EXPRESS, strict=True))
    return is_express or _is_error_name(names[0]) or _is_error_type(required[0].annotation)


def _is_required(parameter: inspect.Parameter) -> bool:
    kinds = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return parameter.kind in kinds and parameter.default is parameter.empty


def _is_error_name(name: str) -> bool:
    return name.rpartition("_")[2] in ERROR_NAMES


def _is_error_type(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.endswith(("Error", "Exception"))
    return isinstance(annotation, type) and issubclass(annotation, BaseException)


def is_resource(thing: Any) -> bool:
    """Say whether an object that is no callable answers by ``on_get``, ``on_post`` and so on."""
    return any(is_verb(name) and name.startswith(RESPONDERS) for name in dir(type(thing)))


def view_methods(view: type) -> dict[str, Any]:
    """Return the methods of a view class to be wrapped; none for a class that is no view."""
    entries = entries_of(view)
    call = entries.get("__call__")
    if call is not None and _kinds.parameter_names(call)[1:] in APPS:
        return {}
    return {name: entry for name, entry in entries.items() if not _is_filler(view, name, entry)}


def _is_filler(view: type, name: str, entry: Any) -> bool:
    """Say whether a framework's base class answers by this method that there is none.

    Tornado's has one function under the names of all verbs: what it raises is no view's failure.
    """
    owner = next(base for base in view.__mro__ if name in vars(base))
    is_foreign = _package(owner) != _package(view)
    return is_foreign and getattr(entry, "__name__", name) != name


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]
