"""Section 6: `ErrorResponse`: what it is, and what takes it."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from catchasync import ErrorResponse, errors, render_error

FULL = errors.NotFound("No user 7.", code="no_user", details={"id": 7}, internal="secret")


# The response.


def test_an_error_response() -> None:
    """A status, headers by lower-case name, a body."""
    response = render_error(errors.NotFound())
    assert (int, dict, bytes) == (
        type(response.status),
        type(response.headers),
        type(response.body),
    )
    assert all(name == name.lower() for name in response.headers)
    kind = "application/problem+json"
    assert f"<ErrorResponse: 404, {kind}, {len(response.body)} bytes>" == repr(response)
    assert "<ErrorResponse: 404, no content-type, 0 bytes>" == repr(ErrorResponse(404, {}, b""))


def test_a_response_is_pickled_and_copied() -> None:
    """As any other object."""
    response = render_error(errors.NotFound())
    for again in (pickle.loads(pickle.dumps(response)), copy.deepcopy(response)):  # noqa: S301
        assert response.body == again.body
        assert (response.status, response.headers) == (again.status, again.headers)


@pytest.mark.parametrize("serialise", [json.dumps, dict, list, vars, iter, len, bytes])
def test_it_is_no_data(serialise: Callable[[Any], Any]) -> None:
    """Whoever takes it for data fails loudly."""
    response = ErrorResponse(404, {}, b"secret")
    assert not is_dataclass(response)
    with pytest.raises(TypeError):  # noqa: PT011 - whatever they say
        serialise(response)


def test_it_has_no_other_attributes() -> None:
    """A misspelt one is an error."""
    response: Any = ErrorResponse(404, {}, b"")
    with pytest.raises(AttributeError):
        response.haeders = {}


@pytest.mark.parametrize("count", [0, 1, 4])
def test_it_is_called_with_two_or_three_arguments(count: int) -> None:
    """The message says which."""
    response: Any = ErrorResponse(404, {}, b"")
    with pytest.raises(TypeError, match=f"receive, send.*start_response.*got {count} arguments"):
        response(*range(count))


def asgi(response: ErrorResponse, **scope: Any) -> list[Any]:
    """Call it as an ASGI application; return what it sends."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(response({"type": "http", "method": "GET", **scope}, receive, send))
    return sent


def test_it_is_an_asgi_application() -> None:
    """Status, headers as bytes, body."""
    response = ErrorResponse(404, {"x-a": "b\xff"}, b"body")
    start = {"type": "http.response.start", "status": 404, "headers": [(b"x-a", b"b\xff")]}
    body = {"type": "http.response.body", "body": b"body", "more_body": False}
    assert [start, body] == asgi(response)
    assert b"" == asgi(response, method="HEAD")[1]["body"]


def test_a_websocket_that_can_be_answered() -> None:
    """Servers with the extension are handed the whole response."""
    extensions: dict[str, Any] = {"websocket.http.response": {}}
    sent = asgi(ErrorResponse(404, {}, b"body"), type="websocket", extensions=extensions)
    kinds = ["websocket.http.response.start", "websocket.http.response.body"]
    assert kinds == [message["type"] for message in sent]


@pytest.mark.parametrize(("status", "code"), [(404, 1008), (500, 1011)])
@pytest.mark.parametrize("extensions", [{}, {"extensions": None}, {"extensions": {"other": {}}}])
def test_a_websocket_that_can_only_be_closed(
    status: int, code: int, extensions: dict[str, Any]
) -> None:
    """With the code for whoever was at fault."""
    expected = {"type": "websocket.close", "code": code, "reason": ""}
    assert [expected] == asgi(ErrorResponse(status, {}, b""), type="websocket", **extensions)


def wsgi(response: ErrorResponse, method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    """Call it as a WSGI application, watched by the validator of the standard library."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    seen: list[Any] = []

    def start_response(status: str, headers: list[Any], *_: Any) -> Any:
        seen.extend((status, dict(headers)))
        return seen.append

    body: Any = validator(response)(environ, start_response)
    data = b"".join(body)
    body.close()
    return seen[0], seen[1], data


def test_it_is_a_wsgi_application() -> None:
    """Status with its phrase, headers, body."""
    response = render_error(FULL)
    assert ("404 Not Found", response.headers, response.body) == wsgi(response)
    assert b"" == wsgi(response, "HEAD")[2]


def test_wsgi_gets_no_hop_by_hop_headers() -> None:
    """PEP 3333 forbids them."""
    response = render_error(errors.UpgradeRequired(headers={"Upgrade": "h2c", "x-a": "b"}))
    assert "upgrade" in response.headers
    headers = wsgi(response)[1]
    assert (False, "b") == ("upgrade" in headers, headers["x-a"])


# Real frameworks take it for a response, or fail loudly.


def test_flask_takes_it() -> None:
    """Flask takes a WSGI application."""
    flask = pytest.importorskip("flask")
    app = flask.Flask("app")
    response = render_error(FULL)
    app.add_url_rule("/", view_func=lambda: response)
    got = app.test_client().get("/")
    assert (404, response.body) == (got.status_code, got.data)
    assert response.headers.items() <= {k.lower(): v for k, v in got.headers.items()}.items()


def test_starlette_takes_it() -> None:
    """Starlette calls what a handler returns."""
    routing = pytest.importorskip("starlette.routing")
    client = pytest.importorskip("starlette.testclient")
    response = render_error(FULL)

    async def show(_request: Any) -> Any:
        return response

    got = client.TestClient(routing.Router([routing.Route("/", show)])).get("/")
    assert (404, response.body, response.headers) == (
        got.status_code,
        got.content,
        dict(got.headers),
    )


def test_fastapi_fails_loudly() -> None:
    """It takes anything that is no response of its own for data."""
    fastapi = pytest.importorskip("fastapi")
    client = pytest.importorskip("starlette.testclient")
    app = fastapi.FastAPI()
    response = render_error(FULL)
    app.get("/")(lambda: response)
    with pytest.raises((TypeError, ValueError)):
        client.TestClient(app).get("/")


def test_litestar_fails_loudly_or_takes_it() -> None:
    """Never a 200."""
    litestar = pytest.importorskip("litestar")
    testing = pytest.importorskip("litestar.testing")
    response = render_error(FULL)

    @litestar.get("/", sync_to_thread=False)  # type: ignore[untyped-decorator]
    def show() -> object:
        return response

    with testing.create_test_client(show, logging_config=None) as client:
        assert 404 <= client.get("/").status_code
