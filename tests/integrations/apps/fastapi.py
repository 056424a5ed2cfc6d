"""The contract app in FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.fastapi import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_asgi


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a handler that raises."""

    def handler() -> Any:
        raise make()

    return handler


def ok() -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def ok_async() -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("ok")


async def bug_async() -> PlainTextResponse:
    """Fail."""
    raise RuntimeError(SECRET)


async def stream() -> StreamingResponse:
    """Send half a body, and fail."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    return StreamingResponse(chunks())


def redirect() -> RedirectResponse:
    """Redirect."""
    return RedirectResponse("/ok")


def dependency() -> Iterator[int]:
    """Give a handler something."""
    yield 7


class View:
    """A class whose method is a handler."""

    def get(self, number: Annotated[int, Depends(dependency)]) -> PlainTextResponse:
        """Fail."""
        raise RuntimeError(SECRET)


def build(errors: ErrorHandler) -> FastAPI:
    """Build the app."""
    router = APIRouter()
    router.add_api_route("/ok", ok)
    router.add_api_route("/ok-async", ok_async)
    router.add_api_route("/bug", raiser(lambda: RuntimeError(SECRET)))
    router.add_api_route("/bug-async", bug_async)
    router.add_api_route("/http", raiser(no_such_user), methods=["GET", "HEAD"])
    router.add_api_route("/domain", raiser(UserMissing))
    router.add_api_route("/rule-answers", raiser(Teapot))
    router.add_api_route("/rule-fails", raiser(BrokenRule))
    router.add_api_route("/stream", stream)
    router.add_api_route("/redirect", redirect, response_class=RedirectResponse)
    router.add_api_route("/abort", raiser(lambda: HTTPException(409)))
    router.add_api_route("/class", View().get)
    router.add_api_route("/decorated", catch_async(next=as_next(errors))(raiser(UserMissing)))
    app = FastAPI()
    app.include_router(router)
    return install(app, errors)


def serve(app: FastAPI) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_asgi(app)
