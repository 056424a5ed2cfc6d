"""The contract app as plain ASGI: handlers that return applications, and a router by hand."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

from catchasync import ErrorHandler, catch_async
from catchasync.errors import Conflict, MethodNotAllowed, NotFound
from catchasync.integrations.asgi import as_next, install
from tests.integrations import servers
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


class Text:
    """A response."""

    def __init__(self, body: bytes, status: int = 200, headers: tuple[Any, ...] = ()) -> None:
        self.body, self.status, self.headers = body, status, headers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        head = {"status": self.status, "headers": list(self.headers)}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": self.body})


class Stream:
    """A response that comes in parts."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self.parts = parts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def after(scope: Any, receive: Any, send: Any) -> None:
    """Send a body, and fail."""
    await ok()(scope, receive, send)
    bug()


class View:
    """A class whose method is a handler; so is an object of it."""

    def get(self) -> Any:
        """Fail."""
        bug()

    def __call__(self) -> Any:
        """Fail."""
        bug()


def ok() -> Text:
    """Answer."""
    return Text(b"ok")


async def ok_async() -> Text:
    """Answer."""
    return ok()


def streaming(parts: Callable[[], AsyncIterator[bytes]]) -> Callable[[], Stream]:
    """Return a handler that returns a stream."""
    return lambda: Stream(parts())


def routes_of(errors: ErrorHandler) -> dict[str, Callable[[], Any]]:
    """Return the handlers."""
    return {
        **FAILS,
        **FAILS_ASYNC,
        **{path: streaming(parts) for path, parts in PARTS_ASYNC.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/ok-async": ok_async,
        "/after": lambda: after,
        "/redirect": lambda: Text(b"", 302, ((b"location", b"/ok"),)),
        "/abort": raising(Conflict),
        "/class": View(),
        "/method": View().get,
        "/decorated": catch_async(next=as_next(errors))(domain),
    }


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """Fail, before the handshake or after the first message."""
    assert "websocket.connect" == (await receive())["type"]
    if scope["path"] == "/ws":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "begun"})
    bug()


def build(errors: ErrorHandler) -> Any:
    """Build the app."""
    routes = routes_of(errors)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await websocket(scope, receive, send)
            return
        path = scope["path"]
        break_if(path, "before")
        response = response_to(scope["method"], path)
        if inspect.isawaitable(response):
            response = await response
        break_if(path, "after")
        await response(scope, receive, send)

    def response_to(method: str, path: str) -> Any:
        if path not in routes:
            raise NotFound
        if method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET"})
        return routes[path]()

    return install(app, errors)


def serve(app: Any) -> AbstractContextManager[str]:
    """Serve it."""
    return servers.serve_asgi(app)


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        bug()

    return not servers.starts_asgi(install(app, errors), lifespan="on")
