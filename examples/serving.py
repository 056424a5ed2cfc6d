"""A real server for an example: uvicorn on a socket, in a thread, ended when the block is left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn


class Server(uvicorn.Server):
    """A server that says when it answers, or that it never will."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer."""
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()


def configure(app: Any, **options: Any) -> uvicorn.Config:
    """Return the settings of a server that keeps quiet: errors have a place of their own."""
    return uvicorn.Config(app, log_level="critical", ws="none", **options)


@contextmanager
def serving(app: Any) -> Generator[str, None, None]:
    """Serve an ASGI application on a free port of this machine; give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(configure(app))
        thread = threading.Thread(target=server.run, args=([listener],), name="server")
        thread.start()
        try:
            if not server.settled.wait(30) or not server.started:
                msg = "the server did not start within 30 seconds"
                raise TimeoutError(msg)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
