"""The responder: how answers go out, good ones and bad ones. It is the `res` of all layers."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from catchasync import ErrorResponse, render_error


class Responder:
    """
    An answer.

    Args:
        req: What is answered.
        send: ASGI's.
    """

    def __init__(self, req: Request, send: Send) -> None:
        self._req = req
        self._send = send
        self.status: int | None = None

    @property
    def headers_sent(self) -> bool:
        """Whether it has begun: nothing else can be answered then."""
        return self.status is not None

    async def json(self, value: object, status: int = 200) -> None:
        """Send a whole answer."""
        body = json.dumps(value).encode()  # before anything goes out
        await self._whole(Response(body, status, media_type="application/json"))

    async def error(self, error: BaseException) -> None:
        """Answer a failure, in the format that the client reads."""
        accept = self._req.headers.get("accept", "*/*")
        await self._whole(render_error(error, accept=accept, method=self._req.method))

    async def write(self, value: object) -> None:
        """Send a line of a long answer."""
        body = json.dumps(value).encode() + b"\n"
        if not self.headers_sent:
            headers = [(b"content-type", b"application/x-ndjson")]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            self.status = 200
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """Say that a long answer is whole."""
        await self._send({"type": "http.response.body", "body": b""})

    async def _whole(self, response: Response | ErrorResponse) -> None:
        async def send(message: Any) -> None:
            await self._send(message)
            self.status = self.status or message["status"]

        await response(self._req.scope, self._req.receive, send)
