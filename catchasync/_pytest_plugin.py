"""The pytest plugin: one fixture. pytest finds it by the entry point, nobody imports it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from catchasync.testing import LostFailures


@pytest.fixture
def lost_failures() -> Iterator[LostFailures]:
    """Fail the test if a failure was lost: late, in a thread, or in a task that nobody awaited."""
    from catchasync.testing import LostFailures  # noqa: PLC0415 - pytest loads this file always

    with LostFailures() as lost:
        yield lost
