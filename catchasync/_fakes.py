"""Fakes for tests: a response that can be sent once, and a function that calls back as it is told.

They misbehave on request, since that is what error paths are tested with.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias

When: TypeAlias = Literal["now", "later", "thread"]


class FakeResponse:
    """
    A response as Express has it: set up, then sent once; its methods return it.

    What is sent twice is a `RuntimeError`, as on a real server.

    Args:
        fails: What the sending methods raise instead of sending.
        after: How many chunks go out before they do; 0 for a client that was never there.
    """

    def __init__(self, *, fails: BaseException | None = None, after: int = 0) -> None:
        self.status_code: int = 200
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.headers_sent: bool = False
        self.ended: bool = False
        self._fails = fails
        self._after = after

    @property
    def body(self) -> bytes:
        """All that was sent so far."""
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        """Same, as UTF-8."""
        return self.body.decode()

    def status(self, code: int) -> Self:
        """Set the status; sends nothing."""
        self._set_up("status")
        self.status_code = int(code)
        return self

    def set(self, name: str, value: str) -> Self:
        """Set a header, its name in lower case; sends nothing."""
        self._set_up("set")
        self.headers[name.lower()] = value
        return self

    def write(self, chunk: str | bytes) -> Self:
        """Send a chunk; the response is still open."""
        return self._send("write", chunk)

    def end(self, chunk: str | bytes = b"") -> Self:
        """Send a last chunk, and end the response."""
        self._send("end", chunk)
        self.ended = True
        return self

    def send(self, body: str | bytes = b"") -> Self:
        """Send a whole body."""
        self._set_up("send")
        return self.end(body)

    def json(self, value: Any) -> Self:
        """Send a value as JSON; one that cannot be serialised sends nothing."""
        self._set_up("json")
        body = json.dumps(value)
        return self.set("content-type", "application/json").end(body)

    def redirect(self, url: str, status: int = 302) -> Self:
        """Send the client somewhere else."""
        self._set_up("redirect")
        return self.status(status).set("location", url).end()

    def _set_up(self, method: str) -> None:
        if self.headers_sent:
            msg = f"FakeResponse.{method}() came too late: the response has begun, {self!r}."
            raise RuntimeError(msg)

    def _send(self, method: str, chunk: str | bytes) -> Self:
        if self.ended:
            msg = f"FakeResponse.{method}() came too late: the response has ended, {self!r}."
            raise RuntimeError(msg)
        if self._fails is not None and len(self.chunks) >= self._after:
            raise self._fails
        self.headers_sent = True
        self.chunks.append(chunk.encode() if isinstance(chunk, str) else chunk)
        return self

    def __repr__(self) -> str:
        state = "ended" if self.ended else "begun" if self.headers_sent else "not sent"
        return f"<FakeResponse: {self.status_code}, {state}, {self.body!r}>"


class CallsBack:
    """
    A callback-style function that calls back as it is told: once, twice, late, or never.

    Stands in a test for the library's function that is handed a callback.

    Args:
        *outcomes: What the callback is called with, a tuple of arguments for each call of it:
            ``(None, "content")``. None at all: the callback is dropped, and never called.
        when: ``"now"``, before the function returns; ``"later"``, by `release`; or ``"thread"``,
            on another thread.
        callback: Where the callback is: an index among the positional arguments, or a keyword.
        returns: What the function returns.

    Raises:
        TypeError: An outcome is no tuple.
        ValueError: There is no such time.
    """

    def __init__(
        self,
        *outcomes: tuple[Any, ...],
        when: When = "now",
        callback: int | str = -1,
        returns: Any = None,
    ) -> None:
        for outcome in outcomes:
            if not isinstance(outcome, tuple):
                msg = f"CallsBack() takes a tuple of the callback's arguments: got {outcome!r}."
                raise TypeError(msg)
        if when not in ("now", "later", "thread"):
            msg = f"CallsBack(when=...) takes 'now', 'later' or 'thread': got {when!r}."
            raise ValueError(msg)
        self.outcomes = outcomes
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._when = when
        self._place = callback
        self._returns = returns
        self._held: list[Callable[..., Any]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take the callback off the arguments, note the others, and call it when it is time."""
        left = list(args)
        try:
            callback = (kwargs if isinstance(self._place, str) else left).pop(self._place)  # type: ignore[arg-type]
        except LookupError:
            msg = f"CallsBack() found no callback at {self._place!r}: got {args!r} and {kwargs!r}."
            raise TypeError(msg) from None
        self.calls.append((tuple(left), kwargs))
        if self._when == "now":
            self._deliver(callback)
        elif self._when == "thread":
            threading.Thread(target=self._deliver, args=(callback,), name="CallsBack").start()
        else:
            self._held.append(callback)
        return self._returns

    def release(self) -> None:
        """Call back for every call so far that waits for it (``when="later"``), on this thread."""
        while self._held:
            self._deliver(self._held.pop(0))

    def _deliver(self, callback: Callable[..., Any]) -> None:
        for outcome in self.outcomes:
            callback(*outcome)

    def __repr__(self) -> str:
        return f"<CallsBack: {len(self.outcomes)} times for each call, {self._when}>"
