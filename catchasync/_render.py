"""An error becomes a response: a status, headers, a body.

It is total: nothing that an error holds makes it fail. What may be told is decided in `_facts`, in
which format in `_negotiation`; here it is written.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from catchasync._context import ErrorContext
from catchasync._debug_page import debug_page
from catchasync._error_response import ErrorResponse
from catchasync._facts import Facts, facts_of
from catchasync._failures import as_error
from catchasync._negotiation import ANY, Format, checked_format, negotiate
from catchasync._pages import POLICY, error_page
from catchasync._plain import guarded
from catchasync._request_view import rows_of
from catchasync._statuses import SERVER_ERROR, checked_status, phrase_of
from catchasync._traces import text_of_trace, trace_of

logger = logging.getLogger("catchasync")

CONTENT_TYPES: Final[dict[Format, str]] = {
    "problem": "application/problem+json",
    "jsonapi": "application/vnd.api+json",  # JSON:API forbids it a charset
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}

STRICT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"

LAST_RESORT: Final = phrase_of(SERVER_ERROR).encode()

_quote: Final = json.encoder.encode_basestring
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode


def render_error(  # noqa: PLR0913 - all but the first by name
    error: object,
    *,
    accept: str | None = ANY,
    method: str | None = "GET",
    debug: bool = False,
    format: Format | None = None,  # noqa: A002 - what it is
    request: object = None,
    status: int | None = None,
) -> ErrorResponse:
    """
    Make the response to an error.

    Args:
        error: Any error; it is not trusted, and nothing that it holds makes this fail.
        accept: The client's ``Accept`` header, by which the format is chosen.
        method: The method of the request: for HEAD the body is empty, the headers are GET's.
        debug: Whether to show the stack. Never for strangers.
        format: The format, whatever the client accepts.
        request: What the debug page shows of the request: a request of any framework, an ASGI
            scope or a WSGI environ.
        status: What it is answered with, 400 to 599, whatever the error says itself; the message
            is shown no sooner for that.

    Raises:
        ValueError: There is no such format, or no such status.
        TypeError: The status is no ``int``.
    """
    answered = None if status is None else checked_status(status, "render_error(status=)")
    wanted = None if format is None else checked_format(format, "render_error()")
    try:
        failure = as_error(error)
        view = ErrorContext(None, request, None, accept, method)
        return response_to(failure, facts_of(failure, answered), view, wanted, debug=debug)
    except Exception as defect:  # noqa: BLE001 - of ours, or there is no room for another call
        return _last_resort(error, defect, method)


def response_to(
    error: BaseException, facts: Facts, view: ErrorContext, wanted: Format | None, *, debug: bool
) -> ErrorResponse:
    """
    Write the response to an error.

    Args:
        error: It, for its traceback.
        facts: What may be told of it.
        view: What the client accepts, the method, the request.
        wanted: The format, whatever the client accepts.
        debug: Whether to show the stack.
    """
    chosen = wanted or negotiate(view.accept)
    body = _written(chosen, facts, error, view.request) if debug else _WRITERS[chosen](facts)
    headers = _headers(facts, chosen, len(body), negotiated=wanted is None)
    return ErrorResponse(facts.status, headers, b"" if _is_head(view.method) else body)


def _is_head(method: object) -> bool:
    if method == "GET":  # as nearly all are
        return False
    return method == "HEAD" or (type(method) is str and method.upper() == "HEAD")


def _headers(facts: Facts, chosen: Format, length: int, *, negotiated: bool) -> dict[str, str]:
    headers = {**_ALWAYS[chosen, negotiated], "content-length": str(length)}
    if facts.headers:
        headers = {**facts.headers, **headers}
        if negotiated and (vary := facts.headers.get("vary")):
            headers["vary"] = f"{vary}, Accept"
    return headers


def _always(chosen: Format) -> dict[str, str]:
    return {
        "content-type": CONTENT_TYPES[chosen],
        "x-content-type-options": "nosniff",
        "content-security-policy": POLICY if chosen == "html" else STRICT_POLICY,
    }


# What was chosen by `Accept` must say so, for caches (RFC 9110, section 12.5.5).
_ALWAYS: Final[dict[tuple[Format, bool], dict[str, str]]] = {
    **{(chosen, False): _always(chosen) for chosen in CONTENT_TYPES},
    **{(chosen, True): {**_always(chosen), "vary": "Accept"} for chosen in CONTENT_TYPES},
}


def _last_resort(error: object, defect: Exception, method: object) -> ErrorResponse:
    """Answer with a plain 500, made of what cannot fail; and say what has."""
    guarded(_report, error, defect, default=None)
    headers = {**_ALWAYS["text", False], "content-length": str(len(LAST_RESORT))}
    return ErrorResponse(SERVER_ERROR, headers, b"" if _is_head(method) else LAST_RESORT)


def _report(error: object, defect: BaseException) -> None:
    logger.error("an error could not be rendered: %s", type(error).__name__, exc_info=defect)


def _written(chosen: Format, facts: Facts, error: BaseException, request: object) -> bytes:
    """Write an error for whoever wrote the program."""
    trace = trace_of(error)
    if chosen == "html":
        return debug_page(facts, trace, rows_of(request)).encode()
    return _WRITERS[chosen](facts, text_of_trace(trace))


def _write_problem(facts: Facts, stack: str | None = None) -> bytes:
    """Write problem details (RFC 9457); members beyond the RFC's are extensions (section 3.2)."""
    opening = _opening(facts.status)
    return f"{opening}{_quote(facts.detail)}{_members(facts, stack)}}}".encode()


@lru_cache
def _opening(status: int) -> str:
    head = {"type": "about:blank", "title": phrase_of(status), "status": status}
    return f'{_encode(head)[:-1]},"detail":'


def _write_json(facts: Facts, stack: str | None = None) -> bytes:
    opening = f'{{"error":{{"message":{_quote(facts.detail)},"status":{facts.status}'
    return f"{opening}{_members(facts, stack)}}}}}".encode()


def _members(facts: Facts, stack: str | None) -> str:
    """Return the members that an error may have besides: ``,"code":"user_not_found"``."""
    members = ""
    if facts.code is not None:
        code = facts.code
        members = f',"code":{_quote(code) if isinstance(code, str) else code}'
    if facts.details is not None:
        members += f',"details":{_encode(facts.details)}'
    return members if stack is None else f'{members},"stack":{_quote(stack)}'


def _write_jsonapi(facts: Facts, stack: str | None = None) -> bytes:
    """Write an error object (JSON:API 1.1, "Error Objects"): status and code are strings there."""
    error: dict[str, Any] = {"status": str(facts.status), "title": facts.title}
    if facts.code is not None:
        error["code"] = str(facts.code)
    error["detail"] = facts.detail
    meta = {"details": facts.details, "stack": stack}
    if meta := {name: value for name, value in meta.items() if value is not None}:
        error["meta"] = meta
    return _encode({"errors": [error]}).encode()


def _write_html(facts: Facts, _stack: str | None = None) -> bytes:
    return error_page(facts).encode()


def _write_text(facts: Facts, stack: str | None = None) -> bytes:
    parts = [f"{facts.status} {facts.title}"]
    if facts.detail != facts.title:
        parts.append(facts.detail)
    if facts.code is not None:
        parts.append(f"code: {facts.code}")
    if facts.details is not None:
        parts.append(f"details: {_encode(facts.details)}")
    parts += [stack] if stack else []
    return ("\n\n".join(parts) + "\n").encode()


_WRITERS: Final[dict[Format, Callable[..., bytes]]] = {
    "problem": _write_problem,
    "jsonapi": _write_jsonapi,
    "json": _write_json,
    "html": _write_html,
    "text": _write_text,
}
