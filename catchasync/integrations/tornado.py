"""Tornado: `install` lets the application make its handlers of classes whose errors we answer."""

from __future__ import annotations

import abc
import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from tornado import iostream, web, websocket

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._statuses import phrase_of
from catchasync.integrations._arguments import checked, checked_errors, no_application

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=web.Application)

NOT_ALLOWED: Final = 405

GONE: Final = (iostream.StreamClosedError, websocket.WebSocketClosedError)

_current: contextvars.ContextVar[web.RequestHandler | None] = contextvars.ContextVar(
    "catchasync_tornado", default=None
)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let a central handler answer every failure of an application.

    What Tornado answers itself is rendered too: 404, 405, ``raise HTTPError(409)``,
    ``self.send_error(409)``. ``Finish`` and redirects pass. Handlers are made of subclasses of
    their classes, of the same names, whose ``send_error`` is ours: ``write_error`` is not called.
    ``log_exception`` is, as without us.

    Args:
        app: The application, whenever its routes are added.
        errors: The central handler.

    Returns:
        The application.

    Raises:
        TypeError: It is no such application, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Tornado web.Application", web.Application)
    delegate_of = app.get_handler_delegate
    known: dict[type[web.RequestHandler], type[web.RequestHandler]] = {}

    def get_handler_delegate(request: Any, target_class: Any, *args: Any, **kwargs: Any) -> Any:
        if target_class not in known:
            known[target_class] = _answering(target_class, errors)
        return delegate_of(request, known[target_class], *args, **kwargs)

    app.get_handler_delegate = get_handler_delegate  # type: ignore[method-assign]
    return app


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Any]:
    """
    Return a `next` that answers on the handler of the request.

    It knows the request where `install` is on the application; else the error is reported, and
    goes on to Tornado.

    Args:
        errors: The central handler.

    Raises:
        TypeError: ``errors`` is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: BaseException) -> Any:
        if isinstance(error, web.Finish):
            raise error
        handler = _current.get()
        if handler is None or _has_begun(handler):
            errors.report(error, ErrorContext("route") if handler is None else _context(handler))
            raise error
        return _answer(errors, error, handler)

    return next


def _answering(target: type[web.RequestHandler], errors: ErrorHandler) -> type[web.RequestHandler]:
    """Return a subclass of a handler class, the same in all but what it does with errors.

    Nothing of the target's own is called for that: a metaclass or an ``__init_subclass__`` might
    keep a list of handlers, or ask for arguments.
    """
    if issubclass(target, _Answering):  # of another `install`
        return target
    kind: Any = type(target)
    make: Any = abc.ABCMeta.__new__ if issubclass(kind, abc.ABCMeta) else type.__new__
    names = ("__module__", "__qualname__", "__doc__")
    body = {name: getattr(target, name) for name in names}
    made: type[web.RequestHandler] = make(
        kind, target.__name__, (_Answering, target), {**body, "catchasync_errors": errors}
    )
    return made


class _Answering(web.RequestHandler):
    """What the handlers of an application do with errors."""

    catchasync_errors: ErrorHandler

    def __init_subclass__(cls, **_options: object) -> None:
        """Call no hook of the handler's own."""

    def __init__(self, application: Any, request: Any, **options: Any) -> None:
        """Make the handler; what fails in `initialize` is reported, as Tornado has no answer."""
        try:
            super().__init__(application, request, **options)
        except Exception as error:
            self.request = request
            self.catchasync_errors.report(error, _context(self))
            raise

    def prepare(self) -> Any:
        _current.set(self)
        return super().prepare()

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error or sys.exception(), asyncio.CancelledError):
            super().send_error(status_code, **kwargs)
            return
        error = error or web.HTTPError(status_code, reason=kwargs.get("reason"))
        _send_error(self, self.catchasync_errors, error)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        super().log_exception(typ, value, tb)
        if self._finished and not _is_gone(value):  # else `send_error` is called
            self.catchasync_errors.report(value, _context(self))


def _send_error(handler: web.RequestHandler, errors: ErrorHandler, error: BaseException) -> None:
    """Answer a failure; where the response has begun, report it and break the connection off.

    Tornado would end the body as if it were whole.
    """
    if _is_gone(error):
        return
    if _has_begun(handler):
        errors.report(error, _context(handler))
        handler.request.connection.close()  # type: ignore[union-attr]
        return
    _see_through(_answer(errors, error, handler))


def _see_through(answer: Any) -> None:
    if is_awaitable(answer):
        _runtimes.finish(answer)


def _has_begun(handler: web.RequestHandler) -> bool:
    inside: Any = handler  # there is no public way
    return bool(inside._headers_written or inside._finished)  # noqa: SLF001


def _is_gone(error: BaseException) -> bool:
    """Say whether an error only says that the client has gone away, or the server shuts down."""
    return isinstance(error, (*GONE, asyncio.CancelledError))


def _context(handler: web.RequestHandler) -> ErrorContext:
    source = "websocket" if isinstance(handler, websocket.WebSocketHandler) else "route"
    request = handler.request
    return ErrorContext(source, request, handler, request.headers.get("Accept"), request.method)


def _answer(errors: ErrorHandler, error: BaseException, handler: web.RequestHandler) -> Any:
    if isinstance(error, web.HTTPError) and error.status_code == NOT_ALLOWED:
        error.headers = {"Allow": ", ".join(_methods_of(handler))}  # type: ignore[attr-defined]
    answer = errors(error, _context(handler))
    if type(answer) is not ErrorResponse and is_awaitable(answer):
        return _fill_later(errors, answer, handler)
    return _fill(errors, answer, handler)


def _methods_of(handler: web.RequestHandler) -> list[str]:
    """Return the methods that a handler has (RFC 9110, section 15.5.6: a 405 names them)."""
    plain = web.RequestHandler
    return [
        verb
        for verb in handler.SUPPORTED_METHODS
        if getattr(type(handler), verb.lower(), None) is not getattr(plain, verb.lower(), None)
    ]


async def _fill_later(
    errors: ErrorHandler, answer: Awaitable[Any], handler: web.RequestHandler
) -> None:
    _fill(errors, await answer, handler)


def _fill(errors: ErrorHandler, answer: Any, handler: web.RequestHandler) -> None:
    """Send what a failure is answered with; what the handler had written is dropped."""
    if not isinstance(answer, ErrorResponse):
        defect = TypeError(no_application(answer, "ours: Tornado has no responses"))
        answer = errors(defect, _context(handler))
    handler.clear()
    handler.set_status(answer.status, phrase_of(answer.status))
    for name, value in answer.headers.items():
        handler.set_header(name, value)
    _ = handler.finish(answer.body)  # a future that may be left alone
