"""The contract's app in Sanic, served by its own server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Generator
from typing import Any, Final

from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse, ResponseStream, redirect, text
from sanic.views import HTTPMethodView

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.sanic import as_next, install
from tests.integrations import contract
from tests.integrations.servers import listening, started, url_of

numbers: Final = itertools.count()  # no two apps of Sanic's may have one name


def ok(request: Any) -> HTTPResponse:
    """Answer."""
    return text("ok")


async def ok_async(request: Any) -> HTTPResponse:
    """Same, async."""
    return text("ok")


def failing(error: type[Exception], *args: object, **kwargs: Any) -> Any:
    """Return a handler that raises an error."""

    def handler(request: Any) -> HTTPResponse:
        raise error(*args, **kwargs)

    return handler


async def fail_async(request: Any) -> HTTPResponse:
    """Fail, async."""
    raise RuntimeError(contract.SECRET)


def fail_as_http(request: Any) -> HTTPResponse:
    """Fail as `HttpError` does."""
    raise contract.no_such_user()


async def stream(request: Any) -> ResponseStream:
    """Return a body that fails in the middle."""

    async def body(response: Any) -> None:
        await response.write(b"begun")
        raise RuntimeError(contract.SECRET)

    return ResponseStream(body)


class View(HTTPMethodView):
    """A view class."""

    def get(self, request: Any) -> HTTPResponse:
        """Fail."""
        raise RuntimeError(contract.SECRET)


def build(errors: ErrorHandler) -> Any:
    """Make the app."""

    @catch_async(next=as_next(errors))
    async def decorated(request: Any) -> HTTPResponse:
        raise contract.UserMissing

    Sanic.test_mode = True  # else the second app of a process fails to start
    app: Any = Sanic(f"contract-{next(numbers)}", configure_logging=False)
    app.add_route(ok, "/ok", name="ok")
    app.add_route(ok_async, "/ok-async", name="ok-async")
    app.add_route(failing(RuntimeError, contract.SECRET), "/bug", name="bug")
    app.add_route(fail_async, "/bug-async", name="bug-async")
    app.add_route(fail_as_http, "/http", methods=["GET", "HEAD"], name="http")
    app.add_route(failing(contract.UserMissing), "/domain", name="domain")
    app.add_route(failing(contract.Teapot), "/rule-answers", name="rule-answers")
    app.add_route(failing(contract.BrokenRule), "/rule-fails", name="rule-fails")
    app.add_route(stream, "/stream", name="stream")
    app.add_route(lambda request: redirect("/ok"), "/redirect", name="redirect")
    app.add_route(failing(SanicException, status_code=409), "/abort", name="abort")
    app.add_route(View.as_view(), "/class", name="class")
    app.add_route(decorated, "/decorated", name="decorated")
    return install(app, errors)


@contextlib.contextmanager
def serve(app: Any) -> Generator[str, None, None]:
    """Serve the app on a loop in a thread."""
    loop = asyncio.new_event_loop()
    with listening() as listener:
        with started(threading.Thread(target=loop.run_forever)):
            server = asyncio.run_coroutine_threadsafe(_start(app, listener), loop).result()
            try:
                yield url_of(listener)
            finally:
                asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
                loop.call_soon_threadsafe(loop.stop)
        loop.close()


async def _start(app: Any, listener: Any) -> Any:
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    return server


async def _stop(server: Any) -> None:
    await server.before_stop()
    await server.close()
    await server.after_stop()
