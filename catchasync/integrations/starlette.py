"""Starlette: ``install(app, errors)``.

Two guards are put into the app's middleware. The inner one answers what handlers raise, so that the
app's middlewares see a response, and can add their headers to it; the outer one, where there are
middlewares, answers what these raise. Starlette's own ``HTTPException`` is answered by an exception
handler. Exception handlers that the app has for classes of its own are still called first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from catchasync._error_response import Receive, Scope, Send
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._statuses import status_of
from catchasync.integrations._asgi import Answer, Guard, checked

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Starlette)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``.

    That is: of handlers, middlewares, streams, background tasks, websockets and lifespan.

    Args:
        app: The app. Its middlewares and routes may be added before and after; mounted
            applications with an exception handling of their own need an `install` of their own.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no Starlette app, or ``errors`` no `ErrorHandler`.
        RuntimeError: The app has begun to serve.
    """
    checked(app, errors, "a Starlette app")
    _check(app)
    app.user_middleware.append(guard(errors))
    default = ExceptionMiddleware(app).http_exception
    app.exception_handlers.setdefault(HTTPException, http_handler(errors, default))
    build = app.build_middleware_stack

    def build_guarded() -> Any:
        if len(app.user_middleware) > 1:  # not the inner guard alone
            app.user_middleware.insert(0, guard(errors))
        return build()

    vars(app)["build_middleware_stack"] = build_guarded
    return app


def _check(app: object) -> None:
    if not isinstance(app, Starlette):
        msg = f"install(app, errors) takes a Starlette app first: got {app!r}"
        raise TypeError(msg)
    if app.middleware_stack is not None:
        msg = "install(app, errors) must come before the app serves its first request"
        raise RuntimeError(msg)


def guard(errors: ErrorHandler) -> Middleware:
    """Return a guard, to be put among an app's middlewares."""
    return Middleware(Guard, errors, connection_of, observer="starlette")


def connection_of(scope: Scope) -> HTTPConnection:
    """Return Starlette's object of a request."""
    if scope["type"] == "http":
        return Request(scope)
    return HTTPConnection(scope)


def http_handler(errors: ErrorHandler, default: Callable[..., Any]) -> Callable[..., Any]:
    """Return an exception handler that answers as ``errors`` says.

    Args:
        errors: The error handler.
        default: The framework's own: it answers what is no error, such as a redirect.
    """

    async def answer_http_error(request: Any, error: Any) -> Response:
        if error.status_code >= 400:  # noqa: PLR2004 - RFC 9110
            return ErrorAnswer(error, errors)
        answer = default(request, error)
        response: Response = await answer if is_awaitable(answer) else answer
        return response

    return answer_http_error


class ErrorAnswer(Response):
    """
    The answer to an error, made when it is known who asked.

    Args:
        error: What failed.
        errors: Reports and answers it.
    """

    def __init__(self, error: object, errors: ErrorHandler) -> None:
        super().__init__(status_code=status_of(error))
        self._answer = Answer(error, errors, connection_of)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Report the error, and answer; then run the background tasks of the response."""
        await self._answer(scope, receive, send)
        if self.background is not None:
            await self.background()


def as_next(errors: ErrorHandler) -> Callable[[object], Response]:
    """
    Return a `next` for single handlers: ``@catch_async(next=as_next(errors))``.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it turns an error into a Starlette response, which reports it when it is sent.
    """
    return lambda error: ErrorAnswer(error, errors)
