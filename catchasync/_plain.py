"""What is not trusted, made plain: text that can be encoded, values that JSON can hold.

Nothing here raises, whatever the object does, but ``KeyboardInterrupt`` and ``SystemExit``, which
come from outside. Subclasses of the built-in types are read past their own methods. What is huge
is cut, what has no end is broken off.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

TEXT_LIMIT: Final = 10_000  # characters of one text; Apache's whole response head has 8190
WHOLE_LIMIT: Final = 100_000  # characters of a value, all its texts together
DEPTH_LIMIT: Final = 32  # values inside values; nobody reads deeper, and C's stack has an end
SHORT: Final = 256  # characters; most texts are, and are taken as they stand
SAFE: Final = 2**53  # JavaScript's numbers are exact up to here
INT_BITS: Final = 1_024  # Python itself refuses to write an int of more than 4300 digits

CUT: Final = "..."
UNREADABLE: Final = "<unreadable>"

# Control characters but tab and line feed, surrogates, non-characters: HTML allows none of them.
_UNFIT: Final = re.compile("[\0-\b\v-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ADDRESS: Final = re.compile(" at 0x[0-9a-fA-F]{1,16}")

T = TypeVar("T")
D = TypeVar("D")


def guarded(function: Callable[..., T], *args: Any, default: D) -> T | D:
    """Return what a function returns, or the default where it fails."""
    try:
        return function(*args)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - the function runs code that is not trusted
        return default


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text without what cannot be encoded or shown, and not longer than the limit."""
    if type(text) is not str:
        text = str.__str__(text)  # past whatever a subclass says
    if len(text) > limit:
        text = text[: limit - len(CUT)] + CUT
    if text.isascii() and text.isprintable():
        return text
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n"))


def text_of(thing: object, limit: int = TEXT_LIMIT) -> str:
    """Return the text of an object, without addresses in memory."""
    if issubclass(type(thing), str):
        return clean(thing, limit)  # type: ignore[arg-type]
    text = guarded(str, thing, default=UNREADABLE)
    return _ADDRESS.sub("", clean(text, limit))


def jsonable(value: object) -> Any:
    """Return a value as one that JSON can hold: made of dict, list, str, int, float, bool, None."""
    return _Reader().read(value, 0)


class _Reader:
    """Reads one value, and knows how much more of it will be read."""

    def __init__(self) -> None:
        self._left = WHOLE_LIMIT

    def read(self, value: Any, depth: int) -> Any:
        self._left -= 1
        kind = type(value)
        if kind is str and _is_short(value):
            self._left -= len(value)
            return value
        if value is None or kind is bool or (kind is int and -SAFE < value < SAFE):
            return value
        if depth > DEPTH_LIMIT or self._left < 0:
            return CUT
        return guarded(self._read, value, depth, default=UNREADABLE)

    def _read(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if issubclass(kind, str):
            return self._text(value)
        if issubclass(kind, (int, float)):  # a tuple is looked through faster than a union
            return _number(value)
        if (items := _items(value)) is not None:
            return [self.read(item, depth + 1) for item in self._some(items)]
        if (pairs := _pairs(value)) is not None:
            return {self._key(key): self.read(item, depth + 1) for key, item in self._some(pairs)}
        return self._read_other(value, depth)

    def _read_other(self, value: Any, depth: int) -> Any:
        if isinstance(value, enum.Enum):
            return self.read(value.value, depth + 1)
        if isinstance(value, bytes | bytearray):
            return self._text(bytes(value[:TEXT_LIMIT]).decode("utf-8", "replace"))
        if hasattr(value, "isoformat"):
            return self._text(value.isoformat())
        return self._text(value)

    def _text(self, value: object) -> str:
        text = text_of(value)
        self._left -= len(text)
        return text

    def _key(self, key: object) -> str:
        if type(key) is str and _is_short(key):
            self._left -= len(key)
            return key
        return self._text(key)

    def _some(self, items: Iterable[T]) -> Iterator[T]:
        """Give the items for which there is room: there may be no end to them."""
        for item in items:
            if self._left < 0:
                break
            yield item


def _is_short(text: str) -> bool:
    return len(text) < SHORT and text.isascii() and text.isprintable()


def _number(value: int | float) -> int | float | str | None:  # noqa: PYI041 - they are read apart
    if isinstance(value, int):
        number = int.__int__(value)
        return number if number.bit_length() <= INT_BITS else CUT
    real = float.__float__(value)
    return real if math.isfinite(real) else None  # as JavaScript writes it


def _pairs(value: Any) -> Iterable[tuple[object, object]] | None:
    """Return keys and values, of what has them."""
    if issubclass(type(value), dict):
        return dict.items(value)
    if isinstance(value, Mapping):
        return value.items()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return None


def _items(value: Any) -> Iterable[object] | None:
    """Return the items of a sequence or set."""
    if type(value) is list:
        return value
    for kind in (list, tuple, set, frozenset):
        if issubclass(type(value), kind):
            return kind.__iter__(value)
    return None


def pairs_of(value: object, limit: int) -> list[tuple[object, object]]:
    """Return at most so many pairs of a mapping, or of an iterable of pairs; none of all else."""
    return guarded(_pairs_of, value, limit, default=[])


def _pairs_of(value: Any, limit: int) -> list[tuple[object, object]]:
    pairs = _pairs(value)
    some = islice(value if pairs is None else pairs, limit)
    return [(pair[0], pair[1]) for pair in some]
