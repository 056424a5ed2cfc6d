"""What is going on in a context, and in those that it starts: the guard against endless loops.

A context variable holds it: for what a context starts, never for other threads and tasks.
"""

from __future__ import annotations

import contextvars
from typing import Final, TypeAlias

Place: TypeAlias = frozenset[tuple[str, int]]

_inside: contextvars.ContextVar[Place] = contextvars.ContextVar(
    "catchasync_inside", default=frozenset()
)


def place_of(what: str, serial: int = 0) -> Place:
    """Return what is noted of something that goes on in a handler."""
    return frozenset(((what, serial),))


def enter(place: Place) -> Place | None:
    """Note, in this context and those that it starts, what is going on; `leave` ends it.

    Returns:
        What `leave` is to be called with; ``None``: it is going on already.
    """
    before = _inside.get()
    if not before:
        _inside.set(place)
    elif place <= before:
        return None
    else:
        _inside.set(before | place)
    return before


leave: Final = _inside.set  # not a token's `reset`: a coroutine may end in another context


class inside:  # noqa: N801 - it reads as a function would, and takes half the time
    """Note what is going on in a block."""

    __slots__ = ("_before", "_place")

    def __init__(self, what: str, serial: int = 0) -> None:
        self._place = place_of(what, serial)

    def __enter__(self) -> None:
        self._before = _inside.get()
        _inside.set(self._before | self._place)

    def __exit__(self, *_raised: object) -> None:
        leave(self._before)


def is_inside(what: str, serial: int = 0) -> bool:
    """Say whether that is going on in this context, or went on in one that started it."""
    return (what, serial) in _inside.get()
