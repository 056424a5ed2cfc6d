"""A wait that ends from any thread: on asyncio, on trio, or in a thread that has no loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

from catchasync import _runtimes


class Wake:
    """Something that is awaited until `set`, which any thread may call, also a finaliser.

    It belongs to the loop on which it is made. Without a loop, or with ``is_blocking``, it is the
    thread that waits.
    """

    __slots__ = ("_set", "_wait", "is_set")

    is_set: bool
    _set: Callable[[], object]
    _wait: Callable[[], Any]

    def __init__(self, *, is_blocking: bool = False) -> None:
        self.is_set = False
        home = None if is_blocking else _runtimes.here()
        if isinstance(home, _runtimes.AsyncioHome):
            self._on_asyncio(home.loop)
        elif home is not None:
            self._on_trio()
        else:
            self._on_thread()

    def _on_asyncio(self, loop: asyncio.AbstractEventLoop) -> None:
        future: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not future.done():  # it may have been cancelled
                future.set_result(None)

        self._set = lambda: loop.call_soon_threadsafe(settle)
        self._wait = future.__await__

    def _on_trio(self) -> None:
        trio: Any = sys.modules["trio"]
        event, token = trio.Event(), trio.lowlevel.current_trio_token()
        self._set = lambda: token.run_sync_soon(event.set)
        self._wait = lambda: event.wait().__await__()

    def _on_thread(self) -> None:
        event = threading.Event()
        self._set = event.set
        self._wait = lambda: event.wait() and iter(())

    def set(self, *_ignored: object) -> None:
        """End the wait; a loop that is over by now has nobody who waits."""
        self.is_set = True
        with contextlib.suppress(RuntimeError):
            self._set()

    def __await__(self) -> Generator[Any, Any, None]:
        yield from self._wait()

    def block(self) -> None:
        """Wait in this thread, which has no loop."""
        self._wait()
