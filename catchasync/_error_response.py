"""What an error is answered with: an application of ASGI and of WSGI, so that frameworks take it.

It is made to fail loudly where it is taken for data: it has no ``__dict__``, no fields to find, it
cannot be iterated over. An error must never go out as JSON under a 200.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final, TypeAlias, overload

from catchasync._statuses import SERVER_ERROR, phrase_of

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]

# PEP 3333 forbids them to applications, and wsgiref asserts that they are not there.
HOP_BY_HOP: Final = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
}

USUAL: Final = {
    "content-length",
    "content-security-policy",
    "content-type",
    "vary",
    "x-content-type-options",
}
KNOWN_LIMIT: Final = 1_000  # of those, with their values

# RFC 6455, section 7.4.1: "policy violation" and "unexpected condition"
CLOSED_BY_CLIENT_ERROR: Final = 1008
CLOSED_BY_SERVER_ERROR: Final = 1011


class ErrorResponse:
    """
    The answer to a failure.

    Args:
        status: 400 to 599.
        headers: By lower-case name.
        body: What is sent; empty for HEAD.
    """

    __slots__ = ("body", "headers", "status")

    status: int
    headers: dict[str, str]
    body: bytes

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        kind = self.headers.get("content-type", "no content-type")
        return f"<ErrorResponse: {self.status}, {kind}, {len(self.body)} bytes>"

    @overload
    def __call__(
        self, scope: Scope, receive: Receive, send: Send, /
    ) -> Coroutine[Any, Any, None]: ...
    @overload
    def __call__(self, environ: Environ, start_response: StartResponse, /) -> list[bytes]: ...
    def __call__(self, *args: Any) -> Any:
        """
        Answer, as an application of ASGI (three arguments) or of WSGI (two).

        Raises:
            TypeError: It was called with any other number.
        """
        if len(args) == 3:  # noqa: PLR2004 - as ASGI says
            return self._answer_asgi(*args)
        if len(args) == 2:  # noqa: PLR2004 - as WSGI says
            return self._answer_wsgi(*args)
        msg = (
            "an ErrorResponse is called as (scope, receive, send) or (environ, start_response): "
            f"got {len(args)} arguments."
        )
        raise TypeError(msg)

    def _answer_wsgi(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        headers = [item for item in self.headers.items() if item[0] not in HOP_BY_HOP]
        start_response(f"{self.status} {phrase_of(self.status)}", headers)
        return [self._body_for(environ.get("REQUEST_METHOD"))]

    async def _answer_asgi(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if "websocket.http.response" not in (scope.get("extensions") or {}):
                await send({"type": "websocket.close", "code": self._close_code, "reason": ""})
                return
            send = _refusing(send)
        headers = [_known.get(item) or _encoded(item) for item in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = self._body_for(scope.get("method"))
        await send({"type": "http.response.body", "body": body, "more_body": False})

    @property
    def _close_code(self) -> int:
        is_client_error = self.status < SERVER_ERROR
        return CLOSED_BY_CLIENT_ERROR if is_client_error else CLOSED_BY_SERVER_ERROR

    def _body_for(self, method: object) -> bytes:
        return b"" if method == "HEAD" else self.body


def _refusing(send: Send) -> Send:
    """Return a `send` whose messages refuse a websocket, as its extension of ASGI has it."""

    def send_refusal(message: MutableMapping[str, Any]) -> Awaitable[None]:
        return send({**message, "type": f"websocket.{message['type']}"})

    return send_refusal


def _encoded(item: tuple[str, str]) -> tuple[bytes, bytes]:
    """Encode a header; one that many responses have is remembered, nothing that may be secret."""
    name, value = item
    pair = name.encode("latin-1"), value.encode("latin-1")
    if name in USUAL and len(_known) < KNOWN_LIMIT:
        _known[item] = pair
    return pair


_known: Final[dict[tuple[str, str], tuple[bytes, bytes]]] = {}
