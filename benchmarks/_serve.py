"""Serve one app by a real server, until the process is ended: ``python -m benchmarks._serve``.

It says so when it listens.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import sys
from typing import Any

from benchmarks.apps import Setup


def main(module: str, way: Any, address: str) -> None:
    """Serve an app."""
    logging.disable(logging.WARNING)
    source: Any = importlib.import_module(f"benchmarks.apps.{module}")
    app = source.build(Setup(way))
    getattr(source, "prepare", type)(app)
    listener = socket.socket(socket.AF_UNIX)  # TCP takes now this long, now that
    listener.bind(address)
    listener.listen()
    print("listening", flush=True)
    SERVERS[source.KIND](app, listener)


def serve_asgi(app: Any, listener: socket.socket) -> None:
    """Serve by uvicorn."""
    import uvicorn  # noqa: PLC0415 - each process needs one of the servers

    config = uvicorn.Config(app, http="httptools", loop="asyncio", ws="none", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def serve_wsgi(app: Any, listener: socket.socket) -> None:
    """Serve by waitress."""
    import waitress  # noqa: PLC0415 - as above

    waitress.serve(app, sockets=[listener], threads=1)


def serve_aiohttp(app: Any, listener: socket.socket) -> None:
    """Serve by aiohttp's own server."""
    from aiohttp import web  # noqa: PLC0415 - as above

    web.run_app(app, sock=listener, access_log=None, print=None)


def serve_tornado(app: Any, listener: socket.socket) -> None:
    """Serve by Tornado's own server."""
    from tornado.httpserver import HTTPServer  # noqa: PLC0415 - as above

    async def serve() -> None:
        listener.setblocking(False)  # noqa: FBT003 - its only parameter
        HTTPServer(app).add_socket(listener)
        await asyncio.Event().wait()

    asyncio.run(serve())


def serve_sanic(app: Any, listener: socket.socket) -> None:
    """Serve by Sanic's own server."""

    async def serve() -> None:
        listener.setblocking(False)  # noqa: FBT003 - its only parameter
        server = await app.create_server(sock=listener, return_asyncio_server=True)
        await server.startup()
        await server.serve_forever()

    asyncio.run(serve())


SERVERS = {
    "asgi": serve_asgi,
    "wsgi": serve_wsgi,
    "aiohttp": serve_aiohttp,
    "sanic": serve_sanic,
    "tornado": serve_tornado,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
