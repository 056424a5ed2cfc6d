"""Importing catchasync, as a process, beside what it stands on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks._harness import Case, Run


def cases() -> Iterator[Case]:
    """Give the one case."""
    yield Case(
        "import, as a process",
        {
            "asyncio, inspect, logging": process("import asyncio, inspect, logging"),
            "catchasync": process("import catchasync"),
        },
        target=1.4,
        calls=1,
        rounds=21,
    )


def process(code: str) -> Run:
    """Run a program again and again."""

    def run(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code
        return time.perf_counter() - start

    return run
