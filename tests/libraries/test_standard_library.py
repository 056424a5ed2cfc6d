"""The standard library's own ways of calling back: executors, pools, timers, processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest

from catchasync import as_awaitable, promisify, wrap_callback
from catchasync.conventions import future, result_only, two_callbacks
from tests.libraries.support import Inbox, WaitedNext, Wrap, awaited, check_thread_survives
from tests.support import Boom

PAIR = two_callbacks(success="callback", error="error_callback")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Return an executor of one thread."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def pool() -> Iterator[Any]:
    """Return a pool; its callbacks run on a thread for all results, which must not die."""
    with ThreadPool(1) as pool:
        yield pool
        pool.close()
        pool.join()


def run(code: str, callback: Callable[..., object]) -> None:
    """Run a Python program, and call back from the thread that waits for it."""

    def wait() -> None:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, check=False)
        callback(done.returncode or None, done.stdout)

    threading.Thread(target=wait).start()


def exit_status(code: int) -> subprocess.CalledProcessError:
    """Make the library's own exception of an exit status."""
    return subprocess.CalledProcessError(code, "python")


@awaited
async def test_executor_is_awaited(executor: ThreadPoolExecutor) -> None:
    """Submitted work gives its result, its error fails the await."""
    submit = promisify(executor.submit, convention=future)

    assert 8 == await submit(pow, 2, 3)
    assert 9 == await as_awaitable(executor.submit(pow, 3, 2))
    with pytest.raises(ZeroDivisionError):
        await submit(divmod, 1, 0)


@awaited
async def test_process_pool_is_awaited() -> None:
    """Work in another process gives its result."""
    with ProcessPoolExecutor(1, mp_context=spawning()) as executor:
        submit = promisify(executor.submit, convention=future)

        assert os.getpid() != await submit(os.getpid)


def spawning() -> Any:
    """Return the start method that does not copy a process full of threads."""
    import multiprocessing  # noqa: PLC0415

    return multiprocessing.get_context("spawn")


def test_executor_failure_reaches_next_once(executor: ThreadPoolExecutor) -> None:
    """A wrapped callback hands the failure of submitted work to `next`, once."""
    failures = WaitedNext()

    submitted = executor.submit(divmod, 1, 0)
    submitted.add_done_callback(wrap_callback(failures, convention=future))

    assert isinstance(failures.wait(), ZeroDivisionError)
    assert 1 == len(failures.arrivals)


def test_executor_thread_survives_a_failing_callback(executor: ThreadPoolExecutor) -> None:
    """What `on_success` raises reaches `next`, not the library's log, and the worker goes on."""
    started = threading.Event()

    def call(wrap: Wrap) -> None:
        started.clear()
        submitted = executor.submit(started.wait)
        submitted.add_done_callback(wrap(convention=future))
        started.set()

    check_thread_survives(call)


@awaited
async def test_pool_is_awaited(pool: Any) -> None:
    """A pool's two callbacks, given by keyword, are promisified; its results are awaited too."""
    apply = promisify(pool.apply_async, convention=PAIR)

    assert 8 == await apply(pow, (2, 3))
    assert 9 == await as_awaitable(pool.apply_async(pow, (3, 2)))
    with pytest.raises(ZeroDivisionError):
        await apply(divmod, (1, 0))


def test_pool_failure_reaches_next_once(pool: Any) -> None:
    """A wrapped pair of callbacks hands the failure of a pool's work to `next`, once."""
    failures, done = WaitedNext(), Inbox()
    success, error = wrap_callback(failures, done, convention=PAIR)

    pool.apply_async(divmod, (1, 0), callback=success, error_callback=error)

    assert isinstance(failures.wait(), ZeroDivisionError)
    assert 1 == len(failures.arrivals)


def test_pool_thread_survives_a_failing_callback(pool: Any) -> None:
    """What `on_success` raises on the thread for results reaches `next`, and the thread goes on."""

    def call(wrap: Wrap) -> None:
        success, error = wrap(convention=PAIR)
        pool.apply_async(pow, (2, 3), callback=success, error_callback=error)

    check_thread_survives(call)


@awaited
async def test_program_is_awaited() -> None:
    """A program's output is awaited; an exit status is an error that is no exception."""
    run_program = promisify(run, error=exit_status)

    assert b"hello" == (await run_program("print('hello')")).strip()
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        await run_program("raise SystemExit(3)")


def test_exit_status_reaches_next_once() -> None:
    """A wrapped callback hands an exit status to `next`, once, and the thread ends in peace."""
    failures, done = WaitedNext(), Inbox()

    run("raise SystemExit(3)", wrap_callback(failures, done, error=exit_status))

    assert isinstance(failures.wait(), subprocess.CalledProcessError)
    assert 1 == len(failures.arrivals)


@awaited
async def test_timer_is_awaited() -> None:
    """A timer is started and awaited; one that is given up is cancelled."""
    timers: list[threading.Timer] = []

    def start(seconds: float, callback: Callable[..., object]) -> threading.Timer:
        timers.append(threading.Timer(seconds, callback))
        timers[-1].start()
        return timers[-1]

    assert None is await promisify(start, convention=result_only)(0)
    with pytest.raises(TimeoutError):
        await promisify(start, convention=result_only, timeout=0.01)(60)

    assert timers[1].finished.is_set()


def test_timer_failure_reaches_next_once() -> None:
    """What `on_success` raises in a timer's thread reaches `next`, not `threading.excepthook`."""
    failures = WaitedNext()
    timer = threading.Timer(0, wrap_callback(failures, Inbox(Boom()), convention=result_only))

    timer.start()
    timer.join()

    assert [Boom] == [type(error) for error in failures.errors]


def test_finaliser_failure_reaches_next_once() -> None:
    """What `on_success` raises in a finaliser reaches `next`, not `sys.unraisablehook`."""
    failures = WaitedNext()
    thing = Boom()
    weakref.finalize(thing, wrap_callback(failures, Inbox(Boom()), convention=result_only))

    del thing

    assert [Boom] == [type(error) for error in failures.errors]
