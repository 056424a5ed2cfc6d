"""The headers that an error brings along: which of them may go out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from catchasync._plain import pairs_of

COUNT_LIMIT: Final = 100  # fields; Apache's LimitRequestFields
LENGTH_LIMIT: Final = 8_190  # characters of one; Apache's LimitRequestFieldSize, and clients' too
NAME_LIMIT: Final = 256  # characters of a name; what is remembered must be short

OURS: Final = {
    "content-encoding",
    "content-length",
    "content-range",
    "content-security-policy",
    "content-type",
    "transfer-encoding",
    "x-content-type-options",
}
"""They say how the body is to be taken, which an error does not know."""

# Fields whose lines cannot be joined by commas (RFC 9110, section 5.3): of several, the first goes.
ALONE: Final = {"location", "retry-after", "set-cookie"}

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token: RFC 9110, section 5.6.2
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # section 5.5, obs-text too: it is latin-1


def legal_headers(raw: object) -> tuple[dict[str, str], list[str]]:
    """
    Return the headers of an error that may go out, and the names of those that may not.

    Args:
        raw: A mapping, or pairs; it is not trusted.
    """
    legal: dict[str, str] = {}
    dropped: list[str] = []
    for raw_name, raw_value in pairs_of(raw, COUNT_LIMIT):
        name, value = _name_of(raw_name), _value_of(raw_value)
        if name in OURS:
            continue
        if name in legal and value is not None:
            value = _joined(name, legal[name], value)
        if name is None or value is None:
            dropped.append(name or "a name that is none")
        else:
            legal[name] = value
    return legal, dropped


def _joined(name: str, first: str, second: str) -> str | None:
    """Join two lines of a field; an empty one adds nothing."""
    if name in ALONE:
        return None
    value = f"{first}, {second}" if first and second else first or second
    return value if len(value) <= LENGTH_LIMIT else None


def _name_of(raw: object) -> str | None:
    name = None if type(raw) is int else _text(raw)
    return None if name is None or len(name) > NAME_LIMIT else _legal_name(name)


@lru_cache(maxsize=256)  # a program has few
def _legal_name(name: str) -> str | None:
    return name.lower() if _NAME.fullmatch(name) else None


def _value_of(raw: object) -> str | None:
    value = _text(raw)
    if value is None or len(value) > LENGTH_LIMIT:
        return None
    if not (value.isascii() and value.isprintable()) and not _VALUE.fullmatch(value):
        return None
    return value.strip(" \t")


def _text(raw: Any) -> str | None:
    """Return a text, a number, or bytes off the wire, as a plain text."""
    kind = type(raw)
    if issubclass(kind, str):
        return str.__str__(raw)
    if issubclass(kind, bytes):
        return bytes.decode(raw, "latin-1")
    return str(raw) if kind is int and _is_short(raw) else None


def _is_short(number: int) -> bool:
    return int.bit_length(number) < 64  # noqa: PLR2004 - seconds, bytes
