"""dask.distributed: futures of a cluster, called back on a thread where errors vanish."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

import pytest

from catchasync import as_awaitable, promisify, wrap_callback
from catchasync.conventions import future
from tests.libraries.conftest import require
from tests.libraries.support import WaitedNext, Wrap, awaited, check_thread_survives
from tests.support import Boom

distributed: Final = require("distributed")


def double(number: int) -> int:
    """Be the work that outgrew one machine."""
    if number < 0:
        raise Boom(number)
    return number * 2


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Return a client of a cluster in this process."""
    logging.getLogger("distributed.worker").setLevel(logging.CRITICAL)  # it logs what we await
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False}
    with (
        distributed.LocalCluster(**options, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@awaited
async def test_submitted_work_is_awaited(client: Any) -> None:
    """Work that is submitted gives its result, from a client that is not asynchronous."""
    assert 4 == await promisify(client.submit, convention=future)(double, 2)
    assert 6 == await as_awaitable(client.submit(double, 3))


@awaited
async def test_failed_work_fails_the_await(client: Any) -> None:
    """The error of the worker fails the await."""
    with pytest.raises(Boom):
        await promisify(client.submit, convention=future)(double, -1)


def test_failed_work_reaches_next_once(client: Any) -> None:
    """A wrapped callback hands the worker's error to `next`, once."""
    failures = WaitedNext()
    submitted = client.submit(double, -2)

    submitted.add_done_callback(wrap_callback(failures, convention=future))

    assert isinstance(failures.wait(), Boom)
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_callback(client: Any) -> None:
    """What `on_success` raises reaches `next` instead of nobody, and the thread goes on."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=future)
        client.submit(double, 5, pure=False).add_done_callback(callback)

    check_thread_survives(call)
