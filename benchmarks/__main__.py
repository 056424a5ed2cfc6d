"""Measure everything: ``python -m benchmarks [--quick] [--json FILE] [WORD ...]``."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.metadata
import json
import pkgutil
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import benchmarks
from benchmarks._harness import Case, Figure, measure, table

COMPARED = (
    "aiohttp", "blacksheep", "bottle", "django", "falcon", "fastapi", "flask", "litestar",
    "loguru", "pyramid", "quart", "returns", "sanic", "starlette", "tornado", "uvicorn",
    "waitress", "wrapt",
)  # fmt: skip


def all_cases() -> Iterator[tuple[str, Case]]:
    """Give the cases of each module ``bench_*`` of this package, with its name."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name.startswith("bench_"):
            part = module.name.removeprefix("bench_")
            for case in importlib.import_module(f"benchmarks.{module.name}").cases():
                yield part, case


def main() -> int:
    """Measure, print a table, and write it as JSON."""
    given = arguments()
    print(f"{platform.python_implementation()} {platform.python_version()}, ratios to the first")
    figures: list[Figure] = []
    for part, case in all_cases():
        if not given.words or any(word in case.name for word in given.words):
            measured = measure(case, 5 if given.quick else 1)
            print(table(measured), flush=True)
            figures += measured
            if not given.quick:
                write(given.json, part, measured)
    missed = [figure.case for figure in figures if not figure.is_met]
    print(f"\ntargets missed: {', '.join(missed) or 'none'}")
    return 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", type=Path, default=Path(__file__).with_name("results.json"))
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds, nothing kept")
    parser.add_argument("words", nargs="*", help="measure the cases with one of these words")
    return parser.parse_args()


def write(path: Path, part: str, measured: list[Figure]) -> None:
    """Write the figures of a case; those of other cases stay."""
    known = json.loads(path.read_text())["figures"] if path.exists() else []
    names = {figure.case for figure in measured}
    places = [place for place, each in enumerate(known) if each["case"] in names]
    place = places[0] if places else len(known)
    new = [{"part": part, **dataclasses.asdict(figure)} for figure in measured]
    kept = [[each for each in half if each["case"] not in names] for half in halves(known, place)]
    figures = [*kept[0], *new, *kept[1]]
    path.write_text(json.dumps({**circumstances(), "figures": figures}, indent=1) + "\n")


def halves(items: list[Any], place: int) -> tuple[list[Any], list[Any]]:
    """Return what stands before a place, and the rest."""
    return items[:place], items[place:]


def circumstances() -> dict[str, Any]:
    """Return where this was measured, and with which versions."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {name: version_of(name) for name in COMPARED},
    }


def version_of(name: str) -> str | None:
    """Return the version of a distribution, ``None`` where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
