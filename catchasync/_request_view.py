"""What a debug page shows of a request, of whichever framework, its secrets masked.

The body is never read: it may be a stream, and it may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from catchasync._masking import MASK, is_secret, mask
from catchasync._plain import clean, guarded, pairs_of, text_of
from catchasync._statuses import attribute

HEADER_LIMIT: Final = 100  # as many as Apache takes
VALUE_LIMIT: Final = 2_000  # characters

URLS: Final = ("url", "uri", "path")
"""The attributes that frameworks have for it, the most telling first."""


def rows_of(request: object) -> list[tuple[str, str]]:
    """Return names and values of what came: method, URL, headers.

    Args:
        request: A request of any framework, an ASGI scope or a WSGI environ; it is not trusted.
    """
    if request is None:
        return []
    rows = guarded(lambda: list(_rows(request)), default=[])
    return [(clean(name, VALUE_LIMIT), _shown(name, value)) for name, value in rows]


def _shown(name: str, value: str) -> str:
    return MASK if is_secret(name) else mask(value)


def _rows(request: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(request, Mapping) or attribute(request, "method") is not None:
        yield from _rows_of_object(request)  # aiohttp's is a mapping as well
    elif "REQUEST_METHOD" in request:
        yield from _rows_of_environ(request)
    else:
        yield from _rows_of_scope(request)


def _rows_of_object(request: Any) -> Iterator[tuple[str, str]]:
    yield "method", _text(attribute(request, "method"))
    urls = (attribute(request, name) for name in URLS)
    yield "url", next((_text(url) for url in urls if url is not None and not callable(url)), "")
    yield from _headers(attribute(request, "headers"))


def _rows_of_scope(scope: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "method", _text(scope.get("method", scope.get("type")))
    yield "url", _url(scope.get("path"), scope.get("query_string"))
    yield from _headers(scope.get("headers"))


def _rows_of_environ(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "method", _text(environ["REQUEST_METHOD"])
    yield "url", _url(environ.get("PATH_INFO"), environ.get("QUERY_STRING"))
    for name, value in pairs_of(environ, 10 * HEADER_LIMIT):
        if isinstance(name, str) and name.startswith(("HTTP_", "CONTENT_")):
            yield name.removeprefix("HTTP_").replace("_", "-").lower(), _text(value)


def _url(path: object, query: object) -> str:
    return f"{_text(path)}?{_text(query)}" if query else _text(path)


def _headers(headers: object) -> Iterator[tuple[str, str]]:
    for name, value in pairs_of(headers, HEADER_LIMIT):
        yield _text(name), _text(value)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return clean(value.decode("latin-1"), VALUE_LIMIT)
    return "" if value is None else text_of(value, VALUE_LIMIT)
