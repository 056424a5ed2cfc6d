"""What the integrations of ASGI frameworks share: the guard around an application.

A failure before the response began is answered. After that it is reported and raised, so that the
server breaks the connection off; after the end of the response there is nothing to break off, and
it is reported alone. That a client has gone away is no failure.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias, cast

from catchasync._context import ErrorContext
from catchasync._error_response import Receive, Scope, Send
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._statuses import is_named
from catchasync.integrations import _observers

Message: TypeAlias = MutableMapping[str, Any]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
RequestOf: TypeAlias = Callable[[Scope], Any]
AppOf: TypeAlias = Callable[[Any], Any]

DISCONNECTS: Final = (
    ("starlette.requests", "ClientDisconnect"),
    ("starlette.websockets", "WebSocketDisconnect"),
)
"""What frameworks raise in a handler whose client has gone away."""

ENDS: Final = ("http.response.body", "websocket.http.response.body")
NOTED: Final = frozenset({
    "http.response.start", *ENDS,
    "websocket.accept", "websocket.close", "websocket.http.response.start",
})  # fmt: skip
"""The messages after which a response has begun."""


def checked(app: object, errors: object, what: str, kind: type | None = None) -> None:
    """Refuse what is no application, or no error handler.

    Args:
        app: The one.
        errors: The other.
        what: What is taken, in words.
        kind: The class of the application; default: it can be called.

    Raises:
        TypeError: One of them is not what it has to be.
    """
    is_app = callable(app) if kind is None else isinstance(app, kind)
    if not is_app:
        msg = f"install(app, errors) takes {what} first: got {app!r}"
        raise TypeError(msg)
    if not isinstance(errors, ErrorHandler):
        msg = f"install(app, errors) takes a catchasync.ErrorHandler second: got {errors!r}"
        raise TypeError(msg)


def checked_errors(errors: object, what: str) -> None:
    """Refuse what is no error handler, when it is given instead of when something fails.

    Args:
        errors: The one.
        what: The call that takes it, in words: "as_next(errors)".

    Raises:
        TypeError: It is none.
    """
    if not isinstance(errors, ErrorHandler):
        msg = f"{what} takes a catchasync.ErrorHandler: got {errors!r}"
        raise TypeError(msg)


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
        self.app = app
        self.observer = observer
        self.errors = errors
        self.request_of = request_of
        self.app_of = app_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and answer its failure."""
        last: Message | None = None

        def noting(message: Message) -> Awaitable[None]:  # no coroutine: this is on every way
            nonlocal last
            if message["type"] in NOTED:
                last = message
            return send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:
            exchange = Exchange(send, noting, lambda: last)
            if is_never_caught(error) or exchange.is_gone(error):
                raise
            if not await self._settled(error, exchange, scope, receive):
                raise

    async def _settled(
        self, error: Exception, exchange: Exchange, scope: Scope, receive: Receive
    ) -> bool:
        """Report a failure, answer it where that can be done, and say whether all is done."""
        context = context_of(scope, self.app, self.request_of)
        if scope["type"] not in SOURCES or exchange.has_begun:
            self.errors.report(error, context)
            return self._over(error, exchange)
        answer = self.errors(error, context)
        if is_awaitable(answer):
            answer = await answer
        _observers.tell(error, answer, self.observer)
        await self.send(self.app_of(answer), scope, receive, exchange)
        return True

    async def send(self, answer: Any, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        """Send what a failure is answered with."""
        await answered(answer, self.errors, scope, receive, exchange.noting)

    def _over(self, error: Exception, exchange: Exchange) -> bool:
        """Say whether the response was at its end: then the failure goes no further."""
        if exchange.has_ended:
            _observers.tell(error, None, self.observer)
        return exchange.has_ended


class Exchange:
    """What is known of a request that failed: whether its response has begun, or ended.

    Args:
        send: The server's, or that of a middleware.
        noting: The same, which notes the messages in `NOTED`.
        last: Returns the last of those that was sent.
    """

    __slots__ = ("_last", "_send", "noting")

    def __init__(self, send: Send, noting: Send, last: Callable[[], Message | None]) -> None:
        self._send = send
        self.noting: Send = noting
        self._last = last

    @property
    def has_begun(self) -> bool:
        """Whether something may have gone out."""
        return self._last() is not None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can be sent, so that there is nothing to break off."""
        last = self._last() or {"type": None}
        return last["type"] == "websocket.close" or (
            last["type"] in ENDS and not last.get("more_body")
        )

    def is_gone(self, error: BaseException | None) -> bool:
        """Say whether an error only says that the client has gone away."""
        code = code_of(self._send)
        return any(
            (isinstance(each, OSError) and passed(each, code))
            or any(is_named(each, *name) for name in DISCONNECTS)
            for each in causes_of(error)
        )


def causes_of(error: BaseException | None) -> list[BaseException]:
    """Return an error and its causes, each once: ``raise error from error`` makes a circle."""
    found: list[BaseException] = []
    while error is not None and not any(error is each for each in found):
        found.append(error)
        error = error.__cause__
    return found


def code_of(function: Any) -> object:
    """Return what stands in a traceback for a function or a callable object."""
    return getattr(function, "__code__", None) or getattr(function.__call__, "__code__", None)


def passed(error: BaseException, code: object) -> bool:
    """Say whether an error came out of what has this code."""
    return any(frame.f_code is code for frame, _ in traceback.walk_tb(error.__traceback__))


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
    """An ASGI application: the answer to an error, made when it is known who asked."""

    __slots__ = ("_app_of", "_errors", "_request_of", "error")

    def __init__(
        self,
        error: object,
        errors: ErrorHandler,
        request_of: RequestOf = unchanged,
        app_of: AppOf = unchanged,
    ) -> None:
        self.error = error
        self._errors = errors
        self._request_of = request_of
        self._app_of = app_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Report the error, and answer."""
        answer = self._errors(self.error, context_of(scope, None, self._request_of))
        if is_awaitable(answer):
            answer = await answer
        await answered(self._app_of(answer), self._errors, scope, receive, send)


async def answered(
    answer: Any, errors: ErrorHandler, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send an answer; one that is no ASGI application is a defect of a rule, and answered so."""
    if not callable(answer):
        answer = errors(TypeError(no_application(answer, "ASGI")), context_of(scope))
    await cast("Application", answer)(scope, receive, send)


def no_application(answer: object, kind: str) -> str:
    """Return what is said of a rule whose answer cannot be sent."""
    return (
        f"a rule returns an error, None, or a response, which here is an application of {kind}: "
        f"got {answer!r}"
    )


SOURCES: Final = {"http": "route", "websocket": "websocket"}


def context_of(
    scope: Scope, handler: object = None, request_of: RequestOf = unchanged
) -> ErrorContext:
    """Return where something failed."""
    kind = scope["type"]
    if kind not in SOURCES:
        return ErrorContext(kind, handler=handler)
    request = request_of(scope)
    endpoint = scope.get("endpoint", handler)
    return ErrorContext(SOURCES[kind], request, endpoint, accept_of(scope), scope.get("method"))


def accept_of(scope: Scope) -> str | None:
    """Return the ``Accept`` header of a request; several are one (RFC 9110, section 5.3)."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"]
    return ", ".join(values) if values else None
