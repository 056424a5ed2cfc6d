"""The client of the contract: it asks over a socket, and sees whether a body came to its end."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

PATIENCE: Final = 20.0  # seconds


@dataclass(frozen=True)
class Answer:
    """What a client got; ``is_whole``: the body came to its proper end."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool = True
    allow: frozenset[str] = field(default=frozenset(), compare=False)


UNCOMPARED: Final = {
    "allow",
    "alt-svc",  # Sanic's server
    "connection",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
}
"""Headers of the servers; and ``Allow``, whose methods the frameworks choose and order."""


NO_ANSWER: Final = Answer(0, {}, b"", is_whole=False)
"""What comes over a connection that is closed before a response."""


def ask(
    base_url: str,
    path: str,
    *,
    method: str = "GET",
    accept: str | None = None,
    json: bytes | None = None,
) -> Answer:
    """Ask a server, on a connection of its own."""
    given = {"Accept": accept, "Content-Type": json and "application/json"}
    headers = {name: value for name, value in given.items() if value is not None}
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    try:
        connection.request(method, path, json, headers)
        return read(connection.getresponse())
    finally:
        connection.close()


def ask_in_vain(base_url: str, path: str, **how: Any) -> Answer:
    """Same, where there may be no answer."""
    try:
        return ask(base_url, path, **how)
    except http.client.RemoteDisconnected:
        return NO_ANSWER


def read(response: http.client.HTTPResponse) -> Answer:
    """Read an answer, as far as it goes."""
    body, is_whole = b"", True
    try:
        while chunk := response.read1():
            body += chunk
        is_whole = not response.length  # what was announced, and did not come
    except (http.client.HTTPException, OSError):
        is_whole = False
    headers = {name.lower(): value for name, value in response.getheaders()}
    allow = frozenset(headers.get("allow", "").replace(" ", "").split(","))
    kept = {name: value for name, value in headers.items() if name not in UNCOMPARED}
    return Answer(response.status, kept, body, is_whole, allow)


@contextlib.contextmanager
def connected(base_url: str, path: str, *headers: str) -> Generator[socket.socket, None, None]:
    """Connect, and ask; what is answered is the caller's to read."""
    address = urlsplit(base_url)
    lines = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}", *headers, "", ""]
    where = (address.hostname or "", address.port or 0)
    with socket.create_connection(where, timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join(lines).encode())
        yield connection


def leave(base_url: str, path: str, ready: Callable[[socket.socket], object]) -> None:
    """Go away when it is time, without a farewell: what is sent after that fails."""
    with connected(base_url, path) as connection:
        ready(connection)
        at_once = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


def see_begun(connection: socket.socket) -> None:
    """Receive what comes, until the body has begun."""
    received = b""
    while b"begun" not in received:
        chunk = connection.recv(4096)
        assert chunk, f"no body: got {received!r}"
        received += chunk


@dataclass(frozen=True)
class Talk:
    """What came over a websocket: the status of the handshake, texts, the code of the close.

    No code: the connection was broken off.
    """

    status: int
    texts: tuple[bytes, ...] = ()
    code: int | None = None


HANDSHAKE: Final = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",  # the sample of RFC 6455
)
TEXT: Final = 1
CLOSE: Final = 8


def listen(base_url: str, path: str) -> Talk:
    """Open a websocket, and listen until it ends."""
    with connected(base_url, path, *HANDSHAKE) as connection, connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        while file.readline().strip():
            pass
        if status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            return Talk(status)
        frames = list(frames_of(file))
    texts = tuple(payload for kind, payload in frames if kind == TEXT)
    codes = [int.from_bytes(payload[:2], "big") for kind, payload in frames if kind == CLOSE]
    return Talk(status, texts, codes[0] if codes else None)


def frames_of(file: BinaryIO) -> Generator[tuple[int, bytes], None, None]:
    """Yield the kinds and payloads of a server's frames, the close last (RFC 6455, section 5)."""
    with contextlib.suppress(OSError):
        while len(head := file.read(2)) == len("at"):
            length = head[1]
            if length == 126:  # then two bytes of length follow
                length = int.from_bytes(file.read(2), "big")
            yield head[0] & 15, file.read(length)
            if head[0] & 15 == CLOSE:
                return
