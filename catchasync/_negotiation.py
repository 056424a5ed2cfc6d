"""Which format a client is answered in: what it accepts (RFC 9110, section 12.5.1), or a default.

Nobody is refused: an ``Accept`` that matches nothing, or says nothing that can be understood, gets
the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, TypeAlias, get_args

Format: TypeAlias = Literal["problem", "jsonapi", "json", "html", "text"]
"""How an error is written."""

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
DEFAULT: Final[Format] = "problem"
ANY: Final = "*/*"

ACCEPT_LIMIT: Final = 8_190  # characters; Apache allows a header no more (LimitRequestFieldSize)
REMEMBERED: Final = 256  # headers; a browser sends one and the same with each request
REMEMBERED_LENGTH: Final = 256  # characters: what strangers send shall take little memory

# What is offered, the most wanted first. Plain JSON is not: it is for those who ask by name.
OFFERS: Final[tuple[tuple[Format, tuple[str, ...]], ...]] = (
    ("problem", ("application/problem+json", "application/json", "application/*+json")),
    ("html", ("text/html", "application/xhtml+xml")),
    ("text", ("text/plain",)),
    ("jsonapi", ("application/vnd.api+json",)),
)

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+")
_WEIGHT: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")  # RFC 9110, section 12.4.2


def checked_format(format: object, caller: str) -> Format | None:  # noqa: A002 - its public name
    """
    Return a format.

    Raises:
        ValueError: There is none of this name.
    """
    if format is None or (type(format) is str and format in FORMATS):
        return format
    names = ", ".join(repr(name) for name in FORMATS)
    msg = f"{caller} takes format={names} or None: got {format!r}."
    raise ValueError(msg)


def negotiate(accept: object) -> Format:
    """
    Return the format for a client.

    Args:
        accept: Its ``Accept`` header; ``None`` where it sent none.
    """
    if type(accept) is not str:
        return DEFAULT
    if len(accept) <= REMEMBERED_LENGTH:
        return _negotiate_remembered(accept)
    return _negotiate(accept[:ACCEPT_LIMIT])


def _negotiate(accept: str) -> Format:
    """Choose by weight, then by how exactly it was named, then by whom the client named first."""
    ranges = list(_ranges(accept))
    chosen, best = DEFAULT, (0.0, -1, 0)
    for name, media_types in OFFERS:
        rank = _rank(media_types, ranges)
        if rank > best and rank[0] > 0:
            chosen, best = name, rank
    return chosen


_negotiate_remembered = lru_cache(maxsize=REMEMBERED)(_negotiate)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Give each media range with its weight; what is malformed is as if it were not there."""
    for part in _QUOTED.sub("", accept.lower()).split(","):
        media_range, *parameters = (piece.strip(" \t") for piece in part.split(";"))
        weight = _weight(parameters)
        if weight is not None and _RANGE.fullmatch(media_range):
            yield media_range, weight


def _weight(parameters: list[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            return float(value) if _WEIGHT.fullmatch(value) else None
    return 1.0


def _rank(media_types: tuple[str, ...], ranges: list[tuple[str, float]]) -> tuple[float, int, int]:
    """Return the weight of the range that names an offer most exactly, how exactly, and where."""
    best = (0.0, -1, 0)
    for place, (media_range, weight) in enumerate(ranges):
        exactness = _exactness(media_range, media_types)
        if (exactness, weight) > (best[1], best[0]) and exactness >= 0:
            best = (weight, exactness, -place)
    return best


def _exactness(media_range: str, media_types: tuple[str, ...]) -> int:
    """Say how exactly a range names one of these types: 3 itself, 0 by ``*/*``, -1 not at all."""
    if media_range in media_types:
        return 3
    if media_range == ANY:
        return 0
    family, _, name = media_range.partition("/")
    if name == "*":
        return 1 if media_types[0].startswith(f"{family}/") else -1  # what will be sent
    is_json = "application/*+json" in media_types and media_range.endswith("+json")
    return 2 if is_json else -1
