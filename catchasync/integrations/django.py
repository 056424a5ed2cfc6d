"""Django: every failure of a project is answered by one `ErrorHandler`, under WSGI and ASGI.

In ``wsgi.py`` or ``asgi.py``, for the views, the resolver and every middleware:

    application = install(get_wsgi_application(), errors)

Or for the views and the resolver alone, also in Django's test client: `ErrorMiddleware` as the last
in ``MIDDLEWARE``, and ``CATCHASYNC_ERRORS = errors`` beside it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers import exception as conversion
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.request import UnreadablePostError
from django.utils.module_loading import import_string

from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync.errors import MethodNotAllowed
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._django_answers import (
    response_of,
    sendable,
    settled,
    tell_observers,
)
from catchasync.integrations._django_streams import WATCHED, context_of, watch
from catchasync.types import Next

__all__ = ["ErrorMiddleware", "as_next", "install", "wrap_router"]

AppT = TypeVar("AppT")

is_async: Final[Callable[[Any], bool]] = iscoroutinefunction  # pyright: ignore[reportDeprecated] # asgiref's knows marked ones

WHOLE: Final[frozenset[type[Any]]] = frozenset({HttpResponse, JsonResponse})
"""The classes of most responses, in which nothing can fail any more."""


_request: ContextVar[Any] = ContextVar("catchasync_django_request", default=None)


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Have every failure of a project answered: of its views, its resolver, its middleware.

    Transactions of ``ATOMIC_REQUESTS`` are rolled back first; the ``process_exception`` of other
    middleware is asked first; what is answered with 500 or more is logged by Django and sent as
    `got_request_exception`, as without us.

    Args:
        app: What ``get_wsgi_application()`` or ``get_asgi_application()`` returned.
        errors: Where failures go.

    Returns:
        The same application.

    Raises:
        TypeError: It is no application of Django's, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "an application of Django's")
    if not isinstance(app, BaseHandler):
        msg = (
            "install() takes what get_wsgi_application() or get_asgi_application() returned: "
            f"got {app!r}. Install first, and wrap it in other applications afterwards."
        )
        raise TypeError(msg)
    _load(app, errors)
    return app


def _load(app: Any, errors: ErrorHandler) -> None:
    """Have the layers made anew, each guarded before the next is put around it."""
    app.adapt_method_mode = functools.partial(_adapt, errors, app.adapt_method_mode)
    try:
        app.load_middleware(is_async=is_async(app.__call__))
    finally:
        del app.adapt_method_mode


def _adapt(
    errors: ErrorHandler,
    adapt: Callable[..., Any],
    to_async: bool,  # noqa: FBT001 - as Django calls it
    method: Any,
    *args: Any,
    **options: Any,
) -> Any:
    """Take Django's conversion off a layer that is about to be adapted, and put ours on."""
    return adapt(to_async, _guard(errors, method), *args, **options)


def _guard(errors: ErrorHandler, layer: Any) -> Any:
    if _is_converted(layer):
        return _guarded(errors, layer.__wrapped__)
    return layer


def _is_converted(layer: Any) -> bool:
    """Say whether Django has put its conversion of exceptions into responses around a layer."""
    is_conversion = getattr(layer, "__globals__", None) is vars(conversion)
    return is_conversion and hasattr(layer, "__wrapped__")


class ErrorMiddleware:
    """
    Has the failures of views and of the resolver answered by ``settings.CATCHASYNC_ERRORS``.

    It belongs at the end of ``MIDDLEWARE``: Django answers the failures of all middleware after it.

    Args:
        get_response: The next layer.

    Raises:
        ImproperlyConfigured: The setting is neither an `ErrorHandler` nor the dotted path of one.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        errors = configured_errors()
        self.get_response = get_response
        self._respond = _guard(errors, get_response)
        if self._respond is get_response:
            self._respond = _guarded(errors, get_response)
        if is_async(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """Return the response, or where Django is async an awaitable of it."""
        return self._respond(request)


def configured_errors() -> ErrorHandler:
    """Return the `ErrorHandler` that the settings name.

    Raises:
        ImproperlyConfigured: The setting is neither one nor its dotted path.
    """
    named = getattr(settings, "CATCHASYNC_ERRORS", None)
    errors = import_string(named) if isinstance(named, str) else named
    if isinstance(errors, ErrorHandler):
        return errors
    msg = f"settings.CATCHASYNC_ERRORS takes an ErrorHandler, or its dotted path: got {named!r}"
    raise ImproperlyConfigured(msg)


def _guarded(errors: ErrorHandler, get_response: Any) -> Any:
    """Return a layer whose failures are answered."""
    if is_async(get_response):

        @functools.wraps(get_response)
        async def respond_async(request: Any) -> Any:
            token = _request.set(request)
            try:
                response = await get_response(request)
                return response if type(response) in WHOLE else _finished(errors, request, response)
            except Exception as error:
                if is_never_caught(error):
                    raise
                answer = sync_to_async(_answer, thread_sensitive=False)  # as Django answers
                return await answer(errors, request, error)
            finally:
                _request.reset(token)

        return respond_async

    @functools.wraps(get_response)
    def respond(request: Any) -> Any:
        token = _request.set(request)
        try:
            response = get_response(request)
            return response if type(response) in WHOLE else _finished(errors, request, response)
        except Exception as error:
            if is_never_caught(error):
                raise
            return _answer(errors, request, error)
        finally:
            _request.reset(token)

    return respond


def _finished(errors: ErrorHandler, request: Any, response: Any) -> Any:
    """Answer a 405 of Django's own, which is no exception; watch the stream of a response."""
    if type(response) is HttpResponseNotAllowed and not response.content:
        raise MethodNotAllowed(headers={"allow": response["Allow"]})
    if getattr(response, "streaming", False) and not hasattr(response, WATCHED):
        watch(errors, request, response)
    return response


def _answer(errors: ErrorHandler, request: Any, error: Exception) -> Any:
    """Answer a failure, in a thread where nothing is awaited."""
    if isinstance(error, UnreadablePostError):  # the client has gone, which is no failure
        return HttpResponse(status=400)
    response = sendable(errors, request, errors(error, context_of(request)))
    tell_observers(request, error, response)
    return response


def as_next(errors: ErrorHandler) -> Next:
    """
    Return the `next` for single views: ``@catch_async(next=as_next(errors))``.

    A transaction of ``ATOMIC_REQUESTS`` that the view runs in is rolled back. The client's formats
    are known where `install` or `ErrorMiddleware` is in place; else the default one is used.

    Args:
        errors: Where failures go.

    Returns:
        A callable of the error, which returns a response of Django's; on a loop, where a rule is
        async, an awaitable of it.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def answer(error: Any, *_values: Any) -> Any:
        is_sync = _is_sync()
        if is_sync:
            _roll_back()
        found = errors(error, context_of(_request.get()))
        if is_awaitable(found) and not is_sync:
            return _response_later(found)
        return response_of(settled(found))

    return answer


async def _response_later(answer: Any) -> Any:
    return response_of(await answer)


def _is_sync() -> bool:
    return asyncio._get_running_loop() is None  # noqa: SLF001 - documented for libraries


def _roll_back() -> None:
    """Doom the transactions around a view: it will return a response, as if nothing was wrong."""
    databases: Any = connections.settings
    for alias, database in databases.items():
        if database["ATOMIC_REQUESTS"] and connections[alias].in_atomic_block:
            connections[alias].set_rollback(True)
