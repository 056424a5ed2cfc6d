"""The contract app in Quart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from quart import Quart, Response, abort, redirect, request, websocket
from quart.views import MethodView

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.quart import as_next, install
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
)


async def ok_async() -> str:
    """Answer."""
    return "ok"


def streaming(parts: Callable[[], AsyncIterator[bytes] | Iterator[bytes]]) -> Any:
    """Return a view that returns a stream."""
    return lambda: Response(parts())


class View(MethodView):
    """A class whose method is a handler."""

    def get(self) -> str:
        """Fail."""
        bug()


def break_before() -> None:
    """Fail before the view."""
    break_if(request.path, "before")


def break_after(response: Any) -> Any:
    """Fail after the view."""
    break_if(request.path, "after")
    return response


async def listen() -> None:
    """Fail after the first message."""
    await websocket.accept()
    await websocket.send("begun")
    bug()


def build(errors: ErrorHandler) -> Quart:
    """Build the app."""

    async def background() -> str:
        app.add_background_task(bug_async)
        return "ok"

    async def background_sync() -> str:
        app.add_background_task(bug)
        return "ok"

    views: dict[str, Callable[..., Any]] = {
        **FAILS,
        **FAILS_ASYNC,
        **{path: streaming(parts) for path, parts in PARTS_ANY.items()},
        **dict.fromkeys(BREAKS, lambda: "ok"),
        "/ok": lambda: "ok",
        "/ok-async": ok_async,
        "/background": background,
        "/background-sync": background_sync,
        "/redirect": lambda: redirect("/ok"),
        "/validation": lambda: request.args["missing"],
        "/abort": lambda: abort(409),
        "/class": View.as_view("view"),
        "/method": View().get,
        "/decorated": catch_async(next=as_next(errors))(domain),
    }
    app = Quart("contract")
    for path, view in views.items():
        app.add_url_rule(path, path, view)
    app.add_websocket("/ws", "/ws", listen)
    app.add_websocket("/ws-early", "/ws-early", bug_async)
    app.before_request(break_before)
    app.after_request(break_after)
    return install(app, errors)


def serve(app: Quart) -> AbstractContextManager[str]:
    """Serve it."""
    return servers.serve_asgi(app)


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    app = Quart("contract")
    app.before_serving(bug_async)
    return not servers.starts_asgi(install(app, errors))
