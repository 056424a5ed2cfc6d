"""A real server for an example: uvicorn on a socket, in a thread, ended when the block is left."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import uvicorn


def configure(app: Any, **options: Any) -> uvicorn.Config:
    """Return the settings of a server that keeps quiet: errors have a place of their own."""
    return uvicorn.Config(app, log_level="critical", ws="none", **options)


@contextmanager
def serving(app: Any, port: int = 0) -> Generator[str]:
    """Serve an ASGI application on this machine; give its address.

    Args:
        app: The application.
        port: Where; 0 is any port that is free.
    """
    server = uvicorn.Server(configure(app))
    with listening(port) as listener, running(lambda: server.run([listener])):
        try:
            yield address_of(listener)
        finally:
            server.should_exit = True


@contextmanager
def listening(port: int) -> Generator[socket.socket]:
    """Open a socket that clients can connect to: they wait until the server takes them."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        yield listener


@contextmanager
def running(work: Callable[[], object]) -> Generator[None]:
    """Do something in a thread; wait for its end."""
    thread = threading.Thread(target=work, name="server")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def address_of(listener: socket.socket) -> str:
    """Return the address that clients use."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def quiet(name: str) -> Generator[None]:
    """Have a logger say nothing of errors: they have a place of their own."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
