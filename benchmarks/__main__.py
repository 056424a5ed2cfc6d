"""Measure everything: ``python -m benchmarks [--quick] [--json FILE] [WORD ...]``."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import pkgutil
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import benchmarks
from benchmarks._harness import Case, measure, table


def all_cases() -> Iterator[Case]:
    """Give the cases of each module ``bench_*`` of this package."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name.startswith("bench_"):
            yield from importlib.import_module(f"benchmarks.{module.name}").cases()


def main() -> int:
    """Measure, print a table, and write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", type=Path, default=Path(__file__).with_name("results.json"))
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds, nothing kept")
    parser.add_argument("words", nargs="*", help="measure the cases with one of these words")
    given = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, ratios to the first")
    figures = []
    for case in all_cases():
        if not given.words or any(word in case.name for word in given.words):
            measured = measure(case, 5 if given.quick else 1)
            print(table(measured), flush=True)
            figures += measured
    written = {
        "python": platform.python_version(),
        "figures": [dataclasses.asdict(figure) for figure in figures],
    }
    given.json.write_text(json.dumps(written, indent=1) + "\n")
    missed = [figure.case for figure in figures if figure.verdict.startswith("MISSED")]
    print(f"\ntargets missed: {', '.join(missed) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
