"""The table in docs/transparency.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.transparency.suites import Suite

PAGE: Final = Path(__file__).parents[2] / "docs" / "transparency.md"


def put_row(page: str, framework: str, cells: list[str]) -> str:
    """Put the row of a framework into the first table of a page, in alphabetical order.

    Args:
        page: The text of the page.
        framework: The first cell.
        cells: The others.
    """
    lines = page.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| ---")) + 1
    end = next(i for i, line in enumerate([*lines, ""]) if i >= start and not line.startswith("|"))
    row = f"| {' | '.join([framework, *cells])} |"
    rows = [line for line in lines[start:end] if not line.startswith(f"| {framework} |")]
    lines[start:end] = sorted([*rows, row])
    return "\n".join(lines) + "\n"


def put_left_out(page: str, suite: Suite) -> str:
    """Write under a framework's heading which of its tests are left out; none: no heading.

    Args:
        page: The text of the page.
        suite: The suite.
    """
    head, *sections = page.rstrip("\n").split("\n\n### ")
    kept = [text for text in sections if text.partition("\n")[0] != suite.name]
    if suite.left_out:
        lines = [f"- `{test}`: {reason}" for test, reason in suite.left_out.items()]
        kept.append("\n".join([f"{suite.name}\n", *lines]))
    return "\n\n### ".join([head, *sorted(kept)]) + "\n"
