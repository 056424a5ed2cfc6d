"""The contract app in Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.starlette import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_asgi


def raiser(make: Callable[[], Exception]) -> Callable[[Request], Any]:
    """Return a handler that raises."""

    def handler(request: Request) -> Any:
        raise make()

    return handler


def ok(request: Request) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def ok_async(request: Request) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def bug_async(request: Request) -> PlainTextResponse:
    """Fail."""
    raise RuntimeError(SECRET)


async def stream(request: Request) -> StreamingResponse:
    """Send half a body, and fail."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    return StreamingResponse(chunks())


def redirect(request: Request) -> RedirectResponse:
    """Redirect."""
    return RedirectResponse("/ok")


class View(HTTPEndpoint):
    """A class whose method is a handler."""

    def get(self, request: Request) -> PlainTextResponse:
        """Fail."""
        raise RuntimeError(SECRET)


def build(errors: ErrorHandler) -> Starlette:
    """Build the app."""
    decorated = catch_async(next=as_next(errors))(raiser(UserMissing))
    routes = [
        Route("/ok", ok),
        Route("/ok-async", ok_async),
        Route("/bug", raiser(lambda: RuntimeError(SECRET))),
        Route("/bug-async", bug_async),
        Route("/http", raiser(no_such_user)),
        Route("/domain", raiser(UserMissing)),
        Route("/rule-answers", raiser(Teapot)),
        Route("/rule-fails", raiser(BrokenRule)),
        Route("/stream", stream),
        Route("/redirect", redirect),
        Route("/abort", raiser(lambda: HTTPException(409))),
        Route("/class", View),
        Route("/decorated", decorated),
    ]
    return install(Starlette(routes=routes), errors)


def serve(app: Starlette) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_asgi(app)
