"""What reached the error handler: one entry for each failure, by request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    One failure that arrived.

    Args:
        request: What the client named its request, in ``x-request-id``.
        error: What failed.
    """

    request: str
    error: BaseException

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


@dataclass(slots=True)
class Journal:
    """
    A reporter that keeps all that arrived.

    Args:
        echo: Is told of each arrival as well, in one line.
    """

    echo: Callable[[str], object] = lambda _line: None
    arrivals: list[Arrival] = field(default_factory=list)

    def __call__(self, error: BaseException, context: Any) -> None:
        """Note a failure."""
        arrival = Arrival(context.request.headers.get("x-request-id", "-"), error)
        self.arrivals.append(arrival)
        self.echo(f"{arrival.request} {context.status} {arrival}")

    def of(self, request: str) -> list[Arrival]:
        """Return what arrived of one request."""
        return [arrival for arrival in self.arrivals if arrival.request == request]
