"""aiohttp: `install` adds the outermost middleware, so that all others see a failure first."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

from aiohttp import web
from aiohttp.web_app import Application  # OpenTelemetry replaces that of `web`

from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable, name_of
from catchasync._routing import wrap_router
from catchasync._statuses import SERVER_ERROR, own_status
from catchasync.integrations import _observers
from catchasync.integrations._aiohttp_requests import (
    break_off,
    context_of,
    handler_of,
    has_begun,
    is_gone,
    watch,
)
from catchasync.integrations._arguments import checked, checked_errors, no_application
from catchasync.integrations._asgi import reporting

__all__ = ["as_next", "install", "wrap_router"]


RESPONSE: Final = web.Response

PREPARE: Final = RESPONSE.prepare
"""What prepares a response, and does no more: that of a file sends it."""

OURS: Final = "catchasync_middleware"
"""The name of our middleware."""

HANDLE: Final = "_handle"
"""What an application's server calls."""

HOME: Final = Application.__module__
"""The module of that, unless somebody has patched it."""

AppT = TypeVar("AppT", bound=Application)
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


_current: contextvars.ContextVar[web.Request | None] = contextvars.ContextVar(
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
        The application. Where it is installed a second time, the second handler answers.

    Raises:
        TypeError: It is no such application, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "an aiohttp web.Application", Application)
    middleware = _middleware(app, errors)
    earlier = [each for each in app.middlewares if getattr(each, "__name__", None) == OURS]
    for each in earlier:
        app.middlewares.remove(each)
    app.middlewares.insert(0, middleware)
    vars(app)["freeze"] = functools.partial(_freeze, app, errors, middleware, app.freeze)
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

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    async def next(error: BaseException) -> web.StreamResponse:
        request = _current.get()
        if _is_passed_on(errors, error, request):
            raise error
        answer = _answer(errors, error, request)
        return answer if type(answer) is RESPONSE else await _settled(errors, answer, request)

    return next


def _middleware(app: Application, errors: ErrorHandler) -> Any:
    @web.middleware
    async def catchasync_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_first = app.middlewares[0] is catchasync_middleware
        is_outermost = is_first and request.match_info.apps[0] is app
        return await _answering(errors, is_outermost, handler, request)

    return catchasync_middleware


def _freeze(app: Application, errors: ErrorHandler, middleware: object, freeze: Any) -> None:
    """Have an application take our middleware, if it is the only one, for its own handler.

    aiohttp calls three functions for one middleware. Where somebody has patched the application,
    as Sentry does, we stay inside.
    """
    handle: Any = getattr(app, HANDLE)
    if not app.pre_frozen and handle.__module__ == HOME and list(app.middlewares) == [middleware]:
        app.middlewares.clear()
        vars(app)[HANDLE] = functools.partial(_answering, errors, True, handle)  # noqa: FBT003 - outermost
    freeze()


async def _answering(
    errors: ErrorHandler,
    is_outermost: bool,  # noqa: FBT001 - by position it is quicker
    handler: Handler,
    request: web.Request,
) -> web.StreamResponse:
    """Call a handler, and answer its failure; a middleware, or around all of an application.

    The response is prepared here where nobody can change it any more: what fails in that is
    otherwise logged, and nothing else.
    """
    token = _current.set(request)
    try:
        response = await handler(request)
        is_usual = type(response) is RESPONSE
        if not is_usual:
            response = _checked(response, request)
        if type(getattr(response, "body", None)) is not bytes:
            watch(errors, request, response)
        if is_outermost and (is_usual or type(response).prepare is PREPARE):
            try:
                await response.prepare(request)
            except ConnectionError:  # aiohttp meets it again
                return response
    except Exception as error:
        if _is_passed_on(errors, error, request):
            raise
        answer: web.StreamResponse = _answer(errors, error, request)
        if type(answer) is not RESPONSE:
            answer = await _settled(errors, answer, request)
        if isinstance(error, web.HTTPException) and error.cookies:  # as of a session
            answer.cookies.update(error.cookies)
        if answer.status >= SERVER_ERROR:
            _observers.tell(error, answer, "aiohttp")
        return answer
    finally:
        _current.reset(token)
    return response


def _checked(response: object, request: web.Request) -> web.StreamResponse:
    """Refuse what is no response, as other frameworks do: aiohttp would answer it by itself."""
    if isinstance(response, web.StreamResponse):
        return response
    handler = handler_of(request)
    msg = f"a handler returns a web.StreamResponse: {name_of(handler)} returned {response!r}"
    raise TypeError(msg)


def _is_passed_on(errors: ErrorHandler, error: BaseException, request: web.Request | None) -> bool:
    """Say whether a failure is not to be answered, and report it where nobody else will.

    Redirects are no failures, nor are cancellations, nor that a client is gone; and where the
    response has begun, there is nothing to answer.
    """
    if request is not None and has_begun(request):
        break_off(errors, error, request)
        return True
    return is_never_caught(error) or _is_control_flow(error) or is_gone(request, error)


def _answer(errors: ErrorHandler, error: BaseException, request: web.Request | None) -> Any:
    """Report a failure, and return its response, or what its rule has made."""
    answer = errors(error, context_of(request))
    return _response(answer) if type(answer) is ErrorResponse else answer


async def _settled(
    errors: ErrorHandler, answer: Any, request: web.Request | None
) -> web.StreamResponse:
    """Return the response that a rule has made, in whatever way."""
    if is_awaitable(answer):
        answer = await answer
    if not isinstance(answer, ErrorResponse | web.StreamResponse):
        defect = TypeError(no_application(answer, "aiohttp (a web.Response)"))
        answer = errors(defect, context_of(request))
    return answer if isinstance(answer, web.StreamResponse) else _response(answer)


def _is_control_flow(error: BaseException) -> bool:
    return isinstance(error, web.HTTPException) and own_status(error) is None


def _response(answer: ErrorResponse) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
