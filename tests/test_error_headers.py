"""Section 6: the headers that an error brings along, and those that are ours."""

from __future__ import annotations

import logging
import types
from typing import Any

import pytest

from catchasync import errors, render_error
from tests.hostile import BadDict, EndlessMapping, hostile, raising
from tests.rendering import OURS, error_with
from tests.support import Boom

# Headers of an error.


def headers_of(error: Any) -> dict[str, str]:
    """Return the headers that are the error's own."""
    sent = render_error(error, format="json").headers
    return {name: value for name, value in sent.items() if name not in OURS}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Retry-After": "30"}, {"retry-after": "30"}),
        ({"Retry-After": 30}, {"retry-after": "30"}),
        ({b"X-A": b"b\xff"}, {"x-a": "b\xff"}),
        ([("X-A", "1"), ("x-a", "2")], {"x-a": "1, 2"}),
        ([("x-a", "1"), ("x-a", ""), ("x-a", "2")], {"x-a": "1, 2"}),
        ([("x-a", "x" * 5_000), ("x-a", "y" * 5_000)], {"x-a": "x" * 5_000}),
        ([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], {"set-cookie": "a=1"}),
        ({"x-a": " \t b \t"}, {"x-a": "b"}),
        ({"x-a": ""}, {"x-a": ""}),
        ({"x-a": "tab\tand é"}, {"x-a": "tab\tand é"}),
        (types.MappingProxyType({"x-a": "b"}), {"x-a": "b"}),
        (((n, n) for n in ("a", "b")), {"a": "a", "b": "b"}),
        # Names that are none.
        ({"x a": "1", "x:": "1", "": "1", "ü": "1", "x\r\ny": "1", 5: "1", None: "1"}, {}),
        ({"n" * 257: "1"}, {}),
        # Values that are none.
        ({"a": "x\r\ny: z", "b": "x\ny", "c": "x\0", "d": "\x7f", "e": "☂", "f": "\ud800"}, {}),
        ({"a": None, "b": True, "c": 1.5, "d": [1], "e": 10**30, "f": "x" * 8_191}, {}),
        # What is ours, in any case.
        ({name.upper(): "x" for name in OURS}, {}),
        ({"Transfer-Encoding": "x", "Content-Encoding": "x", "Content-Range": "x"}, {}),
        # No headers at all.
        (None, {}),
        (5, {}),
        ("abc", {}),
        ([1, 2], {}),
        ([("a",)], {}),
        (BadDict(a=1), {"a": "1"}),
        (EndlessMapping(), {str(number): "1" for number in range(1, 101)}),
    ],
)
def test_headers_of_an_error(given: object, expected: dict[str, str]) -> None:
    """Those that are legal by RFC 9110 go out, by lower-case name, but for those that are ours."""
    assert expected == headers_of(error_with(status=404, headers=given))


def test_ours_are_always_there() -> None:
    """Whatever the error says."""
    given = {"Content-Type": "text/evil", "X-Content-Type-Options": "none", "Content-Length": "1"}
    response = render_error(errors.NotFound(headers={**given, "Content-Security-Policy": "*"}))
    assert "application/problem+json" == response.headers["content-type"]
    assert "nosniff" == response.headers["x-content-type-options"]
    assert str(len(response.body)) == response.headers["content-length"]
    assert response.headers["content-security-policy"].startswith("default-src 'none'; ")


@pytest.mark.parametrize("error", [Boom(), error_with(status=200), error_with(status="404")])
def test_headers_go_out_only_beside_a_valid_status(error: Any) -> None:
    """The headers of a bug mean nothing."""
    error.headers = {"Retry-After": "30"}
    assert {} == headers_of(error)


def test_a_bad_header_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """By its name, once a response; its value may be a secret."""
    with caplog.at_level(logging.WARNING, logger="catchasync"):
        headers_of(errors.NotFound(headers={"x-bad": "secret\r\n", "bad name": "secret", "a": "b"}))
    said = "headers of a NotFound were dropped, as they are not legal by RFC 9110: "
    assert [f"{said}a name that is none, x-bad"] == caplog.messages
    caplog.clear()
    headers_of(errors.NotFound(headers={"Content-Type": "x"}))
    assert [] == caplog.messages


def test_a_logger_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The response is what matters."""
    monkeypatch.setattr(logging.getLogger("catchasync"), "warning", raising)
    assert {"a": "b"} == headers_of(errors.NotFound(headers={"x bad": "", "a": "b"}))


def test_headers_of_frameworks() -> None:
    """What their errors bring along goes out, also where it is no attribute."""
    werkzeug = pytest.importorskip("werkzeug.exceptions")
    falcon = pytest.importorskip("falcon")
    starlette = pytest.importorskip("starlette.exceptions")
    sanic = pytest.importorskip("sanic.exceptions")
    aiohttp = pytest.importorskip("aiohttp.web")
    assert {"allow": "GET, PUT"} == headers_of(werkzeug.MethodNotAllowed(["GET", "PUT"]))
    assert {"retry-after": "30"} == headers_of(werkzeug.TooManyRequests(retry_after=30))
    assert {"retry-after": "3"} == headers_of(falcon.HTTPServiceUnavailable(retry_after=3))
    assert {"x-a": "b"} == headers_of(starlette.HTTPException(404, headers={"X-A": "b"}))
    assert {"allow": "PUT"} == headers_of(sanic.MethodNotAllowed("no", "GET", ["PUT"]))
    assert {"allow": "PUT"} == headers_of(aiohttp.HTTPMethodNotAllowed("GET", ["PUT"]))


def test_headers_of_werkzeug_that_fail() -> None:
    """The rest of the error is told."""
    werkzeug = pytest.importorskip("werkzeug.exceptions")
    kind = type("Odd", (werkzeug.Gone,), {"get_headers": raising})
    assert (410, {}) == (render_error(kind()).status, headers_of(kind()))


def test_headers_that_raise_at_each_look() -> None:
    """They are none; the rest of the error is told."""
    error = error_with(status=404, headers=hostile(Boom()))
    assert (404, {}) == (render_error(error).status, headers_of(error))
