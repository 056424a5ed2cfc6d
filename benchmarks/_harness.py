"""How a case is measured: its contestants in turn, round by round, as ratios to the first.

A ratio is taken within a round, where the machine is in one mood; the median of the rounds is
quoted. Nanoseconds are the least of all rounds, and say little on another machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Run = Callable[[int], float]
"""Make so many calls; return how long they took, in seconds."""


@dataclass(frozen=True, slots=True)
class Case:
    """Contestants that do the same.

    Args:
        name: What they do.
        contestants: By name; the first is the one that the others are compared with.
        target: At most which ratio ``catchasync`` shall have to it; ``None``: only told.
        calls: How many calls make a round.
        rounds: How many rounds there are.
    """

    name: str
    contestants: dict[str, Run]
    target: float | None = None
    calls: int = 20_000
    rounds: int = 15


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contestant of a case took."""

    case: str
    contestant: str
    nanoseconds: float
    ratio: float
    target: float | None

    @property
    def verdict(self) -> str:
        """Whether a target was met, in a word."""
        if self.target is None:
            return ""
        return f"{'met' if self.ratio <= self.target else 'MISSED'} ({self.target:.2f})"


def measure(case: Case) -> list[Figure]:
    """Measure a case."""
    rounds = [
        {name: run(case.calls) / case.calls for name, run in case.contestants.items()}
        for _ in range(case.rounds + 1)
    ][1:]  # the first is for warming up
    base = next(iter(case.contestants))
    return [
        Figure(
            case=case.name,
            contestant=name,
            nanoseconds=round(min(each[name] for each in rounds) * 1e9, 1),
            ratio=round(statistics.median(each[name] / each[base] for each in rounds), 3),
            target=case.target if name == "catchasync" else None,
        )
        for name in case.contestants
    ]


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table, a block for each case."""
    lines: list[str] = []
    case = ""
    for figure in figures:
        if figure.case != case:
            case = figure.case
            lines += ["", case]
        lines.append(
            f"  {figure.contestant:<28}{figure.nanoseconds:>10.1f} ns{figure.ratio:>8.2f}"
            f"  {figure.verdict}".rstrip()
        )
    return "\n".join(lines)


def calls(function: Callable[..., Any], *args: Any) -> Run:
    """Call a function again and again."""

    def run(count: int) -> float:
        numbers = range(count)
        start = time.perf_counter()
        for _ in numbers:
            function(*args)
        return time.perf_counter() - start

    return run


def awaits(function: Callable[..., Any], *args: Any) -> Run:
    """Await an async function again and again, in one task of a running loop."""

    async def main(count: int) -> float:
        numbers = range(count)
        start = time.perf_counter()
        for _ in numbers:
            await function(*args)
        return time.perf_counter() - start

    def run(count: int) -> float:
        import asyncio  # noqa: PLC0415 - it is measured elsewhere what it costs to import

        return asyncio.run(main(count))

    return run
