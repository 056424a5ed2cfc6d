"""Sanic beside sanic-ext: injected dependencies, checked requests, CORS, a schema of the API."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

pytest.importorskip("sanic")
pytest.importorskip("sanic_ext")
pytest.importorskip("sanic_testing")

from sanic import Blueprint, HTTPResponse, Request, Sanic, text
from sanic_ext import Extend, validate
from sanic_testing.testing import SanicASGITestClient

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.sanic import as_next, install, wrap_router
from tests.integrations.contract import Reports, UserMissing, make_errors

ORIGIN: Final = "https://example.org"

_numbers = itertools.count()


@dataclass
class Order:
    """What is ordered."""

    number: int


class Session:
    """What is injected."""


class Broken:
    """What cannot be injected."""


async def make_session(request: Request) -> Session:
    """Make it."""
    return Session()


async def make_broken(request: Request) -> Broken:
    """Fail."""
    raise UserMissing


def make(routes: Any = None) -> Any:
    """Return an app with an extension."""
    app: Any = Sanic(f"shop-{next(_numbers)}")
    routes = routes or app

    @routes.get("/ok")
    async def ok(request: Request, session: Session) -> HTTPResponse:
        return text(type(session).__name__)

    @routes.get("/missing")
    async def missing(request: Request, session: Session) -> HTTPResponse:
        raise UserMissing

    @routes.get("/broken")
    async def broken(request: Request, thing: Broken) -> HTTPResponse:
        return text("never")

    @routes.post("/orders")
    @validate(json=Order)
    async def order(request: Request, body: Order) -> HTTPResponse:
        return text(str(body.number))

    return app


def extend(app: Any) -> Any:
    """Put the extension in an app."""
    app.config.CORS_ORIGINS = ORIGIN
    Extend(app)
    app.ext.add_dependency(Session, make_session)
    app.ext.add_dependency(Broken, make_broken)
    return app


def ask(app: Any, path: str, json: Any = None) -> Any:
    """Ask an app, in this thread."""

    async def get() -> Any:
        client: Any = SanicASGITestClient(app)
        how = {"json": json} if json is not None else {}
        send = client.get if json is None else client.post
        _request, answer = await send(path, headers={"Origin": ORIGIN}, **how)
        return answer

    return asyncio.run(get())


def parts_of(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """Return what is compared of an answer."""
    return answer.status_code, dict(answer.headers), answer.content


ORDERS: Final[dict[str, Callable[[Any, ErrorHandler], Any]]] = {
    "before": lambda app, errors: extend(install(app, errors)),
    "after": lambda app, errors: install(extend(app), errors),
}
"""Whether we are installed before the extension or after it."""


@pytest.fixture(params=ORDERS)
def installed(request: pytest.FixtureRequest) -> tuple[Any, Reports]:
    """Return an app with the extension and us, and what is reported."""
    errors, reported = make_errors()
    return ORDERS[request.param](make(), errors), reported


@pytest.mark.parametrize(
    ("path", "json"), [("/ok", None), ("/orders", {"number": 7}), ("/docs", None)]
)
def test_success(installed: tuple[Any, Reports], path: str, json: Any) -> None:
    """What is injected and checked is answered as without us."""
    app, reported = installed
    assert parts_of(ask(extend(make()), path, json)) == parts_of(ask(app, path, json))
    assert [] == reported


@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_failure(installed: tuple[Any, Reports], path: str) -> None:
    """What a handler or a dependency raises is answered with CORS headers, and reported once."""
    app, reported = installed
    answer = ask(app, path)
    assert (404, 404) == (answer.status_code, answer.json["status"])
    assert ORIGIN == answer.headers["access-control-allow-origin"]
    assert ["UserMissing"] == [report.name for report in reported]


def test_invalid_request(installed: tuple[Any, Reports]) -> None:
    """An invalid request is answered in our form, and reported as expected."""
    app, reported = installed
    answer = ask(app, "/orders", {"number": "seven"})
    assert (400, 400) == (answer.status_code, answer.json["status"])
    assert [("ValidationError", True)] == [(each.name, each.expected) for each in reported]


def test_wrapped_router() -> None:
    """Handlers of a wrapped blueprint get what is injected, and are checked."""
    errors, reported = make_errors()
    blueprint = Blueprint("api")
    app = make(wrap_router(blueprint, next=as_next(errors)))
    app.blueprint(blueprint)
    answers = [ask(extend(app), "/ok"), ask(app, "/missing"), ask(app, "/orders", {"number": 7})]
    assert [200, 404, 200] == [answer.status_code for answer in answers]
    assert ["UserMissing"] == [report.name for report in reported]


def test_single_handler() -> None:
    """A decorated handler gets what is injected too."""
    errors, reported = make_errors()
    app: Any = make()

    @app.get("/single")
    @catch_async(next=as_next(errors))
    async def single(request: Request, session: Session) -> HTTPResponse:
        raise UserMissing

    assert 404 == ask(extend(app), "/single").status_code
    assert ["UserMissing"] == [report.name for report in reported]
