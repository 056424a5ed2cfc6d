"""Other servers of ASGI applications than uvicorn, each on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator
from typing import Any

from tests.integrations.servers import HOST, listening, started, url_of


@contextlib.contextmanager
def serve_hypercorn(app: Any) -> Generator[str, None, None]:
    """Serve an application by Hypercorn in a thread, and yield its URL."""
    from hypercorn.asyncio import serve  # noqa: PLC0415 - each test needs a server of its own

    with listening() as listener:
        loop, stop = asyncio.new_event_loop(), asyncio.Event()
        url = url_of(listener)
        config = quiet(f"fd://{listener.detach()}")
        serving = serve(app, config, shutdown_trigger=stop.wait, mode="asgi")
        with loop_in_thread(loop, serving):
            try:
                yield url
            finally:
                loop.call_soon_threadsafe(stop.set)


def quiet(bind: str) -> Any:
    """Return a configuration of Hypercorn that logs nothing."""
    from hypercorn.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    config.bind, config.errorlog = [bind], None
    config.graceful_timeout = 0.1  # seconds
    return config


def starts_hypercorn(app: Any, **_options: Any) -> bool:
    """Serve an application whose start or stop fails, and say whether it did neither."""
    from hypercorn.asyncio import serve  # noqa: PLC0415 - likewise
    from hypercorn.utils import LifespanFailureError  # noqa: PLC0415 - likewise

    async def at_once() -> None:
        """Stop as soon as the application has started."""

    try:
        asyncio.run(serve(app, quiet(f"{HOST}:0"), shutdown_trigger=at_once, mode="asgi"))
    except LifespanFailureError:
        return False
    return True


@contextlib.contextmanager
def serve_granian(app: Any) -> Generator[str, None, None]:
    """Serve an application by Granian in a thread, and yield its URL."""
    from granian.server.embed import Server  # noqa: PLC0415 - likewise

    with listening() as listener:  # Granian binds for itself
        url, port = url_of(listener), listener.getsockname()[1]
    make: Any = Server
    server = make(app, address=HOST, port=port, interface="asgi", log_enabled=False)
    loop = asyncio.new_event_loop()
    with loop_in_thread(loop, server.serve()):
        try:
            wait_for(port)
            yield url
        finally:
            loop.call_soon_threadsafe(server.stop)


def wait_for(port: int) -> None:
    """Wait until somebody listens there."""
    for _ in range(1000):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((HOST, port)):
            return
        threading.Event().wait(0.01)
    raise AssertionError("the server does not start")


@contextlib.contextmanager
def loop_in_thread(loop: asyncio.AbstractEventLoop, work: Any) -> Generator[None, None, None]:
    """Run a coroutine on a loop in a thread; at the end, wait until it has ended."""

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(work)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    with started(threading.Thread(target=run)):
        yield
