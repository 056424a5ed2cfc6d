"""Bottle: `install` puts a guard around the application, outside of its plugins and hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import bottle

from catchasync._context import ErrorContext
from catchasync._error_response import Environ, ErrorResponse, StartResponse
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync.integrations import _wsgi
from catchasync.integrations._arguments import checked, checked_errors, no_application

__all__ = ["as_next", "install", "wrap_router"]

RESPONSES: Final = (ErrorResponse, bottle.BaseResponse)

AppT = TypeVar("AppT", bound=bottle.Bottle)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let a central handler answer every failure of an application.

    What Bottle answers itself is rendered too: 404, 405, ``abort(409)``, unless the application
    has a handler of its own for that (``@app.error(404)``). Redirects, and responses that are
    raised, pass. Plugins and hooks have seen a failure when it is answered. Bottle's ``catchall``
    is switched off: it would write every failure to ``wsgi.errors``.

    Args:
        app: The application; of mounted ones, the outermost.
        errors: The central handler.

    Returns:
        The application.

    Raises:
        TypeError: It is no such application, or ``errors`` no `ErrorHandler`.
        AttributeError: It is installed already, or something else has taken the same place.
    """
    checked(app, errors, "a Bottle app", bottle.Bottle)
    bottles: Any = app
    bottles.wsgi = _Guard(bottles.wsgi, errors, app_of=_app_of)
    bottles.default_error_handler = as_next(errors)
    bottles.catchall = False
    return app


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Any]:
    """
    Return a `next` that answers with a response of Bottle's.

    Args:
        errors: The central handler.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: BaseException) -> Any:
        if _is_control_flow(error):
            raise error
        context = _context(_environ())
        answer = errors(error, context)
        if type(answer) is not ErrorResponse:
            answer = _wsgi.settled(answer)
        return _response(answer, errors, context)

    return next


class _Guard(_wsgi.Guard):
    """A guard that knows which route failed."""

    def _context_of(self, environ: Environ) -> ErrorContext:
        return _context(environ)


def _is_control_flow(error: BaseException) -> bool:
    """Say whether an error is a response, such as a redirect, or asks to match the route anew."""
    if isinstance(error, bottle.HTTPError):
        return False
    return isinstance(error, bottle.HTTPResponse | bottle.RouteReset)


def _environ() -> Environ | None:
    """Return the environ of the request that this thread answers."""
    try:
        environ: Environ = bottle.request.environ
    except (AttributeError, RuntimeError):  # outside of a request
        return None
    return environ


def _context(environ: Environ | None) -> ErrorContext:
    if not environ:  # the thread that has imported Bottle has an empty one
        return ErrorContext("route")
    route = environ.get("bottle.route")
    handler = route and route.callback  # Bottle's way to undecorate it may never come to an end
    return _wsgi.context_of(environ, handler, _request_of(environ))


def _request_of(environ: Environ) -> bottle.BaseRequest:
    """Return a request of its own: Bottle's is another request when the thread serves the next."""
    known = environ.get("bottle.request")
    request = bottle.BaseRequest(environ)
    environ["bottle.request"] = known  # not the new one: a circle
    return request


def _response(answer: Any, errors: ErrorHandler, context: ErrorContext) -> Any:
    """Return what Bottle sends as a whole: of another response it would send the body alone."""
    if not isinstance(answer, RESPONSES):
        answer = errors(TypeError(no_application(answer, "Bottle (a bottle.Response)")), context)
    if isinstance(answer, ErrorResponse):
        body: Any = answer.body
        return bottle.HTTPResponse(body, answer.status, answer.headers)
    response: Any = answer.copy(bottle.HTTPResponse)
    response.body = answer.body
    return response


def _app_of(answer: Any) -> Any:
    """Make a WSGI application of a response of Bottle's, which is none."""
    if not isinstance(answer, bottle.BaseResponse):
        return answer

    def respond(_environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(answer.status_line, answer.headerlist)
        body: Any = answer.body
        return [body.encode() if isinstance(body, str) else body]

    return respond
