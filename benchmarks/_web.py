"""How an app is called in this process, without a server: requests as a server makes them.

An answer is checked once, before it counts; then requests are made as fast as they are answered.
The time is that of this process: what else the machine does is not counted.
"""

from __future__ import annotations

import asyncio
import atexit
import io
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks._harness import Run

OFTEN_DIFFERENT: Final = {"date", "server", "connection", "keep-alive", "transfer-encoding"}

_loop = asyncio.new_event_loop()


@dataclass(frozen=True)
class Reply:
    """What came: its headers are those that an app decides on."""

    status: int
    headers: dict[str, str]
    body: bytes


def reply_of(status: int, headers: Any, body: bytes) -> Reply:
    """Return what came, the same from any server; Sanic and Django may write names in capitals."""
    named = {str(name).lower(): str(value) for name, value in headers}
    return Reply(status, {k: v for k, v in named.items() if k not in OFTEN_DIFFERENT}, body)


def in_process(kind: str, app: Any, path: str) -> tuple[Run, Reply]:
    """Return what makes requests to an app, and its reply to the first."""
    return {"asgi": asgi, "wsgi": wsgi, "aiohttp": aiohttp}[kind](app, path)


# --- WSGI ----------------------------------------------------------------------------------------


def wsgi(app: Any, path: str) -> tuple[Run, Reply]:
    """Call a WSGI application."""
    environ = environ_of(path)
    started: list[Any] = []

    def start_response(*args: Any) -> None:
        started[:] = args

    def request() -> bytes:
        body = app(environ.copy(), start_response)
        data = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return data

    def run(count: int) -> float:
        start = time.process_time()
        for _ in range(count):
            request()
        return time.process_time() - start

    body = request()
    return run, reply_of(int(started[0].split()[0]), started[1], body)


def environ_of(path: str) -> dict[str, Any]:
    """Return a request as a server of WSGI describes it (PEP 3333)."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


# --- ASGI ----------------------------------------------------------------------------------------


def asgi(app: Any, path: str) -> tuple[Run, Reply]:
    """Call an ASGI application, after its start-up."""
    scope = scope_of(path)
    sent: list[Any] = []

    async def request(keep: Callable[[Any], Any]) -> None:
        async def send(message: Any) -> None:
            keep(message)

        await app(scope.copy(), Receiver(), send)

    _loop.run_until_complete(start_up(app))
    _loop.run_until_complete(request(sent.append))
    run = timed(lambda: request(type))
    headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    body = b"".join(each.get("body", b"") for each in sent[1:])
    return run, reply_of(sent[0]["status"], headers, body)


def timed(request: Callable[[], Awaitable[Any]]) -> Run:
    """Make requests one after the other, on our loop."""

    async def main(count: int) -> float:
        start = time.process_time()
        for _ in range(count):
            await request()
        return time.process_time() - start

    return lambda count: _loop.run_until_complete(main(count))


class Receiver:
    """What gives an application the body of a request, and then waits for the client to go."""

    __slots__ = ("_is_given",)

    def __init__(self) -> None:
        self._is_given = False

    async def __call__(self) -> dict[str, Any]:
        """Receive a message."""
        if self._is_given:
            await _loop.create_future()
        self._is_given = True
        return {"type": "http.request", "body": b"", "more_body": False}


def scope_of(path: str) -> dict[str, Any]:
    """Return a request as a server of ASGI describes it (asgiref's HTTP specification)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"application/json")],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
    }


async def start_up(app: Any) -> None:
    """Tell an application that the server starts, where it listens; and later that it stops."""
    told: asyncio.Queue[Any] = asyncio.Queue()
    answers: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    told.put_nowait({"type": "lifespan.startup"})
    task = asyncio.ensure_future(app(scope, told.get, answers.put))
    answer = asyncio.ensure_future(answers.get())
    await asyncio.wait([task, answer], return_when=asyncio.FIRST_COMPLETED)
    answer.cancel()
    if not task.done():
        atexit.register(lambda: _loop.run_until_complete(shut_down(task, told)))
    else:
        task.exception()


async def shut_down(task: asyncio.Future[Any], told: asyncio.Queue[Any]) -> None:
    """Tell an application that the server stops."""
    told.put_nowait({"type": "lifespan.shutdown"})
    await asyncio.wait([task])


# --- aiohttp -------------------------------------------------------------------------------------


class Wire(asyncio.Transport):
    """A transport to nowhere, which says when a body of JSON has come to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.done: asyncio.Future[None] = _loop.create_future()

    def write(self, data: Any) -> None:
        """Take what the server writes."""
        self.written += data
        if self.written.endswith(b"}"):
            self.done.set_result(None)

    def is_closing(self) -> bool:
        """Say that it is open."""
        return False


def aiohttp(app: Any, path: str) -> tuple[Run, Reply]:
    """Hand bytes to aiohttp's server, as a socket would: it has no interface of another kind."""
    from aiohttp import web  # noqa: PLC0415 - only here

    async def start() -> Any:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        wire = Wire()
        server: Any = runner.server
        protocol = server()
        protocol.connection_made(wire)
        return wire, protocol

    wire, protocol = _loop.run_until_complete(start())
    asked = request_bytes(path)

    async def request() -> None:
        wire.written, wire.done = b"", _loop.create_future()
        protocol.data_received(asked)
        await wire.done

    _loop.run_until_complete(request())
    return timed(request), parsed(wire.written)


def request_bytes(path: str) -> bytes:
    """Return a request as a client sends it."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode()


def parsed(data: bytes) -> Reply:
    """Read what a server sends."""
    head, body = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [line.split(": ", 1) for line in lines]
    return reply_of(int(first.split()[1]), headers, body)
