"""Flask: ``install(app, errors)``.

``app.handle_exception`` is where Flask comes with what no error handler has taken; so functions of
``teardown_request`` see the error, and ``after_request`` the response. Failures outside of that (a
stream, a teardown) reach the guard around ``app.wsgi_app``. Error handlers that the app has for
classes of its own are still called first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import flask
from flask.app import Flask  # OpenTelemetry replaces that of `flask`
from flask.signals import got_request_exception
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync._rules import status_in
from catchasync._statuses import SERVER_ERROR
from catchasync.integrations._asgi import checked, checked_errors
from catchasync.integrations._wsgi import Guard, settled

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Flask)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``: of views, streams, hooks and teardowns.

    The signal ``got_request_exception`` is sent for what is answered with 500 or more.

    Args:
        app: The app; views, blueprints and hooks may be added before and after.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no Flask app, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Flask app", Flask)
    if HTTPException not in app.error_handler_spec[None][None]:
        app.register_error_handler(HTTPException, http_handler(app, errors))
    vars(app)["handle_exception"] = exception_handler(app, errors)
    vars(app)["wsgi_app"] = Guard(app.wsgi_app, errors, app.request_class, observer="flask")
    return app


def http_handler(app: Flask, errors: ErrorHandler) -> Callable[[HTTPException], Any]:
    """Return an error handler for Flask's own errors; redirects are as they were."""

    def answer_http_error(error: HTTPException) -> Any:
        if (own := app.error_handler_spec[None][None].get(Exception)) is not None:
            return app.ensure_sync(own)(error)  # the user's, who has one for all
        is_error = error.code is not None and error.code >= 400  # noqa: PLR2004 - RFC 9110
        return answer(error, errors) if is_error else error

    return answer_http_error


def exception_handler(app: Flask, errors: ErrorHandler) -> Callable[[Exception], Any]:
    """Return what takes the place of ``app.handle_exception``."""

    def handle_exception(error: Exception) -> flask.Response:
        response = answer(error, errors)
        if (status_in(response) or SERVER_ERROR) >= SERVER_ERROR:
            wrapper = app.ensure_sync
            got_request_exception.send(app, _async_wrapper=wrapper, exception=error)
        return app.finalize_request(response, from_error_handler=True)

    return handle_exception


def answer(error: object, errors: ErrorHandler) -> ResponseReturnValue:
    """Report an error, and return what a view may return."""
    made = settled(errors(error, current_context()))
    if isinstance(made, ErrorResponse):
        return response_of(made)
    return cast("ResponseReturnValue", made)


def current_context() -> ErrorContext:
    """Return where something failed."""
    request: Any = flask.request
    view = flask.current_app.view_functions.get(request.endpoint)
    accept = request.headers.get("Accept")
    return ErrorContext("route", request._get_current_object(), view, accept, request.method)  # noqa: SLF001 - documented


def response_of(made: ErrorResponse) -> flask.Response:
    """Return Flask's response."""
    response = flask.current_app.response_class(made.body, made.status, made.headers)
    if (length := made.headers.get("content-length")) is not None:
        response.headers["content-length"] = length  # that of GET, also for HEAD
    return response


def as_next(errors: ErrorHandler) -> Callable[[object], ResponseReturnValue]:
    """
    Return a `next` for single views: ``@catch_async(next=as_next(errors))``.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it reports an error, and returns a Flask response.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")
    return lambda error: answer(error, errors)
