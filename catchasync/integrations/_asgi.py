"""What the integrations of ASGI frameworks share: the guard around an application.

A failure before the response began is answered. After that it is reported and raised, so that the
server breaks the connection off; after the end of the response there is nothing to break off, and
it is reported alone. That a client has gone away is no failure.
"""

from __future__ import annotations

import contextvars
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, cast

from catchasync._answers import plain_response
from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse, Receive, Scope, Send
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._headers import OURS
from catchasync._kinds import is_awaitable
from catchasync.integrations import _observers
from catchasync.integrations._arguments import no_application
from catchasync.integrations._exchange import NOTED, Exchange, Hearing, Message

Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
RequestOf: TypeAlias = Callable[[Scope], Any]
AppOf: TypeAlias = Callable[[Any], Any]


def reporting(
    function: Callable[[], Awaitable[Any]], app: object, errors: ErrorHandler
) -> Callable[[], Awaitable[Any]]:
    """Return a function of an app's lifespan whose failure is reported, and goes on."""

    async def run() -> Any:
        try:
            return await function()
        except Exception as error:
            errors.report(error, ErrorContext("lifespan", handler=app))
            raise

    return run


def unchanged(thing: Any) -> Any:
    """Return what was given."""
    return thing


in_websocket: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar(
    "catchasync_in_websocket", default=False
)
"""Whether a guard has begun a websocket here: what its handler returns, nobody sends."""


class Guard:
    """
    An ASGI application around another: its failures reach an error handler.

    Args:
        app: The application.
        errors: The `ErrorHandler`: called with each failure and its `ErrorContext`.
        request_of: Makes the framework's request of a scope, for the context.
        app_of: Makes an ASGI application of what a rule returned.
        observer: The name of Sentry's integration of the framework.
    """

    def __init__(
        self,
        app: Application,
        errors: ErrorHandler,
        request_of: RequestOf = unchanged,
        app_of: AppOf = unchanged,
        observer: str | None = None,
    ) -> None:
        self.inside = app
        self.observer = observer
        self.errors = errors
        self.request_of = request_of
        self.app_of = app_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and answer its failure."""
        if scope["type"] == "lifespan":
            receive = Hearing(receive)
        elif scope["type"] == "websocket" and not in_websocket.get():
            token = in_websocket.set(True)
            try:
                await self(scope, receive, send)
            finally:
                in_websocket.reset(token)
            return
        last: Message | None = None

        def noting(message: Message) -> Awaitable[None]:  # no coroutine: this is on every way
            nonlocal last
            if message["type"] in NOTED:
                last = message
            return send(message)

        try:
            await self.inside(scope, receive, noting)
        except Exception as error:
            if not await self.settled(error, Exchange(send, noting, lambda: last), scope, receive):
                raise

    async def settled(
        self, error: Exception, exchange: Exchange, scope: Scope, receive: Receive
    ) -> bool:
        """Report a failure, answer it where that can be done, and say whether all is done."""
        if is_never_caught(error) or exchange.is_gone(error):
            return False
        context = context_of(scope, self.inside, self.request_of)
        if scope["type"] not in SOURCES or exchange.has_begun:
            self.errors.report(exchange.told_of(error, scope), context)
            return self._over(error, exchange)
        answer = self.errors(error, context)
        if type(answer) is not ErrorResponse and is_awaitable(answer):
            answer = await answer
        _observers.tell(error, answer, self.observer)
        await self.send(self.app_of(answer), scope, receive, exchange)
        return True

    def send(
        self, answer: Any, scope: Scope, receive: Receive, exchange: Exchange
    ) -> Awaitable[None]:
        """Send what a failure is answered with."""
        return answered(answer, self.errors, scope, receive, exchange.noting)

    def _over(self, error: Exception, exchange: Exchange) -> bool:
        """Say whether the response was at its end: then the failure goes no further."""
        if exchange.has_ended:
            _observers.tell(error, None, self.observer)
        return exchange.has_ended


def adding(headers: list[tuple[bytes, bytes]], send: Send) -> Send:
    """Return a `send` that adds headers to a response; those of its body stay as they are."""
    added = [header for header in headers if header[0].decode("latin-1").lower() not in OURS]

    def send_with_headers(message: Message) -> Awaitable[None]:
        if "headers" in message:
            message = {**message, "headers": [*message["headers"], *added]}
        return send(message)

    return send_with_headers


async def failing_again(_scope: object, _receive: object, _send: object) -> None:
    """Raise the error that the caller handles: an application, for a layer to be called around."""
    raise  # noqa: PLE0704 - inside of an ``except`` clause, which waits for this


def is_repeated(error: BaseException, first: BaseException) -> bool:
    """Say whether an error is another one again: of the same class, raised at the same place.

    A hook that fails, and is called again with the answer to that, fails twice.
    """
    return type(error) is type(first) and place_of(error) == place_of(first)


def place_of(error: BaseException) -> tuple[object, int] | None:
    """Return the code and the line that an error was raised at."""
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = frame.f_code, line
    return place


class Answer:
    """
    An ASGI application: the answer to an error, made when it is known who asked.

    Args:
        error: What failed.
        errors: Reports and answers it.
        request_of: Makes the framework's request of a scope, for the context.
        app_of: Makes an ASGI application of what a rule returned.
    """

    __slots__ = ("_app_of", "_errors", "_is_sent", "_request_of", "error")

    def __init__(
        self,
        error: object,
        errors: ErrorHandler,
        request_of: RequestOf = unchanged,
        app_of: AppOf = unchanged,
    ) -> None:
        self.error: object = error
        self._errors = errors
        self._request_of = request_of
        self._app_of = app_of
        self._is_sent = False

    def __del__(self) -> None:
        """Report an error whose answer was dropped, as that of a websocket is."""
        if not self._is_sent:
            self._errors.report(self.error, ErrorContext("route"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Report the error, and answer."""
        self._is_sent = True
        answer = self._errors(self.error, context_of(scope, None, self._request_of))
        self.error = answer  # for its status: the error leads to a frame that has us, a circle
        if type(answer) is ErrorResponse:  # as nearly all are
            await answer(scope, receive, send)
            return
        if is_awaitable(answer):
            answer = await answer
        await answered(self._app_of(answer), self._errors, scope, receive, send)


def answered(
    answer: Any, errors: ErrorHandler, scope: Scope, receive: Receive, send: Send
) -> Awaitable[None]:
    """Send an answer; one that is no ASGI application is a defect of a rule, and answered so."""
    if not callable(answer):
        answer = errors(TypeError(no_application(answer, "ASGI")), context_of(scope))
    if not callable(answer):  # of a rule for that error, too
        answer = plain_response()
    return cast("Application", answer)(scope, receive, send)


SOURCES: Final = {"http": "route", "websocket": "websocket"}


def context_of(
    scope: Scope, handler: object = None, request_of: RequestOf = unchanged
) -> ErrorContext:
    """Return where something failed."""
    kind = scope["type"]
    if (source := SOURCES.get(kind)) is None:
        return ErrorContext(kind, handler=handler)
    endpoint = scope.get("endpoint", handler)
    accept, method = accept_of(scope), scope.get("method")
    return ErrorContext(source, request_of(scope), endpoint, accept, method)


def accept_of(scope: Scope) -> str | None:
    """Return the ``Accept`` header of a request; several are one (RFC 9110, section 5.3)."""
    accept = None
    for name, value in scope["headers"]:
        if name == b"accept":
            text = value.decode("latin-1")
            accept = text if accept is None else f"{accept}, {text}"
    return accept
