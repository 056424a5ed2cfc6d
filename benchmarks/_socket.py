"""How an app is called over a socket: a server in a process of its own, a client in this one.

The client keeps some connections open, and sends a request on each before it reads the answers, so
that the server is never idle. What counts is the processor time of the server's process, the
kernel's work for it included: on a machine that does other things too, no clock on the wall tells
servers apart.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from types import TracebackType
from typing import Final, Self

from benchmarks._web import Reply, parsed, request_bytes

CONNECTIONS = 32
PATIENCE = 20.0  # seconds


MEMORY: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_TOP_PAD_": str(2**24),
}
"""glibc gives no memory back: whether it does, by the chance of addresses, is half of a request."""


@contextlib.contextmanager
def steady(*processes: int) -> Generator[None, None, None]:
    """Run on one processor with other processes, in turns that nobody breaks into (Linux).

    So a server finds all requests of a batch, and the client all answers: each of them is woken
    once. Else that is a matter of chance, and of more than we measure.
    """
    before = os.sched_getaffinity(0)
    for each in (0, *processes):
        os.sched_setaffinity(each, {max(before)})
        os.sched_setscheduler(each, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


class Served:
    """
    An app in a process of its own.

    Args:
        module: The framework's module in `benchmarks.apps`.
        way: What is installed in the app.
        path: What is asked for.
    """

    def __init__(self, module: str, way: str, path: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._address = f"{self._folder.name}/socket"
        self._asked = request_bytes(path)
        self._sockets: list[socket.socket] = []
        self._length = 0
        command = [sys.executable, "-m", "benchmarks._serve", module, way, self._address]
        env = os.environ | MEMORY
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)  # noqa: S603 - our own

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def connect(self) -> None:
        """Wait until the server listens, and open the connections."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._process.stdout.readline()
        self._sockets = [connected(self._address) for _ in range(CONNECTIONS)]

    def first(self) -> Reply:
        """Make a request, and return the reply: those that follow are as long."""
        self.connect()
        connection = self._sockets[0]
        connection.sendall(self._asked)
        data = b""
        while not data.rstrip().endswith(b"}"):  # a body of JSON, in one piece or more
            data += piece_of(connection)
        self._length = len(data)
        return parsed(data)

    def run(self, count: int) -> float:
        """Make so many requests, and return the seconds that the server worked."""
        start = self._seconds()
        for _ in range(count // CONNECTIONS):
            for connection in self._sockets:
                connection.sendall(self._asked)
            for connection in self._sockets:
                receive(connection, self._length)
        return self._seconds() - start

    def _seconds(self) -> float:
        """Return the processor time of the server (clock_getcpuclockid(3) of Linux)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for connection in self._sockets:
            connection.close()
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()


def connected(address: str) -> socket.socket:
    """Return a connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(address)
    return connection


def receive(connection: socket.socket, length: int) -> None:
    """Read a reply."""
    while length > 0:
        length -= len(piece_of(connection, length))


def piece_of(connection: socket.socket, length: int = 65_536) -> bytes:
    """Receive what is there."""
    data = connection.recv(length)
    assert data, "the server has closed the connection"  # noqa: S101
    return data
