"""Starlette: ``install(app, errors)``.

A guard is put around the app's middlewares: they see what a handler raises before it is answered,
so that one which holds a transaction rolls it back. The answer then goes out by their way, which
adds their headers to it (CORS), where that is still open. Starlette's own ``HTTPException`` is
answered by an exception handler. Exception handlers that the app has for classes of its own are
still called first.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import Response

from catchasync._error_response import Receive, Scope, Send
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._statuses import status_of
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._asgi import Answer, adding, in_websocket
from catchasync.integrations._starlette_layers import building, connection_of

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
    checked(app, errors, "a Starlette app", Starlette)
    if app.middleware_stack is not None:
        msg = "install(app, errors) must come before the app serves its first request"
        raise RuntimeError(msg)
    default = ExceptionMiddleware(app).http_exception
    app.exception_handlers.setdefault(HTTPException, http_handler(errors, default))
    vars(app)["build_middleware_stack"] = building(app, errors)
    return app


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


class ErrorAnswer(Answer, Response):
    """
    The answer to an error, made when it is known who asked.

    Args:
        error: What failed.
        errors: Reports and answers it.
    """

    background: BackgroundTask | None = None
    body: bytes = b""

    def __init__(self, error: object, errors: ErrorHandler) -> None:
        super().__init__(error, errors, connection_of)

    def __getattr__(self, name: str) -> Any:
        """Make what few ask for: most answers are sent as they are."""
        if name == "status_code":
            value: Any = status_of(self.error)
        elif name == "raw_headers":
            value = [(b"content-length", b"0")]
        else:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg, name=name, obj=self)
        setattr(self, name, value)
        return value

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Report the error, and answer; then run the background tasks of the response."""
        if "raw_headers" in vars(self):  # of a decorator, or whoever had the response in hand
            send = adding(self.raw_headers[1:], send)
        answering = super().__call__(scope, receive, send)
        return answering if self.background is None else then(answering, self.background)


async def then(first: Coroutine[Any, Any, None], second: BackgroundTask) -> None:
    """Do one thing after the other."""
    await first
    await second()


def as_next(errors: ErrorHandler) -> Callable[[object], Response]:
    """
    Return a `next` for single handlers: ``@catch_async(next=as_next(errors))``.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it turns an error into a Starlette response, which reports it when it is sent. In
        a websocket, which sends no response, it raises the error, for `install` to report.

    Raises:
        TypeError: ``errors`` is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: Any) -> Response:
        if in_websocket.get():
            raise error
        return ErrorAnswer(error, errors)

    return next
