"""The shop on aiohttp."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager

from aiohttp import web

from catchasync import ErrorHandler
from catchasync.integrations.aiohttp import install
from examples.sample_api.handlers import ROUTES, Handler, Request
from examples.sample_api.store import Store
from examples.serving import address_of, listening, quiet, running


def make_app(store: Store, errors: ErrorHandler) -> web.Application:
    """Make the application; its failures reach ``errors``."""
    app = web.Application()
    for verb, path, handle in ROUTES:
        app.router.add_route(verb, path, route(handle, store))
    return install(app, errors)


def route(handle: Handler, store: Store) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make aiohttp's handler of a handler of ours, which blocks: it runs in a thread."""

    async def answer(request: web.Request) -> web.Response:
        asked = Request(request.match_info, await request.read())
        reply = await asyncio.to_thread(handle, store, asked)
        body = reply.body if isinstance(reply.body, bytes) else pieces(reply.body)
        return web.Response(body=body, status=reply.status, content_type=reply.media_type)

    return answer


async def pieces(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Give one piece after the other, each made in a thread."""
    while (piece := await asyncio.to_thread(next, body, None)) is not None:
        yield piece


@contextmanager
def serving(app: web.Application, port: int = 0) -> Generator[str]:
    """Serve an application on this machine; give its address."""
    loop = asyncio.new_event_loop()
    with (
        quiet("aiohttp.server"),
        listening(port) as listener,
        running(lambda: serve(app, listener, loop)),
    ):
        try:
            yield address_of(listener)
        finally:
            loop.call_soon_threadsafe(leave)


def serve(app: web.Application, listener: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Serve until `leave` is called on the loop."""
    web.run_app(app, sock=listener, loop=loop, access_log=None, handle_signals=False, print=None)


def leave() -> None:
    """End a server: aiohttp listens to this error."""
    raise web.GracefulExit
