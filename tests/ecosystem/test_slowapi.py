"""FastAPI beside slowapi: a decorator that limits handlers, a middleware, and an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("slowapi")

from fastapi import APIRouter, FastAPI, Request
from slowapi import Limiter
from slowapi import _rate_limit_exceeded_handler as theirs
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

from catchasync.integrations.fastapi import as_next, install, wrap_router
from tests.ecosystem.asking import ask, compare, names
from tests.integrations.contract import UserMissing, make_errors


def make(answer: Callable[..., Any] | None = None, router: Any = None) -> FastAPI:
    """Return an app whose routes take one request a minute; ``answer`` answers the others."""
    app = FastAPI()
    limiter: Any = Limiter(key_func=get_remote_address)
    app.state.limiter = limiter
    if answer is not None:
        app.add_exception_handler(RateLimitExceeded, answer)
        app.add_middleware(SlowAPIMiddleware)
    routes = app if router is None else router

    @routes.get("/ok")
    @limiter.limit("1/minute")
    async def ok(request: Request) -> str:
        return "ok"

    @routes.get("/much")
    @limiter.limit("1/minute", cost=2)
    async def much(request: Request) -> str:
        return "much"

    @routes.get("/missing")
    @limiter.limit("1/minute")
    async def missing(request: Request) -> str:
        raise UserMissing

    if router is not None:
        app.include_router(router)
    return app


def test_success() -> None:
    """What a limited handler returns is as without us, byte for byte."""
    bare, sent, reported = compare(make, install, "/ok")
    assert (bare, []) == (sent, reported)


def test_failure() -> None:
    """What it raises is answered, and reported once."""
    _, sent, reported = compare(make, install, "/missing")
    assert (404, ["UserMissing"]) == (sent.status, names(reported))


def test_limit() -> None:
    """Its error is the framework's: it is answered in our form, and reported as expected."""
    _, sent, reported = compare(make, install, "/much")
    assert (429, 429, [True]) == (
        sent.status,
        sent["status"],
        [report.expected for report in reported],
    )


def test_handler_of_the_app() -> None:
    """One that the app has for its error still answers."""
    bare, sent, reported = compare(lambda: make(theirs), install, "/much")
    assert (429, bare, []) == (sent.status, sent, reported)


def test_our_answer_behind_the_middleware() -> None:
    """Where the middleware asks that handler, it can answer in our form."""
    errors, reported = make_errors()

    def answer(request: Request, error: Exception) -> Any:
        return as_next(errors)(error)

    sent = ask(install(make(answer), errors), "/much")
    assert (429, 429, ["RateLimitExceeded"]) == (sent.status, sent["status"], names(reported))


@pytest.mark.parametrize("passes", [True, False])
def test_wrapped_router(*, passes: bool) -> None:
    """A wrapped handler catches the limit too, unless that is to pass through."""
    errors, reported = make_errors()
    options: Any = {"pass_through": RateLimitExceeded} if passes else {}
    router = wrap_router(APIRouter(), next=as_next(errors), **options)
    sent = ask(make(theirs, router), "/much")
    assert (429, not passes) == (sent.status, sent["status"] == 429)
    assert ([] if passes else ["RateLimitExceeded"]) == names(reported)
