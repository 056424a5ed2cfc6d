"""The contract's app in Tornado, served by its own server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.websocket import WebSocketHandler

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.tornado import as_next, install
from tests.integrations.failing import (
    FAILS,
    FAILS_ASYNC,
    PARTS_ASYNC,
    bug,
    domain,
    raising,
)
from tests.integrations.servers import HOST, running, url_of


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


def failing(fail: Callable[[], Any]) -> type[web.RequestHandler]:
    """Return a handler that fails; what it has written is dropped."""

    class Handler(web.RequestHandler):
        def get(self) -> Any:
            self.write("dropped")
            return fail()

        head = get

    return Handler


def streaming(parts: Callable[[], AsyncIterator[bytes]]) -> type[web.RequestHandler]:
    """Return a handler that sends a stream."""

    class Handler(web.RequestHandler):
        async def get(self) -> None:
            async with contextlib.aclosing(parts()) as stream:  # type: ignore[type-var]
                async for part in stream:
                    self.write(part)
                    await self.flush()

    return Handler


class After(web.RequestHandler):
    """A handler that fails after its answer."""

    async def get(self) -> None:
        """Send, and fail."""
        await self.finish("ok")
        bug()


class Redirect(web.RequestHandler):
    """A handler that redirects."""

    def get(self) -> None:
        """Redirect."""
        self.redirect("/ok")


class Validated(web.RequestHandler):
    """A handler that has to be told something."""

    def get(self) -> None:
        """Answer who says it."""
        self.write(self.get_argument("missing"))


class Prepared(Ok):
    """A handler that fails in what Tornado has in the place of middlewares."""

    def prepare(self) -> None:
        """Fail."""
        bug()


class Listening(WebSocketHandler):
    """A websocket that fails after the first message."""

    async def open(self, *args: str, **kwargs: str) -> None:
        """Fail."""
        await self.write_message("begun")
        bug()


class ListeningEarly(WebSocketHandler):
    """A websocket that fails before the handshake."""

    def prepare(self) -> None:
        """Fail."""
        bug()


def build(errors: ErrorHandler) -> web.Application:
    """Make the app."""

    class Decorated(web.RequestHandler):
        @catch_async(next=as_next(errors))
        async def get(self) -> None:
            domain()

    handlers: dict[str, type[web.RequestHandler]] = {
        **{path: failing(fail) for path, fail in {**FAILS, **FAILS_ASYNC}.items()},
        **{path: streaming(parts) for path, parts in PARTS_ASYNC.items()},
        "/ok": Ok,
        "/ok-async": OkAsync,
        "/after": After,
        "/redirect": Redirect,
        "/validation": Validated,
        "/middleware": Prepared,
        "/abort": failing(raising(lambda: web.HTTPError(409))),
        "/class": failing(bug),
        "/method": failing(bug),
        "/decorated": Decorated,
        "/ws": Listening,
        "/ws-early": ListeningEarly,
    }
    return install(web.Application(list(handlers.items())), errors)


@contextlib.contextmanager
def serve(app: web.Application) -> Generator[str, None, None]:
    """Serve the app on a loop in a thread."""
    sockets = bind_sockets(0, HOST)
    with running() as run:
        server = run(_start(app, sockets))
        try:
            yield url_of(sockets[0])
        finally:
            run(_stop(server))


async def _start(app: web.Application, sockets: Any) -> HTTPServer:
    server = HTTPServer(app)
    server.add_sockets(sockets)
    return server


async def _stop(server: HTTPServer) -> None:
    server.stop()
    await server.close_all_connections()
