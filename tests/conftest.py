"""What all tests share."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# At the end: `examples` and `benchmarks` can be imported, and `catchasync` stays the installed one.
sys.path.append(str(Path(__file__).parents[1]))


@pytest.fixture(scope="module")
def frozen() -> Iterator[None]:
    """Let the garbage collector look only at what the module's own tests make.

    For modules that collect after each step: beside all the frameworks that are loaded by then,
    that would be what takes the most time.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
