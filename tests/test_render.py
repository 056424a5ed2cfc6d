"""Section 6: `render_error` and `ErrorResponse`: what is told, in each format."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import HttpError, create_error, errors, render_error
from catchasync._negotiation import FORMATS
from tests.hostile import CLIENTS, aiohttp_client_error, hostile, raising
from tests.rendering import OURS, error_with, loaded, raised, text
from tests.support import Boom

FULL = errors.NotFound("No user 7.", code="no_user", details={"id": 7}, internal="secret")


# Each format.


def test_problem_details() -> None:
    """The members of RFC 9457, and the extensions."""
    expected = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No user 7.",
        "code": "no_user",
        "details": {"id": 7},
    }
    assert expected == loaded(FULL)
    assert list(expected) == list(loaded(FULL))


def test_problem_details_of_little() -> None:
    """What an error does not have is left out."""
    assert {"type", "title", "status", "detail"} == set(loaded(errors.NotFound()))


def test_jsonapi() -> None:
    """One error, its status and code are strings, the details are meta information."""
    expected = {
        "status": "404",
        "code": "no_user",
        "title": "Not Found",
        "detail": "No user 7.",
        "meta": {"details": {"id": 7}},
    }
    assert {"errors": [expected]} == loaded(FULL, format="jsonapi")
    little = {"status": "404", "title": "Not Found", "detail": "Not Found", "code": "7"}
    assert {"errors": [little]} == loaded(errors.NotFound(code=7), format="jsonapi")


def test_plain_json() -> None:
    """The message, status, code, details, under ``error``."""
    expected = {"message": "No user 7.", "status": 404, "code": "no_user", "details": {"id": 7}}
    assert {"error": expected} == loaded(FULL, format="json")
    little = {"message": "Not Found", "status": 404}
    assert {"error": little} == loaded(errors.NotFound(), format="json")


def test_text() -> None:
    """A paragraph for each, the phrase not twice."""
    expected = '404 Not Found\n\nNo user 7.\n\ncode: no_user\n\ndetails: {"id":7}\n'
    assert expected == text(FULL, format="text")
    assert "404 Not Found\n" == text(errors.NotFound(), format="text")


def test_html() -> None:
    """A whole page, all that is told escaped."""
    error = errors.NotFound("<b>", code='"c"', details=["&"])
    page = text(error, format="html")
    for part in ("<title>404 Not Found</title>", "&lt;b&gt;", "&quot;c&quot;", "&amp;"):
        assert part in page
    assert page.startswith("<!DOCTYPE html>")
    assert "<p" not in text(errors.NotFound(), format="html")


def test_text_is_utf_8() -> None:
    """In all formats, and not escaped."""
    for format_ in FORMATS:
        assert "Zoë ☂ 🐈" in text(errors.NotFound("Zoë ☂ 🐈"), format=format_)


# What is shown.


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "error",
    [
        HttpError(500, "secret", details="secret"),
        errors.NotFound("secret", details="secret", expose=False),
        errors.NotFound(internal="secret"),
        Boom("secret"),
        error_with(status=404, message="secret", details="secret"),
        error_with(status=404, expose=1),
        error_with(status=404, expose="yes"),
        create_error(500, Boom("secret")),
        ExceptionGroup("secret", [Boom("secret"), Boom("secret")]),
    ],
)
def test_secrets_stay(error: object, format: Any) -> None:  # noqa: A002
    """Without ``expose`` neither message nor details are shown; properties never are."""
    response = render_error(error, format=format)
    assert b"secret" not in response.body
    assert "secret" not in repr(response.headers)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("error", "phrase"),
    [
        (HttpError(500, "m"), "Internal Server Error"),
        (HttpError(499, "m", expose=False), "Client Error"),
        (HttpError(599, "m"), "Server Error"),
        (errors.ImATeapot("m", expose=False), "I'm a Teapot"),
    ],
)
def test_the_phrase_stands_in_for_a_message(error: object, phrase: str, format: Any) -> None:  # noqa: A002
    """A status without a phrase of its own has a generic one."""
    assert phrase in text(error, format=format).replace("&#x27;", "'")


@pytest.mark.parametrize("error", [HttpError(503, "m", expose=True), error_with(expose=True)])
def test_what_is_exposed_is_shown(error: object) -> None:
    """Also at 500 and above, also of a foreign error."""
    assert loaded(error)["detail"] in {"m", "secret"}


@pytest.mark.parametrize("name", ["message", "detail", "description"])
def test_the_message_of_a_foreign_error(name: str) -> None:
    """It is where frameworks put it; else it is the error's text."""
    assert "m" == loaded(error_with(expose=True, **{name: "m"}))["detail"]
    assert "secret" == loaded(error_with(expose=True, **{name: 5}))["detail"]


def test_an_empty_message_is_the_phrase() -> None:
    """A client is told something."""
    assert "Not Found" == loaded(errors.NotFound(""))["detail"]
    assert "Not Found" == loaded(create_error(404, Boom()))["detail"]


@pytest.mark.parametrize("code", ["c", 5, 404, 0])
@pytest.mark.parametrize("error", [errors.NotFound, lambda code: HttpError(500, code=code)])
def test_the_code_is_always_shown(error: Callable[..., Any], code: object) -> None:
    """Whatever ``expose`` says."""
    assert code == loaded(error(code=code))["code"]
    assert code == loaded(error_with(status=409, code=code))["code"]


@pytest.mark.parametrize(
    "code", [None, True, 5.0, "", b"c", [], object(), ("c",), pytest.param(10**5_000, id="huge")]
)
def test_what_is_no_code(code: Any) -> None:
    """A code is a text or a number."""
    assert "code" not in loaded(errors.NotFound(code=code))


def test_a_code_that_is_the_status() -> None:
    """A foreign error's ``code`` that says the status is not told a second time."""
    assert "code" not in loaded(error_with(code=404))
    assert "code" not in loaded(error_with(status=404, code=404))


def test_a_long_code_is_cut() -> None:
    """A code is for telling errors apart."""
    assert 256 == len(loaded(errors.NotFound(code="c" * 1_000))["code"])


@pytest.mark.parametrize("make", CLIENTS)
def test_errors_of_http_clients(make: Callable[[], Any]) -> None:
    """They are a 500, without their headers, message or code."""
    response = render_error(make())
    assert OURS | {"vary"} == set(response.headers)
    assert {"type", "title", "status", "detail"} == set(json.loads(response.body))
    assert 500 == response.status


def test_a_client_s_error_with_a_status_of_ours() -> None:
    """It still does not hand on the headers of somebody else's response."""
    error = aiohttp_client_error()
    assert error is create_error(502, error, details="d", expose=True)
    response = render_error(error)
    assert (502, False) == (response.status, "a" in response.headers)
    assert "d" == json.loads(response.body)["details"]


def test_a_group_of_one_error_is_that_error() -> None:
    """Its status, message, code and headers."""
    error = errors.Gone("m", code="c", headers={"x-a": "1"})
    assert render_error(error).body == render_error(ExceptionGroup("g", [error])).body
    assert "1" == render_error(ExceptionGroup("g", [error])).headers["x-a"]


@pytest.mark.parametrize("thing", ["secret", 0, None, object(), ["secret"]])
def test_what_is_no_exception_is_a_500(thing: object) -> None:
    """It may be handed over as an error all the same."""
    assert (500, False) == (render_error(thing).status, "secret" in text(thing))


def test_an_exception_class_is_an_error_of_it() -> None:
    """As it is for ``raise``."""
    assert 404 == render_error(errors.NotFound).status


# HEAD.


@pytest.mark.parametrize("method", ["HEAD", "head"])
@pytest.mark.parametrize("format", FORMATS)
def test_head_has_no_body_and_get_s_headers(method: str, format: Any) -> None:  # noqa: A002
    """Its Content-Length is that of the body that GET has."""
    got = render_error(FULL, format=format)
    head = render_error(FULL, format=format, method=method)
    assert (b"", got.headers, got.status) == (head.body, head.headers, head.status)
    assert str(len(got.body)) == head.headers["content-length"]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "", None, b"HEAD", 5])
def test_any_other_method_has_a_body(method: Any) -> None:
    """At run time nothing is refused."""
    assert b"No user 7." in render_error(FULL, method=method).body


# The stack.


@pytest.mark.parametrize("format", FORMATS)
def test_the_stack_is_shown_only_with_debug(format: Any) -> None:  # noqa: A002
    """Without it not even the type of the error is told."""
    error = raised(Boom("why"))
    assert "Boom" not in text(error, format=format)
    shown = text(error, format=format, debug=True)
    assert "tests.support.Boom: why" in shown.replace("<wbr>", "")
    assert "in raised" in shown


def test_where_the_stack_is() -> None:
    """A member of its own, a text as Python prints it."""
    error = raised(Boom("why"))
    stacks = [
        loaded(error, debug=True)["stack"],
        loaded(error, debug=True, format="json")["error"]["stack"],
        loaded(error, debug=True, format="jsonapi")["errors"][0]["meta"]["stack"],
    ]
    assert 1 == len(set(stacks))
    assert stacks[0].startswith("Traceback (most recent call last):\n  File ")
    assert stacks[0].endswith("    raise error\ntests.support.Boom: why")
    assert text(error, debug=True, format="text").endswith(f"{stacks[0]}\n")


def test_debug_shows_no_more_in_the_other_members() -> None:
    """What is told of the error is the same; only the stack is added."""
    plain, debug = loaded(Boom("secret")), loaded(Boom("secret"), debug=True)
    assert plain == {name: value for name, value in debug.items() if name != "stack"}


# Broken errors.


class Unreadable(Exception):
    """An error whose text and all but its status raise."""

    status = 404
    expose = True

    def __str__(self) -> str:
        raise Boom

    def __getattribute__(self, name: str) -> Any:
        if name in {"status", "expose"}:
            return object.__getattribute__(self, name)
        raise Boom(name)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("debug", [False, True])
def test_an_error_that_raises_at_each_look_is_a_plain_500(debug: bool, format: Any) -> None:  # noqa: A002, FBT001
    """Its status where that can be read."""
    assert 500 == render_error(hostile(Boom()), debug=debug, format=format).status
    assert 404 == render_error(Unreadable(), debug=debug, format=format).status
    assert "<unreadable>" == loaded(Unreadable())["detail"]


@pytest.mark.parametrize("defect", [Boom, RecursionError, MemoryError])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_defect_of_ours_is_a_plain_500(
    defect: type[Exception],
    method: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And one log entry."""

    def fail(*_: object) -> None:
        raise defect

    monkeypatch.setattr("catchasync._render.facts_of", fail)
    response = render_error(errors.NotFound("secret"), format="html", method=method)
    body = b"Internal Server Error"
    assert (500, b"" if method == "HEAD" else body) == (response.status, response.body)
    assert OURS == set(response.headers)
    assert str(len(body)) == response.headers["content-length"]
    assert ["an error could not be rendered: NotFound"] == caplog.messages
    assert [defect] == [record.exc_info[0] for record in caplog.records if record.exc_info]


def test_a_defect_that_cannot_be_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a plain 500 all the same."""
    monkeypatch.setattr("catchasync._render.facts_of", raising)
    monkeypatch.setattr(logging.getLogger("catchasync"), "error", raising)
    assert 500 == render_error(errors.NotFound()).status


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(1)])
def test_the_interpreter_s_own_exit_goes_through(raised: BaseException) -> None:
    """Control-C is not swallowed, wherever it comes."""

    class Interrupted(errors.NotFound):
        @property
        def details(self) -> Any:
            raise raised

        def __str__(self) -> str:
            raise raised

    error = BaseException.__new__(Interrupted)
    vars(error).update(expose=True)
    with pytest.raises(type(raised)):
        render_error(error)
    with pytest.raises(type(raised)):
        render_error(errors.NotFound(details=[error]))


def test_a_subclass_that_forgot_to_call_init() -> None:
    """It is rendered with what its class says."""

    class Lazy(errors.NotFound):
        code = "lazy"

        def __init__(self) -> None:
            """Do nothing."""

    expected = {"type": "about:blank", "title": "Not Found", "status": 404}
    assert expected | {"detail": "Not Found", "code": "lazy"} == loaded(Lazy())


def test_nothing_is_kept() -> None:
    """The error is as it was: no traceback, no attribute, no cause is added."""
    error = errors.NotFound("m")
    before = dict(vars(error))
    render_error(error, debug=True)
    left = (error.__traceback__, error.__cause__, error.__context__)
    assert (before, (None, None, None)) == (vars(error), left)
