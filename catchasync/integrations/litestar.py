"""Litestar: ``install(app, errors)``.

An exception handler for `Exception` is where Litestar comes with what no other one has taken; by
then the generators of dependencies have seen the error. Failures after that (a stream, a background
task) reach the guard around ``app.asgi_handler``. Exception handlers that the app has for classes
or statuses of its own are still called first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.exceptions import LitestarException, WebSocketException
from litestar.response import Response

from catchasync._context import ErrorContext
from catchasync._error_response import Scope
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync._statuses import status_of, subject_of
from catchasync.integrations._asgi import (
    Answer,
    Application,
    Guard,
    causes_of,
    checked,
    context_of,
)
from catchasync.types import Next

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Litestar)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``.

    That is of handlers, dependencies, middlewares, streams, background tasks, websockets, and of
    what runs before serving. Litestar logs errors, and calls the hooks of ``after_exception``, as
    without us.

    Args:
        app: The app; routes may be registered before and after.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no Litestar app, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Litestar app", Litestar)

    def answer_exception(_request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return ErrorAnswer(error, errors)

    app.exception_handlers.setdefault(Exception, answer_exception)
    app.after_exception.append(websocket_reporter(errors))
    managers: Any = getattr(app, "_lifespan_managers")  # noqa: B009 - private, and no other way
    managers.insert(0, lifespan_reporter(app, errors))
    guard = Guard(unwrapping(cast("Application", app.asgi_handler)), errors, connection_of, app_of)
    app.asgi_handler = cast("Any", guard)
    return app


def websocket_reporter(errors: ErrorHandler) -> Any:
    """Return a hook that reports the failures of websockets, for which Litestar has no handlers."""

    async def report(error: Exception, scope: Any) -> None:
        is_control_flow = isinstance(error, WebSocketException)  # "close with this code", or gone
        if scope["type"] == "websocket" and not is_control_flow:
            errors.report(error, context_of(scope, scope.get("route_handler"), connection_of))

    return report


def lifespan_reporter(app: Litestar, errors: ErrorHandler) -> Any:
    """Return a lifespan manager that reports what fails after it; the failure goes on."""

    @asynccontextmanager
    async def report(_app: Litestar) -> AsyncGenerator[None, None]:
        try:
            yield
        except Exception as error:
            errors.report(error, ErrorContext("lifespan", handler=app))
            raise

    return report


def unwrapping(app: Application) -> Application:
    """Return an application that raises what failed, not that "the response has started"."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except LitestarException as error:
            raise original(error) from None

    return run


def original(error: BaseException) -> BaseException:
    """Return what Litestar has wrapped: once a layer that it passed, and streams in a group."""
    chain = causes_of(error)
    inner = next((each for each in chain if type(each) is not LitestarException), chain[-1])
    return cast("BaseException", subject_of(inner))


def connection_of(scope: Scope) -> ASGIConnection[Any, Any, Any, Any]:
    """Return Litestar's object of a request."""
    kind = Request if scope["type"] == "http" else ASGIConnection
    return kind(cast("Any", scope))


def app_of(answer: Any) -> Any:
    """Return an application that sends what a rule returned."""
    if not isinstance(answer, Response):
        return answer

    async def send_response(scope: Any, receive: Any, send: Any) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        application = answer.to_asgi_response(app=None, request=request)
        await application(scope, receive, send)

    return send_response


class ErrorAnswer(Response[None]):
    """
    The answer to an error, made when it is known who asked.

    Args:
        error: What failed.
        errors: Reports and answers it.
    """

    def __init__(self, error: object, errors: ErrorHandler) -> None:
        super().__init__(None, status_code=status_of(error))
        self._error = error
        self._errors = errors

    def to_asgi_response(
        self,
        app: Any,  # noqa: ARG002 - Litestar's signature
        request: Any,
        **_options: Any,
    ) -> Any:
        """Return the application that reports the error, and answers."""
        return Answer(self._error, self._errors, lambda _scope: request, app_of)


def as_next(errors: ErrorHandler) -> Next:
    """
    Return a `next` for single handlers; they are decorated below the route decorator.

    As in:

        @get("/users/{user_id:int}")
        @catch_async(next=as_next(errors))
        async def show_user(user_id: int) -> User: ...

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it turns an error into a Litestar response, which reports it when it is sent.
    """
    return lambda error, *_values: ErrorAnswer(error, errors)
