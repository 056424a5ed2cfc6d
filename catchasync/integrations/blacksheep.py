"""BlackSheep: ``install(app, errors)``.

``handle_request_handler_exception`` is where BlackSheep comes with what handlers and middlewares
raise; failures outside of that (a stream, a websocket, a start) reach a guard around the app.
Exception handlers of the app's own are still called first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast

from blacksheep import Application, Content, Request, Response, StreamedContent, WebSocket
from blacksheep.exceptions import HTTPException
from blacksheep.server.websocket import WebSocketDisconnectError

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse, Receive, Scope, Send
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._rules import status_in
from catchasync._statuses import SERVER_ERROR
from catchasync.integrations._asgi import Guard, checked
from catchasync.integrations._asgi import context_of as scope_context
from catchasync.types import Next

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Application)

DEFAULTS: Final = "blacksheep.baseapp"
"""The module of the exception handlers that an application has from the start."""

OWN: Final = {"content-type", "content-length"}
"""The headers that BlackSheep itself makes of a response's content."""

_request: ContextVar[Request | None] = ContextVar("catchasync_blacksheep_request", default=None)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``.

    That is of handlers, middlewares, streams, websockets, and of the functions that run at start
    and stop. BlackSheep logs errors as without us.

    Args:
        app: The app; routes, middlewares and exception handlers may be added before and after.
            Mounted applications need an `install` of their own.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no BlackSheep app, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a BlackSheep app", Application)
    guarded = mixin(errors)
    app.extend(guarded)
    guarded.guard = Guard(super(guarded, app).__call__, errors)
    app.middlewares.insert(0, websocket_reporter(errors))
    return app


def mixin(errors: ErrorHandler) -> Any:
    """Return what an application is extended with: the guard, and the places of its failures."""

    class Guarded:
        """An application whose failures reach an error handler."""

        guard: Guard

        async def __call__(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
            """Serve."""
            await Guarded.guard(scope, receive, send)

        async def start(self: Any) -> None:
            """Start; a failure is reported, and goes on."""
            await reported(super().start(), self, errors)  # type: ignore[misc]

        async def stop(self: Any) -> None:
            """Stop; a failure is reported, and goes on."""
            await reported(super().stop(), self, errors)  # type: ignore[misc]

        async def handle(self: Any, request: Request) -> Response:
            """Handle a request, which `as_next` is to know."""
            token = _request.set(request)
            try:
                response: Response = await super().handle(request)  # type: ignore[misc]
            finally:
                _request.reset(token)
            return response

        async def handle_request_handler_exception(
            self: Any, request: Request, error: Exception
        ) -> Any:
            """Answer a failure, unless the application has an exception handler for it."""
            if has_own_handler(self, error):
                handle = super().handle_request_handler_exception  # type: ignore[misc]
                return await handle(request, error)
            return await answered(self, errors, request, error)

    return Guarded


def websocket_reporter(errors: ErrorHandler) -> Any:
    """Return a middleware that reports failures of websockets, which BlackSheep only logs."""

    async def report(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except Exception as error:
            if isinstance(request, WebSocket) and not isinstance(error, WebSocketDisconnectError):
                errors.report(
                    error, scope_context(cast("Scope", request.scope), None, lambda _scope: request)
                )
            raise

    return report


async def reported(work: Any, app: Application, errors: ErrorHandler) -> None:
    """Report a failure of the lifespan, which goes on."""
    try:
        await work
    except Exception as error:
        errors.report(error, ErrorContext("lifespan", handler=app))
        raise


def has_own_handler(app: Application, error: Exception) -> bool:
    """Say whether an application has an exception handler of its own for an error."""
    if isinstance(error, HTTPException):
        handler: Any = app.get_http_exception_handler(error)
    else:
        handlers = app.exceptions_handlers
        handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
    return handler is not None and handler.__module__ != DEFAULTS


async def answered(app: Any, errors: ErrorHandler, request: Request, error: Exception) -> Any:
    """Report a failure, and answer it; BlackSheep logs it as it would have done."""
    answer = errors(error, context_of(request))
    response = response_of(await answer if is_awaitable(answer) else answer, request)
    is_failure = (status_in(response) or SERVER_ERROR) >= SERVER_ERROR
    log = app.log_unhandled_exc if is_failure else app.log_handled_exc
    await log(request, error)
    return response


def context_of(request: Request | None) -> ErrorContext:
    """Return where something failed."""
    if request is None:
        return ErrorContext("route")
    accept = b", ".join(request.headers.get(b"accept")).decode("latin-1")
    return ErrorContext("route", request, None, accept or None, request.method)


def response_of(answer: Any, request: Request | None) -> Any:
    """Return BlackSheep's response; what a rule made is one already."""
    if not isinstance(answer, ErrorResponse):
        return answer
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers.items()
        if name not in OWN
    ]
    kind = answer.headers["content-type"].encode("latin-1")
    if request is not None and request.method == "HEAD":
        length = int(answer.headers["content-length"])
        return Response(answer.status, headers, StreamedContent(kind, nothing, length))
    return Response(answer.status, headers, Content(kind, answer.body))


async def nothing() -> AsyncIterator[bytes]:
    """Send the body of an answer to HEAD, whose declared length is that of GET's."""
    yield b""


def as_next(errors: ErrorHandler) -> Next:
    """
    Return a `next` for single handlers: ``@catch_async(next=as_next(errors))``.

    The client's formats are known where `install` is in place; else the default one is used.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it reports an error, and returns a BlackSheep response; an awaitable of it where
        the rule for that error is async.
    """

    def answer_next(error: object, *_values: object) -> Any:
        request = _request.get()
        answer = errors(error, context_of(request))
        if is_awaitable(answer):
            return response_later(answer, request)
        return response_of(answer, request)

    return answer_next


async def response_later(answer: Any, request: Request | None) -> Any:
    """Return BlackSheep's response to an error whose rule is async."""
    return response_of(await answer, request)
