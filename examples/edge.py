"""Where a Starlette application meets its one `ErrorHandler`.

`Edge` is the outermost middleware: what no route has handled ends here. `answering` is the `next`
of single routes and tasks. Both name the level at which a failure was caught.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catchasync import ErrorContext, ErrorHandler, catch_async

current: ContextVar[Request | None] = ContextVar("current", default=None)
"""The request that this task answers: a `next` is handed the error alone."""


def context(source: str, *, handler: object = None) -> ErrorContext:
    """Say where a failure was caught, and for which request.

    Args:
        source: The level: "route", "edge", "task".
        handler: What failed.
    """
    request = current.get()
    if request is None:
        return ErrorContext(source, handler=handler)
    accept = request.headers.get("accept")
    return ErrorContext(source, request, handler, accept, request.method)


def answering(errors: ErrorHandler, source: str) -> Callable[[BaseException], Any]:
    """Return the `next` that reports an error, and answers it as the client can read it."""

    def answer(error: BaseException) -> Any:
        return errors(error, context(source))

    return answer


async def settled(answer: Any) -> Any:
    """Return an answer, awaited where its rule is async."""
    return await answer if inspect.isawaitable(answer) else answer


class Reply:
    """An answer on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.headers_sent = False

    async def send(self, message: Message) -> None:
        """Send a part of it."""
        await self._send(message)
        self.headers_sent = True


class Edge:
    """
    ASGI middleware around a whole application.

    A failure is answered by ``errors``. Where the answer had begun, it is reported and raised
    again: the server breaks the connection off, and no truncated answer looks whole.

    Args:
        app: The application.
        errors: The one place where errors are handled.
    """

    def __init__(self, app: ASGIApp, errors: ErrorHandler) -> None:
        self._app = app
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = current.set(Request(scope))
        try:
            await self._answer(scope, receive, send)
        finally:
            current.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        broken: list[BaseException] = []

        async def fail(error: BaseException) -> None:
            response = await settled(self._errors(error, context("edge")))
            await response(scope, receive, send)

        @catch_async(next=fail, track_response=True, late=broken.append)
        async def run(res: Reply) -> None:
            await self._app(scope, receive, res.send)

        await run(Reply(send))
        if broken:
            self._errors.report(broken[0], context("edge"))
            raise broken.pop()


def answers_http_exceptions(errors: ErrorHandler) -> dict[Any, Any]:
    """Return the ``exception_handlers=`` that let ``errors`` answer Starlette's own errors too."""
    errors.on(HTTPException)  # expected: an unknown path is no bug

    async def answer(_request: Request, error: Exception) -> Response:
        response: Response = await settled(errors(error, context("edge")))
        return response

    return {HTTPException: answer}
