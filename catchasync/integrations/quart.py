"""Quart: ``install(app, errors)``.

``app.handle_exception`` is where Quart comes with what no error handler has taken. Functions of
``teardown_request`` are handed the error, which Quart itself keeps from them: a session that they
close can roll back. Failures outside of that (a stream, a teardown) reach the guard around
``app.asgi_app``. Error handlers that the app has for classes of its own are still called first.

Since 0.23 Quart hands its context to these methods, before the error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar, cast

import quart
from quart.signals import (
    got_background_exception,
    got_request_exception,
    got_websocket_exception,
)
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._routing import wrap_router
from catchasync._statuses import SERVER_ERROR, own_status, subject_of
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._asgi import Application, Guard, is_repeated, reporting
from catchasync.types import Next

__all__ = ["as_next", "install", "wrap_router"]

AppT = TypeVar("AppT", bound=quart.Quart)

BEFORE: Final = "_catchasync_before_"
"""Under this and a name an app keeps what is ours, and what was there before."""


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
    handler: Any = app.error_handler_spec[None][None].get(HTTPException)
    if handler is None or handler.__module__ == __name__:  # that of an install before
        app.register_error_handler(HTTPException, http_handler(app, errors))
    own = vars(app)
    own["handle_exception"] = request_handler(app, errors)
    own["handle_websocket_exception"] = websocket_handler(app, errors)
    own["handle_background_exception"] = background_handler(app, errors)
    for name in ("startup", "shutdown"):
        replace(app, name, lambda function: reporting(function, app, errors))
    replace(app, "asgi_app", lambda run: Guard(ungrouped(run), errors, observer="quart"))
    return app


def replace(app: quart.Quart, name: str, make: Callable[[Any], Any]) -> None:
    """Put what a function makes in the place of what an app has, or had before we were there."""
    own, present = vars(app), getattr(app, name)
    ours, before = own.get(BEFORE + name, (None, None))
    inner = before if present is ours else present
    own[name] = made = make(inner)
    own[BEFORE + name] = made, inner


def ungrouped(app: Application) -> Application:
    """Return an application that raises what failed, not the group that Quart's tasks make."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        try:
            return await app(scope, receive, send)
        except ExceptionGroup as group:
            failure = cast("Exception", subject_of(group))
        try:
            raise failure  # here, where the group does not become its context
        finally:
            del failure

    return run


def http_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[[HTTPException], Any]:
    """Return an error handler for Quart's own errors; redirects are as they were."""

    async def answer_http_error(error: HTTPException) -> Any:
        if (own := app.error_handler_spec[None][None].get(Exception)) is not None:
            return await app.ensure_async(own)(error)  # the user's, who has one for all
        return error if is_response(error) else await answered(error, errors)

    return answer_http_error


def is_response(error: HTTPException) -> bool:
    """Say whether an error is a response that is raised: a redirect, or one handed to ``abort``."""
    return error.response is not None or own_status(error) is None


def request_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_exception``."""

    async def handle_exception(*arguments: Any) -> Any:
        *context, error = arguments
        if is_never_caught(error):
            raise error
        tell_teardown(context[0] if context else current_request_context(), error)
        response = await made_of(app, await answered(error, errors))
        if response.status_code >= SERVER_ERROR:
            await signal(app, got_request_exception, error)
        finalize: Any = app.finalize_request
        with reporting_later(error, errors):
            return await finalize(*context, response)
        return response

    return handle_exception


def current_request_context() -> Any:
    """Return the context of a request, of versions that have one beside the app's."""
    return unwrapped(quart.globals.request_ctx)


def tell_teardown(context: Any, error: Exception) -> None:
    """Hand the error to the teardown functions of a request, which will not see it otherwise."""
    pop = context.pop

    async def pop_after_failure(exc: BaseException | None) -> None:
        await pop(exc or error)

    vars(context)["pop"] = pop_after_failure


async def signal(app: quart.Quart, sender: Any, error: Exception) -> None:
    """Send a signal as Quart does."""
    if sender.receivers:
        await sender.send_async(app, _sync_wrapper=app.ensure_async, exception=error)


def websocket_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_websocket_exception``."""

    async def handle_websocket_exception(*arguments: Any) -> Any:
        *context, error = arguments
        if is_never_caught(error):
            raise error
        answer = await answered(error, errors)  # first: a client that leaves cancels what waits
        await signal(app, got_websocket_exception, error)
        response = await made_of(app, answer)
        finalize: Any = app.finalize_websocket
        with reporting_later(error, errors):
            return await finalize(*context, response)
        return response

    return handle_websocket_exception


async def made_of(app: quart.Quart, answer: Any) -> Any:
    """Return the response that Quart makes of what a view may return."""
    return answer if type(answer) is app.response_class else await app.make_response(answer)


@contextlib.contextmanager
def reporting_later(first: Exception, errors: ErrorHandler) -> Generator[None, None, None]:
    """Report the failure of a hook that was handed an answer; the answer is sent as it is."""
    try:
        yield
    except Exception as error:
        if is_never_caught(error):
            raise
        if not is_repeated(error, first):
            errors.report(error, current_context())


def background_handler(app: quart.Quart, errors: ErrorHandler) -> Callable[..., Any]:
    """Return what takes the place of ``app.handle_background_exception``."""

    async def handle_background_exception(*arguments: Any) -> None:
        error = arguments[-1]
        if not is_never_caught(error):
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
    source, proxy = ("route", quart.request) if is_request else ("websocket", quart.websocket)
    asked = unwrapped(proxy)
    view = quart.current_app.view_functions.get(asked.endpoint)
    return ErrorContext(source, asked, view, asked.headers.get("Accept"), asked.method)


def unwrapped(proxy: Any) -> Any:
    """Return what a proxy stands for: each attribute of a proxy takes as long as that."""
    return proxy._get_current_object()  # noqa: SLF001 - documented


def response_of(answer: Any) -> Any:
    """Return Quart's response; what a rule made is one already.

    The constructor is given headers and a body of its own kinds: it takes half of the time.
    """
    if not isinstance(answer, ErrorResponse):
        return answer
    headers = Headers()
    headers[:] = list(answer.headers.items())
    make: Any = quart.current_app.response_class
    return make(make.data_body_class(answer.body), answer.status, headers)


def as_next(errors: ErrorHandler) -> Next:
    """
    Return a `next` for single views: ``@catch_async(next=as_next(errors))``.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it reports an error, and returns a Quart response; an awaitable of it where the
        rule for that error is async. A redirect that was raised is raised again.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")

    def answer_next(error: object, *_values: object) -> Any:
        if isinstance(error, HTTPException) and is_response(error):
            raise error
        answer = errors(error, current_context())
        return response_later(answer) if is_awaitable(answer) else response_of(answer)

    return answer_next


async def response_later(answer: Any) -> Any:
    """Return Quart's response to an error whose rule is async."""
    return response_of(await answer)
