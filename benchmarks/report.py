"""Write what was measured into ``docs/``: plots, and the tables of ``performance.md``.

``python -m benchmarks.report`` reads ``results.json`` alone, and measures nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks._harness import Figure
from benchmarks._plots import Bar, Chart, svg

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = ROOT / "docs" / "performance.md"
PLOTS: Final = ROOT / "docs" / "plots"

OURS: Final = "catchasync"
ALONE: Final = "install alone"
HOW: Final = ("in-process", "over a socket")

SMALLER: Final = "time beside code written by hand: shorter is better"
LARGER: Final = "requests a second beside the same app: longer is better"

PARTS: Final = {
    "catch_async": ("A decorated handler", SMALLER),
    "callbacks": ("A promisified callback", SMALLER),
    "chain": ("A chain of layers", SMALLER),
    "render": ("Rendering an error", SMALLER),
    "import": ("Importing catchasync", "time beside what it stands on: shorter is better"),
}

OUTCOMES: Final = {
    "success": "Requests that succeed",
    "failure": "Requests that fail",
}

REGION: Final = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Results:
    """
    What one run, or several, have written.

    Args:
        given: What stands in the file.
    """

    given: dict[str, Any]

    def of_part(self, part: str) -> list[Figure]:
        """Return the figures of one file of benchmarks."""
        return [figure for name, figure in self._all() if name == part]

    def _all(self) -> Iterator[tuple[str, Figure]]:
        for each in self.given["figures"]:
            fields = dict(each)
            yield fields.pop("part"), Figure(**fields)

    @property
    def all(self) -> list[Figure]:
        """All figures."""
        return [figure for _, figure in self._all()]

    def find(self, case: str, contestant: str = OURS) -> Figure | None:
        """Return one figure, where it was measured."""
        found = (f for f in self.all if f.case == case and f.contestant == contestant)
        return next(found, None)

    def request(self, framework: str, outcome: str, how: str, name: str = OURS) -> Figure | None:
        """Return the figure of an integration."""
        return self.find(f"{framework}: {outcome}, {how}", name)

    @property
    def frameworks(self) -> list[str]:
        """Return all frameworks that were measured."""
        return list(dict.fromkeys(f.case.partition(":")[0] for f in self.of_part("integrations")))


def load() -> Results:
    """Read the results."""
    return Results(json.loads(RESULTS.read_text()))


def main() -> None:
    """Write plots and page."""
    results = load()
    PLOTS.mkdir(exist_ok=True)
    for name, chart in charts(results).items():
        (PLOTS / f"{name}.svg").write_text(svg(chart))
    PAGE.write_text(rewritten(PAGE.read_text(), results))


def rewritten(page: str, results: Results) -> str:
    """Return the page with its marked regions made anew."""

    def anew(found: re.Match[str]) -> str:
        opening, name, end = found.groups()
        return f"{opening}\n{REGIONS[name](results)}\n\n{end}"

    return REGION.sub(anew, page)


# --- plots ---------------------------------------------------------------------------------------


def charts(results: Results) -> dict[str, Chart]:
    """Return all charts, by the names of their files."""
    parts = {name: part_chart(results, name) for name in PARTS}
    outcomes = {f"requests-{name}": outcome_chart(results, name) for name in OUTCOMES}
    return {name.replace("_", "-"): chart for name, chart in {**parts, **outcomes}.items()}


def part_chart(results: Results, part: str) -> Chart:
    """Return the chart of one file of benchmarks."""
    figures = [figure for figure in results.of_part(part) if figure.contestant == OURS]
    return Chart(*PARTS[part], {figure.case: [bar_of(figure)] for figure in figures})


def outcome_chart(results: Results, outcome: str) -> Chart:
    """Return the chart of all frameworks."""
    rows = {name: bars_of(results, name, outcome) for name in results.frameworks}
    return Chart(OUTCOMES[outcome], LARGER, rows)


def bars_of(results: Results, framework: str, outcome: str) -> list[Bar]:
    """Return the bars of a framework."""
    found = {
        how: results.request(framework, outcome, how) for how in ("in-process", "over a socket")
    }
    return [bar_of(figure, how) for how, figure in found.items() if figure is not None]


def bar_of(figure: Figure, note: str = "") -> Bar:
    """Return the bar of a figure."""
    return Bar(figure.ratio, figure.low, figure.high, figure.target, figure.is_met, note)


# --- tables --------------------------------------------------------------------------------------


def table_of(part: str) -> Callable[[Results], str]:
    """Return what writes the table of one file of benchmarks, with its plot."""

    def write(results: Results) -> str:
        figures = results.of_part(part)
        bases = {figure.case: figure for figure in reversed(figures)}
        rows = [row_of(bases[figure.case], figure) for figure in figures if is_told(figure, bases)]
        head = ["", "beside", "ns beside", "ns", "ratio", "target"]
        return f"{plot(part)}\n\n{markdown(head, rows)}"

    return write


def is_told(figure: Figure, bases: dict[str, Figure]) -> bool:
    """Say whether a figure gets a row: those that the others are compared with have none."""
    return figure is not bases[figure.case] and figure.contestant.startswith(OURS)


def row_of(base: Figure, figure: Figure) -> list[str]:
    """Return a row."""
    extra = figure.contestant.removeprefix(OURS)
    times = f"{base.nanoseconds:,.0f}", f"{figure.nanoseconds:,.0f}"
    return [figure.case + extra, base.contestant, *times, ratio(figure), verdict(figure)]


def requests_of(outcome: str) -> Callable[[Results], str]:
    """Return what writes the table of all frameworks."""

    def write(results: Results) -> str:
        rows = [request_row(results, name, outcome) for name in results.frameworks]
        head = ["", "a second, in-process", "ratio", "`install` alone", "over a socket"]
        figures = [each for each in results.of_part("integrations") if outcome in each.case]
        target = max((each.target or 0 for each in figures), default=0)
        told = f"Target: at least {target:.2f}. Bold: missed."
        name = f"requests-{outcome}"
        return f"{plot(name)}\n\n{told}\n\n{markdown(head, rows)}"

    return write


def request_row(results: Results, framework: str, outcome: str) -> list[str]:
    """Return a row."""
    inside = results.request(framework, outcome, "in-process")
    alone = results.request(framework, outcome, "in-process", ALONE)
    socket = results.request(framework, outcome, "over a socket")
    return [framework, rate(inside), judged(inside), judged(alone, inside), judged(socket)]


def rate(figure: Figure | None) -> str:
    """Return how many calls are made in a second, in the best round."""
    return "" if figure is None else f"{1e9 / figure.nanoseconds:,.0f}"


def judged(figure: Figure | None, judge: Figure | None = None) -> str:
    """Return a ratio, in bold where it misses its target, or that of another."""
    if figure is None:
        return ""
    target = (judge or figure).target
    is_missed = target is not None and figure.ratio < target
    return f"**{figure.ratio:.3f}**" if is_missed else f"{figure.ratio:.3f}"


def ratio(figure: Figure) -> str:
    """Return a ratio, with the quartiles of its rounds."""
    return f"{figure.ratio:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def verdict(figure: Figure) -> str:
    """Return a target, and whether it was met."""
    return "" if figure.target is None else figure.verdict.replace("MISSED", "**missed**")


def summary(results: Results) -> str:
    """Say where it was measured, and how many targets were met."""
    versions = (f"{name} {which}" for name, which in results.given["versions"].items() if which)
    where = f"Measured on CPython {results.given['python']}, {results.given['machine']}"
    met, missed = met_and_missed(results)
    number = f"Of {len(met) + len(missed)} targets, {len(met)} are met"
    return (
        f"{where}, with {', '.join(versions)}.\n\n{number}: [the others](#targets-that-are-missed)."
    )


def misses(results: Results) -> str:
    """List the targets that were not met."""
    _, missed = met_and_missed(results)
    return newline(
        [f"- {each.case}: {each.ratio:.3f}, target {each.target:.2f}" for each in missed]
    )


def met_and_missed(results: Results) -> tuple[list[Figure], list[Figure]]:
    """Return the figures whose target was met, and those whose target was not."""
    figures = [figure for figure in results.all if figure.target is not None]
    return [f for f in figures if f.is_met], [f for f in figures if not f.is_met]


def newline(lines: list[str]) -> str:
    """Join the lines of a list."""
    return "\n".join(lines) or "- none"


OTHERS: Final = (
    "async def, returns a response",
    "async def, fails",
    "async def (req, res, next), with its guard",
    "chain of 10 async layers",
)


def others(results: Results) -> str:
    """Tell how other ways to the same end do, by some cases."""
    rows = [
        [figure.case, figure.contestant, f"{figure.nanoseconds:,.0f}", ratio(figure)]
        for case in OTHERS
        for figure in results.all
        if figure.case == case
    ]
    return markdown(["", "", "ns", "ratio"], rows)


RETURNS: Final = "returns a response"

COSTS: Final = {
    "a decorated `def` that succeeds": (f"def, {RETURNS}", "by hand"),
    "a decorated `async def` that succeeds": (f"async def, {RETURNS}", "by hand"),
    "one that fails, with a `next` that does nothing": ("async def, fails", "by hand"),
    "one that is handed `next`, and succeeds": (
        "async def (req, res, next), with its guard",
        "by hand",
    ),
    "a promisified function that calls back on the loop": (
        "calls back later, on the loop",
        "by hand",
    ),
    "rendering a 404": ("render a JSON 404", "by hand"),
    "Starlette: a request that succeeds": ("Starlette: success, in-process", "without"),
    "Starlette: one that fails, is reported and rendered": (
        "Starlette: failure, in-process",
        "by hand",
    ),
    "Flask: a request that succeeds": ("Flask: success, in-process", "without"),
    "Flask: one that fails, is reported and rendered": ("Flask: failure, in-process", "by hand"),
}
"""What costs what: the words, the case, and what it is compared with."""


def costs(results: Results) -> str:
    """Say how much time catchasync adds, in microseconds."""
    rows = [[words, added(results, *case)] for words, case in COSTS.items()]
    return markdown(["", "µs more than by hand"], rows)


def added(results: Results, case: str, base: str) -> str:
    """Return the difference of the best rounds."""
    ours, theirs = results.find(case), results.find(case, base)
    if ours is None or theirs is None:
        return ""
    return f"{(ours.nanoseconds - theirs.nanoseconds) / 1e3:.2f}"


def plot(name: str) -> str:
    """Return a picture."""
    name = name.replace("_", "-")
    return f"![{name}: the figures of the table below](plots/{name}.svg)"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


REGIONS: Final[dict[str, Callable[[Results], str]]] = {
    **{name: table_of(name) for name in PARTS},
    **{f"requests_{name}": requests_of(name) for name in OUTCOMES},
    "summary": summary,
    "misses": misses,
    "costs": costs,
    "others": others,
}

if __name__ == "__main__":
    main()
