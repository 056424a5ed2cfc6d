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
    from catchasync._context import ErrorContext as ErrorContext
    from catchasync._crash import exit_process as exit_process
    from catchasync._error_response import ErrorResponse as ErrorResponse
    from catchasync._handler import ErrorHandler as ErrorHandler
    from catchasync._render import render_error as render_error
    from catchasync._reporting import log_error as log_error
    from catchasync._response import ResponseTracker as ResponseTracker
    from catchasync._response import Sent as Sent
    from catchasync._rollback import Rollback as Rollback

__version__ = "0.1.0"

__all__ = [
    "CallbackError",
    "CallbackNeverCalled",
    "CatchAsyncError",
    "ErrorContext",
    "ErrorHandler",
    "ErrorResponse",
    "HandlerIncomplete",
    "HttpError",
    "NextCalledTwice",
    "ResponseTracker",
    "Rollback",
    "Sent",
    "catch_async",
    "create_error",
    "exempt",
    "exit_process",
    "log_error",
    "render_error",
    "status_of",
    "unwrap",
]

_LAZY = {  # they need wrapt, json or html, which take time, or are rarely used
    "ErrorContext": "_context",
    "ErrorHandler": "_handler",
    "ErrorResponse": "_error_response",
    "ResponseTracker": "_response",
    "Rollback": "_rollback",
    "Sent": "_response",
    "exit_process": "_crash",
    "log_error": "_reporting",
    "render_error": "_render",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
