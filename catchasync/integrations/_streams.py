"""Bodies that are sent piece by piece, watched to their end.

What fails in one is reported and raised: the server breaks the connection off.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final, TypeAlias

Tell: TypeAlias = Callable[[BaseException], None]

WATCHED: Final = ("read", "close")
"""The methods of a stream in which something may fail."""


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
        self._first: list[Any] = []

    def begin(self) -> None:
        """Ask for the first part, before anything is sent: what fails in that can be answered.

        A server of WSGI does not send the head before it has that part (PEP 3333).
        """
        try:
            self._items = iter(self._stream)
            self._first = list(itertools.islice(self._items, 1))
        except Exception:
            getattr(self._stream, "close", bool)()
            raise

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        return self._watching(found) if name in WATCHED else found

    def _watching(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any) -> Any:
            try:
                return function(*args)
            except Exception as error:
                self._tell(error)
                raise

        return watched

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        if self._first:
            return self._first.pop()
        try:
            if self._items is None:
                self._items = iter(self._stream)
            return next(self._items)
        except StopIteration:
            raise
        except Exception as error:
            self._tell(error)
            raise
