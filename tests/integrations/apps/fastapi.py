"""The contract app in FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.fastapi import as_next, install
from tests.integrations import servers
from tests.integrations.apps.starlette import Breaking, after, broken
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


def streaming(parts: Callable[[], AsyncIterator[bytes] | Iterator[bytes]]) -> Any:
    """Return a handler that returns a stream."""
    return lambda: StreamingResponse(parts())


def ok() -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def ok_async() -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


class After(PlainTextResponse):
    """A response that fails when it is sent."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send a body, and fail."""
        await after(scope, receive, send)


def background(tasks: BackgroundTasks) -> PlainTextResponse:
    """Answer, and fail in a background task."""
    tasks.add_task(bug_async)
    return PlainTextResponse("ok")


def background_sync(tasks: BackgroundTasks) -> PlainTextResponse:
    """Same, in a thread."""
    tasks.add_task(bug)
    return PlainTextResponse("ok")


def redirect() -> RedirectResponse:
    """Redirect."""
    return RedirectResponse("/ok")


def validated(number: int) -> PlainTextResponse:
    """Answer who asks with a number."""
    return PlainTextResponse("ok")


def dependency() -> Iterator[int]:
    """Give a handler something."""
    yield 7


class View:
    """A class whose method is a handler; so is an object of it."""

    def get(self, number: Annotated[int, Depends(dependency)]) -> PlainTextResponse:
        """Fail."""
        bug()

    def __call__(self) -> PlainTextResponse:
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


def build(errors: ErrorHandler) -> FastAPI:
    """Build the app."""
    handlers: dict[str, Any] = {
        **FAILS,
        **FAILS_ASYNC,
        **{path: streaming(parts) for path, parts in PARTS_ANY.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/ok-async": ok_async,
        "/after": lambda: After(),
        "/background": background,
        "/background-sync": background_sync,
        "/redirect": redirect,
        "/validation": validated,
        "/abort": raising(lambda: HTTPException(409)),
        "/class": View(),
        "/method": View().get,
        "/decorated": catch_async(next=as_next(errors))(domain),
    }
    router = APIRouter()
    for path, handler in handlers.items():
        router.add_api_route(path, handler, methods=["GET", "HEAD"], response_model=None)
    router.add_api_websocket_route("/ws", websocket)
    router.add_api_websocket_route("/ws-early", websocket_early)
    app = FastAPI()
    app.include_router(router)
    app.add_middleware(Breaking)
    return install(app, errors)


def serve(app: FastAPI) -> AbstractContextManager[str]:
    """Serve it."""
    return servers.serve_asgi(app)


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    return not servers.starts_asgi(install(FastAPI(lifespan=broken), errors))
