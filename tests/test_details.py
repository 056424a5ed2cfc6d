"""Section 6: what becomes of `details`, whatever they are made of."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import types
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest

from catchasync import errors, render_error
from catchasync._negotiation import FORMATS
from catchasync._plain import DEPTH_LIMIT
from tests.hostile import BadDict, Broken, Endless, EndlessMapping
from tests.rendering import loaded

# Details.


class Colour(enum.Enum):
    """A value with a name."""

    RED = "red"


@dataclass
class Point:
    """A value with fields."""

    x: int
    y: int


class Named:
    """An object with a text."""

    def __str__(self) -> str:
        return "named"


class Silent:
    """An object without one."""


CYCLE: list[Any] = [1]
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, "x", None, True]}, {"a": [1, 2.5, "x", None, True]}),
        (0, 0),
        ("", ""),
        ([], []),
        ((1, {2}, frozenset({3})), [1, [2], [3]]),
        (OrderedDict(a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        ({1: "a", None: "b", (1, 2): "d"}, {"1": "a", "None": "b", "(1, 2)": "d"}),
        (Colour.RED, "red"),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Point, "<class 'tests.test_details.Point'>"),
        (b"bytes\xff", "bytes\N{REPLACEMENT CHARACTER}"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ([float("nan")], [None]),
        ([float("inf")], [None]),
        pytest.param(10**5_000, "...", id="huge"),
        (10**300, 10**300),
        (Named(), "named"),
        (Silent(), "<tests.test_details.Silent object>"),
        (BadDict(a=1), {"a": 1}),
        ("a\ud800b\0c\x7f", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\ufffd"),
        ({"\ud800": 1}, {"\ufffd": 1}),
        ("a\r\nb\tc\n", "a\nb\tc\n"),
        (Endless([1, 2]), [1, 2]),
    ],
)
def test_details_are_made_of_what_json_can_hold(value: object, expected: object) -> None:
    """Everything has some form, and nothing shows where it lies in memory."""
    shown = loaded(errors.NotFound(details=value))["details"]
    assert expected == json.loads(
        json.dumps(shown).replace("tests.test_details.", "tests.test_details.")
    )


@pytest.mark.parametrize(
    "value",
    [
        CYCLE,
        EndlessMapping(),
        ["x" * 9_999] * 10_000,
        list(range(1_000_000)),
        "x" * 10_000_000,
        {"a" * 100 + str(number): {"b": {}} for number in range(100_000)},
    ],
    ids=["cycle", "endless", "texts", "numbers", "text", "keys"],
)
@pytest.mark.parametrize("format", FORMATS)
def test_huge_details_are_cut(value: object, format: Any) -> None:  # noqa: A002
    """A body stays under two million bytes, and ends."""
    assert 2_000_000 > len(render_error(errors.NotFound(details=value), format=format).body)


def test_deep_details_are_cut() -> None:
    """Nobody reads deeper, and parsers have a limit too."""
    value: Any = "core"
    for _ in range(1_000):
        value = [value]
    shown = json.dumps(loaded(errors.NotFound(details=value))["details"])
    assert (DEPTH_LIMIT + 1, True) == (shown.count("["), '["..."]' in shown)


def test_a_huge_message_is_cut() -> None:
    """At ten thousand characters, and it says that it was."""
    detail = loaded(errors.NotFound("x" * 10**7))["detail"]
    assert (10_000, "x...") == (len(detail), detail[-4:])


def test_details_that_raise_at_each_look() -> None:
    """They say that they cannot be read; what is beside them is shown."""
    error = errors.NotFound(details=[Broken(), 1])
    assert ["<unreadable>", 1] == loaded(error)["details"]
