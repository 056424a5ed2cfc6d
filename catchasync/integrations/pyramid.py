"""Pyramid: `install` adds the outermost tween, so that exception views come first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.interfaces import (
    PHASE3_CONFIG,
    IExceptionViewClassifier,
    IExecutionPolicy,
    IMultiView,
    IRequest,
    IView,
    IViewClassifier,
)
from pyramid.response import FileIter, Response
from pyramid.router import default_execution_policy
from pyramid.threadlocal import get_current_request
from pyramid.tweens import INGRESS
from zope.interface import implementedBy, providedBy

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._plain import guarded
from catchasync._routing import wrap_router
from catchasync._statuses import own_status
from catchasync.integrations import _observers, _wsgi
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._streams import Stream

__all__ = ["as_next", "install", "tween_factory", "wrap_router"]

ConfigT = TypeVar("ConfigT", bound=Configurator)

SEEN: Final = "catchasync.seen"
"""Where a request keeps its error, and what that was before a view was looked for."""

FAILED: Final = "catchasync.failed"
"""Where an environ keeps the request that failed."""

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
    config.action(None, _add_last_view, (registry,), order=PHASE3_CONFIG + 1)
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
        finally:
            if FAILED in environ:
                _forget(environ.pop(FAILED))

    registry.registerUtility(catchasync_policy, IExecutionPolicy)


def _add_last_view(registry: Any) -> None:
    """Give Pyramid something to find where no exception view is for an error.

    What it finds it remembers; what is not there, it looks for at each failure, in every place for
    every base class, which takes longer than all the rest of the request.
    """
    place = (IExceptionViewClassifier, IRequest, implementedBy(Exception))
    if registry.adapters.registered(place, IMultiView) is None:  # the last kind that is looked for
        registry.registerAdapter(_no_view, place, IMultiView)


def _no_view(error: BaseException, request: Any) -> Any:
    """Say that there is no exception view, as Pyramid does."""
    vars(request)[SEEN] = error, error.__context__, error.__traceback__
    raise HTTPNotFound


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
            response = handler(request)
            if response.__class__ is Response and type(response.app_iter) is list:
                return response  # as most of them: nothing can fail in it
            return _finished(errors, response, request)
        except Exception as error:
            if is_never_caught(error):
                raise
            if _is_control_flow(error):
                return error
            return _answered_in(errors, error, request)

    return catchasync_tween


def _answered_in(errors: ErrorHandler, error: Exception, request: Any) -> Any:
    """Answer what the tweens inside have let pass, and say so where Pyramid says it."""
    _restore(error, request)
    answer = _answer(errors, error, request)
    request.exception = error
    request.exc_info = type(error), error, error.__traceback__
    request.environ[FAILED] = request
    _observers.tell(error, answer, None if isinstance(error, HTTPException) else "pyramid")
    return answer


def _restore(error: Exception, request: Any) -> None:
    """Take off an error what Pyramid's search for a view has put on it: frames, a 404 as context.

    They would keep the error and the request in a circle, beside being of no use to readers.
    """
    seen, context, traceback = vars(request).pop(SEEN, (None, None, None))
    if seen is error:
        error.__context__ = context
        error.__traceback__ = traceback


def _forget(request: Any) -> None:
    """Break the circle of a request and its error, when all policies have seen both."""
    request.exception = request.exc_info = None


def _finished(errors: ErrorHandler, response: Any, request: Any) -> Any:
    """Answer an error that was returned; watch the body of what is none."""
    if isinstance(response, HTTPException) and not _is_control_flow(response):
        return _answer(errors, response, request)
    return _watched(errors, response, request)


def _is_control_flow(error: BaseException) -> bool:
    """Say whether an error is a response already: a redirect, or one whose body somebody wrote."""
    if not isinstance(error, HTTPException):
        return False
    return error.has_body or own_status(error) is None


def _answer(errors: ErrorHandler, error: BaseException, request: Any) -> Any:
    answer = _wsgi.settled(errors(error, _context(request)))
    return _response(answer) if isinstance(answer, ErrorResponse) else answer


def _response(answer: ErrorResponse) -> Response:
    headers = list(answer.headers.items())
    return Response(status=answer.status, headerlist=headers, app_iter=[answer.body])


def _context(request: Any) -> ErrorContext:
    if request is None:
        return ErrorContext("route")
    return _wsgi.context_of(request.environ, _view_of(request), request)


def _view_of(request: Any) -> Any:
    """Return the view that a request is for, as it was written; ``None`` before it is known."""
    attributes = vars(request)
    context = attributes.get("context")
    if context is None:
        return None
    place = (IViewClassifier, request.request_iface, providedBy(context))
    view = request.registry.adapters.lookup(place, IView, attributes["view_name"])
    if hasattr(view, "match"):  # several, each with its predicates
        view = guarded(view.match, context, request, default=view)
    return getattr(view, "__original_view__", view)


def _watched(errors: ErrorHandler, response: Any, request: Any) -> Any:
    """Watch the body of a response, where something may fail in making it; files are left alone."""
    body = response.app_iter
    if isinstance(body, (list, tuple, FileIter)) or _wsgi.is_file(body, request.environ):
        return response

    def tell(error: BaseException) -> None:
        if not is_never_caught(error):
            errors.report(error, _context(request))

    stream = Stream(body, tell)
    if request.method != "HEAD":
        stream.begin()
    length = response.content_length
    response.app_iter = stream
    response.content_length = length  # which Pyramid forgets with a new body
    return response
