"""celery: results that can only be waited for, and signals of the worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from catchasync import as_awaitable, promisify, wrap_callback
from catchasync.conventions import Outcome, future
from tests.libraries.conftest import require
from tests.libraries.support import (
    PATIENCE,
    WaitedNext,
    Wrap,
    awaited,
    check_thread_survives,
)
from tests.support import Boom

celery: Final = require("celery")
signals: Final = require("celery.signals")
testing: Final = require("celery.contrib.testing.worker")


def ready(result: Any) -> Outcome:
    """Read a call of what `then` was given: the result itself, whether the task failed or not."""
    return (result.result if result.failed() else None), (result.result,)


def run_over(*, state: str = "", retval: Any = None, **_more: Any) -> Outcome:
    """Read a call of a receiver of `task_postrun`."""
    return (retval if state == "FAILURE" else None), (retval,)


@pytest.fixture(scope="module")
def double() -> Iterator[Any]:
    """Return a task that a worker in this process runs, and whose failure is Boom."""
    app = celery.Celery("tests", broker="memory://", backend="rpc://")
    app.conf.update(
        broker_transport_options={"polling_interval": 0.01},  # seconds
        worker_hijack_root_logger=False,
    )

    @app.task(throws=(Boom,))  # type: ignore[untyped-decorator]
    def double(number: int) -> int:
        if number < 0:
            raise Boom(number)
        return number * 2

    with testing.start_worker(app, pool="solo", perform_ping_check=False):
        yield double
    app.close()


@awaited
async def test_task_is_awaited(double: Any) -> None:
    """A task that is sent off gives its result."""
    assert 4 == await promisify(double.delay, convention=future)(2)
    assert 6 == await as_awaitable(double.apply_async((3,)))


@awaited
async def test_failed_task_fails_the_await(double: Any) -> None:
    """The error of a task fails the await."""
    with pytest.raises(Boom):
        await promisify(double.delay, convention=future)(-1)


def test_failed_task_reaches_next_once(double: Any) -> None:
    """A wrapped callback hands a task's error to `next`, once, however often it is asked for."""
    failures = WaitedNext()
    result = double.delay(-1)

    result.then(wrap_callback(failures, convention=ready))
    result.get(timeout=PATIENCE, propagate=False)
    result.get(timeout=PATIENCE, propagate=False)

    assert [Boom] == [type(error) for error in failures.errors]
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_receiver(double: Any) -> None:
    """What a receiver raises on the worker's thread reaches `next`, and the worker goes on."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=run_over)
        signals.task_postrun.connect(callback, sender=double, weak=False)
        double.delay(5)

    check_thread_survives(call)
