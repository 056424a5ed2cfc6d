"""FastAPI: ``install(app, errors)``. It is Starlette's, and validation errors besides.

Dependencies with ``yield`` see what a handler raises before the response is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import exception_handlers as theirs
from fastapi.applications import FastAPI  # OpenTelemetry replaces that of `fastapi`
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync.integrations import starlette
from catchasync.integrations._arguments import checked
from catchasync.integrations.starlette import ErrorAnswer, as_next, http_handler

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=FastAPI)

SHOWN: Final = ("type", "loc", "msg")
"""What a client is told of each thing that is wrong with a request; not what it sent."""


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``, as `catchasync.integrations.starlette.install`.

    An invalid request is answered with 422; its ``details`` say what is wrong and where.

    Args:
        app: The app.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no FastAPI app, or ``errors`` no `ErrorHandler`.
        RuntimeError: The app has begun to serve.
    """
    checked(app, errors, "a FastAPI app", FastAPI)
    starlette.install(app, errors)
    default: Any = theirs.http_exception_handler
    _replace(app, HTTPException, default, http_handler(errors, default))
    default = theirs.request_validation_exception_handler
    _replace(app, RequestValidationError, default, validation_handler(errors))
    return app


def _replace(app: FastAPI, error_type: Any, default: object, handler: Any) -> None:
    """Put an exception handler in the place of FastAPI's own; one of the app's stays."""
    if app.exception_handlers.get(error_type) is default:
        app.exception_handlers[error_type] = handler


def validation_handler(errors: ErrorHandler) -> Callable[..., Any]:
    """Return an exception handler for invalid requests."""

    async def answer_invalid(_request: object, error: Any) -> ErrorAnswer:
        error.message, error.details, error.expose = "The request is not valid", shown(error), True
        return ErrorAnswer(error, errors)

    return answer_invalid


def shown(error: RequestValidationError) -> list[dict[str, Any]]:
    """Return what is wrong with a request, and where."""
    return [{name: each[name] for name in SHOWN if name in each} for each in error.errors()]
