"""aiohttp's requests: how far each has come, where it failed, and its body, watched to its end."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from aiohttp import hdrs, payload, web
from aiohttp.abc import AbstractStreamWriter

from catchasync._context import ErrorContext
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler

GONE: Final = (OSError, web.RequestPayloadError)
"""What is raised where a client has gone away, and elsewhere too."""


def has_begun(request: web.Request) -> bool:
    """Say whether the response to a request has begun, if only in a buffer."""
    writer: Any = request.writer
    return bool(writer.output_size or getattr(writer, "_headers_buf", None))


def is_gone(request: web.Request | None, error: BaseException) -> bool:
    """Say whether an error only says that the client has gone away."""
    if request is None or not isinstance(error, GONE):
        return False
    return request.transport is None or request.transport.is_closing()


def break_off(errors: ErrorHandler, error: BaseException, request: web.Request) -> None:
    """Report a failure in the middle of a response, and see that the client learns of it.

    aiohttp would write a second response into the first where it has not sent a byte yet, or where
    the error is one of its own.
    """
    if is_gone(request, error) or is_never_caught(error):
        return
    errors.report(error, context_of(request))
    transport = request.transport
    if transport is not None:  # pragma: no branch -- the client may go in this very moment
        transport.close()


def context_of(request: web.Request | None) -> ErrorContext:
    """Return where a failure happened."""
    if request is None:
        return ErrorContext("route")
    headers = request.headers
    accept = ", ".join(headers.getall(hdrs.ACCEPT, ())) or None
    is_upgrade = hdrs.UPGRADE in headers and headers[hdrs.UPGRADE].lower() == "websocket"
    source = "websocket" if is_upgrade else "route"
    return ErrorContext(source, request, handler_of(request), accept, request.method)


def handler_of(request: web.Request) -> Any:
    """Return the handler of a request's route; none where it could not be matched."""
    return getattr(getattr(request, "_match_info", None), "handler", None)


def watch(errors: ErrorHandler, request: web.Request, response: web.StreamResponse) -> None:
    """Watch the body that a response will be made of, where something may fail in making it."""
    body = response.body if isinstance(response, web.Response) else None
    if isinstance(body, payload.Payload) and not isinstance(body, payload.BytesPayload):
        response.body = WatchedBody(body, errors, request)  # type: ignore[attr-defined]


class WatchedBody(payload.Payload):
    """A body whose failures are reported, and go on to aiohttp, which breaks the connection off."""

    def __init__(self, body: payload.Payload, errors: ErrorHandler, request: web.Request) -> None:
        super().__init__(body, headers=body.headers)
        self._body = body
        self._errors = errors
        self._request = request

    @property
    def size(self) -> int | None:
        return self._body.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._body.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self._watch(self._body.write(writer))

    async def close(self) -> None:
        await self._body.close()

    async def _watch(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except Exception as error:
            break_off(self._errors, error, self._request)
            raise
