"""Run the shop: ``python -m examples.sample_api`` takes the tour, ``--serve`` leaves it running."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from examples.sample_api.frameworks import FRAMEWORKS, open_shop
from examples.sample_api.journal import Journal
from examples.sample_api.store import Store
from examples.sample_api.tour import Seen, take

CURL = """\
The shop answers on {address}, by {framework}. Try:

  curl -i {address}/users/1
  curl -i {address}/users/99
  curl -i {address}/users/2/orders
  curl -i {address}/users -d '{{"name": "Cyd"}}'
  curl -i {address}/users -d '{{"name": '
  curl -i {address}/orders -d '{{"user": 1, "item": "cake", "quantity": 9}}'

Ctrl-C ends it.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.sample_api")
    parser.add_argument("--serve", action="store_true", help="leave the shop running, for curl")
    parser.add_argument("--port", type=int, default=8000, help="the port to serve on")
    parser.add_argument(
        "--framework", choices=FRAMEWORKS, default="starlette", help="what to serve it with"
    )
    given = parser.parse_args(arguments)
    if given.serve:
        return serve(given.framework, given.port)
    return report({framework: tour_of(framework) for framework in FRAMEWORKS})


def serve(framework: str, port: int) -> int:
    """Serve until interrupted; each failure that arrives is printed."""
    with tempfile.TemporaryDirectory() as folder:
        store, journal = Store(Path(folder) / "shop.sqlite"), Journal(echo=print)
        with open_shop(framework, store, journal, port) as address:
            print(CURL.format(address=address, framework=framework))
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    return 0


def tour_of(framework: str) -> list[Seen]:
    """Open a shop, and take the tour."""
    with tempfile.TemporaryDirectory() as folder:
        store, journal = Store(Path(folder) / "shop.sqlite"), Journal()
        with open_shop(framework, store, journal) as address:
            return list(take(address, store, journal))


def report(tours: dict[str, list[Seen]]) -> int:
    """Print what came of each stop; return 1 if one is wrong in a framework."""
    stops = [dict(zip(tours, each, strict=True)) for each in zip(*tours.values(), strict=True)]
    wrong = [seen for seen in stops if not is_right(seen)]
    for seen in stops:
        print_stop(seen)
    if wrong:
        print(f"{len(wrong)} of {len(stops)} requests went wrong.")
        return 1
    failures = sum(len(seen.arrivals) for tour in tours.values() for seen in tour)
    print(f"{len(stops)} requests to each of {', '.join(tours)}: every answer the same.")
    print(f"{failures} failures, each seen once.")
    return 0


def is_right(seen: dict[str, Seen]) -> bool:
    """Say whether every framework answered rightly, and all the same."""
    return all(each.is_right for each in seen.values()) and (
        len({each.answer for each in seen.values()}) == 1
    )


def print_stop(seen: dict[str, Seen]) -> None:
    """Print a request, its answer and what arrived, one below the other."""
    first, ok = next(iter(seen.values())), is_right(seen)
    print(f"{'ok ' if ok else 'BAD'} {first.stop.title}")
    print(f"    request  {first.stop.method} {first.stop.path} {first.stop.body}")
    for framework, each in list(seen.items())[: 1 if ok else None]:
        print_answer("answer" if ok else framework, each)
    if not ok:
        print(f"    expected {first.stop.status}, and {first.stop.fails or 'no failure'}")
    print()


def print_answer(title: str, seen: Any) -> None:
    """Print what came back, and what reached the error handler."""
    print(f"    {title:<8} {shorten(str(seen.answer))}")
    for arrival in seen.arrivals:
        print(f"    reported {shorten(str(arrival))}")


def shorten(text: str, width: int = 88) -> str:
    """Return a text on one line of a readable length."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


if __name__ == "__main__":
    sys.exit(main())
