"""What `install` makes of a Falcon application: the same one, of a class that watches itself.

A class costs less than Falcon's hooks: a request that succeeds passes one `try`. What a hook would
have noted for each request is looked up where something fails.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

import falcon

from catchasync._context import ErrorContext
from catchasync._error_response import Environ, Receive, Scope, Send, StartResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._plain import guarded
from catchasync.integrations import _asgi, _wsgi
from catchasync.integrations._exchange import Exchange

Tell = Callable[[BaseException], None]

_served: ContextVar[tuple[Scope, Receive] | None] = ContextVar("catchasync_falcon", default=None)
"""The request of ASGI that is answered. Servers have a task for each; with that it is forgotten."""

BODILESS: Final = frozenset({100, 101, 204, 304})
"""The statuses of responses that have no body (RFC 9110, section 6.4.1)."""

LOST: Final = "catchasync.falcon.lost"
"""Where an environ has a response whose failure has been answered, perhaps without a body."""


def context_of(app: Any, req: Any, source: str = "route") -> ErrorContext:
    """Return where something failed; the handler is the resource, where one was found."""
    return ErrorContext(source, req, _resource_of(app, req), _accept_of(req), req.method)


def _accept_of(req: Any) -> str | None:
    """Return the ``Accept`` header of a request; ``get_header`` takes a name in any case."""
    env = getattr(req, "env", None)
    if env is not None:
        accept: str | None = env.get("HTTP_ACCEPT")
        return accept
    raw: bytes | None = req._asgi_headers.get(b"accept")
    return None if raw is None else raw.decode("latin-1")


def _resource_of(app: Any, req: Any) -> Any:
    """Return what answers a request; nothing where it was not matched, or by a sink."""
    if req.uri_template is None:
        return None
    try:
        route = app._router_search(req.path, req=req)
    except Exception:  # noqa: BLE001 - a router of the application's own, asked a second time
        return None
    return route[0] if route else None


def _matched(app: Any, make: Callable[[], Any]) -> Any:
    """Return a request made anew, as Falcon has matched it."""
    req = make()
    req.uri_template = app._get_responder(req)[3]
    return req


# --- WSGI ----------------------------------------------------------------------------------------


class Guard(_wsgi.Guard):
    """What a WSGI application does with the failures that Falcon leaves to the server."""

    def _context_of(self, environ: Environ) -> ErrorContext:
        app: Any = self.app
        make = functools.partial(app._request_type, environ, options=app.req_options)
        req = guarded(_matched, app, make, default=None)
        return _wsgi.context_of(environ) if req is None else context_of(app, req)

    def sent(
        self, body: Iterable[bytes], environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Return a body that is no list of bytes, watched; in place of one that is lost, another.

        Falcon sends no body where that could not be made, though its error handler made one.
        """
        if body == []:
            return self._found(environ, start_response) or body
        if _wsgi.is_file(body, environ):
            return body
        return _wsgi.Body(body, self, environ, _start(start_response, is_called=True))

    def _found(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        resp = environ.pop(LOST, None)
        if resp is None or not resp.data or environ["REQUEST_METHOD"] == "HEAD":
            return None
        if resp.status_code in BODILESS:  # which a middleware has made of it
            return None
        resp.set_header("content-length", str(len(resp.data)))
        status = falcon.code_to_http_status(resp.status)
        start_response(status, resp._wsgi_headers(), (RuntimeError, RuntimeError(), None))
        return [resp.data]


def _start(start_response: StartResponse, *, is_called: bool = False) -> _wsgi.Start:
    """Return what begins a response; Falcon does so last of all, when it has its body."""
    start = _wsgi.Start()
    start.start_response = start_response
    if is_called:
        start.is_called = True
    return start


class Quiet:
    """What a class is made with that is none of the program's: nobody is told of a subclass."""

    __slots__ = ()

    def __init_subclass__(cls, **_options: object) -> None:
        """Do nothing."""


def watching_wsgi(app: Any, errors: ErrorHandler) -> type:
    """Return the class of an application as one that watches its bodies."""
    kind: Any = type(app)
    serve = kind.__call__
    guard = Guard(app, errors)

    class Watching(Quiet, kind):  # type: ignore[misc]  # a class that the program chose
        __slots__ = ()

        def __call__(self, env: Environ, start_response: StartResponse) -> Iterable[bytes]:
            try:
                body: Any = serve(self, env, start_response)
            except Exception as error:
                if is_never_caught(error):
                    raise
                return guard.answer(error, env, _start(start_response))
            if body and type(body) is list:  # most are
                return body
            return guard.sent(body, env, start_response)

    return _named(Watching, kind)


# --- ASGI ----------------------------------------------------------------------------------------


def watching_asgi(app: Any, errors: ErrorHandler) -> type:
    """Return the class of an application as one that watches what it sends, and its lifespan."""
    kind: Any = type(app)
    serve, live = kind.__call__, kind._call_lifespan_handlers

    class Watching(Quiet, kind):  # type: ignore[misc]  # a class that the program chose
        __slots__ = ()

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            _served.set((scope, receive))
            try:
                await serve(self, scope, receive, send)
            except Exception as error:
                _report(self, errors, error, scope, receive, send)
                raise

        async def _call_lifespan_handlers(
            self, version: str, scope: Scope, receive: Receive, send: Send
        ) -> None:
            await live(self, version, scope, receive, _telling_send(self, errors, send))

    return _named(Watching, kind)


def _telling_send(app: Any, errors: ErrorHandler, send: Send) -> Send:
    """Return a `send` that reports why a start or a stop failed: Falcon calls it on the spot."""

    def tell(message: MutableMapping[str, Any]) -> Awaitable[None]:
        if (error := sys.exc_info()[1]) is not None:
            errors.report(error, ErrorContext("lifespan", handler=app))
        return send(message)

    return tell


def _named(made: type, kind: type) -> type:
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(made, name, getattr(kind, name))
    return made


def _report(  # noqa: PLR0913, PLR0917 - ASGI's three, and what tells
    app: Any, errors: ErrorHandler, error: Exception, scope: Scope, receive: Receive, send: Send
) -> None:
    """Report what Falcon leaves to the server: most of it, in the middle of a response."""
    exchange = Exchange(send, send, lambda: None)
    if not is_never_caught(error) and not exchange.is_gone(error):
        errors.report(exchange.told_of(error, scope), _scope_context(app, scope, receive))


def _scope_context(app: Any, scope: Scope, receive: Receive, source: str = "route") -> ErrorContext:
    make = functools.partial(app._request_type, scope, receive, options=app.req_options)
    req = guarded(_matched, app, make, default=None)
    return _asgi.context_of(scope) if req is None else context_of(app, req, source)


def watching_tasks(app: Any, errors: ErrorHandler) -> type:
    """Return the class of an application's responses as one that watches their background tasks.

    What fails in one goes on to the loop.
    """
    kind: Any = app._response_type

    def tell() -> Tell:
        served = _served.get()  # nothing where a response was made outside of a request
        context = ErrorContext("task") if served is None else _scope_context(app, *served, "task")
        return functools.partial(errors.report, context=context)

    class Watching(Quiet, kind):  # type: ignore[misc]  # a class that the program chose
        __slots__ = ()

        def schedule(self, callback: Callable[[], Awaitable[None]]) -> None:
            super().schedule(_telling_async(callback, tell()))

        def schedule_sync(self, callback: Callable[[], None]) -> None:
            super().schedule_sync(_telling(callback, tell()))

    return _named(Watching, kind)


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
