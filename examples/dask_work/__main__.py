"""Count texts on a cluster, some of which cannot be counted: ``python -m examples.dask_work``."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any, Final

from catchasync import ErrorHandler
from examples.dask_work.spread import Counting, cluster
from examples.dask_work.work import POISON, count

TEXTS: Final = {
    "haiku": b"An old silent pond",
    "latin-1": "caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode("latin-1"),
    "blank": b"  ",
}


def print_error(error: BaseException, context: Any) -> None:
    """Be the reporter: what failed on the cluster, where, and why."""
    print(f"{context.request}: {context.status} {type(error).__name__}: {error}")
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.name == count.__name__:
            print(f"    there, in line {frame.lineno} of work.py: {frame.line}")
    if error.__cause__ is not None:
        print(f"    because of {error.__cause__!r}")


def main() -> None:
    """Count them."""
    with cluster() as client:
        counting = Counting(client, ErrorHandler(reporters=(print_error,)))
        print(asyncio.run(counting.count_all(TEXTS)))
        asyncio.run(counting.count_all({"bomb": POISON}))


if __name__ == "__main__":
    main()
