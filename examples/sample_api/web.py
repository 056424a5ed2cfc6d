"""What a web framework would bring: requests, responses, routes. ASGI 3.0 underneath."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from examples.sample_api.errors import MalformedBody, NotFound

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked.

    Args:
        id: By what name the journal knows it.
        method: In capitals.
        path: Without the query.
        params: What the route found in the path.
        body: As it came.
    """

    id: str
    method: str
    path: str
    params: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; `MalformedBody` where it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            msg = "the body is not JSON"
            raise MalformedBody(msg) from error


class Response:
    """What the client gets. ``headers_sent`` says whether something has gone out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.headers_sent = False

    async def _start(self, status: int) -> None:
        headers = [(b"content-type", b"application/json")]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        self.headers_sent = True

    async def json(self, value: object, status: int = 200) -> None:
        """Send a whole answer."""
        body = json.dumps(value).encode()  # before anything goes out
        await self._start(status)
        await self._send({"type": "http.response.body", "body": body})

    async def write(self, text: str) -> None:
        """Send a piece of an answer."""
        if not self.headers_sent:
            await self._start(200)
        body = text.encode()
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """Say that the answer is whole."""
        await self._send({"type": "http.response.body", "body": b""})


class Routes:
    """Which handler answers what."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Any]] = []

    def add(self, method: str, path: str, handler: Any) -> None:
        """Let a handler answer a method and a path, as in ``/users/{id}``."""
        pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))
        self._routes.append((method, pattern, handler))

    def find(self, method: str, path: str) -> tuple[Any, dict[str, str]]:
        """Return the handler, and what its path found."""
        for known, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and known == method:
                return handler, match.groupdict()
        msg = f"there is no {method} {path}"
        raise NotFound(msg)


async def read_body(receive: Receive) -> bytes:
    """Read a request's body to its end."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
