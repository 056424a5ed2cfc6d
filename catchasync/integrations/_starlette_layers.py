"""Where a guard stands among the layers of a Starlette app.

It stands around all of them but the outermost, whose place it takes: middlewares see what a handler
raises before it is answered. The answer then goes out by their way, as far as that is open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

from starlette._exception_handler import wrap_app_handling_exceptions
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware import errors as errors_module
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import HTTPConnection, Request

from catchasync._error_response import Receive, Scope, Send
from catchasync._handler import ErrorHandler
from catchasync.integrations._asgi import Application, Guard, answered, failing_again, place_of
from catchasync.integrations._exchange import Exchange, Message

WAYS_OUT: Final = "catchasync.ways_out"
"""Where a scope keeps how the middlewares of an app let messages out, the innermost last."""


def connection_of(scope: Scope) -> HTTPConnection:
    """Return Starlette's object of a request."""
    if scope["type"] == "http":
        return Request(scope)
    return HTTPConnection(scope)


def building(app: Starlette, errors: ErrorHandler) -> Callable[[], Any]:
    """Return what takes the place of ``app.build_middleware_stack``."""
    build = app.build_middleware_stack
    is_replaced = "build_middleware_stack" in vars(app)  # as by OpenTelemetry, or another `install`

    def build_guarded() -> Any:
        others = app.user_middleware
        kind = MiddlewareGuard if others else AppGuard
        guarded: Any = partial(kind, errors=errors, request_of=connection_of, observer="starlette")
        first = [Middleware(guarded)] if is_replaced else []
        app.user_middleware = [*first, *watched(others)]
        try:
            stack = build()
        finally:
            app.user_middleware = others
        return stack if is_replaced else around(stack, guarded)

    return build_guarded


def watched(middlewares: Sequence[Middleware]) -> Iterator[Middleware]:
    """Give middlewares, and inside each what notes how it lets messages out."""
    for each in middlewares:
        yield each
        is_closed = isinstance(each.cls, type) and issubclass(each.cls, BaseHTTPMiddleware)
        yield Middleware(WayPast if is_closed else WayOut)


def around(stack: Any, guarded: Callable[[Application], AppGuard]) -> Application:
    """Return a stack of layers with a guard in it, around all but the outermost.

    The outermost of Starlette's answers what nobody else does, and the guard leaves nothing of
    that: it takes its place, where nobody (Sentry, for one) watches it being called.
    """
    if not isinstance(stack, ServerErrorMiddleware):
        return guarded(stack)
    guard = guarded(stack.app)
    stack.app = guard
    call: Any = type(stack).__call__
    if getattr(call, "__globals__", None) is not vars(errors_module):
        return stack
    kind = MiddlewareLayer if isinstance(guard, MiddlewareGuard) else AppLayer
    layer = kind.__new__(kind)
    vars(layer).update(vars(guard), **vars(stack))
    return layer


class AppGuard(Guard):
    """A guard around an app."""

    async def settled(
        self, error: Exception, exchange: Exchange, scope: Scope, receive: Receive
    ) -> bool:
        """Report a failure, answer it where that can be done, and say whether all is done."""
        try:
            is_settled = await super().settled(original(error), exchange, scope, receive)
        except Exception:
            await self.passed_on(exchange, scope, receive)
            raise
        if not is_settled:
            await self.passed_on(exchange, scope, receive)
        return is_settled

    async def passed_on(self, exchange: Exchange, scope: Scope, receive: Receive) -> None:
        """Do what the layer does whose place the guard has taken, with the error handled here."""
        if isinstance(self, ServerErrorMiddleware):
            layer = ServerErrorMiddleware(failing_again, self.handler, self.debug)
            await layer(scope, receive, dropped if exchange.has_begun else exchange.noting)


def original(error: Exception) -> Exception:
    """Return what failed, where Starlette raises something else: that its answer comes too late."""
    while isinstance(cause := error.__cause__, Exception) and is_raised_for_it(error):
        error = cause
    return error


def is_raised_for_it(error: Exception) -> bool:
    """Say whether an error comes from where Starlette calls exception handlers."""
    code, _line = place_of(error) or (None, 0)
    return getattr(code, "co_filename", None) == wrap_app_handling_exceptions.__code__.co_filename


async def dropped(_message: object) -> None:
    """Send nothing."""


class MiddlewareGuard(AppGuard):
    """A guard around middlewares: an answer takes their way out, as far as that is still open."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and answer its failure."""
        outer = scope.get(WAYS_OUT)  # those of an application around this one
        ways: list[Send] = []
        scope[WAYS_OUT] = ways
        try:
            await super().__call__(scope, receive, send)
        finally:
            scope[WAYS_OUT] = outer
            ways.clear()  # no circle of the request and its way out is left behind

    async def send(self, answer: Any, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        """Send an answer through the middlewares; past those which let nothing through."""
        ways: list[Send] = scope.get(WAYS_OUT) or []
        link(ways, exchange)
        for way_out in reversed(ways):
            try:
                await answered(answer, self.errors, scope, receive, way_out)
            except Exception:  # as of a middleware that is closed
                if exchange.has_begun:
                    raise
            if exchange.has_begun:
                return
        await super().send(answer, scope, receive, exchange)


class WayOut:
    """What stands inside each middleware: it notes how that lets messages out."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application."""
        ways: list[Send] | None = scope.get(WAYS_OUT)
        if ways is not None:  # a middleware may have made another scope
            ways.append(send)
        await self.app(scope, receive, send)


class WayPast(WayOut):
    """Same, inside a middleware that is closed once it has seen a failure: answers go past it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application."""
        await super().__call__(scope, receive, Way(send))


def link(ways: Sequence[Send], exchange: Exchange) -> None:
    """Have those ways out that may be closed know of the next one outside."""
    outer = exchange.noting
    for way in ways:
        if isinstance(way, Way):
            way.exchange, way.outer = exchange, outer
        outer = way


class Way:
    """
    A middleware's `send`; what that lets nothing of through, when it is closed, goes past it.

    Args:
        send: That.
    """

    __slots__ = ("_send", "exchange", "outer")

    exchange: Exchange | None
    """Of a failure that is being answered."""

    outer: Send
    """How messages go out past the middleware."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.exchange = None

    def __call__(self, message: Message) -> Awaitable[None]:
        """Send a message."""
        return self._send(message) if self.exchange is None else self._answer(message)

    async def _answer(self, message: Message) -> None:
        try:
            await self._send(message)
        except Exception:  # the stream of the middleware is closed
            is_begin = message["type"] == "http.response.start"  # another may hold that back
            if cast("Exchange", self.exchange).has_begun or not is_begin:
                raise
            self._send = self.outer
            await self._send(message)


class AppLayer(AppGuard, ServerErrorMiddleware):
    """A guard in the place of the outermost layer; its ``app`` is the guard alone.

    OpenTelemetry takes that out of the outermost layer, to put it into another.
    """


class MiddlewareLayer(MiddlewareGuard, ServerErrorMiddleware):
    """Same, around middlewares."""
