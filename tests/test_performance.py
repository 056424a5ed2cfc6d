"""The performance page: every figure comes from ``benchmarks/results.json``."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _harness, report
from benchmarks._harness import Case, Figure
from benchmarks._plots import svg

ROOT = Path(report.ROOT)
NAMES = ["catch-async", "callbacks", "chain", "render", "import", "requests-success",
         "requests-failure"]  # fmt: skip

FIGURE = re.compile(r"\d+[.,]\d|\d+ ?(?:%|ns|µs|ms|times)\b")


def run(seconds: float) -> Any:
    """Make a contestant that takes so long."""
    return lambda calls: calls * seconds


def test_the_page_is_what_the_results_say() -> None:
    """What stands between the markers is what `nox -s bench` writes there."""
    page = report.PAGE.read_text()

    assert report.rewritten(page, report.load()) == page


def test_no_figure_stands_outside_of_the_markers() -> None:
    """Prose has no figures, which nobody would measure anew."""
    prose = report.REGION.sub("", report.PAGE.read_text())

    assert [] == FIGURE.findall(prose)


def test_every_table_is_on_the_page() -> None:
    """Each region that can be written is there, once."""
    found = [name for _, name, _ in report.REGION.findall(report.PAGE.read_text())]

    assert sorted(report.REGIONS) == sorted(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_is_what_the_results_say(name: str) -> None:
    """The plots are those of the results."""
    chart = report.charts(report.load())[name]

    assert svg(chart) == (report.PLOTS / f"{name}.svg").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_has_a_bar_and_a_value_for_each_ratio(name: str) -> None:
    """A plot is XML, with a title, a bar a ratio, and styles for light and dark."""
    chart = report.charts(report.load())[name]
    root = ET.fromstring(svg(chart))  # noqa: S314 - our own
    spread = [each for each in root.iter() if each.get("class") == "spread"]
    bars = [bar for each in chart.rows.values() for bar in each]

    assert chart.title == root.findtext("{*}title")
    assert len(bars) + 1 == len(spread)  # one is in the legend
    assert "prefers-color-scheme:dark" in (root.findtext("{*}style") or "")


def test_all_plots_are_on_the_page() -> None:
    """Each plot is shown, and each that is shown is there."""
    shown = re.findall(r"plots/([\w-]+)\.svg", report.PAGE.read_text())

    assert sorted(NAMES) == sorted(report.charts(report.load())) == sorted(shown)


def test_ratios_of_times_and_of_rates() -> None:
    """A contestant that takes twice as long has a ratio of two in time, of a half in rate."""
    contestants = {"by hand": run(1e-6), "catchasync": run(2e-6)}
    times = _harness.measure(Case("a", contestants, 1.5, 10, 2))
    rates = _harness.measure(Case("a", lambda: contestants, 0.5, 10, 2, "rate"))

    assert [(1.0, True), (2.0, False)] == [(each.ratio, each.is_met) for each in times]
    assert [(1.0, True), (0.5, True)] == [(each.ratio, each.is_met) for each in rates]
    assert [1000.0, 2000.0] == [each.nanoseconds for each in times]


def test_the_verdict_says_what_was_wanted() -> None:
    """A missed target is said as loudly as one that was met; no target, no verdict."""
    figure = Figure("a", "catchasync", 1.0, 0.96, 0.95, 0.97, 0.97, "rate")

    assert "MISSED (0.97)" == figure.verdict
    assert "met (0.97)" == replace(figure, of="time").verdict
    assert "" == replace(figure, target=None).verdict
