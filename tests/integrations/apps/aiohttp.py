"""The contract's app in aiohttp, served by its own server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from aiohttp import web

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.aiohttp import as_next, install
from tests.integrations.failing import (
    BREAKS,
    FAILS,
    FAILS_ASYNC,
    PARTS_ASYNC,
    break_if,
    bug,
    domain,
    raising,
)
from tests.integrations.servers import HOST, running


async def ok(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text="ok")


def failing(fail: Callable[[], Any]) -> Any:
    """Return a handler that fails."""

    async def handler(request: web.Request) -> Any:
        return fail()

    return handler


def failing_async(fail: Callable[[], Any]) -> Any:
    """Return a handler that fails where it awaits something."""

    async def handler(request: web.Request) -> Any:
        return await fail()

    return handler


def streaming(parts: Callable[[], AsyncIterator[bytes]]) -> Any:
    """Return a handler that returns a stream."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=parts())

    return handler


async def after(request: web.Request) -> web.StreamResponse:
    """Send a body, and fail."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"ok")
    await response.write_eof()
    bug()


class View(web.View):
    """A view class."""

    async def get(self) -> web.Response:
        """Fail."""
        bug()


class Views:
    """An object whose method is a handler."""

    async def get(self, request: web.Request) -> web.Response:
        """Fail."""
        bug()


async def listen(request: web.Request) -> web.StreamResponse:
    """Fail after the first message of a websocket."""
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    await websocket.send_str("begun")
    bug()


async def listen_early(request: web.Request) -> web.StreamResponse:
    """Fail before the handshake."""
    bug()


@web.middleware
async def breaking(request: web.Request, handler: Any) -> Any:
    """Fail, as a middleware."""
    break_if(request.path, "before")
    response = await handler(request)
    break_if(request.path, "after")
    return response


def build(errors: ErrorHandler) -> web.Application:
    """Make the app."""
    decorated: Any = catch_async(next=as_next(errors))(failing(domain))
    handlers: dict[str, Any] = {
        **{path: failing(fail) for path, fail in FAILS.items()},
        **{path: failing_async(fail) for path, fail in FAILS_ASYNC.items()},
        **{path: streaming(parts) for path, parts in PARTS_ASYNC.items()},
        **dict.fromkeys([*BREAKS, "/ok", "/ok-async"], ok),
        "/after": after,
        "/redirect": failing(raising(lambda: web.HTTPFound("/ok"))),
        "/abort": failing(raising(web.HTTPConflict)),
        "/class": View,
        "/method": Views().get,
        "/decorated": decorated,
        "/ws": listen,
        "/ws-early": listen_early,
    }
    app = web.Application(middlewares=[breaking])
    for path, handler in handlers.items():
        app.router.add_view(path, handler) if handler is View else app.router.add_get(path, handler)
    return install(app, errors)


@contextlib.contextmanager
def serve(app: web.Application) -> Generator[str, None, None]:
    """Serve the app on a loop in a thread."""
    runner = web.AppRunner(app)
    with running() as run:
        try:
            yield run(_start(runner))
        finally:
            run(runner.cleanup())


async def _start(runner: web.AppRunner) -> str:
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    return f"http://{HOST}:{runner.addresses[0][1]}"


async def broken(app: web.Application) -> None:
    """Fail at the start."""
    bug()


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    app = web.Application()
    app.on_startup.append(broken)
    with contextlib.suppress(RuntimeError), serve(install(app, errors)):
        return False
    return True
