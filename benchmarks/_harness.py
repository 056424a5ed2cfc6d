"""How a case is measured: its contestants in turn, round by round, as ratios to the first.

A ratio is taken within a round, where the machine is in one mood; the median of the rounds is
quoted, with its quartiles. Every other round goes backwards, so that nobody is always the first.
Nanoseconds are the least of all rounds, and say little on another machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Run = Callable[[int], float]
"""Make so many calls; return how long they took, in seconds."""

Contestants: TypeAlias = dict[str, Run]
Of: TypeAlias = Literal["time", "rate"]


@dataclass(frozen=True, slots=True)
class Case:
    """Contestants that do the same.

    Args:
        name: What they do.
        contestants: By name, or what returns them when their turn comes; the first is the one that
            the others are compared with.
        target: What ratio ``catchasync`` shall have to it: at most, of times; at least, of rates.
            ``None``: it is only told.
        calls: How many calls make a round.
        rounds: How many rounds there are.
        of: What the ratios are of: the time that a call takes, or the calls in a time.
    """

    name: str
    contestants: Contestants | Callable[[], Contestants]
    target: float | None = None
    calls: int = 20_000
    rounds: int = 15
    of: Of = "time"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contestant of a case took.

    Args:
        case: The case.
        contestant: Its name.
        nanoseconds: A call takes, in the best round.
        ratio: To the first contestant: the median of the rounds.
        low: The first quartile of the ratios.
        high: The third.
        target: What ``catchasync`` shall have.
        of: What the ratios are of.
    """

    case: str
    contestant: str
    nanoseconds: float
    ratio: float
    low: float
    high: float
    target: float | None
    of: Of = "time"

    @property
    def is_met(self) -> bool:
        """Whether the target was met; where there is none, it was."""
        if self.target is None:
            return True
        return self.ratio <= self.target if self.of == "time" else self.ratio >= self.target

    @property
    def verdict(self) -> str:
        """Whether a target was met, in a word."""
        if self.target is None:
            return ""
        return f"{'met' if self.is_met else 'MISSED'} ({self.target:.2f})"


def measure(case: Case, quick: int = 1) -> list[Figure]:
    """Measure a case; ``quick`` divides the number of rounds."""
    contestants = case.contestants if isinstance(case.contestants, dict) else case.contestants()
    rounds = list(each_round(contestants, case.calls, max(case.rounds // quick, 2)))
    base = next(iter(contestants))
    return [
        figure_of(case, name, [each[name] for each in rounds], [each[base] for each in rounds])
        for name in contestants
    ]


def each_round(contestants: Contestants, calls: int, rounds: int) -> Iterator[dict[str, float]]:
    """Give the seconds of a call of each contestant, for each round after one to warm up."""
    for number in range(rounds + 1):
        turns = list(contestants.items())[:: -1 if number % 2 else 1]
        took = {name: run(calls) / calls for name, run in turns}
        if number:
            yield took


def figure_of(case: Case, name: str, times: list[float], base: list[float]) -> Figure:
    """Return what is told of one contestant."""
    pairs = zip(times, base, strict=True)
    ratios = [mine / its if case.of == "time" else its / mine for mine, its in pairs]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
    target = case.target if name == "catchasync" else None
    nanoseconds = round(min(times) * 1e9, 1)
    quartiles = round(ratio, 3), round(low, 3), round(high, 3)
    return Figure(case.name, name, nanoseconds, *quartiles, target, case.of)


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
        start = time.process_time()
        for _ in numbers:
            function(*args)
        return time.process_time() - start

    return run


def awaits(function: Callable[..., Any], *args: Any) -> Run:
    """Await an async function again and again, in one task of a running loop."""

    async def main(count: int) -> float:
        numbers = range(count)
        start = time.process_time()
        for _ in numbers:
            await function(*args)
        return time.process_time() - start

    def run(count: int) -> float:
        import asyncio  # noqa: PLC0415 - it is measured elsewhere what it costs to import

        return asyncio.run(main(count))

    return run
