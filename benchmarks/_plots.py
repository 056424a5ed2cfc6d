"""Bars as SVG, on a ground of their own, so that they can be read on light pages and on dark ones.

The text stands above the bars: so it is large enough on a phone too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 520
MARGIN: Final = 16
PLACE: Final = WIDTH - 2 * MARGIN - 150  # for bars: their values stand at their ends
HEAD: Final = 62
LABEL: Final = 20
BAR: Final = 13
GAP: Final = 5
FOOT: Final = 40

STYLE: Final = """
:root{--ground:#fff;--edge:#d5dae1;--ink:#1c2026;--dim:#5c6470;--met:#1d8a7a;--missed:#c2661a;
--told:#6b7a90;--goal:#8a1c5c}
@media(prefers-color-scheme:dark){:root{--ground:#171b21;--edge:#3a424d;--ink:#e8eaed;--dim:#a3acb8;
--met:#3fb8a5;--missed:#eb9a4d;--told:#8d9bb0;--goal:#ff8fcb}}
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:var(--ink)}
.title{font-size:15px;font-weight:600}.dim{fill:var(--dim)}.ground{fill:var(--ground);stroke:var(--edge)}
.met{fill:var(--met)}.missed{fill:var(--missed)}.told{fill:var(--told)}
.goal{stroke:var(--goal);stroke-width:2.5}.one{stroke:var(--dim);stroke-dasharray:3 3}
.spread{stroke:var(--ink);stroke-width:1.2}
"""


@dataclass(frozen=True)
class Bar:
    """
    One ratio.

    Args:
        ratio: How long the bar is.
        low: Where the mark of its spread begins.
        high: Where it ends.
        target: What it should be; ``None``: there is none.
        is_met: Whether it is.
        note: What stands behind the ratio.
    """

    ratio: float
    low: float
    high: float
    target: float | None
    is_met: bool
    note: str = ""

    @property
    def colour(self) -> str:
        """The class of its style."""
        if self.target is None:
            return "told"
        return "met" if self.is_met else "missed"


@dataclass(frozen=True)
class Chart:
    """
    A picture of ratios.

    Args:
        title: What they are of.
        meaning: Which ones are good.
        rows: The bars under each label.
    """

    title: str
    meaning: str
    rows: dict[str, list[Bar]]

    @property
    def scale(self) -> float:
        """How many points a ratio of one takes."""
        bars = [bar for each in self.rows.values() for bar in each]
        return PLACE / max([1.0, *(max(bar.high, bar.ratio, bar.target or 0) for bar in bars)])

    @property
    def height(self) -> int:
        """The height of the picture."""
        return HEAD + sum(map(height_of, self.rows.values())) + FOOT


def height_of(bars: list[Bar]) -> int:
    """Return how high a row is."""
    return LABEL + len(bars) * (BAR + GAP) + GAP


def svg(chart: Chart) -> str:
    """Draw a chart."""
    return "\n".join([*opening(chart), *drawn_rows(chart), *legend(chart), "</svg>", ""])


def opening(chart: Chart) -> Iterator[str]:
    """Draw the ground, and what stands on top."""
    size = f'width="{WIDTH}" height="{chart.height}" viewBox="0 0 {WIDTH} {chart.height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    yield f"<title>{escape(chart.title)}</title>"
    yield f"<style>{STYLE}</style>"
    inner = f'width="{WIDTH - 1}" height="{chart.height - 1}"'
    yield f'<rect class="ground" x="0.5" y="0.5" {inner} rx="8"/>'
    yield text(MARGIN, 27, chart.title, "title")
    yield text(MARGIN, 46, chart.meaning, "dim")


def drawn_rows(chart: Chart) -> Iterator[str]:
    """Draw the rows, and the line that stands for what they are compared with."""
    top = HEAD
    for label, bars in chart.rows.items():
        yield text(MARGIN, top + 14, label)
        for number, bar in enumerate(bars):
            yield from drawn(bar, chart.scale, top + LABEL + number * (BAR + GAP))
        top += height_of(bars)
    one = MARGIN + chart.scale
    yield line("one", one, HEAD, one, top)


def drawn(bar: Bar, scale: float, top: float) -> Iterator[str]:
    """Draw a bar, the middle half of its rounds, its target, and its value."""
    length = bar.ratio * scale
    middle = top + BAR / 2
    size = f'width="{length:.1f}" height="{BAR}"'
    yield f'<rect class="{bar.colour}" x="{MARGIN}" y="{top:.1f}" {size} rx="2"/>'
    yield line("spread", MARGIN + bar.low * scale, middle, MARGIN + bar.high * scale, middle)
    if bar.target is not None:
        goal = MARGIN + bar.target * scale
        yield line("goal", goal, top - 2, goal, top + BAR + 2)
    end = max(1.0, bar.ratio, bar.high, bar.target or 0) * scale
    yield text(MARGIN + end + 8, top + BAR - 2, f"{bar.ratio:.2f} {bar.note}".strip())


def legend(chart: Chart) -> Iterator[str]:
    """Explain the lines."""
    base = chart.height - 16
    yield line("goal", MARGIN + 2, base - 11, MARGIN + 2, base + 2)
    yield text(MARGIN + 10, base, "target", "dim")
    yield line("one", MARGIN + 66, base - 11, MARGIN + 66, base + 2)
    yield text(MARGIN + 74, base, "the same", "dim")
    yield f'<rect class="missed" x="{MARGIN + 146}" y="{base - 10}" width="12" height="11" rx="2"/>'
    yield text(MARGIN + 164, base, "target missed", "dim")
    yield line("spread", MARGIN + 262, base - 4, MARGIN + 278, base - 4)
    yield text(MARGIN + 284, base, "half of the rounds", "dim")


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Write words."""
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}>{escape(words)}</text>'


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Draw a line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line class="{kind}" {ends}/>'
