"""What becomes of one thing that is handed to a router."""

from __future__ import annotations

import functools
from typing import Any, Final

from catchasync._catch import decorate, is_exempt, is_verb
from catchasync._controllers import controller_proxy
from catchasync._options import Options
from catchasync._recognition import is_app, is_error_handler, is_resource, view_methods
from catchasync._standins import is_settled, stand_in

IMMUTABLE: Final = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE


def settle(options: Options, thing: Any, *, may_be_error_handler: bool = True) -> Any:
    """Return what a router shall register for a thing: its stand-in, or the thing itself."""
    if isinstance(thing, type):
        return _settle_view(options, thing)
    if not callable(thing):
        return _settle_resource(options, thing) if is_resource(thing) else thing
    if is_settled(thing) or is_app(thing):
        return thing
    if may_be_error_handler and is_error_handler(thing):
        return thing
    return stand_in(options, thing)


def _settle_view(options: Options, view: type) -> type:
    """Wrap a view class in place, by method: its own and inherited ones, never its bases."""
    if is_exempt(view) or view.__flags__ & IMMUTABLE:
        return view
    for name, method in view_methods(view).items():
        settled = _settle_method(options, method)
        if settled is not method:
            setattr(view, name, settled)
    return view


def _settle_method(options: Options, method: Any) -> Any:
    if isinstance(method, functools.partialmethod):
        return method if is_settled(method.func) else decorate(options, method)
    if isinstance(method, classmethod | staticmethod):
        inside = _settle_method(options, method.__func__)
        return method if inside is method.__func__ else type(method)(inside)
    return method if is_settled(method) else stand_in(options, method)


def _settle_resource(options: Options, resource: Any) -> Any:
    """Wrap an object that a framework calls by its ``on_get``, ``on_post`` and so on."""
    return resource if is_exempt(resource) else controller_proxy(options, is_verb, resource)
