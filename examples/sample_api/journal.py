"""What reached `next`, and what was late: one line for each arrival, by request."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Arrival:
    """One failure that arrived."""

    request: str
    place: Literal["next", "late"]
    error: BaseException


@dataclass(slots=True)
class Journal:
    """All that arrived.

    Args:
        echo: Is told of each arrival as well, in one line.
    """

    echo: Callable[[str], object] = lambda _line: None
    arrivals: list[Arrival] = field(default_factory=list)

    def note(self, arrival: Arrival) -> None:
        """Note a failure that arrived."""
        self.arrivals.append(arrival)
        error = arrival.error
        self.echo(f"{arrival.request}: {arrival.place} {type(error).__name__}: {error}")

    def of(self, request: str) -> list[Arrival]:
        """Return what arrived of one request."""
        return [arrival for arrival in self.arrivals if arrival.request == request]


@dataclass(slots=True)
class Exchange:
    """A request that is being answered."""

    request: str
    journal: Journal
    broken: bool = False

    def arrived(self, place: Literal["next", "late"], error: BaseException) -> None:
        """Note a failure."""
        self.journal.note(Arrival(self.request, place, error))


current: ContextVar[Exchange] = ContextVar("current")
"""The request that this task answers: `late` is given the error alone."""


def late(error: BaseException) -> None:
    """Note a failure after the answer had begun: the answer must not look whole."""
    exchange = current.get()
    exchange.broken = True
    exchange.arrived("late", error)
