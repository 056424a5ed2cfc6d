"""Waiting for a `next` that something still holds."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from catchasync._wakes import Wake

TurnT = TypeVar("TurnT", bound="Held")


class Held(Protocol):
    """What is asked of a turn that is waited for."""

    is_blocking: ClassVar[bool]

    @property
    def is_decided(self) -> bool: ...

    def attach(self, waiter: Waiter[Any] | None) -> None:
        """Tell it who waits."""
        ...

    def leave(self) -> None:
        """Tell it that nobody acts on it any more."""
        ...


class Nothing:
    """What a call of `next` returns that decided nothing: there is nothing to wait for."""

    def __await__(self) -> Generator[Any, Any, None]:
        yield from ()


class Waiter(Generic[TurnT]):
    """Waits until the `next` of a layer that has returned is called, or dropped by all."""

    __slots__ = ("is_left", "reference", "turn", "wake")

    def __init__(self, turn: TurnT) -> None:
        self.is_left = False
        self.turn: TurnT | None = None
        self.wake = Wake(is_blocking=turn.is_blocking)
        self.reference = weakref.ref(turn, self.wake.set)
        turn.attach(self)
        if turn.is_decided:  # since the driver looked
            self.called(turn)

    def called(self, turn: TurnT) -> None:
        """Take the turn, which is decided now."""
        if self.is_left:
            turn.leave()
        else:
            self.turn = turn
            self.wake.set()

    def outcome(self) -> TurnT | None:
        """Return the turn that was decided; ``None``: it was dropped."""
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.attach(None)
        return turn

    def leave(self) -> None:
        """Note that nobody waits any more."""
        self.is_left = True
        turn = self.turn or self.reference()
        if turn is not None:
            turn.leave()
