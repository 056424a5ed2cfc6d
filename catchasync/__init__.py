"""Handlers whose failures reach one `next`, exactly once.

Everything public is imported from here, but for `catchasync.errors` (one class a status) and the
modules that name what they are for. Importing it imports no framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchasync._catch import catch_async, exempt, unwrap
from catchasync._statuses import status_of
from catchasync.errors import (
    CallbackError,
    CallbackNeverCalled,
    CatchAsyncError,
    HandlerIncomplete,
    HttpError,
    NextCalledTwice,
    create_error,
)

if TYPE_CHECKING:
    from catchasync._awaitables import as_awaitable as as_awaitable
    from catchasync._awaitables import drain as drain
    from catchasync._awaitables import spawn as spawn
    from catchasync._callbackify import callbackify as callbackify
    from catchasync._callbacks import wrap_callback as wrap_callback
    from catchasync._chain import Chain as Chain
    from catchasync._context import ErrorContext as ErrorContext
    from catchasync._controllers import wrap_controller as wrap_controller
    from catchasync._crash import exit_process as exit_process
    from catchasync._error_response import ErrorResponse as ErrorResponse
    from catchasync._handler import ErrorHandler as ErrorHandler
    from catchasync._log import log_error as log_error
    from catchasync._promisify import promisify as promisify
    from catchasync._promisify_all import promisify_all as promisify_all
    from catchasync._render import render_error as render_error
    from catchasync._response import ResponseTracker as ResponseTracker
    from catchasync._response import Sent as Sent
    from catchasync._rollback import Rollback as Rollback
    from catchasync._routes import Route as Route
    from catchasync._routes import apply_routes as apply_routes
    from catchasync._routes import create_routes as create_routes
    from catchasync._routing import wrap_handler as wrap_handler
    from catchasync._routing import wrap_router as wrap_router
    from catchasync._runs import SKIP_ROUTE as SKIP_ROUTE
    from catchasync._runs import SKIP_ROUTER as SKIP_ROUTER

__version__ = "0.1.0"

__all__ = [
    "SKIP_ROUTE",
    "SKIP_ROUTER",
    "CallbackError",
    "CallbackNeverCalled",
    "CatchAsyncError",
    "Chain",
    "ErrorContext",
    "ErrorHandler",
    "ErrorResponse",
    "HandlerIncomplete",
    "HttpError",
    "NextCalledTwice",
    "ResponseTracker",
    "Rollback",
    "Route",
    "Sent",
    "apply_routes",
    "as_awaitable",
    "callbackify",
    "catch_async",
    "create_error",
    "create_routes",
    "drain",
    "exempt",
    "exit_process",
    "log_error",
    "promisify",
    "promisify_all",
    "render_error",
    "spawn",
    "status_of",
    "unwrap",
    "wrap_callback",
    "wrap_controller",
    "wrap_handler",
    "wrap_router",
]

_LAZY = {  # whoever only decorates handlers does not wait for these
    "Chain": "_chain",
    "ErrorContext": "_context",
    "ErrorHandler": "_handler",
    "ErrorResponse": "_error_response",
    "ResponseTracker": "_response",
    "Rollback": "_rollback",
    "Route": "_routes",
    "SKIP_ROUTE": "_runs",
    "SKIP_ROUTER": "_runs",
    "Sent": "_response",
    "apply_routes": "_routes",
    "as_awaitable": "_awaitables",
    "callbackify": "_callbackify",
    "create_routes": "_routes",
    "drain": "_awaitables",
    "exit_process": "_crash",
    "log_error": "_log",
    "promisify": "_promisify",
    "promisify_all": "_promisify_all",
    "render_error": "_render",
    "spawn": "_awaitables",
    "wrap_callback": "_callbacks",
    "wrap_controller": "_controllers",
    "wrap_handler": "_routing",
    "wrap_router": "_routing",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
