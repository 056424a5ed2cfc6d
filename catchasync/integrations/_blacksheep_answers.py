"""BlackSheep's requests and responses: where something failed, and what it is answered with."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Any, Final

from blacksheep import Application, Content, Request, Response, StreamedContent

from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse

FALLBACKS: Final = Application.__module__
"""The module of the handler that answers where there is no route."""


OWN: Final = {"content-type", "content-length"}
"""The headers that BlackSheep itself makes of a response's content."""


def inmost(handler: Any) -> Any:
    """Return the handler that was registered, inside of whatever BlackSheep has made of it."""
    while (inner := getattr(handler, "root_fn", None)) is not None:
        handler = inner
    return handler


def context_of(app: Any, request: Request | None) -> ErrorContext:
    """Return where something failed; where the app is not known, nor is the handler."""
    if request is None:
        return ErrorContext("route")
    accept = b", ".join(request.headers.get(b"accept")).decode("latin-1")
    handler = None if app is None else handler_of(app, request)
    return ErrorContext("route", request, handler, accept or None, request.method)


def handler_of(app: Any, request: Request) -> Any:
    """Return the handler of a request's route; none where there is no such route."""
    try:
        match = app.router.get_match(request)
    except Exception:  # noqa: BLE001 - filters of the application's own, asked a second time
        return None
    handler = inmost(match and match.handler)
    return None if getattr(handler, "__module__", None) == FALLBACKS else handler


def response_of(answer: Any, request: Request | None) -> Any:
    """Return BlackSheep's response; what a rule made is one already."""
    if not isinstance(answer, ErrorResponse):
        return answer
    headers = [encoded(*pair) for pair in answer.headers.items() if pair[0] not in OWN]
    kind = answer.headers["content-type"].encode("latin-1")
    if request is not None and request.method == "HEAD":
        length = int(answer.headers["content-length"])
        return Response(answer.status, headers, StreamedContent(kind, nothing, length))
    return Response(answer.status, headers, Content(kind, answer.body))


@functools.lru_cache(maxsize=256)  # most answers have the same
def encoded(name: str, value: str) -> tuple[bytes, bytes]:
    """Return a header as BlackSheep takes it."""
    return name.encode("latin-1"), value.encode("latin-1")


async def nothing() -> AsyncIterator[bytes]:
    """Send the body of an answer to HEAD, whose declared length is that of GET's."""
    yield b""


async def response_later(answer: Any, request: Request | None) -> Any:
    """Return BlackSheep's response to an error whose rule is async."""
    return response_of(await answer, request)
