"""Run the shop: ``python -m examples.sample_api`` takes the tour, ``--serve`` leaves it running."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import uvicorn

from examples.sample_api.app import App
from examples.sample_api.journal import Journal
from examples.sample_api.server import configure, serving
from examples.sample_api.store import Store
from examples.sample_api.tour import Seen, take

CURL = """\
The shop answers on {address}. Try:

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
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store, journal = Store(Path(folder) / "shop.sqlite"), Journal()
        if given.serve:
            serve(App(store, Journal(echo=print)), given.port)
            return 0
        app = App(store, journal)
        with serving(app) as address:
            return report(take(address, store, journal))


def serve(app: App, port: int) -> None:
    """Serve until interrupted; each failure that arrives is printed."""
    print(CURL.format(address=f"http://127.0.0.1:{port}"))
    uvicorn.Server(configure(app, port=port)).run()


def report(tour: Iterable[Seen]) -> int:
    """Print what came of each stop; return 1 if a failure was lost or came twice."""
    wrong = stops = failures = 0
    for seen in tour:
        stops, failures = stops + 1, failures + len(seen.arrivals)
        wrong += not seen.is_right
        print_stop(seen)
    if wrong:
        print(f"{wrong} of {stops} requests went wrong: a failure was lost, or came twice.")
        return 1
    print(f"{stops} requests, {failures} failures, each seen once.")
    return 0


def print_stop(seen: Seen) -> None:
    """Print a request, its answer and what arrived, one below the other."""
    stop = seen.stop
    print(f"{'ok ' if seen.is_right else 'BAD'} {stop.title}")
    print(f"    request  {stop.method} {stop.path} {stop.body}")
    print(f"    answer   {seen.status} {shorten(seen.body)}")
    for arrival in seen.arrivals:
        error = arrival.error
        print(f"    {arrival.place:<8} {type(error).__name__}: {shorten(str(error))}")
    if not seen.is_right:
        print(f"    expected {stop.status}, and {', '.join(stop.arrives) or 'no failure'}")
    print()


def shorten(text: str, width: int = 88) -> str:
    """Return a text on one line of a readable length."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


if __name__ == "__main__":
    sys.exit(main())
