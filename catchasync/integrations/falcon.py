"""Falcon, WSGI and ASGI: `install` registers error handlers, and a middleware for streams."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import falcon
import falcon.asgi
from falcon.app import App  # OpenTelemetry replaces that of `falcon`

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._render import render_error
from catchasync._routing import wrap_router
from catchasync.integrations import _wsgi
from catchasync.integrations._asgi import checked, no_application
from catchasync.integrations._streams import AsyncStream, Stream, Tell

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound="App[Any, Any]")

OF_THE_BODY: Final = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-range",
    "etag",
    "expires",
    "last-modified",
)
"""Headers of a response that was being made: they would say something wrong of the answer."""


class Exchange:
    """A request, its response, and the resource that answers it."""

    __slots__ = ("req", "resource", "resp")

    def __init__(self, req: Any, resp: Any, resource: Any = None) -> None:
        self.req: Any = req
        self.resp: Any = resp
        self.resource: Any = resource


_current: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar(
    "catchasync_falcon", default=None
)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let a central handler answer every failure of an application, of `falcon.App` or of its ASGI.

    What Falcon answers itself is rendered too: 404, 405, ``raise falcon.HTTPConflict``. An
    ``HTTPStatus``, such as a redirect, passes. An error handler that the application has for a
    class of its own still answers that. Middleware has seen no failure when it is answered, as
    always in Falcon: it is told by ``req_succeeded``.

    Args:
        app: The application.
        errors: The central handler.

    Returns:
        The application.

    Raises:
        TypeError: It is no such application, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Falcon app", App)
    is_asgi = isinstance(app, falcon.asgi.App)
    handler = _asgi_handler(errors) if is_asgi else _wsgi_handler(errors)
    app.add_error_handler((Exception, falcon.HTTPError), handler)
    app.set_error_serializer(_serializer(errors))
    middleware: Any = _AsgiMiddleware(errors) if is_asgi else _WsgiMiddleware(errors)
    app.add_middleware(middleware)
    return app


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Any]:
    """
    Return a `next` for responders: it fills in the response of the request.

    Where `install` is not on the application it cannot know that, and raises an ``HTTPStatus``.

    Args:
        errors: The central handler.
    """

    def next(error: BaseException) -> Any:
        if isinstance(error, falcon.HTTPStatus):
            raise error
        exchange = _current.get()
        answer = errors(error, ErrorContext("route") if exchange is None else _context(exchange))
        if is_awaitable(answer):
            return _fill_later(errors, answer, exchange)
        return _fill(errors, answer, exchange)

    return next


async def _fill_later(
    errors: ErrorHandler, answer: Awaitable[Any], exchange: Exchange | None
) -> None:
    _fill(errors, await answer, exchange)


def _fill(errors: ErrorHandler, answer: Any, exchange: Exchange | None) -> None:
    """Make the response what a failure is answered with."""
    if not isinstance(answer, ErrorResponse | falcon.Response):
        defect = TypeError(no_application(answer, "Falcon (a falcon.Response)"))
        answer = errors(defect, exchange and _context(exchange))
    if isinstance(answer, falcon.Response):
        answer = _same(answer)
    if exchange is None:
        raise falcon.HTTPStatus(answer.status, answer.headers, answer.body.decode())
    resp = exchange.resp
    for name in OF_THE_BODY:
        resp.delete_header(name)
    resp.text = resp.media = resp.stream = None
    if isinstance(resp, falcon.asgi.Response):
        resp.sse = None
    resp.status = answer.status
    resp.data = answer.body
    resp.set_headers(answer.headers)


def _same(answer: falcon.Response) -> ErrorResponse:
    """Return a response that a rule has made; of its body, what is there in memory."""
    body = falcon.Response.render_body(answer) or b""
    return ErrorResponse(answer.status_code, dict(answer.headers), body)


def _context(exchange: Exchange, source: str = "route") -> ErrorContext:
    req = exchange.req
    return ErrorContext(source, req, exchange.resource, req.get_header("Accept"), req.method)


def _exchange(req: Any, resp: Any) -> Exchange:
    """Return what is known of a request, its resource if it came so far."""
    known = _current.get()
    return known if known is not None and known.req is req else Exchange(req, resp)


def _wsgi_handler(errors: ErrorHandler) -> Any:
    def catchasync_handler(req: Any, resp: Any, ex: Exception, _params: Any) -> None:
        exchange = _exchange(req, resp)
        _fill(errors, _wsgi.settled(errors(ex, _context(exchange))), exchange)

    return catchasync_handler


def _asgi_handler(errors: ErrorHandler) -> Any:
    async def catchasync_handler(
        req: Any, resp: Any, ex: Exception, _params: Any, ws: falcon.asgi.WebSocket | None = None
    ) -> None:
        if ws is not None:
            errors.report(ex, _context(Exchange(req, resp), "websocket"))
            await ws.close(_close_code(ex))
            return
        exchange = _exchange(req, resp)
        answer = errors(ex, _context(exchange))
        _fill(errors, await answer if is_awaitable(answer) else answer, exchange)

    return catchasync_handler


def _close_code(error: Exception) -> int:
    """Return what Falcon closes a websocket with: 3000 and the status, or 1011 for a bug."""
    return 3000 + error.status_code if isinstance(error, falcon.HTTPError) else 1011


def _serializer(errors: ErrorHandler) -> Any:
    """Return what renders the errors that error handlers of the application's own raise."""

    def serialize(req: Any, resp: Any, error: falcon.HTTPError) -> None:
        exchange = _exchange(req, resp)
        answer = errors(error, _context(exchange))
        if is_awaitable(answer):
            answer = _runtimes.finish(answer)
        if is_awaitable(answer):  # a kept task on the loop: Falcon does not await us here
            answer = render_error(error, accept=req.get_header("Accept"), method=req.method)
        _fill(errors, answer, exchange)

    return serialize


def _watch(resp: Any, tell: Tell) -> None:
    """Watch whatever a response sends piece by piece; files are left to the server."""
    if isinstance(resp, falcon.asgi.Response):
        if resp.sse is not None:
            resp.sse = AsyncStream(resp.sse, tell)
        if resp.stream is not None:
            resp.stream = AsyncStream(resp.stream, tell)
    elif resp.stream is not None and not hasattr(resp.stream, "fileno"):
        resp.stream = Stream(resp.stream, tell)


def _begin(resp: Any) -> None:
    """Have a stream of parts made as far as its first, which Falcon can answer the failure of."""
    if type(resp.stream) is Stream and not hasattr(resp.stream, "read"):
        resp.stream.begin()


def _watching(kind: Any, errors: ErrorHandler) -> Any:
    """Return a class of responses as another one, which watches its background tasks.

    What fails in one goes on to the loop. A class costs less than two functions for each response.
    """

    def tell() -> Tell:
        exchange = _current.get()  # none where a response has been made already
        context = ErrorContext("task") if exchange is None else _context(exchange, "task")
        return functools.partial(errors.report, context=context)

    class Watching(kind):  # type: ignore[misc]  # a class that the application chose
        __slots__ = ()

        def schedule(self, callback: Callable[[], Awaitable[None]]) -> None:
            super().schedule(_telling_async(callback, tell()))

        def schedule_sync(self, callback: Callable[[], None]) -> None:
            super().schedule_sync(_telling(callback, tell()))

    Watching.__name__, Watching.__qualname__ = kind.__name__, kind.__qualname__
    return Watching


def _telling_async(
    callback: Callable[[], Awaitable[None]], tell: Tell
) -> Callable[[], Awaitable[None]]:
    @functools.wraps(callback)
    async def run() -> None:
        try:
            await callback()
        except Exception as error:
            tell(error)
            raise

    return run


def _telling(callback: Callable[[], None], tell: Tell) -> Callable[[], None]:
    @functools.wraps(callback)
    def run() -> None:
        try:
            callback()
        except Exception as error:
            tell(error)
            raise

    return run


class _WsgiMiddleware:
    """Notes which request is answered, and watches the streams of responses."""

    def __init__(self, errors: ErrorHandler) -> None:
        self.errors = errors

    def process_request(self, req: Any, resp: Any) -> None:
        _current.set(Exchange(req, resp))

    def process_resource(self, req: Any, resp: Any, resource: Any, _params: Any) -> None:
        _current.set(Exchange(req, resp, resource))

    def process_response(self, req: Any, resp: Any, resource: Any, _succeeded: object) -> None:
        if resp.stream is not None:
            _watch(resp, _teller(self.errors, Exchange(req, resp, resource)))
            if req.method != "HEAD":
                _begin(resp)
        _current.set(None)


class _AsgiMiddleware:
    """Same, of coroutines."""

    def __init__(self, errors: ErrorHandler) -> None:
        self.errors = errors
        self._watching: Any = functools.cache(lambda kind: _watching(kind, errors))

    async def process_request(self, req: Any, resp: Any) -> None:
        resp.__class__ = self._watching(type(resp))
        _current.set(Exchange(req, resp))

    async def process_resource(self, req: Any, resp: Any, resource: Any, _params: Any) -> None:
        _current.set(Exchange(req, resp, resource))

    async def process_response(
        self, req: Any, resp: Any, resource: Any, _succeeded: object
    ) -> None:
        if resp.stream is not None or resp.sse is not None:
            _watch(resp, _teller(self.errors, Exchange(req, resp, resource)))
        _current.set(None)


def _teller(errors: ErrorHandler, exchange: Exchange) -> Tell:
    return lambda error: errors.report(error, _context(exchange))
