"""aiohttp: `install` adds the outermost middleware, so that all others see a failure first."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from aiohttp import payload, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_app import Application  # OpenTelemetry replaces that of `web`

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable, name_of
from catchasync._routing import wrap_router
from catchasync._statuses import own_status
from catchasync.integrations import _observers
from catchasync.integrations._asgi import checked, no_application, reporting

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Application)
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Exchange:
    """One request, and whether its response has begun."""

    __slots__ = ("has_begun", "request")

    def __init__(self, request: web.Request) -> None:
        self.request: web.Request = request
        self.has_begun: bool = False

    @property
    def context(self) -> ErrorContext:
        """Where a failure happened."""
        request = self.request
        accept = ", ".join(request.headers.getall("Accept", ())) or None
        is_upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        source = "websocket" if is_upgrade else "route"
        return ErrorContext(source, request, request.match_info.handler, accept, request.method)

    def is_gone(self, error: BaseException) -> bool:
        """Say whether an error only says that the client has gone away."""
        if not isinstance(error, OSError | web.RequestPayloadError):
            return False
        return self.request.transport is None or self.request.transport.is_closing()

    def break_off(self, errors: ErrorHandler, error: BaseException) -> None:
        """Report a failure in the middle of a response, and see that the client learns of it.

        aiohttp would write a second response into the first where it has not sent a byte yet, or
        where the error is one of its own.
        """
        if self.is_gone(error) or is_never_caught(error):
            return
        errors.report(error, self.context)
        transport = self.request.transport
        if transport is not None:  # pragma: no branch -- the client may go in this very moment
            transport.close()


_current: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar(
    "catchasync_aiohttp", default=None
)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let a central handler answer every failure of an application, its sub-applications included.

    What aiohttp answers itself is rendered too: 404, 405, ``raise web.HTTPConflict``. Redirects
    pass. The middleware stands before all others: they have seen a failure when it is answered.

    Args:
        app: The application, before it runs. What fails in its startup and cleanup is reported,
            and goes on.
        errors: The central handler.

    Returns:
        The application.

    Raises:
        TypeError: It is no such application, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "an aiohttp web.Application", Application)
    app.middlewares.insert(0, _middleware(errors))
    app.on_response_prepare.append(_note)
    vars(app)["startup"] = reporting(app.startup, app, errors)
    vars(app)["cleanup"] = reporting(app.cleanup, app, errors)
    return app


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Awaitable[web.StreamResponse]]:
    """
    Return a `next` that answers with a response of aiohttp's.

    It knows the request, and whether its response has begun, where `install` is on the
    application.

    Args:
        errors: The central handler.
    """

    async def next(error: BaseException) -> web.StreamResponse:
        exchange = _current.get()
        if _is_passed_on(errors, error, exchange):
            raise error
        return await _answer(errors, error, exchange)

    return next


def _middleware(errors: ErrorHandler) -> Any:
    @web.middleware
    async def catchasync_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange = _exchange_of(request)
        token = _current.set(exchange)
        try:
            return _watched(errors, exchange, _checked(await handler(request), request))
        except Exception as error:
            if _is_passed_on(errors, error, exchange):
                raise
            answer = await _answer(errors, error, exchange)
            _observers.tell(error, answer, "aiohttp")
            return answer
        finally:
            _current.reset(token)

    return catchasync_middleware


def _checked(response: object, request: web.Request) -> web.StreamResponse:
    """Refuse what is no response, as other frameworks do: aiohttp would answer it by itself."""
    if isinstance(response, web.StreamResponse):
        return response
    handler = request.match_info.handler
    msg = f"a handler returns a web.StreamResponse: {name_of(handler)} returned {response!r}"
    raise TypeError(msg)


def _exchange_of(request: web.Request) -> Exchange:
    """Return what an application around this one knows of the request already, else a new one."""
    outer = _current.get()
    is_same = outer is not None and outer.request.match_info is request.match_info
    return outer if outer is not None and is_same else Exchange(request)


async def _note(_request: web.Request, _response: web.StreamResponse) -> None:
    if (exchange := _current.get()) is not None:
        exchange.has_begun = True


def _is_passed_on(errors: ErrorHandler, error: BaseException, exchange: Exchange | None) -> bool:
    """Say whether a failure is not to be answered, and report it where nobody else will.

    Redirects are no failures, nor are cancellations, nor that a client is gone; and where the
    response has begun, there is nothing to answer.
    """
    if exchange is not None and exchange.has_begun:
        exchange.break_off(errors, error)
        return True
    is_gone = exchange is not None and exchange.is_gone(error)
    return is_gone or is_never_caught(error) or _is_control_flow(error)


async def _answer(
    errors: ErrorHandler, error: BaseException, exchange: Exchange | None
) -> web.StreamResponse:
    context = ErrorContext("route") if exchange is None else exchange.context
    answer = errors(error, context)
    if is_awaitable(answer):
        answer = await answer
    if not isinstance(answer, ErrorResponse | web.StreamResponse):
        answer = errors(TypeError(no_application(answer, "aiohttp (a web.Response)")), context)
    return answer if isinstance(answer, web.StreamResponse) else _response(answer)


def _is_control_flow(error: BaseException) -> bool:
    return isinstance(error, web.HTTPException) and own_status(error) is None


def _response(answer: ErrorResponse) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def _watched(
    errors: ErrorHandler, exchange: Exchange, response: web.StreamResponse
) -> web.StreamResponse:
    """Watch the body that a response will be made of, where something may fail in making it."""
    body = response.body if isinstance(response, web.Response) else None
    if type(body) is bytes:  # most are; to ask for a class that is abstract takes longer
        return response
    if isinstance(body, payload.Payload) and not isinstance(body, payload.BytesPayload):
        response.body = _WatchedBody(body, errors, exchange)  # type: ignore[attr-defined]
    return response


class _WatchedBody(payload.Payload):
    """A body whose failures are reported, and go on to aiohttp, which breaks the connection off."""

    def __init__(self, body: payload.Payload, errors: ErrorHandler, exchange: Exchange) -> None:
        super().__init__(body, headers=body.headers)
        self._body = body
        self._errors = errors
        self._exchange = exchange

    @property
    def size(self) -> int | None:
        return self._body.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._body.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self._watch(self._body.write(writer))

    async def close(self) -> None:
        await self._body.close()

    async def _watch(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except Exception as error:
            self._exchange.break_off(self._errors, error)
            raise
