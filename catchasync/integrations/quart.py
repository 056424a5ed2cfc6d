"""Quart: ``install(app, errors)``.

``app.handle_exception`` is where Quart comes with what no error handler has taken. Functions of
``teardown_request`` are handed the error, which Quart itself keeps from them: a session that they
close can roll back. Failures outside of that (a stream, a teardown) reach the guard around
``app.asgi_app``. Error handlers that the app has for classes of its own are still called first.

Since 0.23 Quart hands its context to these methods, before the error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import quart
from quart.signals import (
    got_background_exception,
    got_request_exception,
    got_websocket_exception,
)
from werkzeug.exceptions import HTTPException

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._rules import status_in
from catchasync._statuses import SERVER_ERROR, subject_of
from catchasync.integrations._asgi import Application, Guard, checked, checked_errors, reporting
from catchasync.types import Next

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=quart.Quart)

FIRST_ERROR: Final = 400  # RFC 9110, section 15: below are redirects


def install(app: AppT, errors: ErrorHandler) -> AppT:
    """
    Let every failure of an app reach ``errors``.

    That is of views, streams, hooks, teardowns, websockets, background tasks, and the functions
    that run before and after serving. The signals of Quart are sent as without us, but for
    ``got_request_exception``, which is sent for what is answered with 500 or more.

    Args:
        app: The app; views, blueprints and hooks may be added before and after.
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The app.

    Raises:
        TypeError: It is no Quart app, or ``errors`` no `ErrorHandler`.
    """
    checked(app, errors, "a Quart app", quart.Quart)
    if HTTPException not in app.error_handler_spec[None][None]:
        app.register_error_handler(HTTPException, http_handler(app, errors))
    own = vars(app)
    own["handle_exception"] = request_handler(app, errors)
    own["handle_websocket_exception"] = websocket_handler(app, errors)
    own["handle_background_exception"] = background_handler(app, errors)
    own["startup"] = reporting(app.startup, app, errors)
    own["shutdown"] = reporting(app.shutdown, app, errors)
    own["asgi_app"] = Guard(ungrouped(app.asgi_app), errors, observer="quart")
    return app


def ungrouped(app: Application) -> Application:
    """Return an application that raises what failed, not the group that Quart's tasks make."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except ExceptionGroup as group:
            raise cast("Exception", subject_of(group)) from None

    return run


def http_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[[HTTPException], Any]:
    """Return an error handler for Quart's own errors; redirects are as they were."""

    async def answer_http_error(error: HTTPException) -> Any:
        if (own := app.error_handler_spec[None][None].get(Exception)) is not None:
            return await app.ensure_async(own)(error)  # the user's, who has one for all
        is_error = error.code is not None and error.code >= FIRST_ERROR
        return await answered(error, errors) if is_error else error

    return answer_http_error


def request_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_exception``."""

    async def handle_exception(*arguments: Any) -> Any:
        *context, error = arguments
        tell_teardown(context[0] if context else current_request_context(), error)
        response = await answered(error, errors)
        if (status_in(response) or SERVER_ERROR) >= SERVER_ERROR:
            await signal(app, got_request_exception, error)
        finalize: Any = app.finalize_request
        return await finalize(*context, response, from_error_handler=True)

    return handle_exception


def current_request_context() -> Any:
    """Return the context of a request, of versions that have one beside the app's."""
    proxy: Any = quart.globals.request_ctx
    return proxy._get_current_object()  # noqa: SLF001 - documented


def tell_teardown(context: Any, error: Exception) -> None:
    """Hand the error to the teardown functions of a request, which will not see it otherwise."""
    pop = context.pop

    async def pop_after_failure(exc: BaseException | None) -> None:
        await pop(exc or error)

    vars(context)["pop"] = pop_after_failure


async def signal(app: quart.Quart, sender: Any, error: Exception) -> None:
    """Send a signal as Quart does."""
    await sender.send_async(app, _sync_wrapper=app.ensure_async, exception=error)


def websocket_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_websocket_exception``."""

    async def handle_websocket_exception(*arguments: Any) -> Any:
        *context, error = arguments
        response = await answered(error, errors)  # first: a client that leaves cancels what waits
        await signal(app, got_websocket_exception, error)
        finalize: Any = app.finalize_websocket
        return await finalize(*context, response, from_error_handler=True)

    return handle_websocket_exception


def background_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_background_exception``."""

    async def handle_background_exception(*arguments: Any) -> None:
        error = arguments[-1]
        errors.report(error, ErrorContext("task", handler=app))
        await signal(app, got_background_exception, error)

    return handle_background_exception


async def answered(error: object, errors: ErrorHandler) -> Any:
    """Report an error, and return what a view may return."""
    answer = errors(error, current_context())
    return response_of(await answer if is_awaitable(answer) else answer)


def current_context() -> ErrorContext:
    """Return where something failed."""
    is_request = quart.has_request_context()
    proxy: Any = quart.request if is_request else quart.websocket
    view = quart.current_app.view_functions.get(proxy.endpoint)
    source, accept = "route" if is_request else "websocket", proxy.headers.get("Accept")
    return ErrorContext(source, proxy._get_current_object(), view, accept, proxy.method)  # noqa: SLF001 - documented


def response_of(answer: Any) -> Any:
    """Return Quart's response; what a rule made is one already."""
    if not isinstance(answer, ErrorResponse):
        return answer
    make: Any = quart.current_app.response_class
    response = make(answer.body, answer.status, answer.headers)
    response.headers["content-length"] = answer.headers["content-length"]  # of GET, also for HEAD
    return response


def as_next(errors: ErrorHandler) -> Next:
    """
    Return a `next` for single views: ``@catch_async(next=as_next(errors))``.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it reports an error, and returns a Quart response; an awaitable of it where the
        rule for that error is async.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def answer_next(error: object, *_values: object) -> Any:
        answer = errors(error, current_context())
        return response_later(answer) if is_awaitable(answer) else response_of(answer)

    return answer_next


async def response_later(answer: Any) -> Any:
    """Return Quart's response to an error whose rule is async."""
    return response_of(await answer)
