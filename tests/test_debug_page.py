"""Section 6: what `debug` shows: a stack, and in HTML a page that people like to read."""

from __future__ import annotations

import base64
import hashlib
import linecache
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from catchasync import create_error, errors, render_error
from catchasync._debug_page import OPEN_LIMIT
from catchasync._traces import ERROR_LIMIT, FILE_LIMIT, FRAME_LIMIT
from tests.hostile import hostile, raising
from tests.rendering import Page, loaded, page_of, raised, text
from tests.support import Boom

CALL = "function(*args)"
"""What the frame of `caught` has marked."""


def caught(function: Any, *args: Any) -> BaseException:
    """Return what a function raises."""
    try:
        function(*args)
    except BaseException as error:  # noqa: BLE001 - it is returned
        return error
    raise AssertionError(function)


def fail_in_source(tmp_path: Path, source: str, name: str = "app.py") -> BaseException:
    """Run a program from a file that fails; return its error."""
    path = tmp_path / name
    path.write_text(source, encoding="utf-8")
    return caught(exec, compile(source, str(path), "exec"), {})


def source_of(page: Page) -> list[str]:
    """Return the source that the page shows, line by line."""
    spans = [attributes for tag, attributes in page.elements if tag == "span"]
    pairs = zip(spans, page.texts.get("span", []), strict=True)
    return [
        f"{attributes['data-n']}{'!' if 'failed' in str(attributes['class']) else ' '}{text}"
        for attributes, text in pairs
        if "data-n" in attributes
    ]


# What failed.


def test_the_page_names_the_failure() -> None:
    """Type, message, notes, and the status that the client gets."""
    error = raised(Boom("why"))
    error.add_note("a note")
    page = page_of(error)
    assert ["tests.support.Boom"] == page.texts["h1"]
    assert "tests.support.Boom: why" == page.texts["title"][0]
    assert page.texts["p"][:3] == ["500 Internal Server Error", "why", "a note"]


def test_the_page_shows_what_the_client_is_told() -> None:
    """So that nobody has to guess."""
    page = page_of(raised(errors.NotFound("No user.", code="no_user")))
    assert "What the client is told404 Not FoundNo user.code: no_user" in page.text.replace(
        "\n", ""
    )


def test_an_error_without_text_or_traceback() -> None:
    """An error that was never raised is shown all the same."""
    page = page_of(Boom())
    assert ["tests.support.Boom"] == page.texts["h1"]
    assert "tests.support.Boom" == loaded(Boom(), debug=True)["stack"]


def test_source_lines_around_each_frame(tmp_path: Path) -> None:
    """Five before and after, the failed one marked, and in it what failed."""
    lines = [f"line{number} = {number}" for number in range(1, 8)]
    error = fail_in_source(tmp_path, "\n".join([*lines, "é = [line1 / 0]", *lines]) + "\n")
    page = page_of(error)
    shown = source_of(page)[:11]
    before, after = ([f"{n + 0} {lines[n - 1]}" for n in range(3, 8)], lines[:5])
    assert before == shown[:5]
    assert "8!é = [line1 / 0]" == shown[5]
    assert [f"{n} {line}" for n, line in enumerate(after, 9)] == shown[6:]
    assert "line1 / 0" == page.texts["mark"][0]


def test_a_failure_over_several_lines_has_no_mark(tmp_path: Path) -> None:
    """The line is marked as a whole."""
    page = page_of(fail_in_source(tmp_path, "x = (\n 1\n /\n 0)\n"))
    assert [CALL] == page.texts["mark"]
    assert "2! 1" in source_of(page)


def test_the_call_that_failed_comes_first(tmp_path: Path) -> None:
    """Then who called it; the stack as text is in Python's order."""
    source = "def inner():\n    1 / 0\ndef outer():\n    inner()\nouter()\n"
    error = fail_in_source(tmp_path, source)
    assert ["inner", "outer", "<module>", "caught"] == page_of(error).texts["strong"]
    stack = loaded(error, debug=True)["stack"]
    assert stack.index("in outer\n    inner()") < stack.index("in inner\n    1 / 0")


def test_qualified_names() -> None:
    """A method is named with its class."""

    class View:
        def get(self) -> None:
            raise Boom

    place = "test_qualified_names.<locals>.View.get"
    assert place == page_of(caught(View().get)).texts["strong"][0]


def test_calls_of_one_s_own_are_open() -> None:
    """The one that failed, and the last ones that are no library's; the rest unfolds."""
    error = caught(lambda: caught_in_library(5))
    page = page_of(error)
    folds = [attributes for tag, attributes in page.elements if tag == "details"]
    kinds = [(fold.get("class"), "open" in fold) for fold in folds[: OPEN_LIMIT + 4]]
    library = [("library", True), ("library", False), ("library", False)]
    assert [*library, *[(None, True)] * OPEN_LIMIT, (None, False)] == kinds


def caught_in_library(depth: int) -> Any:
    """Fail in the standard library, some calls below."""
    if depth:
        return caught_in_library(depth - 1)
    import json  # noqa: PLC0415 - it is only here that it fails

    return json.loads("{")


def test_a_recursion_is_cut() -> None:
    """The first calls and the last ones are shown, and how many there are between."""

    def recurse(depth: int) -> Any:
        return recurse(depth - 1) if depth else 1 / 0

    error = caught(recurse, 200)
    between = 202 - 2 * FRAME_LIMIT
    page = page_of(error)
    assert 2 * FRAME_LIMIT == len(page.texts["strong"])
    assert f"{between} more calls" in page.texts["p"]
    assert f"  [{between} more calls]\n" in loaded(error, debug=True)["stack"]


# What led to it.


def with_cause(error: Boom, cause: BaseException) -> Any:
    """Raise an error from another."""
    error.__cause__ = cause
    return raised(error)


def test_causes() -> None:
    """A cause comes after the error on the page, before it in the text."""
    error = with_cause(Boom("second"), raised(KeyError("first")))
    page = page_of(error)
    assert "Caused by" in page.texts["h2"]
    assert ["KeyError"] == page.texts["h3"][:1]
    stack = loaded(error, debug=True)["stack"]
    said = "\n\nThe above exception was the direct cause of the following exception:\n\n"
    assert stack.index("KeyError: 'first'") < stack.index(said) < stack.index("Boom: second")


def test_contexts() -> None:
    """An error that was being handled is shown, unless it was suppressed."""
    error = caught(raise_while_handling)
    assert "Raised while this was handled" in page_of(error).texts["h2"]
    assert "another exception occurred" in loaded(error, debug=True)["stack"]
    error.__suppress_context__ = True
    assert "Raised while this was handled" not in page_of(error).texts["h2"]


def raise_while_handling() -> None:
    """Raise within an ``except`` clause."""
    try:
        raising()
    except Boom:
        int("x")


def test_groups() -> None:
    """Each error in a group is shown, with its own causes."""
    inside = with_cause(Boom("b"), KeyError("c"))
    group = raised(ExceptionGroup("many", [Boom("a"), ExceptionGroup("n", [inside])]))
    page = page_of(group)
    headings = [heading for heading in page.texts["h2"] if heading.startswith("Error")]
    assert ["Error 1 of the group", "Error 2 of the group", "Error 1 of the group"] == headings
    assert ["tests.support.Boom", "ExceptionGroup", "tests.support.Boom", "KeyError"] == (
        page.texts["h3"][:4]
    )
    stack = loaded(group, debug=True)["stack"]
    assert "\n  +---- 2 ----\n  | ExceptionGroup: n" in stack
    assert "\n  |   +---- 1 ----\n  |   | KeyError: 'c'\n  |   |\n  |   | The above" in stack


def test_errors_that_lead_to_each_other_are_shown_once() -> None:
    """Causes in a circle end."""
    first, second = Boom("first"), Boom("second")
    first.__cause__, second.__cause__ = second, first
    stack = loaded(first, debug=True)["stack"]
    assert (1, 1) == (stack.count("first"), stack.count("second"))
    assert "[1 more errors]" in stack


def test_an_endless_row_of_causes_is_cut() -> None:
    """What is left out is said."""
    error = Boom("last")
    for number in range(500):
        cause, error = error, Boom(str(number))
        error.__cause__ = cause
    page = page_of(error)
    assert ERROR_LIMIT - 1 == page.texts["h2"].count("Caused by")
    assert "1 more errors" in page.texts["p"]


def test_a_huge_group_is_cut() -> None:
    """What is left out is said."""
    group = ExceptionGroup("many", [Boom(str(number)) for number in range(1_000)])
    assert f"{1_001 - ERROR_LIMIT} more errors" in page_of(group).texts["p"]


def test_notes_that_are_none() -> None:
    """Whatever stands there."""
    for notes in (None, 5, "text", [5, hostile(Boom())] * 100):
        error: Any = Boom("why")
        error.__notes__ = notes
        assert "why" in page_of(error).text


# The request.

HEADERS = [("Host", "example.org"), ("Authorization", "Bearer abcdefghij"), ("Cookie", "sid=1")]
ASGI = {
    "type": "http",
    "method": "POST",
    "path": "/users/7",
    "query_string": b"page=2&token=abc",
    "headers": [(name.lower().encode(), value.encode()) for name, value in HEADERS],
}
WSGI = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/users/7",
    "QUERY_STRING": "page=2&token=abc",
    **{f"HTTP_{name.upper()}": value for name, value in HEADERS},
    "wsgi.input": object(),
}


def starlette_request() -> Any:
    """Starlette's."""
    return pytest.importorskip("starlette.requests").Request(ASGI)


def werkzeug_request() -> Any:
    """Werkzeug's and Flask's."""
    wsgi = {**WSGI, "SERVER_NAME": "example.org", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    return pytest.importorskip("werkzeug.wrappers").Request(wsgi)


def aiohttp_request() -> Any:
    """Aiohttp's."""
    make = pytest.importorskip("aiohttp.test_utils").make_mocked_request
    return make("POST", "/users/7?page=2&token=abc", headers=dict(HEADERS))


def falcon_request() -> Any:
    """Falcon's."""
    testing = pytest.importorskip("falcon.testing")
    query = "page=2&token=abc"
    return testing.create_req(
        method="POST", path="/users/7", query_string=query, headers=dict(HEADERS)
    )


def tornado_request() -> Any:
    """Tornado's."""
    util = pytest.importorskip("tornado.httputil")
    uri = "/users/7?page=2&token=abc"
    return util.HTTPServerRequest("POST", uri, headers=util.HTTPHeaders(dict(HEADERS)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ASGI,
        lambda: WSGI,
        starlette_request,
        werkzeug_request,
        aiohttp_request,
        falcon_request,
        tornado_request,
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the fakes are made with
def test_the_request(make: Any) -> None:
    """Method, URL and headers of any framework's request; its secrets are masked."""
    page = page_of(Boom(), request=make())
    rows = dict(zip(map(str.lower, page.texts["dt"]), page.texts["dd"], strict=True))
    assert "POST" == rows["method"]
    assert rows["url"].endswith("/users/7?page=2&token=****")
    expected = {"host": "example.org", "authorization": "****", "cookie": "****"}
    assert expected.items() <= rows.items()
    assert "abc" not in page.text


def test_a_request_is_shown_only_if_there_is_one() -> None:
    """And only on the debug page."""
    assert "dl" not in page_of(Boom()).texts
    assert "dl" not in page_of(Boom(), request=ASGI, debug=False).texts
    assert "users" not in text(Boom(), request=ASGI, debug=True, format="text")


@pytest.mark.parametrize(
    "request_",
    [
        5,
        "request",
        {},
        {"headers": 5, "method": None, "path": hostile(Boom())},
        {"REQUEST_METHOD": 5, 5: 5},
        types.SimpleNamespace(method=5, url=None, uri=print, path=b"/\xff", headers=[("a",)]),
    ],
)
def test_an_odd_request(request_: Any) -> None:
    """What can be read of it is shown."""
    assert "Boom" in page_of(Boom(), request=request_).text


def test_a_request_that_raises_at_each_look() -> None:
    """The error is shown all the same."""
    assert "Boom" in page_of(Boom(), request=hostile(Boom())).text


# Secrets.


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgres://me:hunter2@db/users", "postgres://me:****@db/users"),
        ("token=hunter2&page=2", "token=****&page=2"),
        ("password: hunter2, user: me", "password: ****, user: me"),
        ("{'api_key': 'hunter2', 'a': 'b'}", "{'api_key': '****', 'a': 'b'}"),
        ('{"client_secret":"hunter2"}', '{"client_secret":"****"}'),
        ("Authorization: Bearer hunter2hunter2", "Authorization: **** ****"),
        ("sent Bearer hunter2hunter2 there", "sent Bearer **** there"),
        ("AWS_SECRET_ACCESS_KEY=hunter2", "AWS_SECRET_ACCESS_KEY=****"),
        ("user=me&page=2", "user=me&page=2"),
        ("http://host:80/path", "http://host:80/path"),
    ],
)
def test_secrets_in_a_message(said: str, shown: str) -> None:
    """What is told by its name to be one is masked, on the page and in the stack."""
    assert shown in page_of(Boom(said)).text
    assert f"Boom: {shown}" in loaded(Boom(said), debug=True)["stack"]


def test_secrets_in_notes() -> None:
    """Likewise."""
    error = Boom()
    error.add_note("token=hunter2")
    assert "hunter2" not in page_of(error).text


def test_secrets_in_source(tmp_path: Path) -> None:
    """A secret that stands in the program is masked; code that only handles one is not."""
    source = (
        'password = "hunter2"\nurl = "amqp://me:hunter2@mq"\nkeys = {"token": b\'hunter2\'}\n'
        "token = keys['token'] or get_token(1)\n1 / 0\n"
    )
    shown = source_of(page_of(fail_in_source(tmp_path, source)))
    assert 'password = "****"' == shown[0][2:]
    assert "hunter2" not in "".join(shown)
    assert "token = keys['token'] or get_token(1)" == shown[3][2:]


def test_a_mark_is_left_out_where_masking_moved_the_columns(tmp_path: Path) -> None:
    """A mark at the wrong place would mislead."""
    page = page_of(fail_in_source(tmp_path, 'login(token="hunter2")\n'))
    assert 'login(token="****")' == source_of(page)[0][2:]
    assert [CALL] == page.texts["mark"]


# Source that is not to be trusted.


def fail_as(name: str) -> BaseException:
    """Return an error whose code says that it is from a file of this name."""
    return caught(exec, compile("\n\n1 / 0", name, "exec"), {})


@pytest.mark.parametrize("name", ["<string>", "", "nowhere.py", "/", "\ud800", "x" * 9_999])
def test_a_file_that_is_none(name: str) -> None:
    """Then there is no source; the rest is shown."""
    error = fail_as(name)
    assert type(error).__name__ in page_of(error).text


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no /dev/zero")  # noqa: PTH110
def test_a_file_that_never_ends() -> None:
    """A device is not read."""
    assert [] == [line for line in source_of(page_of(fail_as("/dev/zero"))) if "!" in line][1:]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_file_that_waits(tmp_path: Path) -> None:
    """A pipe is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    assert "ZeroDivisionError" in page_of(fail_as(str(tmp_path / "pipe"))).text


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """No one wrote it by hand."""
    huge = tmp_path / "huge.py"
    huge.write_text("\n" * (FILE_LIMIT + 1))
    page_of(fail_as(str(huge)))
    assert str(huge) not in linecache.cache


def test_source_that_no_file_has() -> None:
    """The loader of a module is asked, as Python's own tracebacks do."""

    class Loader:
        def get_source(self, _name: str) -> str:
            return "\n\n1 / 0  # from the loader"

    module = {"__loader__": Loader(), "__name__": "made"}
    error = caught(exec, compile("\n\n1 / 0", "made-by-loader.py", "exec"), module)
    assert "3!1 / 0  # from the loader" in source_of(page_of(error))


def test_a_loader_that_raises() -> None:
    """Then there is no source."""
    module = {"__loader__": types.SimpleNamespace(get_source=raising), "__name__": "made"}
    error = caught(exec, compile("\n\n1 / 0", "made-by-none.py", "exec"), module)
    assert "ZeroDivisionError" in page_of(error).text


def test_long_lines_are_cut(tmp_path: Path) -> None:
    """A minified file does not make a page of megabytes."""
    page = page_of(fail_in_source(tmp_path, f"x = '{'a' * 100_000}'; 1 / 0\n"))
    assert 402 == len(source_of(page)[0])


def test_text_reads_as_it_is_written(tmp_path: Path) -> None:
    """Characters that turn the direction of writing are shown as what they are."""
    source = "access = 'user\u202e \u2066# admin\u2069'\n1 / 0\n"
    shown = source_of(page_of(fail_in_source(tmp_path, source)))
    assert r"1 access = 'user\u202e \u2066# admin\u2069'" == shown[0]
    assert r"\u202e" in page_of(Boom("\u202e")).text


def test_an_interactive_failure_in_a_process() -> None:
    """Source given on the command line is no file."""
    code = (
        "from catchasync import render_error\n"
        "try:\n    1 / 0\nexcept Exception as error:\n"
        "    print(render_error(error, debug=True, format='text').body.decode())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert 'File "<string>", line 3, in <module>' in done.stdout


# The page itself.


def test_markup_is_escaped() -> None:
    """Wherever it comes from."""
    bad = '</pre></style><script>alert(1)</script><img src=x onerror="a\'">&amp;'
    kind = type(bad, (Boom,), {"__module__": bad})
    error = create_error(500, kind(bad), code=bad)
    error.add_note(bad)
    request = {"method": bad, "path": bad, "headers": [(bad, bad)]}
    page = page_of(raised(error), request=request)
    assert {"html", "style", "h1", "details"} <= {tag for tag, _ in page.elements}
    assert 6 <= page.text.count("<script>")


def test_markup_in_source_is_escaped(tmp_path: Path) -> None:
    """Before the mark, in it, and after it."""
    page = page_of(fail_in_source(tmp_path, "x = ['<i>', 1 / ('<b>' and 0), '<u>']\n"))
    assert "x = ['<i>', 1 / ('<b>' and 0), '<u>']" == source_of(page)[0][2:]
    assert "1 / ('<b>' and 0)" == page.texts["mark"][0]


@pytest.mark.parametrize("debug", [False, True])
def test_the_policy_allows_the_style_and_nothing_else(debug: bool) -> None:  # noqa: FBT001 - a case
    """No script, image, font, frame, form; the style by its hash."""
    response = render_error(errors.NotFound(), format="html", debug=debug)
    style = Page(response.body.decode()).texts["style"][0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = [part.strip() for part in response.headers["content-security-policy"].split(";")]
    expected = [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert expected == policy


def test_it_fits_a_phone_and_both_colour_schemes() -> None:
    """The style says so; it was looked at in a browser."""
    page = page_of(Boom())
    style = page.texts["style"][0]
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    assert viewport in [attributes for tag, attributes in page.elements if tag == "meta"]
    assert "color-scheme:light dark" in style
    assert "@media(prefers-color-scheme:dark)" in style
    assert "@media(max-width:40rem)" in style
