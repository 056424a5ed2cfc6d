"""What is known of a request of ASGI that failed: what has gone out, and whether anybody waits."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from catchasync._error_response import Receive, Scope, Send
from catchasync._statuses import known_of

Message: TypeAlias = MutableMapping[str, Any]

DISCONNECTS: Final = frozenset({
    ("starlette.requests", "ClientDisconnect"),
    ("starlette.websockets", "WebSocketDisconnect"),
})  # fmt: skip
"""What frameworks raise in a handler whose client has gone away."""

ENDS: Final = ("http.response.body", "websocket.http.response.body")
NOTED: Final = frozenset({
    "http.response.start", *ENDS,
    "websocket.accept", "websocket.close", "websocket.http.response.start",
})  # fmt: skip
"""The messages after which a response has begun."""


class Exchange:
    """What is known of a request that failed: whether its response has begun, or ended.

    Args:
        send: The server's, or that of a middleware.
        noting: The same, which notes the messages in `NOTED`.
        last: Returns the last of those that was sent.
    """

    __slots__ = ("_last", "_send", "noting")

    def __init__(self, send: Send, noting: Send, last: Callable[[], Message | None]) -> None:
        self._send = send
        self.noting: Send = noting
        self._last = last

    @property
    def has_begun(self) -> bool:
        """Whether something may have gone out."""
        return self._last() is not None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can be sent, so that there is nothing to break off."""
        last = self._last() or {"type": None}
        return last["type"] == "websocket.close" or (
            last["type"] in ENDS and not last.get("more_body")
        )

    def is_gone(self, error: BaseException) -> bool:
        """Say whether an error only says that the client has gone away."""
        if error.__cause__ is None:
            return self._says_gone(error)
        return any(self._says_gone(each) for each in causes_of(error))

    def told_of(self, error: Exception, scope: Scope) -> BaseException:
        """Return what failed, where an error is only the server's word for what it was told of.

        Told that a lifespan has failed, Hypercorn raises an error of its own.
        """
        first = error.__context__
        is_word = scope["type"] == "lifespan" and passed(error, code_of(self._send))
        return first if is_word and first is not None else error

    def _says_gone(self, error: BaseException) -> bool:
        if isinstance(error, OSError) and is_of_socket(error):
            return passed(error, code_of(self._send))
        return not DISCONNECTS.isdisjoint(known_of(error).names)


class Hearing:
    """A `receive` that knows whether it was called."""

    __slots__ = ("_receive", "was_called")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.was_called = False

    def __call__(self) -> Awaitable[Message]:
        """Receive a message."""
        self.was_called = True
        return self._receive()


def is_of_socket(error: OSError) -> bool:
    """Say whether it may be a server's, which ASGI lets raise a kind of `OSError` of its own.

    One of the system has a number: a file that cannot be opened is no client that has gone.
    """
    return isinstance(error, ConnectionError) or error.errno is None


def causes_of(error: BaseException | None) -> list[BaseException]:
    """Return an error and its causes, each once: ``raise error from error`` makes a circle."""
    found: list[BaseException] = []
    while error is not None and not any(error is each for each in found):
        found.append(error)
        error = error.__cause__
    return found


def code_of(function: Any) -> object:
    """Return what stands in a traceback for a function or a callable object."""
    return getattr(function, "__code__", None) or getattr(function.__call__, "__code__", None)


def passed(error: BaseException, code: object) -> bool:
    """Say whether an error came out of what has this code."""
    return any(frame.f_code is code for frame, _ in traceback.walk_tb(error.__traceback__))
