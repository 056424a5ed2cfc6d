"""The contract app in BlackSheep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

from blacksheep import (
    Application,
    Response,
    Router,
    StreamedContent,
    WebSocket,
    redirect,
    text,
)
from blacksheep.exceptions import Conflict
from blacksheep.server.controllers import Controller
from blacksheep.server.routing import RoutesRegistry

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.blacksheep import as_next, install
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


def ok() -> Response:
    """Answer."""
    return text("ok")


async def ok_async() -> Response:
    """Answer."""
    return text("ok")


def streaming(parts: Callable[[], AsyncIterator[bytes]]) -> Callable[[], Response]:
    """Return a handler that returns a stream."""
    return lambda: Response(200, content=StreamedContent(b"text/plain", parts))


def validated(number: int) -> Response:
    """Answer who asks with a number."""
    return text(str(number))


async def listen(websocket: WebSocket) -> None:
    """Fail after the first message."""
    await websocket.accept()
    await websocket.send_text("begun")
    bug()


async def listen_early(websocket: WebSocket) -> None:
    """Fail before the handshake."""
    bug()


async def breaking(request: Any, handler: Any) -> Any:
    """Fail, as a middleware."""
    break_if(request.url.path.decode(), "before")
    response = await handler(request)
    break_if(request.url.path.decode(), "after")
    return response


def add_controller(app: Application) -> None:
    """Add a class whose methods are handlers."""
    app.controllers_router = RoutesRegistry()

    class Failing(Controller):  # pyright: ignore[reportUnusedClass]
        @app.controllers_router.get("/class")
        def show(self) -> Response:
            bug()

        @app.controllers_router.get("/method")
        async def show_async(self) -> Response:
            bug()


def build(errors: ErrorHandler) -> Application:
    """Build the app."""
    handlers: dict[str, Callable[..., Any]] = {
        **FAILS,
        **FAILS_ASYNC,
        **{path: streaming(parts) for path, parts in PARTS_ASYNC.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/ok-async": ok_async,
        "/redirect": lambda: redirect("/ok"),
        "/validation": validated,
        "/abort": raising(Conflict),
        "/decorated": catch_async(next=as_next(errors))(domain),
    }
    app = Application(router=Router())
    for path, handler in handlers.items():
        app.router.add_get(path, handler)
        app.router.add_head(path, handler)
    app.router.add_ws("/ws", listen)
    app.router.add_ws("/ws-early", listen_early)
    app.middlewares.append(breaking)
    add_controller(app)
    return install(app, errors)


def serve(app: Application) -> AbstractContextManager[str]:
    """Serve it."""
    return servers.serve_asgi(app)


async def broken(app: Application) -> None:
    """Fail at the start."""
    bug()


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    app = Application(router=Router())
    app.on_start += broken
    return not servers.starts_asgi(install(app, errors))
