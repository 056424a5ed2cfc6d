"""BlackSheep: ``install(app, errors)``.

``handle_request_handler_exception`` is where BlackSheep comes with what handlers and middlewares
raise; failures outside of that (a stream, a websocket, a start) reach a guard around the app.
Exception handlers of the app's own are still called first.
"""

from __future__ import annotations

import functools
import traceback
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast

from blacksheep import Application, Request, Response, WebSocket
from blacksheep.exceptions import HTTPException
from blacksheep.scribe import send_asgi_response
from blacksheep.server.routing import RouteMethod
from blacksheep.server.websocket import WebSocketDisconnectError

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse, Receive, Scope, Send
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._rules import status_in
from catchasync._statuses import SERVER_ERROR
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._asgi import Guard
from catchasync.integrations._asgi import context_of as scope_context
from catchasync.integrations._blacksheep_answers import (
    context_of,
    inmost,
    response_later,
    response_of,
)
from catchasync.integrations._exchange import Exchange
from catchasync.types import Next

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Application)

DEFAULTS: Final = "blacksheep.baseapp"
"""The module of the exception handlers that an application has from the start."""


WATCHED: Final = (RouteMethod.GET_WS, "*")
"""The methods of websockets, and of what answers where there is no route."""

SENDS: Final = send_asgi_response.__name__
"""BlackSheep's function that sends a response."""

PREPARES: Final = "set_headers_for_response_content"
"""What that one calls before it sends anything."""

_request: ContextVar[Request | None] = ContextVar("catchasync_blacksheep_request", default=None)
"""The request that is answered. Servers have a task for each, with which it is forgotten."""


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
    app.extend(mixin(app, errors))
    return app


def mixin(app: Application, errors: ErrorHandler) -> Any:
    """Return what an application is extended with: the guard, and the places of its failures."""
    kind: Any = type(app)
    guard = AppGuard(functools.partial(kind.__call__, app), errors)
    is_plain = kind.__call__ is Application.__call__
    handle, note = kind.handle, _request.set

    class Guarded(Watched):
        """An application whose failures reach an error handler."""

        catchasync_errors = errors

        async def __call__(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
            """Serve; a request of HTTP takes the shortest way that there is."""
            if not is_plain or scope["type"] != "http":
                await guard(scope, receive, send)
                return
            try:
                await self._handle_http(scope, receive, send)
            except Exception as error:
                if not await guard.answered(error, scope, receive, send):
                    raise

        def handle(self: Any, request: Request) -> Any:
            """Handle a request, which `as_next` is to know."""
            note(request)
            return handle(self, request)

    return Guarded


class Watched:
    """What an application is extended with that is not on the way of a request that succeeds."""

    catchasync_errors: ErrorHandler

    async def start(self: Any) -> None:
        """Start; a failure is reported, and goes on."""
        await reported(super().start(), self, self.catchasync_errors)  # type: ignore[misc]

    async def stop(self: Any) -> None:
        """Stop; a failure is reported, and goes on."""
        await reported(super().stop(), self, self.catchasync_errors)  # type: ignore[misc]

    def configure_middlewares(self: Any) -> None:
        """Put middlewares around handlers, and what watches websockets around those."""
        super().configure_middlewares()  # type: ignore[misc]
        for method, route in self.router.iter_with_methods():
            if method in WATCHED:
                route.handler = watched(route.handler, self.catchasync_errors)

    async def handle_request_handler_exception(
        self: Any, request: Request, error: Exception
    ) -> Any:
        """Answer a failure, unless the application has an exception handler for it."""
        if has_own_handler(self, error):
            own = super().handle_request_handler_exception  # type: ignore[misc]
            return await own(request, error)
        return await answered(self, self.catchasync_errors, request, error)

    async def _apply_exception_handler(
        self: Any, request: Request, error: Exception, handler: Any
    ) -> Any:
        """Answer a failure with the application's exception handler; what that raises, with ours.

        BlackSheep would log the name of the handler, and nothing else.
        """
        try:
            return await handler(self, request, error)
        except Exception as failure:
            if is_never_caught(failure):
                raise
            return await answered(self, self.catchasync_errors, request, failure)


class AppGuard(Guard):
    """A guard that learns of a failure afterwards: no message of a response passes it."""

    async def answered(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> bool:
        """Report a failure that BlackSheep left to the server, and say whether all is done."""
        begun = {"type": "http.response.start"} if has_begun(error) else None
        exchange = Exchange(send, send, lambda: begun)
        return await self.settled(error, exchange, scope, receive)


def has_begun(error: Exception) -> bool:
    """Say whether a failure came when something may have been sent."""
    codes = (frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__))
    names = {code.co_name.rpartition(".")[2] for code in codes}  # Cython's are qualified
    return SENDS in names and PREPARES not in names


def watched(talk: Any, errors: ErrorHandler) -> Any:
    """Return the handler of a websocket, whose failures BlackSheep only logs, as one that tells."""

    @functools.wraps(talk)
    async def report(websocket: WebSocket) -> Any:
        try:
            return await talk(websocket)
        except WebSocketDisconnectError:
            raise
        except Exception as error:
            if not isinstance(websocket, WebSocket):  # where there is no route: it has its handler
                raise
            scope = cast("Scope", websocket.scope)
            errors.report(error, scope_context(scope, inmost(talk), lambda _scope: websocket))
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
        return handler is not None and handler.__module__ != DEFAULTS
    own: Any = app.exceptions_handlers
    handlers = own.data  # of a `UserDict`, which is slow to ask
    for kind in type(error).__mro__:
        if kind in handlers:
            return bool(handlers[kind].__module__ != DEFAULTS)
    return False


async def answered(app: Any, errors: ErrorHandler, request: Request, error: Exception) -> Any:
    """Report a failure, and answer it; BlackSheep logs it as it would have done."""
    answer = errors(error, context_of(app, request))
    if type(answer) is not ErrorResponse and is_awaitable(answer):
        answer = await answer
    response = response_of(answer, request)
    status = response.status if type(response) is Response else status_in(response)
    log = app.log_handled_exc if status and status < SERVER_ERROR else app.log_unhandled_exc
    await log(request, error)
    return response


def as_next(errors: ErrorHandler) -> Next:
    """
    Return a `next` for single handlers: ``@catch_async(next=as_next(errors))``.

    The client's formats are known where `install` is in place; else the default one is used.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it reports an error, and returns a BlackSheep response; an awaitable of it where
        the rule for that error is async.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def answer_next(error: object, *_values: object) -> Any:
        request = _request.get()
        answer = errors(error, context_of(None, request))
        if is_awaitable(answer):
            return response_later(answer, request)
        return response_of(answer, request)

    return answer_next
