"""The dask example, on a cluster of real processes: each failure comes back once, and whole."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.libraries.conftest import require

require("distributed")

from catchasync import ErrorHandler  # noqa: E402 - what it needs is skipped first
from examples.dask_work.spread import Counting, cluster  # noqa: E402
from examples.dask_work.work import POISON, Count, Unreadable, count  # noqa: E402

ROOT: Final = Path(__file__).parents[1]
PATIENCE: Final = 30.0  # seconds
LATIN: Final = "caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode("latin-1")


class Told:
    """A reporter that can be waited for."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[tuple[Any, BaseException]] = queue.SimpleQueue()

    def __call__(self, error: BaseException, context: Any) -> None:
        """Keep which text failed, and the error."""
        assert "dask" == context.source
        self._came.put((context.request, error))

    def wait(self) -> tuple[Any, BaseException]:
        """Wait for the next report."""
        return self._came.get(timeout=PATIENCE)

    @property
    def is_empty(self) -> bool:
        """Whether all reports have been seen."""
        return self._came.empty()


@pytest.fixture(scope="module", params=[True, False], ids=["processes", "threads"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a client of a cluster."""
    with cluster(processes=request.param) as client:
        yield client


@pytest.fixture
def told() -> Told:
    """Return a reporter."""
    return Told()


@pytest.fixture
def counting(client: Any, told: Told) -> Counting:
    """Return what spreads the work."""
    return Counting(client, ErrorHandler(reporters=(told,)))


def test_all_at_once(counting: Counting, told: Told) -> None:
    """Those that can be counted are; each failure of the others is reported once, by its text."""
    texts = {"one": b"a bc", "latin": LATIN, "blank": b" ", "two": b"def"}
    counts = asyncio.run(counting.count_all(texts))
    assert {"one": Count(2, 1.5), "two": Count(1, 3.0)} == counts
    failed = dict(told.wait() for _ in range(2))
    assert {"latin": Unreadable, "blank": ZeroDivisionError} == {
        name: type(error) for name, error in failed.items()
    }
    finish(counting)
    assert told.is_empty


def test_nobody_waits(counting: Counting, told: Told) -> None:
    """A result is handed on, a failure reported, once each."""
    counted: queue.SimpleQueue[Any] = queue.SimpleQueue()
    counting.count_later("good", b"a bc", lambda *got: counted.put(got))
    counting.count_later("latin", LATIN, lambda *got: counted.put(got))
    assert ("good", Count(2, 1.5)) == counted.get(timeout=PATIENCE)
    name, error = told.wait()
    assert ("latin", Unreadable) == (name, type(error))
    finish(counting)
    assert told.is_empty
    assert counted.empty()


def finish(counting: Counting) -> None:
    """Have every worker do so much more that whatever was handed over before is long done."""
    texts = {f"{number}": b"x" for number in range(20)}
    assert 20 == len(asyncio.run(counting.count_all(texts)))


def test_what_is_done_with_a_result_fails(counting: Counting, told: Told) -> None:
    """It is reported too: dask alone would only log it."""

    def fail(_name: str, counted: Count) -> None:
        raise LookupError(counted.words)

    counting.count_later("good", b"a bc", fail)
    name, error = told.wait()
    assert ("good", LookupError, (2,)) == (name, type(error), error.args)


@pytest.mark.parametrize("is_awaited", [False, True])
def test_the_failure_is_whole(counting: Counting, told: Told, is_awaited: bool) -> None:  # noqa: FBT001
    """Status, code and details, the cause, and the worker's traceback came over."""
    if is_awaited:
        assert {} == asyncio.run(counting.count_all({"latin": LATIN}))
    else:
        counting.count_later("latin", LATIN, print)
    _, error = told.wait()
    assert isinstance(error, Unreadable)
    assert (422, "unreadable", {"at": 3}) == (error.status, error.code, error.details)
    assert isinstance(error.__cause__, UnicodeDecodeError)
    assert "text.decode()" in "".join(traceback.format_exception(error))


def test_a_worker_that_dies(told: Told) -> None:
    """The cluster's own error is reported; the cluster goes on."""
    with cluster() as client:
        counting = Counting(client, ErrorHandler(reporters=(told,)))
        assert {} == asyncio.run(counting.count_all({"bomb": POISON}))
        assert ("bomb", "KilledWorker") == named(told.wait())
        assert {"next": Count(1, 4.0)} == asyncio.run(counting.count_all({"next": b"goes"}))
    assert told.is_empty


def named(report: tuple[Any, BaseException]) -> tuple[Any, str]:
    """Return a report with the name of the error's class."""
    return report[0], type(report[1]).__name__


def test_the_work_itself() -> None:
    """It is a plain function, that needs no cluster to be tested."""
    assert Count(4, 3.75) == count(b"An old silent pond")
    with pytest.raises(Unreadable) as caught:
        count(LATIN)
    assert {"at": 3} == caught.value.details


def test_as_a_program() -> None:
    """It prints what failed, where, and why."""
    command = [sys.executable, "-m", "examples.dask_work"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "") == (run.returncode, run.stderr)
    assert "latin-1: 422 Unreadable: byte 3 is no UTF-8" in run.stdout
    assert "of work.py: raise Unreadable" in run.stdout
    assert "because of UnicodeDecodeError" in run.stdout
    assert "blank: 500 ZeroDivisionError" in run.stdout
    assert "{'haiku': Count(words=4, letters=3.75)}" in run.stdout
    assert "bomb: 500 KilledWorker" in run.stdout
