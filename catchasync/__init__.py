"""Handlers whose failures reach one `next`, exactly once.

Everything public is imported from here, but for `catchasync.errors` (one class a status) and the
modules that name what they are for. Importing it imports no framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchasync._catch import catch_async, exempt, unwrap
from catchasync.errors import (
    CallbackError,
    CallbackNeverCalled,
    CatchAsyncError,
    HandlerIncomplete,
    NextCalledTwice,
)

if TYPE_CHECKING:
    from catchasync._chain import Chain as Chain
    from catchasync._response import ResponseTracker as ResponseTracker
    from catchasync._response import Sent as Sent
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
    "HandlerIncomplete",
    "NextCalledTwice",
    "ResponseTracker",
    "Sent",
    "catch_async",
    "exempt",
    "unwrap",
]

_LAZY = {
    "Chain": "_chain",
    "ResponseTracker": "_response",  # needs wrapt, which takes time
    "SKIP_ROUTE": "_runs",
    "SKIP_ROUTER": "_runs",
    "Sent": "_response",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
