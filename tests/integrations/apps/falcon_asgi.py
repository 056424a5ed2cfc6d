"""The contract's app in Falcon's ASGI, whose handlers are all coroutine functions."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import falcon
import falcon.asgi

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.falcon import as_next, install
from tests.integrations import servers
from tests.integrations.failing import (
    BREAKS,
    FAILS,
    FAILS_ASYNC,
    PARTS_ASYNC,
    break_if,
    bug,
    bug_async,
    domain,
    raising,
)
from tests.integrations.servers import serve_asgi as serve

__all__ = ["build", "fails_to_start", "serve"]


class Ok:
    """A resource that answers."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.text = "ok"


class Failing:
    """A resource that fails."""

    def __init__(self, fail: Callable[[], object]) -> None:
        self.fail = fail

    async def on_get(self, req: Any, resp: Any) -> None:
        """Fail."""
        failing = self.fail()
        if inspect.isawaitable(failing):
            await failing

    on_head = on_get
    on_get_method = on_get


class Streaming:
    """A resource that sends a stream."""

    def __init__(self, parts: Callable[[], AsyncIterator[bytes]]) -> None:
        self.parts = parts

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.stream = self.parts()


class Background:
    """A resource whose task fails after the answer."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.text = "ok"
        resp.schedule(bug_async)


class BackgroundSync:
    """Same, in a thread."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.text = "ok"
        resp.schedule_sync(bug)


class Validated:
    """A resource that takes a number."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer who asks with a number."""
        req.get_param_as_int("number")


class Listening:
    """A websocket that fails after the first message."""

    async def on_websocket(self, req: Any, ws: Any) -> None:
        """Fail."""
        await ws.accept()
        await ws.send_text("begun")
        bug()


class ListeningEarly:
    """A websocket that fails before the handshake."""

    async def on_websocket(self, req: Any, ws: Any) -> None:
        """Fail."""
        bug()


class Breaking:
    """A middleware that fails."""

    async def process_request(self, req: Any, resp: Any) -> None:
        """Fail before the handler."""
        break_if(req.path, "before")

    async def process_response(self, req: Any, resp: Any, resource: Any, succeeded: Any) -> None:
        """Fail after the handler."""
        break_if(req.path, "after")


class Broken:
    """A middleware that fails at the start."""

    async def process_startup(self, scope: Any, event: Any) -> None:
        """Fail."""
        bug()


def build(errors: ErrorHandler) -> Any:
    """Make the app."""

    class Decorated:
        @catch_async(next=as_next(errors))
        async def on_get(self, req: Any, resp: Any) -> None:
            domain()

    resources: dict[str, Any] = {
        **{path: Failing(fail) for path, fail in {**FAILS, **FAILS_ASYNC}.items()},
        **{path: Streaming(parts) for path, parts in PARTS_ASYNC.items()},
        **dict.fromkeys([*BREAKS, "/ok", "/ok-async"], Ok()),
        "/background": Background(),
        "/background-sync": BackgroundSync(),
        "/redirect": Failing(raising(lambda: falcon.HTTPFound("/ok"))),
        "/validation": Validated(),
        "/abort": Failing(raising(falcon.HTTPConflict)),
        "/class": Failing(bug),
        "/decorated": Decorated(),
        "/ws": Listening(),
        "/ws-early": ListeningEarly(),
    }
    app: Any = falcon.asgi.App(middleware=[Breaking()])
    for path, resource in resources.items():
        app.add_route(path, resource)
    app.add_route("/method", Failing(bug), suffix="method")
    return install(app, errors)


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    app: Any = falcon.asgi.App(middleware=[Broken()])
    return not servers.starts_asgi(install(app, errors))
