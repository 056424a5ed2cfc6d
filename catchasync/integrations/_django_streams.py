"""Django's streams, watched to their end."""

from __future__ import annotations

import functools
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final

from django.core.handlers.wsgi import WSGIRequest

from catchasync._context import ErrorContext
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler

WATCHED: Final = "_catchasync_watched"


def watch(errors: ErrorHandler, request: Any, response: Any) -> None:
    """Watch the body of a response that is a stream."""
    setattr(response, WATCHED, True)
    tell = functools.partial(report, errors, context_of(request))
    file = getattr(response, "file_to_stream", None)  # what servers send by themselves
    parts = response.streaming_content
    if response.is_async:
        response.streaming_content = watched_async(parts, tell)
    elif file is None and isinstance(request, WSGIRequest) and request.method != "HEAD":
        response.streaming_content = watched(begun(parts), tell)
    else:
        response.streaming_content = watched(parts, tell)
    if file is not None:
        response.file_to_stream = file


def report(errors: ErrorHandler, context: ErrorContext, error: Exception) -> None:
    """Report a failure in the middle of a response."""
    if not is_never_caught(error):
        errors.report(error, context)


def begun(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Ask for the first part, before anything is sent: what fails in that can be answered.

    A server of WSGI does not send the head before it has that part (PEP 3333).
    """
    return itertools.chain(list(itertools.islice(parts, 1)), parts)


def watched(parts: Iterable[bytes], tell: Callable[[Exception], Any]) -> Iterator[bytes]:
    """Yield a body; report its failure, and let it break the connection off."""
    try:
        yield from parts
    except Exception as error:
        tell(error)
        raise


async def watched_async(
    parts: AsyncIterator[bytes], tell: Callable[[Exception], Any]
) -> AsyncIterator[bytes]:
    """Same, of async parts."""
    try:
        async for part in parts:
            yield part
    except Exception as error:
        tell(error)
        raise


def context_of(request: Any) -> ErrorContext:
    """Return where something failed."""
    if request is None:
        return ErrorContext("route")
    match = getattr(request, "resolver_match", None)
    handler = getattr(match, "func", None)
    accept = request.META.get("HTTP_ACCEPT")
    return ErrorContext("route", request, handler, accept, request.method)
