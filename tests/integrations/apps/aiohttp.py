"""The contract's app in aiohttp, served by its own server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Generator
from typing import Any

from aiohttp import web

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.aiohttp import as_next, install
from tests.integrations import contract
from tests.integrations.servers import HOST, started


async def ok(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text="ok")


def failing(error: type[Exception], *args: object) -> Any:
    """Return a handler that raises an error."""

    async def handler(request: web.Request) -> web.Response:
        raise error(*args)

    return handler


async def fail_as_http(request: web.Request) -> web.Response:
    """Fail as `HttpError` does."""
    raise contract.no_such_user()


async def stream(request: web.Request) -> web.Response:
    """Return a body that fails in the middle."""

    async def body() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError(contract.SECRET)

    return web.Response(body=body())


class View(web.View):
    """A view class."""

    async def get(self) -> web.Response:
        """Fail."""
        raise RuntimeError(contract.SECRET)


def build(errors: ErrorHandler) -> web.Application:
    """Make the app."""

    @catch_async(next=as_next(errors))
    async def decorated(request: web.Request) -> web.Response:
        raise contract.UserMissing

    app = web.Application()
    app.add_routes(
        [
            web.get("/ok", ok),
            web.get("/ok-async", ok),
            web.get("/bug", failing(RuntimeError, contract.SECRET)),
            web.get("/bug-async", failing(RuntimeError, contract.SECRET)),
            web.get("/http", fail_as_http),
            web.get("/domain", failing(contract.UserMissing)),
            web.get("/rule-answers", failing(contract.Teapot)),
            web.get("/rule-fails", failing(contract.BrokenRule)),
            web.get("/stream", stream),
            web.get("/redirect", failing(web.HTTPFound, "/ok")),
            web.get("/abort", failing(web.HTTPConflict)),
            web.view("/class", View),
            web.get("/decorated", decorated),
        ]
    )
    return install(app, errors)


@contextlib.contextmanager
def serve(app: web.Application) -> Generator[str, None, None]:
    """Serve the app on a loop in a thread."""
    loop = asyncio.new_event_loop()
    with started(threading.Thread(target=loop.run_forever)):
        runner = web.AppRunner(app)
        try:
            yield asyncio.run_coroutine_threadsafe(_start(runner), loop).result()
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
    loop.close()


async def _start(runner: web.AppRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    return f"http://{HOST}:{runner.addresses[0][1]}"
