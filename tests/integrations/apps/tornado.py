"""The contract's app in Tornado, served by its own server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator
from typing import Any

from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.tornado import as_next, install
from tests.integrations import contract
from tests.integrations.servers import HOST, started


class Ok(web.RequestHandler):
    """A handler that answers."""

    def get(self) -> None:
        """Answer."""
        self.write("ok")


class OkAsync(web.RequestHandler):
    """Same, async."""

    async def get(self) -> None:
        """Answer."""
        self.write("ok")


def failing(error: type[Exception], *args: object) -> type[web.RequestHandler]:
    """Return a handler that raises an error."""

    class Handler(web.RequestHandler):
        def get(self) -> None:
            self.write("dropped")
            raise error(*args)

    return Handler


class FailAsync(web.RequestHandler):
    """An async handler that fails."""

    async def get(self) -> None:
        """Fail."""
        raise RuntimeError(contract.SECRET)


class FailAsHttp(web.RequestHandler):
    """A handler that fails as `HttpError` does."""

    def get(self) -> None:
        """Fail."""
        raise contract.no_such_user()

    head = get


class Stream(web.RequestHandler):
    """A handler that fails in the middle of the body."""

    async def get(self) -> None:
        """Send, and fail."""
        self.write(b"begun")
        await self.flush()
        raise RuntimeError(contract.SECRET)


class Redirect(web.RequestHandler):
    """A handler that redirects."""

    def get(self) -> None:
        """Redirect."""
        self.redirect("/ok")


def build(errors: ErrorHandler) -> web.Application:
    """Make the app."""

    class Decorated(web.RequestHandler):
        @catch_async(next=as_next(errors))
        async def get(self) -> None:
            raise contract.UserMissing

    handlers: list[Any] = [
        ("/ok", Ok),
        ("/ok-async", OkAsync),
        ("/bug", failing(RuntimeError, contract.SECRET)),
        ("/bug-async", FailAsync),
        ("/http", FailAsHttp),
        ("/domain", failing(contract.UserMissing)),
        ("/rule-answers", failing(contract.Teapot)),
        ("/rule-fails", failing(contract.BrokenRule)),
        ("/stream", Stream),
        ("/redirect", Redirect),
        ("/abort", failing(web.HTTPError, 409)),
        ("/class", FailAsync),
        ("/decorated", Decorated),
    ]
    return install(web.Application(handlers), errors)


@contextlib.contextmanager
def serve(app: web.Application) -> Generator[str, None, None]:
    """Serve the app on a loop in a thread."""
    loop = asyncio.new_event_loop()
    sockets = bind_sockets(0, HOST)
    with started(threading.Thread(target=loop.run_forever)):
        server = asyncio.run_coroutine_threadsafe(_start(app, sockets), loop).result()
        try:
            yield f"http://{HOST}:{sockets[0].getsockname()[1]}"
        finally:
            asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
            loop.call_soon_threadsafe(loop.stop)
    loop.close()


async def _start(app: web.Application, sockets: Any) -> HTTPServer:
    server = HTTPServer(app)
    server.add_sockets(sockets)
    return server


async def _stop(server: HTTPServer) -> None:
    server.stop()
    await server.close_all_connections()
