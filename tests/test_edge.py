"""`examples/edge.py`: where the examples on Starlette meet their error handler, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from catchasync import ErrorHandler
from examples.edge import Edge, answers_http_exceptions, context
from examples.serving import serving

Told = list[tuple[str, str, str | None]]


@pytest.fixture
def told() -> Told:
    """Keep what is reported: where, the type, and the method of the request."""
    return []


@pytest.fixture
def http(told: Told) -> Iterator[httpx.Client]:
    """Serve an application with handlers that nobody has decorated."""

    def tell(error: BaseException, seen: Any) -> None:
        told.append((seen.source, type(error).__name__, seen.method))

    errors = ErrorHandler(reporters=(tell,))

    @errors.on(LookupError)
    async def answer(_error: LookupError, _context: object) -> Response:
        return PlainTextResponse("looked in vain", 404)

    app = Starlette(
        routes=[Route("/bug", bug), Route("/lookup", lookup), Route("/stream/{at:int}", stream)],
        middleware=[Middleware(Edge, errors=errors)],
        exception_handlers=answers_http_exceptions(errors),
    )
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


async def bug(_request: Request) -> Response:
    """Fail."""
    raise ZeroDivisionError


async def lookup(_request: Request) -> Response:
    """Fail as an async rule answers it."""
    raise KeyError


async def stream(request: Request) -> Response:
    """Send a line after the other, and fail at one."""

    async def lines() -> AsyncIterator[str]:
        for number in range(3):
            if number == request.path_params["at"]:
                raise HTTPException(403) if number else ZeroDivisionError
            yield f"{number}\n"

    return StreamingResponse(lines())


def test_what_no_route_handled(http: httpx.Client, told: Told) -> None:
    """It is answered, and reported once, with its request."""
    assert (500, "ZeroDivisionError") == (http.get("/bug").status_code, told[0][1])
    assert 404 == http.head("/nowhere").status_code
    assert [
        ("edge", "ZeroDivisionError", "GET"),
        ("edge", "HTTPException", "HEAD"),
    ] == told


def test_an_async_rule(http: httpx.Client) -> None:
    """What it returns is the answer."""
    answer = http.get("/lookup")
    assert (404, "looked in vain") == (answer.status_code, answer.text)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_stream_that_fails(http: httpx.Client, told: Told, at: int) -> None:
    """It has begun: the connection is broken off, and the failure reported once."""
    received: list[str] = []
    with http.stream("GET", f"/stream/{at}") as answer, pytest.raises(httpx.RemoteProtocolError):
        received.extend(answer.iter_text())
    assert [f"{number}\n" for number in range(at)] == received
    assert 1 == len(told)
    assert 200 == http.get("/stream/3").status_code


async def broken_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, and fail then: a server alone would notice nothing."""
    await PlainTextResponse("looks whole")(scope, receive, send)
    raise ZeroDivisionError


def test_the_server_is_told() -> None:
    """A failure after the answer is raised again, also where the answer looks whole."""

    async def ask() -> None:
        transport = httpx.ASGITransport(Edge(broken_page, ErrorHandler(reporters=())))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask())


def test_outside_of_a_request() -> None:
    """There is no request to speak of."""
    assert ("job", None) == (context("job").source, context("job").request)
