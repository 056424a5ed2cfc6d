"""Pyramid: `install` adds the outermost tween, so that exception views come first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException
from pyramid.interfaces import PHASE3_CONFIG, IExecutionPolicy
from pyramid.response import FileIter, Response
from pyramid.router import default_execution_policy
from pyramid.threadlocal import get_current_request
from pyramid.tweens import INGRESS

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync._statuses import own_status
from catchasync.integrations import _observers, _wsgi
from catchasync.integrations._asgi import checked, checked_errors
from catchasync.integrations._streams import Stream

__all__ = ["as_next", "install", "tween_factory", "wrap_router"]

ConfigT = TypeVar("ConfigT", bound=Configurator)

KEY: Final = "catchasync.errors"
"""Where a registry keeps its error handler."""


def install(config: ConfigT, errors: ErrorHandler) -> ConfigT:
    """
    Let a central handler answer every failure of an application.

    What Pyramid answers itself is rendered too: 404, 403, ``raise HTTPConflict()``, returned or
    raised. Redirects pass, and so does what an exception view of the application's own answers.
    Other tweens, such as that of a transaction, have seen a failure when it is answered. Where the
    setting ``pyramid.tweens`` lists the tweens, ``catchasync.integrations.pyramid.tween_factory``
    has to stand there first.

    Args:
        config: The configurator, before it makes the application.
        errors: The central handler.

    Returns:
        The configurator.

    Raises:
        TypeError: It is no configurator, or ``errors`` no `ErrorHandler`.
    """
    checked(config, errors, "a Pyramid Configurator", Configurator)
    registry: Any = config.registry
    registry[KEY] = errors
    config.add_tween(f"{__name__}.tween_factory", under=INGRESS)
    config.action(None, _guard_policy, (registry, errors), order=PHASE3_CONFIG + 1)
    return config


def _guard_policy(registry: Any, errors: ErrorHandler) -> None:
    """Answer what fails outside of all tweens too: callbacks of a request, and `NewResponse`."""
    policy = registry.queryUtility(IExecutionPolicy, default=default_execution_policy)

    def catchasync_policy(environ: Any, router: Any) -> Any:
        try:
            return policy(environ, router)
        except Exception as error:
            if is_never_caught(error) or _is_control_flow(error):
                raise
            answer = _answer(errors, error, router.request_factory(environ))
            _observers.tell(error, answer, "pyramid")
            return answer

    registry.registerUtility(catchasync_policy, IExecutionPolicy)


def as_next(errors: ErrorHandler) -> Callable[[BaseException], Any]:
    """
    Return a `next` that answers with a response of Pyramid's.

    Args:
        errors: The central handler.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def next(error: BaseException) -> Any:
        if _is_control_flow(error):
            raise error
        return _answer(errors, error, get_current_request())

    return next


def tween_factory(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
    """
    Return the tween, as Pyramid asks for it.

    Args:
        handler: The tweens and the application inside.
        registry: The application's registry.
    """
    errors: ErrorHandler = registry[KEY]

    def catchasync_tween(request: Any) -> Any:
        try:
            return _finished(errors, handler(request), request)
        except Exception as error:
            if is_never_caught(error):
                raise
            if _is_control_flow(error):
                return error
            answer = _answer(errors, error, request)
            _observers.tell(error, answer, None if isinstance(error, HTTPException) else "pyramid")
            return answer

    return catchasync_tween


def _finished(errors: ErrorHandler, response: Any, request: Any) -> Any:
    """Answer an error that was returned; watch the body of what is none."""
    if isinstance(response, HTTPException) and not _is_control_flow(response):
        return _answer(errors, response, request)
    return _watched(errors, response, request)


def _is_control_flow(error: BaseException) -> bool:
    return isinstance(error, HTTPException) and own_status(error) is None


def _answer(errors: ErrorHandler, error: BaseException, request: Any) -> Any:
    answer = _wsgi.settled(errors(error, _context(request)))
    return _response(answer) if isinstance(answer, ErrorResponse) else answer


def _response(answer: ErrorResponse) -> Response:
    headers = list(answer.headers.items())
    return Response(status=answer.status, headerlist=headers, app_iter=[answer.body])


def _context(request: Any) -> ErrorContext:
    if request is None:
        return ErrorContext("route")
    route = getattr(request, "matched_route", None)
    return _wsgi.context_of(request.environ, route, request)


def _watched(errors: ErrorHandler, response: Any, request: Any) -> Any:
    """Watch the body of a response, where something may fail in making it; files are left alone."""
    body = response.app_iter
    if isinstance(body, list | tuple | FileIter) or _wsgi.is_file(body, request.environ):
        return response
    stream = Stream(body, lambda error: errors.report(error, _context(request)))
    if request.method != "HEAD":
        stream.begin()
    length = response.content_length
    response.app_iter = stream
    response.content_length = length  # which Pyramid forgets with a new body
    return response
