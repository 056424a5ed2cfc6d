"""Servers for the contract: of ASGI applications, of WSGI applications; each on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

HOST: Final = "127.0.0.1"
PATIENCE: Final = 20.0  # seconds


@contextlib.contextmanager
def serve_asgi(app: Any, **options: Any) -> Generator[str, None, None]:
    """Serve an ASGI application by uvicorn in a thread, and yield its URL."""
    server = uvicorn_server(app, **options)
    with listening() as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        with started(thread):
            try:
                yield url_of(listener)
            finally:
                server.should_exit = True


def uvicorn_server(app: Any, **options: Any) -> Any:
    """Return a server that says nothing."""
    import uvicorn  # noqa: PLC0415 - not every framework needs it

    options = {"lifespan": "auto", "ws": "wsproto", **options}
    return uvicorn.Server(uvicorn.Config(app, log_level=logging.CRITICAL + 1, **options))


def starts_asgi(app: Any, **options: Any) -> bool:
    """Serve an ASGI application whose start fails, and say whether it has started for all that."""
    server = uvicorn_server(app, **options)

    def run() -> None:
        with contextlib.suppress(SystemExit):
            server.run([listener])

    with listening() as listener, started(threading.Thread(target=run)):
        pass
    return bool(server.started)


@contextlib.contextmanager
def listening() -> Generator[socket.socket, None, None]:
    """Yield a socket that listens on a free port: who connects early waits for the server."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of a server that listens there."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


@contextlib.contextmanager
def started(thread: threading.Thread) -> Generator[None, None, None]:
    """Run a thread; at the end, wait until it has ended."""
    thread.daemon = True
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE)
    assert not thread.is_alive(), "the server does not end"


Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


@contextlib.contextmanager
def running() -> Generator[Run, None, None]:
    """Run a loop in a thread, and yield what runs a coroutine on it."""
    loop = asyncio.new_event_loop()
    try:
        with started(threading.Thread(target=loop.run_forever)):
            try:
                yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result()
            finally:
                loop.call_soon_threadsafe(loop.stop)
    finally:
        loop.close()


@contextlib.contextmanager
def serve_wsgi(app: Any) -> Generator[str, None, None]:
    """Serve a WSGI application, a thread a connection, and yield its URL.

    It speaks HTTP/1.1 with chunks, so that a client sees whether a body came to its end; the
    server of the standard library does not.
    """
    server = WsgiServer((HOST, 0), WsgiRequest)
    server.app = app
    with server, started(threading.Thread(target=server.serve_forever, args=[0.02])):
        try:
            yield url_of(server.socket)
        finally:
            server.shutdown()


class WsgiServer(ThreadingHTTPServer):
    """A server of one application, a thread a connection."""

    app: Any
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: the connection is closed, and the client sees that."""


class WsgiRequest(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    @property
    def served(self) -> WsgiServer:
        """The server."""
        assert isinstance(self.server, WsgiServer)
        return self.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        """Print nothing."""

    def handle_one_request(self) -> None:
        """Answer a request; what the application raises closes the connection."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.close_connection = True
            Response(self).run(self.served.app, self.environ())

    def environ(self) -> dict[str, Any]:
        """Return the request as PEP 3333 says."""
        host, port = self.served.server_address[:2]
        url = urlsplit(self.path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(url.path, "latin-1"),
            "QUERY_STRING": url.query,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": self.headers.get("content-length", "0"),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": self.rfile,
            "wsgi.errors": self.wfile,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
        return environ


class Response:
    """What goes out on one connection."""

    def __init__(self, request: WsgiRequest) -> None:
        self.request = request
        self.head: tuple[str, list[tuple[str, str]]] | None = None
        self.are_headers_sent = False
        self.is_chunked = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Take status and headers, as ``start_response`` does."""
        try:
            if exc_info and self.are_headers_sent:
                raise exc_info[1].with_traceback(exc_info[2])
        finally:
            exc_info = None
        self.head = (status, headers)
        return self.write

    def run(self, app: Any, environ: dict[str, Any]) -> None:
        """Send all that an application returns; what it raises closes the connection."""
        chunks: Iterable[bytes] = app(environ, self.start)
        try:
            for chunk in chunks:
                if chunk:
                    self.write(chunk)
            self.end()
        finally:
            close: Any = getattr(chunks, "close", None)
            if close is not None:
                close()

    def write(self, chunk: bytes) -> None:
        """Send a chunk, the headers before the first."""
        self.send_headers()
        if self.request.command != "HEAD":
            frame = b"%x\r\n%b\r\n" % (len(chunk), chunk) if self.is_chunked else chunk
            self.request.wfile.write(frame)

    def send_headers(self) -> None:
        """Send the head, once."""
        if self.are_headers_sent:
            return
        assert self.head is not None, "no start_response before the body"
        status, headers = self.head
        self.are_headers_sent = True
        self.is_chunked = "content-length" not in {name.lower() for name, _ in headers}
        self.request.send_response_only(int(status[:3]), status[4:])
        framing = [("Transfer-Encoding", "chunked")] if self.is_chunked else []
        for name, value in [*headers, *framing, ("Connection", "close")]:
            self.request.send_header(name, value)
        self.request.end_headers()

    def end(self) -> None:
        """End the body as is proper."""
        self.send_headers()
        if self.is_chunked and self.request.command != "HEAD":
            self.request.wfile.write(b"0\r\n\r\n")
