"""Section 6, formats: which one a client gets, by what it accepts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchasync import errors, render_error
from catchasync._negotiation import FORMATS, REMEMBERED, _negotiate_remembered, negotiate

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
AXIOS = "application/json, text/plain, */*"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        # Nothing said, or nothing that matches: the default.
        (None, "problem"),
        ("", "problem"),
        ("*/*", "problem"),
        ("image/png", "problem"),
        ("application/xml", "problem"),
        ("image/*", "problem"),
        # Any JSON type gets problem details, but for JSON:API's own.
        ("application/json", "problem"),
        ("application/problem+json", "problem"),
        ("application/hal+json", "problem"),
        ("application/*", "problem"),
        ("application/vnd.api+json", "jsonapi"),
        ('application/vnd.api+json; ext="https://jsonapi.org/ext/atomic"', "jsonapi"),
        ("application/vnd.api+json, application/json", "jsonapi"),
        ("application/json, application/vnd.api+json", "problem"),
        # HTML and text.
        ("text/html", "html"),
        ("application/xhtml+xml", "html"),
        ("text/plain", "text"),
        ("text/*", "html"),
        ("TEXT/HTML; Charset=UTF-8", "html"),
        (" text/plain ; q=1 ", "text"),
        (CHROME, "html"),
        (AXIOS, "problem"),
        # Weights.
        ("text/html;q=0.5, text/plain", "text"),
        ("text/html;q=0.5, text/plain;q=0.501", "text"),
        ("text/html;level=1;q=0.2, text/plain;q=0.3", "text"),
        ("text/*;q=0.5, application/json;q=0.4", "html"),
        ("*/*;q=0.1, text/plain;q=0.2", "text"),
        # The most exact range says the weight of a type, also where it says less.
        ("*/*, application/json;q=0.1", "html"),
        ("*/*, application/*;q=0.1, text/html;q=0.1", "text"),
        ("text/*, text/html;q=0", "text"),
        ("application/*;q=0, */*", "html"),
        # Equal weights: what was named more exactly, then what was named first.
        ("text/*, text/plain", "text"),
        ("text/plain, text/html", "text"),
        ("text/html, application/json", "html"),
        # Refusing everything does not refuse the error.
        ("*/*;q=0", "problem"),
        ("application/json;q=0", "problem"),
        # What is malformed is as if it were not there.
        ("text/html;q=2", "problem"),
        ("text/html;q=-1", "problem"),
        ("text/html;q=nan", "problem"),
        ("text/html;q=", "problem"),
        ("text/html;q=0.1234, text/plain;q=0.1", "text"),
        ("text, html, /, text/, /html, text/html/x, text/plain", "text"),
        (", ,,;;;q=1, text/plain", "text"),
        ('text/html;x="a,text/plain;q=1";q=0.5, application/json;q=0.4', "html"),
        ('text/html;x="a,text/plain,b";q=0.5, application/json;q=0.6', "problem"),
        ('text/html;x="a\\",b";q=0.5, application/json;q=0.4', "html"),
    ],
)
def test_the_format_by_what_is_accepted(accept: str | None, expected: str) -> None:
    """A client gets what it likes best of what there is."""
    assert expected == negotiate(accept)


@pytest.mark.parametrize("accept", [b"text/html", 5, ["text/html"], object()])
def test_what_is_no_header_gets_the_default(accept: Any) -> None:
    """At run time nothing is refused."""
    assert "problem" == negotiate(accept)


def test_plain_json_is_only_for_those_who_ask_by_name() -> None:
    """No ``Accept`` leads to it."""
    assert "application/problem+json" == content_type(accept="application/json")
    assert "application/json" == content_type(format="json")


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("problem", "application/problem+json"),
        ("jsonapi", "application/vnd.api+json"),
        ("json", "application/json"),
        ("html", "text/html; charset=utf-8"),
        ("text", "text/plain; charset=utf-8"),
    ],
)
def test_a_format_overrides_what_is_accepted(format: Any, expected: str) -> None:  # noqa: A002
    """Each format has its type."""
    for accept in ("image/png", "text/html", "*/*;q=0"):
        assert expected == content_type(accept=accept, format=format)


@pytest.mark.parametrize("format", ["xml", "HTML", "", "application/json", 5, b"html", ["html"]])
def test_an_unknown_format_is_refused(format: Any) -> None:  # noqa: A002
    """The message names those that there are."""
    with pytest.raises(ValueError, match=r"format='problem', .*'text' or None: got"):
        render_error(errors.NotFound(), format=format)


def test_caches_are_told() -> None:
    """A response that was chosen by ``Accept`` says so, one that was not does not."""
    assert "Accept" == render_error(errors.NotFound()).headers["vary"]
    assert "vary" not in render_error(errors.NotFound(), format="json").headers
    error = errors.NotFound(headers={"Vary": "Cookie"})
    assert "Cookie, Accept" == render_error(error).headers["vary"]
    assert "Cookie" == render_error(error, format="json").headers["vary"]


def test_a_long_header_is_read_in_part() -> None:
    """What strangers send takes little time."""
    assert "html" == negotiate("text/html," + "a/b," * 100_000 + "text/plain;q=1")
    assert "problem" == negotiate("a/b," * 100_000 + "text/html")


def test_little_is_remembered() -> None:
    """However many headers strangers send."""
    for number in range(2 * REMEMBERED):
        negotiate(f"text/html;x={number}")
        negotiate(f"text/html;x={number}" + " " * 300)
    assert REMEMBERED == _negotiate_remembered.cache_info().currsize


PARTS = [
    "text",
    "html",
    "*",
    "application",
    "json",
    "/",
    ";",
    ",",
    "q=",
    "0.5",
    "1",
    '"',
    "\\",
    " ",
]


@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join) | st.text())
def test_any_header_gets_a_format(accept: str) -> None:
    """Nothing that is sent makes it fail."""
    assert negotiate(accept) in FORMATS


QUALITIES = st.sampled_from([0, 0.1, 0.5, 0.9, 1])
TYPES = {
    "application/problem+json": "problem",
    "application/vnd.api+json": "jsonapi",
    "text/html": "html",
    "text/plain": "text",
}


@given(st.permutations(list(TYPES)), st.lists(QUALITIES, min_size=4, max_size=4))
def test_the_greatest_weight_wins(types: list[str], weights: list[float]) -> None:
    """Among those of greatest weight, the one that was named first."""
    accept = ", ".join(f"{type_};q={q}" for type_, q in zip(types, weights, strict=True))
    best = types[weights.index(max(weights))] if any(weights) else "application/problem+json"
    assert TYPES[best] == negotiate(accept)


def content_type(**options: Any) -> str:
    """Return the type of a rendered 404."""
    return render_error(errors.NotFound(), **options).headers["content-type"]
