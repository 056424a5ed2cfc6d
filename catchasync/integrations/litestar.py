"""Litestar: ``install(app, errors)``.

An exception handler for `Exception` is where Litestar comes with what no other one has taken; by
then the generators of dependencies have seen the error. Failures after that (a stream, a background
task) reach the guard around ``app.asgi_handler``. Exception handlers that the app has for classes
or statuses of its own are still called first; what one for `Exception` answers is reported.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, LitestarException, WebSocketException
from litestar.response import Response

from catchasync._context import ErrorContext
from catchasync._error_response import Receive, Scope
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync._statuses import status_of, subject_of
from catchasync.integrations._asgi import (
    Answer,
    Application,
    Guard,
    adding,
    checked,
    checked_errors,
    context_of,
    failing_again,
)
from catchasync.integrations._exchange import Exchange, causes_of
from catchasync.types import Next

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Litestar)

LAYER: Final = ("litestar", "ExceptionHandlerMiddleware")
"""The layer that calls exception handlers, and stands around all others; it has no public name."""


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
    app.after_exception.append(reporter(app, errors, answer_exception))
    managers: Any = getattr(app, "_lifespan_managers")  # noqa: B009 - private, and no other way
    managers.insert(0, lifespan_reporter(app, errors))
    app.asgi_handler = cast("Any", around(app.asgi_handler, errors))
    return app


def around(app: Any, errors: ErrorHandler) -> AppGuard:
    """Return a guard around Litestar's layers, in the place of the outermost where it can be."""
    kind = type(app)
    is_layer = (kind.__module__.split(".")[0], kind.__name__) == LAYER
    guard = AppGuard(app.app if is_layer else app, errors, connection_of, app_of)
    if is_layer:
        app.app = failing_again
        guard.layer = app
    return guard


class AppGuard(Guard):
    """A guard that sees what failed, not that "the response has started"."""

    layer: Any = None
    """Litestar's layer that calls exception handlers, where this guard stands in its place."""

    async def settled(
        self, error: Exception, exchange: Exchange, scope: Scope, receive: Receive
    ) -> bool:
        """Report a failure, answer it where that can be done, and say whether all is done."""
        is_late = exchange.has_begun and scope["type"] == "http"
        if self.layer is not None and not is_late:
            try:
                await self.layer(scope, receive, exchange.noting)
            except Exception as raised:  # noqa: BLE001 - as if it had come through that layer
                error = raised
            else:
                return True
        failure = cast("Exception", original(error))
        is_settled = await super().settled(failure, exchange, scope, receive)
        if failure is not error and not is_settled:
            raise failure from None
        return is_settled


def reporter(app: Litestar, errors: ErrorHandler, ours: object) -> Any:
    """Return a hook that reports what comes neither to our exception handler nor to the guard.

    That is of websockets, for which Litestar has no handlers; and where the app has a handler of
    its own for everything.
    """

    async def report(error: Exception, scope: Any) -> None:
        route: Any = scope.get("route_handler")
        is_found = route is not None
        handlers = route.resolve_exception_handlers() if is_found else app.exception_handlers
        if is_of_websocket(error, scope) or is_taken(error, handlers, ours):
            errors.report(error, context_of(scope, route, connection_of))

    return report


def is_of_websocket(error: Exception, scope: Any) -> bool:
    """Say whether a websocket has failed; "close with this code", or gone, is no failure."""
    return scope["type"] == "websocket" and not isinstance(error, WebSocketException)


def is_taken(error: Exception, handlers: Mapping[Any, Any], ours: object) -> bool:
    """Say whether a handler of the app's own for `Exception` answers an error."""
    if handlers.get(Exception) is ours:
        return False
    if isinstance(error, HTTPException) and error.status_code in handlers:
        return False
    return next((kind for kind in type(error).__mro__ if kind in handlers), None) is Exception


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


def original(error: BaseException) -> BaseException:
    """Return what Litestar has wrapped: once a layer that it passed, and streams in a group."""
    if not isinstance(error, LitestarException):
        return error
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
        self._error = error
        self._errors = errors
        self.headers, self.cookies, self.background = {}, [], None  # by whoever has it in hand

    def __getattr__(self, name: str) -> Any:
        """Make the rest, which few ask for, as Litestar does."""
        if name not in Response.__slots__:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg, name=name, obj=self)
        given = self.headers, self.cookies, self.background
        super().__init__(None, status_code=status_of(self._error))
        self.headers, self.cookies, self.background = given
        return getattr(self, name)

    def to_asgi_response(
        self,
        app: Any,  # noqa: ARG002 - Litestar's signature
        request: Any,
        **_options: Any,
    ) -> Any:
        """Return the application that reports the error, and answers."""
        answer = Answer(self._error, self._errors, lambda _scope: request, app_of)
        return (
            self._adding_to(answer) if self.headers or self.cookies or self.background else answer
        )

    def _adding_to(self, answer: Answer) -> Application:
        named = [(name.lower(), str(value)) for name, value in self.headers.items()]
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
        headers += [each.to_encoded_header() for each in self.cookies]

        async def send_all(scope: Any, receive: Any, send: Any) -> None:
            await answer(scope, receive, adding(headers, send))
            task: Any = self.background
            if task is not None:
                await task()

        return send_all


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

    Raises:
        TypeError: ``errors`` is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")
    return lambda error, *_values: ErrorAnswer(error, errors)
