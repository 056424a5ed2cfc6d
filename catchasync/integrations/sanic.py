"""Sanic: `install` sets what answers by default, and a signal for what comes too late for that."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, TypeVar

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import ServerError
from sanic.http.constants import Stage

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable, name_of
from catchasync._routing import wrap_router
from catchasync.integrations import _observers
from catchasync.integrations._arguments import checked, checked_errors

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=Sanic[Any, Any])

TASK: Final = "Sanic._prep_task.<locals>.do"
CALLERS: Final = {TASK, "SignalRouter._dispatch"}
"""The functions of Sanic's that run what ``app.add_task`` is given, and who listens to events."""

CALLED: Final = {TASK: "task", "server.": "lifespan"}
"""What is run, by event; requests have a handler, and events of the user's own are the user's."""


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let a central handler answer every failure of an application.

    What Sanic answers itself is rendered too: 404, 405, ``raise SanicException(status_code=409)``.
    An exception handler that the application has for a class of its own still answers that; what
    one for `Exception` answers is reported.
    Failures of websockets are reported; so is what a middleware for responses raises, which Sanic
    logs, as without us, before it sends the handler's response.

    Args:
        app: The application, before it runs. Its listeners and background tasks are not requests:
            what fails in them comes to the process or the loop, and `ErrorHandler.install` reports
            it.
        errors: The central handler.

    Returns:
        The application.

    Raises:
        TypeError: It is no such application, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Sanic app", Sanic)
    handler: Any = app.error_handler
    handler.default = _handler(errors, handler.default)
    app.signal("http.lifecycle.exception")(_break_off(errors))
    app.signal("websocket.handler.exception")(_websocket_reporter(errors))
    app.signal("server.exception.report")(_report_outside(errors, app))
    app.listener("before_server_start")(_watch_middlewares(errors))
    app.listener("before_server_start")(_watch_handlers(errors))
    return app


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Any]:
    """
    Return a `next` that answers with a response of Sanic's.

    Args:
        errors: The central handler.

    Raises:
        TypeError: ``errors`` is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: BaseException) -> Any:
        request = _current()
        if request is not None and _has_begun(request):
            errors.report(error, _context(request))
            raise error
        return _answer(errors, error, request)

    return next


def _handler(errors: ErrorHandler, default: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def catchasync_handler(request: Request[Any, Any], exception: Exception) -> Any:
        if is_never_caught(exception):  # the client has gone, and the request was cancelled
            return default(request, exception)
        return _answer(errors, exception, request)

    return catchasync_handler


def _break_off(errors: ErrorHandler) -> Callable[..., Any]:
    async def catchasync_break_off(
        request: Request[Any, Any], exception: BaseException, **_more: Any
    ) -> None:
        """Report a failure in the middle of a response, and raise it.

        Sanic would log it, and end the body as if it were whole.
        """
        if not isinstance(exception, Exception):
            return
        if _has_begun(request):
            errors.report(exception, _context(request))
            _observers.tell(exception, None, "sanic")
            raise exception
        if _is_taken(request, exception):
            errors.report(exception, _context(request))

    return catchasync_break_off


def _is_taken(request: Request[Any, Any], error: Exception) -> bool:
    """Say whether an exception handler of the app's own, for `Exception`, answers an error."""
    handlers: Any = request.app.error_handler
    for_all = [handlers.cached_handlers.get((Exception, name)) for name in (request.name, None)]
    return any(for_all) and handlers._lookup(error, request.name) in for_all  # noqa: SLF001


def _watch_middlewares(errors: ErrorHandler) -> Callable[..., Any]:
    async def catchasync_watch_middlewares(app: Any, _loop: object = None) -> None:
        """Watch the middlewares for responses, when all are known; routes have their own lists."""
        own = (route.extra.response_middleware or () for route in app.router.routes)
        for middleware in (*app.response_middleware, *itertools.chain.from_iterable(own)):
            if not isinstance(middleware.func, _Watched):
                middleware.func = _Watched(middleware.func, errors)

    return catchasync_watch_middlewares


def _watch_handlers(errors: ErrorHandler) -> Callable[..., Any]:
    async def catchasync_watch_handlers(app: Any, _loop: object = None) -> None:
        """Watch the exception handlers of the app's own, when all are known."""
        known: dict[Any, Any] = app.error_handler.cached_handlers
        for key, handler in known.items():
            if handler is not None and handler.__module__ != __name__:
                known[key] = _watched_handler(handler, errors)

    return catchasync_watch_handlers


def _watched_handler(handler: Callable[..., Any], errors: ErrorHandler) -> Callable[..., Any]:
    """Return an exception handler whose own failure is answered: Sanic would only log it."""

    def watched(request: Any, error: Exception) -> Any:
        try:
            answer = handler(request, error)
        except Exception as failure:
            if is_never_caught(failure):
                raise
            return _answer(errors, failure, request)
        return awaited(request, answer) if is_awaitable(answer) else answer

    async def awaited(request: Any, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except Exception as failure:
            if is_never_caught(failure):
                raise
            instead = _answer(errors, failure, request)
            return await instead if is_awaitable(instead) else instead

    watched.__name__ = name_of(handler)
    return watched


class _Watched:
    """A middleware for responses whose failures are reported, and go on."""

    def __init__(self, middleware: Callable[..., Any], errors: ErrorHandler) -> None:
        functools.update_wrapper(self, middleware)
        self._middleware = middleware
        self._errors = errors

    def __call__(self, request: Request[Any, Any], response: Any) -> Any:
        with self._reporting(request):
            result = self._middleware(request, response)
        return self._seen_through(request, result) if is_awaitable(result) else result

    async def _seen_through(self, request: Request[Any, Any], awaitable: Awaitable[Any]) -> Any:
        with self._reporting(request):
            return await awaitable

    @contextlib.contextmanager
    def _reporting(self, request: Request[Any, Any]) -> Generator[None, None, None]:
        try:
            yield
        except Exception as error:
            self._errors.report(error, _context(request))
            raise


def _websocket_reporter(errors: ErrorHandler) -> Callable[..., Any]:
    async def catchasync_report_websocket(
        request: Request[Any, Any], exception: BaseException, **_more: Any
    ) -> None:
        errors.report(exception, _context(request, "websocket"))

    return catchasync_report_websocket


def _report_outside(errors: ErrorHandler, app: object) -> Callable[..., Any]:
    """Return what reports the failures of tasks and of listeners, which Sanic raises after that."""

    async def catchasync_report_outside(exception: BaseException, **_more: Any) -> None:
        source = _source_outside(exception)
        if source is not None:
            errors.report(exception, ErrorContext(source, handler=app))

    return catchasync_report_outside


def _source_outside(error: BaseException) -> str | None:
    """Say where an error outside of all requests comes from: that is, who has called what failed.

    A task may know the request that has begun it, and a request may be so broken that nobody does.
    """
    frame: Any = error.__traceback__ and error.__traceback__.tb_frame
    if frame is None or frame.f_code.co_qualname not in CALLERS:
        return None
    event = str(frame.f_locals.get("event", TASK))
    return next((CALLED[kind] for kind in CALLED if event.startswith(kind)), None)


def _has_begun(request: Request[Any, Any]) -> bool:
    return request.stream is not None and request.stream.stage is not Stage.HANDLER


def _current() -> Request[Any, Any] | None:
    try:
        return Request.get_current()
    except ServerError:  # outside of a request
        return None


def _context(request: Request[Any, Any] | None, source: str = "route") -> ErrorContext:
    if request is None:
        return ErrorContext(source)
    handler = request.route and request.route.handler
    accept = ", ".join(request.headers.getall("accept", ())) or None
    return ErrorContext(source, request, handler, accept, request.method)


def _answer(errors: ErrorHandler, error: BaseException, request: Request[Any, Any] | None) -> Any:
    answer = errors(error, _context(request))
    if type(answer) is not ErrorResponse and is_awaitable(answer):
        return _response_later(answer)
    return _response(answer)


async def _response_later(answer: Any) -> Any:
    return _response(await answer)


def _response(answer: Any) -> Any:
    if not isinstance(answer, ErrorResponse):
        return answer
    return HTTPResponse(answer.body, answer.status, answer.headers)
