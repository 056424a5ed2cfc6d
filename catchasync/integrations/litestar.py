"""Litestar: ``install(app, errors)``.

An exception handler for `Exception` is where Litestar comes with what no other one has taken; by
then the generators of dependencies have seen the error. Failures after that (a stream, a background
task) reach the guard around ``app.asgi_handler``. Exception handlers that the app has for classes
or statuses of its own are still called first; what one for `Exception` answers is reported.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast

from litestar import Litestar
from litestar.exceptions import HTTPException, LitestarException, WebSocketException
from litestar.response import Response

from catchasync._context import ErrorContext
from catchasync._error_response import Receive, Scope
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._statuses import subject_of
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._asgi import Guard, context_of, failing_again, in_websocket
from catchasync.integrations._exchange import Exchange, causes_of
from catchasync.integrations._litestar_answers import ErrorAnswer, app_of, connection_of
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

    if isinstance(app.exception_handlers.get(Exception), Answering):  # of another `install`
        del app.exception_handlers[Exception]
    app.exception_handlers.setdefault(Exception, Answering(errors))
    app.after_exception.append(reporter(app, errors))
    app.on_shutdown[:] = [reported(hook, app, errors) for hook in app.on_shutdown]
    managers: Any = getattr(app, "_lifespan_managers")  # noqa: B009 - private, and no other way
    managers.insert(0, lifespan_reporter(app, errors))
    app.asgi_handler = cast("Any", around(app.asgi_handler, errors))
    return app


class Answering:
    """The exception handler for what no other one takes."""

    def __init__(self, errors: ErrorHandler) -> None:
        self._errors = errors

    def __call__(self, _request: object, error: Exception) -> ErrorAnswer:
        """Answer as the central handler says."""
        return ErrorAnswer(error, self._errors)


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


def reporter(app: Litestar, errors: ErrorHandler) -> Any:
    """Return a hook that reports what comes neither to our exception handler nor to the guard.

    That is of websockets, for which Litestar has no handlers; and where the app has a handler of
    its own for everything.
    """

    async def report(error: Exception, scope: Any) -> None:
        route: Any = scope.get("route_handler")
        is_found = route is not None
        handlers = route.resolve_exception_handlers() if is_found else app.exception_handlers
        if is_of_websocket(error, scope) or is_taken(error, handlers):
            errors.report(error, context_of(scope, route, connection_of))

    return report


def reported(hook: Callable[..., Any], app: Litestar, errors: ErrorHandler) -> Callable[..., Any]:
    """Return a hook of the shutdown whose failure is reported; no lifespan manager sees that."""

    @functools.wraps(hook)
    async def run(*args: Any) -> None:
        try:
            result = hook(*args)
            if is_awaitable(result):
                await result
        except Exception as error:
            errors.report(error, ErrorContext("lifespan", handler=app))
            raise

    return run


def is_of_websocket(error: Exception, scope: Any) -> bool:
    """Say whether a websocket has failed; "close with this code", or gone, is no failure."""
    return scope["type"] == "websocket" and not isinstance(error, WebSocketException)


def is_taken(error: Exception, handlers: Mapping[Any, Any]) -> bool:
    """Say whether a handler of the app's own for `Exception` answers an error."""
    if isinstance(handlers.get(Exception), Answering):
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
    chain = causes_of(error)
    inner = next((each for each in chain if type(each) is not LitestarException), chain[-1])
    return cast("BaseException", subject_of(inner))


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
        A `next`: it turns an error into a Litestar response, which reports it when it is sent. In
        a websocket, which sends no response, it raises the error, for `install` to report.

    Raises:
        TypeError: ``errors`` is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: Any = None, /, *_values: object) -> Response[Any]:
        if in_websocket.get():
            raise error
        return ErrorAnswer(error, errors)

    return next
