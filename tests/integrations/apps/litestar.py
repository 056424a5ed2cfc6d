"""The contract app in Litestar."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

from litestar import Controller, Litestar, MediaType, get, route
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Stream

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.litestar import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_asgi


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a handler that raises."""

    def handler() -> Any:
        raise make()

    return handler


@get("/ok", media_type=MediaType.TEXT, sync_to_thread=True)
def ok() -> str:
    """Answer."""
    return "ok"


@get("/ok-async", media_type=MediaType.TEXT)
async def ok_async() -> str:
    """Answer."""
    return "ok"


@get("/bug-async")
async def bug_async() -> str:
    """Fail."""
    raise RuntimeError(SECRET)


async def parts() -> AsyncIterator[bytes]:
    """Begin, and fail."""
    yield b"begun"
    raise RuntimeError(SECRET)


@get("/stream", sync_to_thread=False)
def stream() -> Stream:
    """Send half a body, and fail."""
    return Stream(parts())


@get("/redirect", sync_to_thread=False)
def redirect() -> Redirect:
    """Redirect."""
    return Redirect("/ok")


class Failing(Controller):
    """A class whose method is a handler."""

    path = "/class"

    @get(sync_to_thread=False)
    def show(self) -> str:
        """Fail."""
        raise RuntimeError(SECRET)


def build(errors: ErrorHandler) -> Litestar:
    """Build the app."""

    def failing(path: str, make: Callable[[], Exception]) -> Any:
        return route(path, http_method=["GET", "HEAD"], sync_to_thread=True)(raiser(make))

    decorated = catch_async(next=as_next(errors))(raiser(UserMissing))
    handlers = [
        failing("/bug", lambda: RuntimeError(SECRET)),
        failing("/http", no_such_user),
        failing("/domain", UserMissing),
        failing("/rule-answers", Teapot),
        failing("/rule-fails", BrokenRule),
        failing("/abort", lambda: HTTPException(status_code=409)),
        get("/decorated", sync_to_thread=True)(decorated),
    ]
    app = Litestar(
        [ok, ok_async, bug_async, stream, redirect, Failing, *handlers],
        logging_config=None,
        openapi_config=None,
    )
    return install(app, errors)


def serve(app: Litestar) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_asgi(app)
