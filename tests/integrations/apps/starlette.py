"""The contract app in Starlette."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.starlette import as_next, install
from tests.integrations import servers
from tests.integrations.failing import (
    BREAKS,
    FAILS,
    FAILS_ASYNC,
    PARTS_ANY,
    break_if,
    bug,
    bug_async,
    domain,
    raising,
)


def failing(fail: Callable[[], Any]) -> Callable[[Request], Any]:
    """Return a handler that fails."""
    return lambda request: fail()


def failing_async(fail: Callable[[], Any]) -> Callable[[Request], Any]:
    """Return an async handler that fails."""

    async def handler(request: Request) -> Any:
        return await fail()

    return handler


def streaming(parts: Callable[[], AsyncIterator[bytes] | Iterator[bytes]]) -> Any:
    """Return a handler that returns a stream."""
    return lambda request: StreamingResponse(parts())


def ok(request: Request) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def ok_async(request: Request) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def after(scope: Any, receive: Any, send: Any) -> None:
    """Send a body, and fail."""
    await PlainTextResponse("ok")(scope, receive, send)
    bug()


def background(request: Request) -> PlainTextResponse:
    """Answer, and fail in a background task."""
    return PlainTextResponse("ok", background=BackgroundTask(bug_async))


def background_sync(request: Request) -> PlainTextResponse:
    """Same, in a thread."""
    return PlainTextResponse("ok", background=BackgroundTask(bug))


def redirect(request: Request) -> RedirectResponse:
    """Redirect."""
    return RedirectResponse("/ok")


class View(HTTPEndpoint):
    """A class whose method is a handler."""

    def get(self, request: Request) -> PlainTextResponse:
        """Fail."""
        bug()


class Views:
    """An object whose method is a handler."""

    def show(self, request: Request) -> PlainTextResponse:
        """Fail."""
        bug()


async def websocket(websocket: WebSocket) -> None:
    """Fail after the first message."""
    await websocket.accept()
    await websocket.send_text("begun")
    bug()


async def websocket_early(websocket: WebSocket) -> None:
    """Fail before the handshake."""
    bug()


class Breaking:
    """A middleware that fails."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Fail before the handler, or when that answers."""

        async def send_or_fail(message: Any) -> None:
            break_if(scope.get("path", ""), "after")
            await send(message)

        break_if(scope.get("path", ""), "before")
        await self.app(scope, receive, send_or_fail)


def build(errors: ErrorHandler) -> Starlette:
    """Build the app."""
    decorated = catch_async(next=as_next(errors))(failing(domain))
    handlers: dict[str, Any] = {
        **{path: failing(fail) for path, fail in FAILS.items()},
        **{path: failing_async(fail) for path, fail in FAILS_ASYNC.items()},
        **{path: streaming(parts) for path, parts in PARTS_ANY.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/ok-async": ok_async,
        "/after": lambda request: after,
        "/background": background,
        "/background-sync": background_sync,
        "/redirect": redirect,
        "/abort": failing(raising(lambda: HTTPException(409))),
        "/class": View,
        "/method": Views().show,
        "/decorated": decorated,
    }
    routes = [Route(path, handler) for path, handler in handlers.items()]
    sockets = [WebSocketRoute("/ws", websocket), WebSocketRoute("/ws-early", websocket_early)]
    app = Starlette(routes=[*routes, *sockets], middleware=[Middleware(Breaking)])
    return install(app, errors)


def serve(app: Starlette) -> AbstractContextManager[str]:
    """Serve it."""
    return servers.serve_asgi(app)


@asynccontextmanager
async def broken(app: Any) -> AsyncGenerator[None, None]:
    """Fail at the start."""
    bug()
    yield


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    return not servers.starts_asgi(install(Starlette(lifespan=broken), errors))
