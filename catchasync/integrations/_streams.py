"""Bodies that are sent piece by piece, watched to their end.

What fails in one is reported and raised: the server breaks the connection off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Tell: TypeAlias = Callable[[BaseException], None]


class Stream:
    """
    A stream in all but its failures.

    Args:
        stream: An iterable of bytes, or what has a ``read``.
        tell: Called with a failure.
    """

    def __init__(self, stream: Any, tell: Tell) -> None:
        self._stream = stream
        self._tell = tell
        self._items: Any = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        return self._reading(found) if name == "read" else found

    def _reading(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def read_watched(*args: Any) -> Any:
            try:
                return read(*args)
            except Exception as error:
                self._tell(error)
                raise

        return read_watched

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        try:
            if self._items is None:
                self._items = iter(self._stream)
            return next(self._items)
        except StopIteration:
            raise
        except Exception as error:
            self._tell(error)
            raise


class AsyncStream(Stream):
    """Same, of an async iterable, or what has an async ``read``."""

    def _reading(self, read: Callable[..., Any]) -> Callable[..., Any]:
        async def read_watched(*args: Any) -> Any:
            try:
                return await read(*args)
            except Exception as error:
                self._tell(error)
                raise

        return read_watched

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Any:
        try:
            if self._items is None:
                self._items = self._stream.__aiter__()
            return await self._items.__anext__()
        except StopAsyncIteration:
            raise
        except Exception as error:
            self._tell(error)
            raise
