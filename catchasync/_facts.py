"""What of an error may leave the process: read once, without trusting it, and plain from then on.

Everything that decides what strangers may see must live here, and in `_headers` for the headers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from catchasync._failures import is_ordinary
from catchasync._headers import legal_headers
from catchasync._plain import clean, guarded, jsonable, text_of
from catchasync._statuses import (
    SERVER_ERROR,
    attribute,
    is_of_client,
    known_of,
    own_status,
    phrase_of,
    subject_of,
)
from catchasync._written import written_in
from catchasync.errors import HttpError

logger = logging.getLogger("catchasync")

CODE_LIMIT: Final = 256  # characters
MESSAGES: Final = ("message", "detail", "description")  # as frameworks set them

SAID: Final = ("status", "operational", "expose", "message", "code", "details", "headers")
"""What an `HttpError` says of itself."""

NO_HEADERS: Final[Mapping[str, str]] = {}


class Facts(NamedTuple):
    """
    What may leave the process.

    Args:
        status: 400 to 599.
        title: The phrase of the status.
        detail: The message, or again the phrase.
        code: What clients tell the error by.
        details: What JSON can hold.
        headers: Legal ones, by lower-case name.
    """

    status: int
    title: str
    detail: str
    code: str | int | None = None
    details: Any = None
    headers: Mapping[str, str] = NO_HEADERS


def is_plain(kind: type) -> bool:
    """Say whether it is a class of `HttpError`s which are read without running code of theirs."""
    if type(kind) is not type or not issubclass(kind, HttpError) or not is_ordinary(kind):
        return False
    values = (vars(base).get(name) for base in kind.__mro__ for name in SAID)
    return not any(hasattr(type(value), "__get__") for value in values)


def plain_facts(error: HttpError) -> Facts | None:
    """Return the facts about an error of a plain class, if it is an expected one and holds no more.

    They are those of `facts_of`. ``None``: there is more to it than a message and a code.
    """
    status, message, code, headers = error.status, error.message, error.code, error.headers
    is_all = (
        type(status) is int
        and 400 <= status < SERVER_ERROR  # noqa: PLR2004 - RFC 9110, section 15.5
        and type(message) is str
        and (code is None or type(code) is str)
        and error.details is None
        and type(headers) is dict
        and not headers
        and error.expose is True
        and error.operational is True
    )
    if not is_all:
        return None
    title = phrase_of(status)
    shown = clean(code, CODE_LIMIT) or None if type(code) is str else None
    parts = (status, title, clean(message) or title, shown, None, NO_HEADERS)
    return tuple.__new__(Facts, parts)  # what `Facts(*parts)` does, in half the time


def facts_of(error: object, status: int | None = None) -> Facts:
    """Return what may be told of an error; of a group that holds one error alone, of that one.

    Args:
        error: Any error; it is not trusted.
        status: What it is answered with, whatever it says itself.
    """
    subject = subject_of(error)
    return facts_about(subject, own_status(subject), status)


def facts_about(subject: object, own: int | None, status: int | None) -> Facts:
    """Same, of what is meant by an error, with the status that it has itself."""
    is_foreign = own is None and is_of_client(subject)
    status = status or own
    title = phrase_of(status or SERVER_ERROR)
    if is_foreign:
        return Facts(status or SERVER_ERROR, title, title)
    message, details = _shown_of(subject, own, status)
    parts = (
        status or SERVER_ERROR,
        title,
        message or title,
        _code_of(subject, status),
        None if details is None else jsonable(details),
        NO_HEADERS if status is None else _headers_of(subject),
    )
    return tuple.__new__(Facts, parts)  # as above


def _shown_of(error: object, own: int | None, status: int | None) -> tuple[str, Any]:
    """Return the message and the details that strangers may read."""
    expose = attribute(error, "expose")
    if expose is True:
        return _message_of(error), attribute(error, "details")
    if expose is None and max(own or SERVER_ERROR, status or SERVER_ERROR) < SERVER_ERROR:
        return written_in(error, own or SERVER_ERROR)
    return "", None


def _message_of(error: object) -> str:
    for name in MESSAGES:
        message = attribute(error, name)
        if issubclass(type(message), str):
            return clean(message)
    return text_of(error)


def _code_of(error: object, status: int | None) -> str | int | None:
    """Return a code, unless it is the status again, as werkzeug's is."""
    code = attribute(error, "code")
    if code is None:
        return None
    if issubclass(type(code), str):
        return clean(code, CODE_LIMIT) or None
    if not issubclass(type(code), int) or type(code) is bool:
        return None
    number = jsonable(code)
    if type(number) is not int or (number == status and not known_of(error).is_ours):
        return None
    return number


def _headers_of(error: object) -> Mapping[str, str]:
    raw = attribute(error, "headers")
    if raw is None and known_of(error).is_werkzeug:
        raw = guarded(_werkzeug_headers, error, default=None)
    if type(raw) is dict and not raw:
        return NO_HEADERS
    headers, dropped = legal_headers(raw)
    if dropped:
        guarded(_report, error, dropped, default=None)
    return headers


def _werkzeug_headers(error: Any) -> Any:
    """Ask for ``Allow``, ``WWW-Authenticate``, ``Retry-After``: there they are no attribute."""
    return error.get_headers()


def _report(error: object, dropped: list[str]) -> None:
    names, kind = ", ".join(sorted(set(dropped))), text_of(type(error).__name__)
    logger.warning(
        "headers of a %s were dropped, as they are not legal by RFC 9110: %s", kind, names
    )
