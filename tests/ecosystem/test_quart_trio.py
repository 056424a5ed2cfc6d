"""Quart on trio, as quart-trio has it, served by Hypercorn."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import pytest

pytest.importorskip("quart")
pytest.importorskip("quart_trio")

import trio
from hypercorn.trio import serve
from quart import websocket
from quart_trio import QuartTrio

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.quart import as_next, install
from tests.ecosystem.servers import quiet
from tests.integrations.client import ask, leave, listen, see_begun
from tests.integrations.contract import UserMissing, make_errors
from tests.integrations.servers import HOST


def make(errors: ErrorHandler) -> QuartTrio:
    """Return an app that fails in every way."""
    app = QuartTrio("shop")

    @app.get("/ok")
    async def ok() -> str:
        return "ok"

    @app.get("/bug")
    async def bug() -> str:
        raise RuntimeError("secret")

    @app.get("/nursery")
    async def nursery() -> str:
        async with trio.open_nursery() as tasks:
            tasks.start_soon(bug_of, UserMissing())
        return "ok"

    @app.get("/task")
    async def task() -> str:
        app.add_background_task(bug_of, RuntimeError("secret"))
        return "ok"

    @app.get("/stream")
    async def stream() -> Any:
        return parts(1, RuntimeError("secret"))

    @app.get("/long")
    async def long() -> Any:
        return parts(1000)

    @app.get("/single")
    @catch_async(next=as_next(errors))
    async def single() -> str:
        raise UserMissing

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept()
        await websocket.send("begun")
        raise RuntimeError("secret")

    return app


async def bug_of(error: Exception) -> None:
    """Fail."""
    raise error


async def parts(count: int, error: Exception | None = None) -> AsyncGenerator[bytes, None]:
    """Yield parts of a body, and fail."""
    for _ in range(count):
        yield b"begun"
        await trio.sleep(0.01)
    if error is not None:
        raise error


def serving(app: QuartTrio, *calls: Callable[[str], Any]) -> list[Any]:
    """Serve an app, call some functions in threads with its URL, and return what they return."""

    async def run() -> list[Any]:
        stop = trio.Event()
        serve_here: Any = partial(
            serve, app, quiet(f"{HOST}:0"), shutdown_trigger=stop.wait, mode="asgi"
        )
        async with trio.open_nursery() as tasks:
            [url] = await tasks.start(serve_here)
            answers = [await trio.to_thread.run_sync(call, url) for call in calls]
            stop.set()
        return answers

    return trio.run(run)


def asking(path: str) -> Callable[[str], Any]:
    """Return what asks for a path."""
    return lambda url: ask(url, path)


@pytest.mark.parametrize(
    ("path", "status", "name", "source"),
    [
        ("/bug", 500, "RuntimeError", "route"),
        ("/nursery", 404, "ExceptionGroup", "route"),
        ("/nowhere", 404, "NotFound", "route"),
        ("/single", 404, "UserMissing", "route"),
        ("/task", 200, "RuntimeError", "task"),
    ],
)
def test_failure(path: str, status: int, name: str, source: str) -> None:
    """A failure is answered, and reported once; that of a nursery is looked up in its group."""
    errors, reported = make_errors()
    app = install(make(errors), errors)
    [answer, ok] = serving(app, asking(path), asking("/ok"))
    assert (status, b"ok") == (answer.status, ok.body)
    assert [(name, source)] == [(report.name, report.source) for report in reported]


def test_success() -> None:
    """A success is as without us."""
    errors, reported = make_errors()
    app = make(errors)
    assert serving(app, asking("/ok")) == serving(install(app, errors), asking("/ok"))
    assert [] == reported


def test_stream() -> None:
    """A stream that fails midway is reported once, and broken off; a client may go away."""
    errors, reported = make_errors()
    app = install(make(errors), errors)
    [answer, _] = serving(app, asking("/stream"), lambda url: leave(url, "/long", see_begun))
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert ["RuntimeError"] == [report.name for report in reported]


def test_websocket() -> None:
    """A websocket that fails is reported once, and ends."""
    errors, reported = make_errors()
    [talk] = serving(install(make(errors), errors), lambda url: listen(url, "/ws"))
    assert ((b"begun",), ["websocket"]) == (talk.texts, [report.source for report in reported])


@pytest.mark.parametrize("when", ["before_serving", "after_serving"])
def test_start_or_stop_that_fails(when: str) -> None:
    """What failed is reported once, not what Hypercorn makes of it, inside of trio's groups."""
    errors, reported = make_errors()
    app = make(errors)
    getattr(app, when)(partial(bug_of, UserMissing()))
    with contextlib.suppress(ExceptionGroup):  # a stop that fails is a failure of some versions
        serving(install(app, errors), asking("/ok"))
    assert [("UserMissing", "lifespan")] == [(report.name, report.source) for report in reported]
