"""Flask: ``install(app, errors)``.

``app.handle_exception`` is where Flask comes with what no error handler has taken; so functions of
``teardown_request`` see the error, and ``after_request`` the response. Failures outside of that (a
stream, a teardown) reach the guard around ``app.wsgi_app``. Error handlers that the app has for
classes of its own are still called first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from types import BuiltinMethodType
from typing import Any, Final, TypeVar, cast

import flask
from flask.app import Flask  # OpenTelemetry replaces that of `flask`
from flask.signals import got_request_exception
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from catchasync._context import ErrorContext
from catchasync._error_response import Environ, ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync._statuses import SERVER_ERROR, own_status
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._asgi import is_repeated
from catchasync.integrations._wsgi import Application, Guard, Start, context_of, settled

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Flask)

BODY: Final = ("close", "get_app_iter", "iter_encoded")
"""What makes the body of a response, and closes it."""


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``: of views, streams, hooks and teardowns.

    The signal ``got_request_exception`` is sent for what is answered with 500 or more. Extensions
    that answer what their views raise (Flask-RESTX, Flask-RESTful) are told to let it pass, by
    Flask's own setting: ``PROPAGATE_EXCEPTIONS`` is switched on.

    Args:
        app: The app; views, blueprints and hooks may be added before and after.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no Flask app, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Flask app", Flask)
    own: Any = app.error_handler_spec[None][None].get(HTTPException)
    if own is None or own.__module__ == __name__:  # that of an install before
        app.register_error_handler(HTTPException, http_handler(app, errors))
    app.config["PROPAGATE_EXCEPTIONS"] = True
    vars(app)["handle_exception"] = exception_handler(app, errors)
    vars(app)["wsgi_app"] = guarded(app, errors)
    return app


class FlaskGuard(Guard):
    """A guard that finds the view of what fails when Flask has forgotten the request."""

    flask: Flask

    def _context_of(self, environ: Environ) -> ErrorContext:
        request: Any = self.request_of(environ)
        with contextlib.suppress(HTTPException):  # there is no such view
            adapter: Any = self.flask.create_url_adapter(request)
            request.url_rule, request.view_args = adapter.match(return_rule=True)
        return context_in(self.flask, request)


def guarded(app: Flask, errors: ErrorHandler) -> Application:
    """Return what takes the place of ``app.wsgi_app``; of a guard of ours, what is inside."""
    run: Any = app.wsgi_app
    if isinstance(run, FlaskGuard):
        run = run.app
    kind = QuickGuard if is_usual(run, app.response_class) else FlaskGuard
    guard = kind(run, errors, app.request_class, observer="flask")
    guard.flask = app
    return guard


def is_usual(run: Application, kind: Any) -> bool:
    """Say whether Flask makes the responses and their bodies, without anything in between."""
    is_plain = all(getattr(kind, name) is getattr(Response, name) for name in BODY)
    return is_plain and getattr(run, "__func__", None) is Flask.wsgi_app


class QuickGuard(FlaskGuard):
    """Same, where Flask's own responses are all: most are one string, in which nothing can fail."""

    def watched(self, body: Any, environ: Environ, start: Start) -> Iterable[bytes]:
        """Return a body whose failures are answered or reported."""
        if type(body) is ClosingIterator and is_one_string(body):
            return body
        return super().watched(body, environ, start)


def is_one_string(body: Any) -> bool:
    """Say whether a body is one string, at whose end nothing is called but what Flask has made."""
    callbacks = body._callbacks  # noqa: SLF001 - werkzeug shows it to nobody, as all of this
    if len(callbacks) != 2 or type(callbacks[0]) is not BuiltinMethodType:  # noqa: PLR2004 - of the parts, and the response
        return False
    if getattr(callbacks[1], "__func__", None) is not Response.close:
        return False
    response = callbacks[1].__self__
    parts = response.response
    is_one = type(parts) is list and len(parts) == 1 and type(parts[0]) is bytes
    return is_one and not response._on_close  # noqa: SLF001 - likewise


def http_handler(app: Flask, errors: ErrorHandler) -> Callable[[HTTPException], Any]:
    """Return an error handler for Flask's own errors; redirects are as they were."""

    def answer_http_error(error: HTTPException) -> Any:
        if (own := app.error_handler_spec[None][None].get(Exception)) is not None:
            return app.ensure_sync(own)(error)  # the user's, who has one for all
        return error if is_response(error) else answer(error, errors)

    return answer_http_error


def is_response(error: HTTPException) -> bool:
    """Say whether an error is a response that is raised: a redirect, or one handed to ``abort``."""
    return error.response is not None or own_status(error) is None


def exception_handler(app: Flask, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_exception``."""

    def handle_exception(*arguments: Any) -> flask.Response:
        *context, error = arguments  # since 3.2 Flask hands its context over, before the error
        if is_never_caught(error):
            raise error
        made: Any = answer(error, errors)
        response: flask.Response = (
            made if type(made) is app.response_class else app.make_response(made)
        )
        if response.status_code >= SERVER_ERROR and got_request_exception.receivers:
            wrapper = app.ensure_sync
            got_request_exception.send(app, _async_wrapper=wrapper, exception=error)
        finalize: Any = app.finalize_request
        try:
            return cast("flask.Response", finalize(*context, response))
        except Exception as later:
            if is_never_caught(later):
                raise
            if not is_repeated(later, error):
                errors.report(later, context_in(app, unwrapped(flask.request)))
            return response

    return handle_exception


def answer(error: object, errors: ErrorHandler) -> ResponseReturnValue:
    """Report an error, and return what a view may return."""
    app, request = unwrapped(flask.current_app), unwrapped(flask.request)
    made = errors(error, context_in(app, request))
    if isinstance(made, ErrorResponse):
        return response_of(made, app.response_class)
    return cast("ResponseReturnValue", settled(made))


def unwrapped(proxy: Any) -> Any:
    """Return what a proxy stands for: each attribute of a proxy takes as long as that."""
    return proxy._get_current_object()  # noqa: SLF001 - documented


def context_in(app: Flask, request: Any) -> ErrorContext:
    """Return where something failed."""
    return context_of(request.environ, app.view_functions.get(request.endpoint), request)


def response_of(made: ErrorResponse, kind: type[flask.Response]) -> flask.Response:
    """Return Flask's response; werkzeug's constructor takes twice as long with all it is given."""
    headers = Headers()
    headers[:] = list(made.headers.items())
    response = kind(None, made.status, headers)
    response.response = [made.body]  # the length stays that of GET, also for HEAD
    return response


def as_next(errors: ErrorHandler) -> Callable[[object], ResponseReturnValue]:
    """
    Return a `next` for single views: ``@catch_async(next=as_next(errors))``.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it reports an error, and returns a Flask response. A redirect that was raised is
        raised again.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: object) -> ResponseReturnValue:
        if isinstance(error, HTTPException) and is_response(error):
            raise error
        return answer(error, errors)

    return next
