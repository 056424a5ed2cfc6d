"""The contract's app in Sanic, served by its own server."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, Final

from sanic import Sanic
from sanic.application.constants import ServerStage
from sanic.application.state import ApplicationServerInfo
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse, ResponseStream, redirect, text
from sanic.views import HTTPMethodView

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.sanic import as_next, install
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
from tests.integrations.servers import listening, running, url_of

numbers: Final = itertools.count()  # no two apps of Sanic's may have one name


def ok(request: Any) -> HTTPResponse:
    """Answer."""
    return text("ok")


async def ok_async(request: Any) -> HTTPResponse:
    """Same, async."""
    return text("ok")


def failing(fail: Callable[[], Any]) -> Any:
    """Return a handler that fails; it is async where that is."""

    def handler(request: Any) -> Any:
        return fail()

    return handler


def streaming(parts: Callable[[], AsyncIterator[bytes]]) -> Any:
    """Return a handler that returns a stream."""

    async def body(response: Any) -> None:
        async with contextlib.aclosing(parts()) as stream:  # type: ignore[type-var]
            async for part in stream:
                await response.write(part)

    async def handler(request: Any) -> ResponseStream:
        return ResponseStream(body)

    return handler


async def after(request: Any) -> None:
    """Send a body, and fail."""
    response = await request.respond()
    await response.send("ok", end_stream=True)
    bug()


def background(request: Any) -> HTTPResponse:
    """Answer, and fail in a background task."""
    request.app.add_task(bug_async())
    return text("ok")


def validated(request: Any) -> HTTPResponse:
    """Answer who sends JSON."""
    return text(str(request.json))


def redirected(request: Any) -> HTTPResponse:
    """Redirect."""
    return redirect("/ok")


class View(HTTPMethodView):
    """A view class."""

    def get(self, request: Any) -> HTTPResponse:
        """Fail."""
        bug()


class Views:
    """An object whose method is a handler."""

    def get(self, request: Any) -> HTTPResponse:
        """Fail."""
        bug()


async def listen(request: Any, websocket: Any) -> None:
    """Fail after the first message."""
    await websocket.send("begun")
    bug()


def break_before(request: Any) -> None:
    """Fail before the handler."""
    break_if(request.path, "before")


def break_after(request: Any, response: Any) -> None:
    """Fail after the handler."""
    break_if(request.path, "after")


def app_of() -> Any:
    """Make an empty app."""
    Sanic.test_mode = True  # else the second app of a process fails to start
    return Sanic(f"contract-{next(numbers)}", configure_logging=False)


def build(errors: ErrorHandler) -> Any:
    """Make the app."""
    decorated: Any = catch_async(next=as_next(errors))(failing(domain))
    handlers: dict[str, Any] = {
        **{path: failing(fail) for path, fail in {**FAILS, **FAILS_ASYNC}.items()},
        **{path: streaming(parts) for path, parts in PARTS_ASYNC.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/ok-async": ok_async,
        "/after": after,
        "/background": background,
        "/redirect": redirected,
        "/validation": validated,
        "/abort": failing(raising(lambda: SanicException(status_code=409))),
        "/class": View.as_view(),
        "/method": Views().get,
        "/decorated": decorated,
    }
    app = app_of()
    for path, handler in handlers.items():
        methods = ["GET", "HEAD"] if path in FAILS else ["GET"]
        app.add_route(handler, path, methods=methods, name=path[1:])
    app.add_websocket_route(listen, "/ws")
    app.register_middleware(break_before, "request")
    app.register_middleware(break_after, "response")
    return install(app, errors)


@contextlib.contextmanager
def serve(app: Any) -> Generator[str, None, None]:
    """Serve the app on a loop in a thread."""
    with listening() as listener, running() as run:
        server = run(_start(app, listener))
        try:
            yield url_of(listener)
        finally:
            app.state.server_info.clear()
            run(_stop(server))


async def _start(app: Any, listener: Any) -> Any:
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    info = ApplicationServerInfo({}, ServerStage.SERVING)  # else tasks wait for another start
    app.state.server_info.append(info)
    return server


async def _stop(server: Any) -> None:
    await server.before_stop()
    await server.close()
    await server.after_stop()


async def broken(app: Any) -> None:
    """Fail at the start."""
    bug()


def fails_to_start(errors: ErrorHandler) -> bool:
    """Serve an app whose start fails."""
    app = app_of()
    app.before_server_start(broken)
    with contextlib.suppress(RuntimeError), serve(install(app, errors)):
        return False
    return True
