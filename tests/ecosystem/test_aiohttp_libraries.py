"""aiohttp beside aiohttp-cors and aiohttp-session."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("aiohttp_cors")
pytest.importorskip("aiohttp_session")

import aiohttp_cors
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp_session import SimpleCookieStorage, get_session, setup

from catchasync.integrations.aiohttp import install
from tests.integrations.contract import Reports, UserMissing, make_errors

# aiohttp-session keeps what is its own in a request under a string.
pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.RequestKey")

ORIGIN: Final = "https://example.org"
COOKIE: Final = "AIOHTTP_SESSION"


async def ok(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text="ok")


async def bug(request: web.Request) -> web.Response:
    """Fail."""
    (await get_session(request))["tries"] = 1
    raise UserMissing


async def conflict(request: web.Request) -> web.Response:
    """Fail in aiohttp's way, and have something kept in the session."""
    (await get_session(request))["tries"] = 1
    raise web.HTTPConflict(headers={"X-Why": "taken"})


async def moved(request: web.Request) -> web.Response:
    """Redirect, and have something kept in the session."""
    (await get_session(request))["tries"] = 1
    raise web.HTTPFound("/ok")


def make(order: str) -> tuple[web.Application, Reports]:
    """Return an app with the libraries, and us before or after them, or not at all."""
    errors, reported = make_errors()
    app = web.Application()
    if order == "before":
        install(app, errors)
    setup(app, SimpleCookieStorage())
    options: Any = aiohttp_cors.ResourceOptions
    cors = aiohttp_cors.setup(app, defaults={ORIGIN: options(allow_credentials=True)})
    for handler in (ok, bug, conflict, moved):
        cors.add(app.router.add_get(f"/{handler.__name__}", handler))
    if order == "after":
        install(app, errors)
    return app, reported


def ask(app: web.Application, path: str, method: str = "GET") -> Any:
    """Ask an app, and return status, headers, cookies and body."""
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}

    async def run() -> Any:
        async with TestClient(TestServer(app)) as client:
            answer = await client.request(method, path, headers=headers, allow_redirects=False)
            kept = {name.lower(): value for name, value in answer.headers.items()}
            del kept["date"]
            return answer.status, kept, answer.cookies, await answer.read()

    return asyncio.run(run())


orders = pytest.mark.parametrize("order", ["before", "after"])


@orders
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_success(order: str, method: str) -> None:
    """Answers, also to a preflight request, are as without us."""
    app, reported = make(order)
    assert ask(make("never")[0], "/ok", method) == ask(app, "/ok", method)
    assert [] == reported


@orders
def test_failure(order: str) -> None:
    """A failure has its answer with CORS headers, and is reported once."""
    app, reported = make(order)
    status, headers, _cookies, _body = ask(app, "/bug")
    assert (404, ORIGIN) == (status, headers["access-control-allow-origin"])
    assert ["UserMissing"] == [report.name for report in reported]


@orders
def test_cookie_of_an_error(order: str) -> None:
    """The cookie that a session sets on an error of aiohttp's goes out with our answer."""
    app, reported = make(order)
    _, _, before, _ = ask(make("never")[0], "/conflict")
    status, headers, cookies, _body = ask(app, "/conflict")
    assert (409, "taken") == (status, headers["x-why"])
    assert set(before) == set(cookies) == {COOKIE}
    assert ["HTTPConflict"] == [report.name for report in reported]


@orders
def test_redirect(order: str) -> None:
    """A redirect goes through, with its cookie."""
    app, reported = make(order)
    status, _headers, cookies, _body = ask(app, "/moved")
    assert (302, {COOKIE}, []) == (status, set(cookies), reported)
