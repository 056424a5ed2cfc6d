"""Tornado: futures of its loop, which may be another one, and callbacks of the loop itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from catchasync import as_awaitable, promisify, wrap_callback
from catchasync.conventions import future, result_only
from tests.libraries.conftest import require
from tests.libraries.support import (
    PATIENCE,
    Inbox,
    WaitedNext,
    Wrap,
    awaited,
    check_thread_survives,
)
from tests.support import Boom

concurrent: Final = require("tornado.concurrent")
gen: Final = require("tornado.gen")
ioloop: Final = require("tornado.ioloop")


class Service:
    """What Tornado users write around blocking code: its method returns a future of their loop."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1)

    def divide(self, number: int, by: int) -> Any:
        """Divide in the executor's thread."""
        return concurrent.run_on_executor(Service._divide)(self, number, by)

    def _divide(self, number: int, by: int) -> float:
        return number / by


@pytest.fixture
def service() -> Iterator[Service]:
    """Return a service, and shut its thread down."""
    service = Service()
    yield service
    service.executor.shutdown()


@pytest.fixture
def loop() -> Iterator[Any]:
    """Run a loop of Tornado's in a thread of its own."""
    made = Inbox()

    async def serve() -> None:
        stopping = asyncio.Event()
        made(ioloop.IOLoop.current(), stopping)
        await stopping.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="tornado")
    thread.start()
    loop, stopping = made.wait()
    yield loop
    loop.add_callback(stopping.set)
    thread.join(PATIENCE)
    assert not thread.is_alive()


@gen.coroutine  # type: ignore[untyped-decorator]
def old_style(number: int) -> Any:
    """Be a coroutine as Tornado users wrote them: it returns a future."""
    yield gen.moment
    if number < 0:
        raise Boom(number)
    return number * 2


def settled(number: int) -> Any:
    """Return a future of the running loop that is done already."""
    done = concurrent.Future()
    done.set_result(number)
    return done


@awaited
async def test_future_is_awaited(service: Service) -> None:
    """Functions that return a future of Tornado's are awaited, done or not."""
    assert 2.5 == await promisify(service.divide, convention=future)(5, 2)
    assert 6 == await promisify(old_style, convention=future)(3)
    assert 7 == await promisify(settled, convention=future)(7)


@awaited
async def test_future_of_another_loop_is_awaited(loop: Any) -> None:
    """A future of Tornado's own thread is awaited here, with its value or its error."""
    made = Inbox()
    loop.add_callback(lambda: made(concurrent.Future(), concurrent.Future()))
    for_value, for_error = await asyncio.to_thread(made.wait)
    awaiting = asyncio.gather(
        as_awaitable(for_value), as_awaitable(for_error), return_exceptions=True
    )
    await asyncio.sleep(0)  # both are being awaited now

    loop.add_callback(for_value.set_result, 8)
    loop.add_callback(for_error.set_exception, Boom())

    value, error = await awaiting
    assert 8 == value
    assert isinstance(error, Boom)


@awaited
async def test_failed_future_fails_the_await(service: Service) -> None:
    """A future's error fails the await."""
    with pytest.raises(ZeroDivisionError):
        await promisify(service.divide, convention=future)(5, 0)


def test_failed_future_reaches_next_once(loop: Any) -> None:
    """A wrapped callback hands a future's failure to `next`, once."""
    failures = WaitedNext()
    callback = wrap_callback(failures, convention=future)

    loop.add_callback(lambda: concurrent.future_add_done_callback(old_style(-1), callback))

    assert isinstance(failures.wait(), Boom)
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_callback(loop: Any) -> None:
    """What `on_success` raises on the loop reaches `next`, not its log, and the loop goes on."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=result_only)
        loop.add_callback(loop.call_later, 0, callback)

    check_thread_survives(call)
