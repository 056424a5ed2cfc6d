"""Litestar's responses: what an error is answered with."""

from __future__ import annotations

from typing import Any, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.response import Response

from catchasync._context import ErrorContext
from catchasync._error_response import Scope
from catchasync._handler import ErrorHandler
from catchasync._statuses import status_of
from catchasync.integrations._asgi import (
    Answer,
    Application,
    adding,
)


def connection_of(scope: Scope) -> ASGIConnection[Any, Any, Any, Any]:
    """Return Litestar's object of a request."""
    kind = Request if scope["type"] == "http" else ASGIConnection
    return kind(cast("Any", scope))


def app_of(answer: Any) -> Any:
    """Return an application that sends what a rule returned."""
    if not isinstance(answer, Response):
        return answer

    async def send_response(scope: Any, receive: Any, send: Any) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        application = answer.to_asgi_response(app=None, request=request)
        await application(scope, receive, send)

    return send_response


class ErrorAnswer(Response[None]):
    """
    The answer to an error, made when it is known who asked.

    Args:
        error: What failed.
        errors: Reports and answers it.
    """

    def __init__(self, error: object, errors: ErrorHandler) -> None:
        self._error = error
        self._errors = errors
        self._is_sent = False
        self.headers: Any = {}  # by whoever has it in hand
        self.cookies: Any = []
        self.background: Any = None

    def __del__(self) -> None:
        """Report an error whose answer was dropped, as that of a websocket is."""
        if not self._is_sent:
            self._errors.report(self._error, ErrorContext("route"))

    def __getattr__(self, name: str) -> Any:
        """Make the rest, which few ask for, as Litestar does."""
        if name not in Response.__slots__:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg, name=name, obj=self)
        given = self.headers, self.cookies, self.background
        super().__init__(None, status_code=status_of(self._error))
        self.headers, self.cookies, self.background = given
        return getattr(self, name)

    def to_asgi_response(
        self,
        app: Any,  # noqa: ARG002 - Litestar's signature
        request: Any,
        **_options: Any,
    ) -> Any:
        """Return the application that reports the error, and answers."""
        self._is_sent = True
        answer = Answer(self._error, self._errors, lambda _scope: request, app_of)
        return (
            self._adding_to(answer) if self.headers or self.cookies or self.background else answer
        )

    def _adding_to(self, answer: Answer) -> Application:
        named = [(name.lower(), str(value)) for name, value in self.headers.items()]
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
        headers += [each.to_encoded_header() for each in self.cookies]

        async def send_all(scope: Any, receive: Any, send: Any) -> None:
            await answer(scope, receive, adding(headers, send))
            task: Any = self.background
            if task is not None:
                await task()

        return send_all
