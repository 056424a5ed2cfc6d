"""What the handlers of all contract apps do: fail, stream, wait for a client to go away."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import Final, NoReturn

from catchasync.errors import NotFound

SECRET: Final = "secret"  # noqa: S105 - what no client may see
PATIENCE: Final = 20.0  # seconds


class UserMissing(Exception):
    """A domain error with a status by registration."""


class Teapot(Exception):
    """A domain error whose rule answers with another error."""


class LateTeapot(Exception):
    """Same, and the rule is async."""


class BrokenRule(Exception):
    """A domain error whose rule raises."""


class LateBrokenRule(Exception):
    """Same, and the rule is async."""


class RuleError(Exception):
    """What those rules raise."""


def no_such_user() -> NotFound:
    """Return the error of ``/http``."""
    return NotFound("no such user", code="user_not_found", details={"id": 7})


def raising(make: Callable[[], Exception]) -> Callable[[], NoReturn]:
    """Return what raises."""

    def fail() -> NoReturn:
        raise make()

    return fail


def bug() -> NoReturn:
    """Fail."""
    raise RuntimeError(SECRET)


async def bug_async() -> NoReturn:
    """Fail."""
    raise RuntimeError(SECRET)


def run_out_of_time() -> None:
    """Wait for what does not come, as long as one may: not at all."""
    never: Future[None] = Future()
    never.result(timeout=0)


async def run_out_of_time_async() -> None:
    """Wait for what does not come, as long as one may: not at all."""
    async with asyncio.timeout(0):
        await asyncio.Event().wait()


domain: Final = raising(UserMissing)

FAILS: Final[dict[str, Callable[[], object]]] = {
    "/bug": bug,
    "/http": raising(no_such_user),
    "/domain": domain,
    "/rule-answers": raising(Teapot),
    "/rule-answers-async": raising(LateTeapot),
    "/rule-fails": raising(BrokenRule),
    "/rule-fails-async": raising(LateBrokenRule),
    "/timeout": run_out_of_time,
}
"""What the sync handler of a path does."""

FAILS_ASYNC: Final[dict[str, Callable[[], Awaitable[object]]]] = {
    "/bug-async": bug_async,
    "/timeout-async": run_out_of_time_async,
}
"""What the async handler of a path does."""

BREAKS: Final[dict[str, str]] = {"/middleware": "before", "/middleware-after": "after"}
"""When a middleware of the user's fails; the handler of these paths is that of ``/ok``."""


def break_if(path: str, moment: str) -> None:
    """Fail, as a middleware of the user's does, before or after the handler of some paths."""
    if BREAKS.get(path) == moment:
        bug()


class Departure:
    """A client that goes away; handlers wait for that."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.left = threading.Event()
        self.over = threading.Event()

    async def wait(self) -> None:
        """Wait until the client has left."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.left.wait, PATIENCE)

    def is_over(self) -> bool:
        """Say whether the stream has ended; some servers leave it to the garbage collector."""
        return any(self.over.wait(0.1) or gc.collect() < 0 for _ in range(100))

    def reset(self) -> None:
        """Begin anew."""
        self.asked.clear()
        self.left.clear()
        self.over.clear()


departure: Final = Departure()

REST: Final = [b"x" * 65_536] * 64
"""More than goes into the buffers of a connection that nobody reads."""


def whole() -> Iterator[bytes]:
    """Send a body."""
    yield b"o"
    yield b"k"


def half() -> Iterator[bytes]:
    """Begin, and fail."""
    yield b"begun"
    bug()


def nothing() -> Iterator[bytes]:
    """Fail at once."""
    bug()
    yield b"never"


def left() -> Iterator[bytes]:
    """Begin, and go on when the client has left."""
    try:
        yield b"begun"
        departure.left.wait(PATIENCE)
        yield from REST
    finally:
        departure.over.set()


def late() -> Iterator[bytes]:
    """Begin when the client has left."""
    try:
        departure.asked.set()
        departure.left.wait(PATIENCE)
        yield from REST
    finally:
        departure.over.set()


async def whole_async() -> AsyncIterator[bytes]:
    """Send a body."""
    yield b"o"
    yield b"k"


async def half_async() -> AsyncIterator[bytes]:
    """Begin, and fail."""
    yield b"begun"
    bug()


async def nothing_async() -> AsyncIterator[bytes]:
    """Fail at once."""
    bug()
    yield b"never"


async def left_async() -> AsyncIterator[bytes]:
    """Begin, and go on when the client has left."""
    try:
        yield b"begun"
        await departure.wait()
        for part in REST:
            yield part
    finally:
        departure.over.set()


async def late_async() -> AsyncIterator[bytes]:
    """Begin when the client has left."""
    try:
        departure.asked.set()
        await departure.wait()
        for part in REST:
            yield part
    finally:
        departure.over.set()


PARTS: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "/gen": whole,
    "/stream": half,
    "/stream-first": nothing,
    "/leave": left,
    "/leave-early": late,
}
"""The body that the handler of a path returns, as a generator."""

PARTS_ASYNC: Final[dict[str, Callable[[], AsyncIterator[bytes]]]] = {
    "/gen-async": whole_async,
    "/stream-async": half_async,
    "/stream-first-async": nothing_async,
    "/leave-async": left_async,
    "/leave-early-async": late_async,
}
"""Same, as an async generator."""

PARTS_ANY: Final[dict[str, Callable[[], Iterator[bytes] | AsyncIterator[bytes]]]] = {
    **PARTS,
    **PARTS_ASYNC,
}
"""Both, where a framework takes both."""
