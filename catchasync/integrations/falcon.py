"""Falcon, WSGI and ASGI: `install` registers error handlers, and makes the app watch its bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import falcon
import falcon.asgi
from falcon.app import App  # OpenTelemetry replaces that of `falcon`

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._failures import Delivered
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._render import render_error
from catchasync._routing import wrap_router
from catchasync.integrations import _falcon, _wsgi
from catchasync.integrations._arguments import checked, checked_errors, no_application
from catchasync.integrations._falcon import context_of

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

DEFAULTS: Final = frozenset({"falcon.app", "falcon.asgi.app", __name__})
"""The modules of the error handlers that an application has from the start, and of ours."""

ASGI_RESPONSE: Final = falcon.asgi.Response

LAZY: Final = ("headers", "status", "text")
"""What Falcon reads of an ``HTTPStatus``."""

_is_installed: Final[list[bool]] = []  # true where any application of this process knows of us


class Failed(Delivered, falcon.HTTPStatus):
    """
    A failure of a decorated responder, on its way to the error handler that `install` registers.

    Where an application has none it is an ``HTTPStatus`` as any other, made when it is read.

    Args:
        error: The failure.
        errors: The central handler that `as_next` was given.
    """

    def __init__(self, error: BaseException, errors: ErrorHandler) -> None:
        self.error = error
        self.errors = errors

    def __getattr__(self, name: str) -> Any:
        if name not in LAZY:
            return super().__getattribute__(name)
        answer = _finished(self.errors, self.error, ErrorContext("route"))
        super().__init__(*_parts(answer))
        return getattr(self, name)


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
    falcons: Any = app
    is_asgi = isinstance(app, falcon.asgi.App)
    handler = (_asgi_handler if is_asgi else _wsgi_handler)(app, errors)
    known = falcons._error_handlers
    kinds = [kind for kind in (Exception, falcon.HTTPError) if not _is_own(known[kind])]
    app.add_error_handler((*kinds, Failed), handler)
    app.set_error_serializer(_serializer(app, errors))
    watching = _falcon.watching_asgi if is_asgi else _falcon.watching_wsgi
    falcons.__class__ = watching(app, errors)
    if is_asgi:
        falcons._response_type = _falcon.watching_tasks(app, errors)
    _is_installed[:] = [True]
    return app


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Any]:
    """
    Return a `next` for responders: it raises what Falcon answers with the answer to the failure.

    Where `install` is on no application it cannot know the request, and what the client accepts.

    Args:
        errors: The central handler.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: BaseException) -> Any:
        if isinstance(error, falcon.HTTPStatus):
            raise error
        if _is_installed:
            raise Failed(error, errors)
        answer = errors(error, ErrorContext("route"))
        if is_awaitable(answer):
            return _raise_later(errors, answer)
        raise falcon.HTTPStatus(*_parts(_sendable(answer, errors, None)))

    return next


async def _raise_later(errors: ErrorHandler, answer: Awaitable[Any]) -> None:
    raise falcon.HTTPStatus(*_parts(_sendable(await answer, errors, None)))


def _parts(answer: ErrorResponse) -> tuple[int, dict[str, str], str]:
    return answer.status, answer.headers, answer.body.decode()


def _sendable(answer: Any, errors: ErrorHandler, context: ErrorContext | None) -> ErrorResponse:
    """Return an answer as ours; what is none is a defect of a rule."""
    if isinstance(answer, ErrorResponse):
        return answer
    if isinstance(answer, falcon.Response):
        return _same(answer)
    made: ErrorResponse = errors(
        TypeError(no_application(answer, "Falcon (a falcon.Response)")), context
    )
    return made


def _same(answer: falcon.Response) -> ErrorResponse:
    """Return a response that a rule has made; of its body, what is there in memory."""
    body = falcon.Response.render_body(answer) or b""
    return ErrorResponse(answer.status_code, dict(answer.headers), body)


def _fill(resp: Any, answer: ErrorResponse) -> None:
    """Make the response what a failure is answered with."""
    headers = resp._headers
    if headers:
        for name in OF_THE_BODY:
            headers.pop(name, None)
    resp.text = resp.stream = None
    if isinstance(resp, ASGI_RESPONSE):
        resp.sse = None
    resp.status = answer.status
    resp.data = answer.body
    headers.update(answer.headers)


def _wsgi_handler(app: Any, errors: ErrorHandler) -> Any:
    def catchasync_handler(req: Any, resp: Any, ex: Any, _params: Any) -> None:
        error, tell = (ex.error, ex.errors) if type(ex) is Failed else (ex, errors)
        context = context_of(app, req)
        answer = tell(error, context)
        if type(answer) is not ErrorResponse:
            answer = _sendable(_wsgi.settled(answer), tell, context)
        _fill(resp, answer)
        req.env[_falcon.LOST] = resp

    return catchasync_handler


def _asgi_handler(app: Any, errors: ErrorHandler) -> Any:
    async def catchasync_handler(
        req: Any, resp: Any, ex: Any, _params: Any, ws: falcon.asgi.WebSocket | None = None
    ) -> None:
        error, tell = (ex.error, ex.errors) if type(ex) is Failed else (ex, errors)
        if ws is not None:
            tell.report(error, context_of(app, req, "websocket"))
            await ws.close(_close_code(error))
            return
        context = context_of(app, req)
        answer = tell(error, context)
        if type(answer) is not ErrorResponse:
            answer = await answer if is_awaitable(answer) else answer
            answer = _sendable(answer, tell, context)
        _fill(resp, answer)

    return catchasync_handler


def _close_code(error: BaseException) -> int:
    """Return what Falcon closes a websocket with: 3000 and the status, or 1011 for a bug."""
    return 3000 + error.status_code if isinstance(error, falcon.HTTPError) else 1011


def _is_own(handler: Any) -> bool:
    """Say whether an error handler is the application's own."""
    return getattr(handler, "__module__", None) not in DEFAULTS


def _serializer(app: Any, errors: ErrorHandler) -> Any:
    """Return what renders the errors that error handlers of the application's own raise."""

    def serialize(req: Any, resp: Any, error: falcon.HTTPError) -> None:
        context = context_of(app, req)
        _fill(resp, _finished(errors, error, context))

    return serialize


def _finished(errors: ErrorHandler, error: BaseException, context: ErrorContext) -> ErrorResponse:
    """Return an answer where Falcon does not await us: under a loop, that of no async rule."""
    answer = errors(error, context)
    if is_awaitable(answer):
        answer = _runtimes.finish(answer)
    if is_awaitable(answer):  # a kept task on the loop
        return render_error(error, accept=context.accept or "*/*", method=context.method or "GET")
    return _sendable(answer, errors, context)
