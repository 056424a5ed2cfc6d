"""The contract app in BlackSheep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from blacksheep import Application, Response, Router, StreamedContent, redirect, text
from blacksheep.exceptions import Conflict
from blacksheep.server.controllers import Controller
from blacksheep.server.routing import RoutesRegistry

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.blacksheep import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_asgi

HAS_405: Final = False
"""BlackSheep answers 404 to a method that a path has no route for."""


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a handler that raises."""

    def handler() -> Any:
        raise make()

    return handler


def ok() -> Response:
    """Answer."""
    return text("ok")


async def ok_async() -> Response:
    """Answer."""
    return text("ok")


async def bug_async() -> Response:
    """Fail."""
    raise RuntimeError(SECRET)


async def parts() -> AsyncIterator[bytes]:
    """Begin, and fail."""
    yield b"begun"
    raise RuntimeError(SECRET)


def stream() -> Response:
    """Send half a body, and fail."""
    return Response(200, content=StreamedContent(b"text/plain", parts))


def add_controller(app: Application) -> None:
    """Add a class whose method is a handler."""
    app.controllers_router = RoutesRegistry()

    class Failing(Controller):  # pyright: ignore[reportUnusedClass]
        @app.controllers_router.get("/class")
        def show(self) -> Response:
            raise RuntimeError(SECRET)


def build(errors: ErrorHandler) -> Application:
    """Build the app."""
    app = Application(router=Router())
    decorated = catch_async(next=as_next(errors))(raiser(UserMissing))
    handlers: dict[str, Callable[..., Any]] = {
        "/ok": ok,
        "/ok-async": ok_async,
        "/bug": raiser(lambda: RuntimeError(SECRET)),
        "/bug-async": bug_async,
        "/http": raiser(no_such_user),
        "/domain": raiser(UserMissing),
        "/rule-answers": raiser(Teapot),
        "/rule-fails": raiser(BrokenRule),
        "/stream": stream,
        "/redirect": lambda: redirect("/ok"),
        "/abort": raiser(Conflict),
        "/decorated": decorated,
    }
    for path, handler in handlers.items():
        app.router.add_get(path, handler)
    app.router.add_head("/http", raiser(no_such_user))
    add_controller(app)
    return install(app, errors)


def serve(app: Application) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_asgi(app)
