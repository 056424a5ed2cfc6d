"""A client in the same thread: what an ASGI application sends, with and without us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from catchasync import ErrorHandler
from tests.integrations.contract import Reports, make_errors

JSON: Final = (b"content-type", b"application/json")


@dataclass(frozen=True)
class Sent:
    """What an application sent; ``raised``: what came out of it."""

    messages: tuple[dict[str, Any], ...]
    raised: str | None = None

    @property
    def status(self) -> int:
        """The status of the response."""
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """Its headers."""
        headers = self.messages[0]["headers"]
        return {name.decode(): value.decode() for name, value in headers}

    @property
    def body(self) -> bytes:
        """Its body."""
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def is_whole(self) -> bool:
        """Whether the body came to its end."""
        return not self.messages[-1].get("more_body", False)

    def __getitem__(self, name: str) -> Any:
        """Return a member of a JSON body."""
        return json.loads(self.body).get(name)


def ask(
    app: Any, path: str, *headers: tuple[bytes, bytes], method: str = "GET", body: bytes = b""
) -> Sent:
    """Ask an application."""
    return asyncio.run(asking(app, path, *headers, method=method, body=body))


async def asking(
    app: Any, path: str, *headers: tuple[bytes, bytes], method: str = "GET", body: bytes = b""
) -> Sent:
    """Same, on a loop that runs."""
    sent: list[dict[str, Any]] = []
    requests = [{"type": "http.request", "body": body, "more_body": False}]
    is_over = asyncio.Event()

    async def receive() -> Any:
        if requests:
            return requests.pop()
        await is_over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_over.set()

    try:
        await app(scope_of(path, method, headers), receive, send)
    except Exception as error:  # noqa: BLE001 - looked at by the test
        return Sent(tuple(sent), repr(error))
    return Sent(tuple(sent))


def scope_of(path: str, method: str, headers: Any) -> dict[str, Any]:
    """Return a scope as a server makes it."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"example.org"), *headers],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 80),
    }


def compare(
    make: Callable[[], Any], install: Callable[[Any, ErrorHandler], Any], *request: Any, **how: Any
) -> tuple[Sent, Sent, Reports]:
    """Ask an app without us and with us, and return both answers, and what was reported."""
    errors, reported = make_errors()
    return ask(make(), *request, **how), ask(install(make(), errors), *request, **how), reported


def names(reported: Reports) -> list[str]:
    """Return the names of what was reported."""
    return [report.name for report in reported]
