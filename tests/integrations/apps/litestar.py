"""The contract app in Litestar."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Annotated, Any, Final

from litestar import Controller, Litestar, MediaType, WebSocket, get, params, route, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Response, Stream
from litestar.types import ASGIApp, Receive, Scope, Send

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.litestar import as_next, install
from tests.integrations import servers
from tests.integrations.apps.starlette import Breaking
from tests.integrations.failing import (
    BREAKS,
    FAILS,
    FAILS_ASYNC,
    PARTS_ANY,
    bug,
    bug_async,
    domain,
    raising,
)

NUMBER: Final = getattr(params, "QueryParameter", params.Parameter)()
"""What older versions of Litestar have another name for."""


def failing(path: str, fail: Callable[[], Any]) -> Any:
    """Return a handler that fails."""

    def handler() -> Any:
        return fail()

    return route(path, http_method=["GET", "HEAD"], sync_to_thread=True)(handler)


def failing_async(path: str, fail: Callable[[], Any]) -> Any:
    """Return an async handler that fails."""

    async def handler() -> Any:
        return await fail()

    return get(path)(handler)


def streaming(path: str, parts: Callable[[], AsyncIterator[bytes] | Iterator[bytes]]) -> Any:
    """Return a handler that returns a stream."""

    def handler() -> Stream:
        return Stream(parts())

    return get(path, sync_to_thread=False)(handler)


def succeeding(path: str) -> Any:
    """Return a handler that answers."""

    def ok() -> str:
        return "ok"

    return get(path, media_type=MediaType.TEXT, sync_to_thread=True)(ok)


@get("/ok-async", media_type=MediaType.TEXT)
async def ok_async() -> str:
    """Answer."""
    return "ok"


@get("/background", sync_to_thread=False)
def background() -> Response[str]:
    """Answer, and fail in a background task."""
    return Response("ok", media_type=MediaType.TEXT, background=BackgroundTask(bug_async))


@get("/background-sync", sync_to_thread=False)
def background_sync() -> Response[str]:
    """Same, in a thread."""
    return Response("ok", media_type=MediaType.TEXT, background=BackgroundTask(bug))


@get("/validation", media_type=MediaType.TEXT)
async def validated(number: Annotated[int, NUMBER]) -> str:
    """Answer who asks with a number."""
    return str(number)


@get("/redirect", sync_to_thread=False)
def redirect() -> Redirect:
    """Redirect."""
    return Redirect("/ok")


class View(Controller):
    """A class whose methods are handlers."""

    @get("/class", sync_to_thread=False)
    def show(self) -> str:
        """Fail."""
        bug()

    @get("/method")
    async def show_async(self) -> str:
        """Fail."""
        bug()


@websocket("/ws")
async def listen(socket: WebSocket[Any, Any, Any]) -> None:
    """Fail after the first message."""
    await socket.accept()
    await socket.send_text("begun")
    bug()


@websocket("/ws-early")
async def listen_early(socket: WebSocket[Any, Any, Any]) -> None:
    """Fail before the handshake."""
    bug()


def breaking(app: ASGIApp) -> ASGIApp:
    """Return a middleware that fails."""
    middleware = Breaking(app)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await middleware(scope, receive, send)

    return run


def build(errors: ErrorHandler) -> Litestar:
    """Build the app."""
    decorated = catch_async(next=as_next(errors))(domain)
    handlers = [
        *(failing(path, fail) for path, fail in FAILS.items()),
        *(failing_async(path, fail) for path, fail in FAILS_ASYNC.items()),
        *(streaming(path, parts) for path, parts in PARTS_ANY.items()),
        *(succeeding(path) for path in ["/ok", *BREAKS]),
        *(ok_async, background, background_sync, validated, redirect, View, listen, listen_early),
        failing("/abort", raising(lambda: HTTPException(status_code=409))),
        get("/decorated", sync_to_thread=True)(decorated),
    ]
    app = Litestar(handlers, middleware=[breaking], logging_config=None, openapi_config=None)
    return install(app, errors)


def serve(app: Litestar) -> AbstractContextManager[str]:
    """Serve it."""
    return servers.serve_asgi(app)


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    return not servers.starts_asgi(
        install(Litestar(on_startup=[bug_async], logging_config=None), errors)
    )
