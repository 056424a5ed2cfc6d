"""tkinter: `after` calls back in the thread of the main loop, here of a `Tcl()` without display."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import pytest

from catchasync import promisify, wrap_callback
from catchasync.conventions import result_only
from tests.libraries.conftest import require
from tests.libraries.support import Inbox, WaitedNext, check_thread_survives
from tests.support import Boom

tkinter: Final = require("tkinter")


def beside_main_loop(work: Callable[[Any], object]) -> None:
    """
    Run the main loop in this thread, and beside it the work in another, to its end.

    This way around, since an interpreter must be deleted by the thread that made it.
    """
    try:
        run_main_loop(work)
    finally:
        gc.collect()  # here, and not on whatever thread comes next


def run_main_loop(work: Callable[[Any], object]) -> None:
    """Run an interpreter's main loop until the work is done."""
    tcl = tkinter.Tcl()
    started: list[Future[None]] = []
    with ThreadPoolExecutor(1, "beside") as pool:
        tcl.after(0, lambda: started.append(pool.submit(run_and_quit, work, tcl)))
        tcl.mainloop(-1)  # with no window the usual threshold, 0, ends it at once
    started.pop().result()


def run_and_quit(work: Callable[[Any], object], tcl: Any) -> None:
    """Do the work, then end the main loop."""
    try:
        work(tcl)
    finally:
        tcl.after(0, tcl.quit)


def awaited_beside(work: Callable[[Any], Any]) -> None:
    """Run an async function beside the main loop, on a loop of its own."""
    beside_main_loop(lambda tcl: asyncio.run(work(tcl)))


def test_after_is_awaited() -> None:
    """A promisified `after` is over when the time is."""

    async def work(tcl: Any) -> None:
        after = promisify(tcl.after, convention=result_only, callback=1)
        assert None is await after(1)
        assert "value" == await after(1, "value")

    awaited_beside(work)


def test_timed_out_wait_cancels_the_timer() -> None:
    """What `after` returned is handed to `on_cancel`, which takes the timer away from Tcl."""

    async def work(tcl: Any) -> None:
        after = promisify(
            tcl.after, convention=result_only, callback=1, timeout=0.01, on_cancel=tcl.after_cancel
        )
        with pytest.raises(TimeoutError):
            await after(60_000)
        assert not tcl.tk.call("after", "info")

    awaited_beside(work)


def test_failure_reaches_next_once() -> None:
    """What a wrapped callback's `on_success` raises reaches `next`, once, in the main loop."""
    failures = WaitedNext()

    def work(tcl: Any) -> None:
        tcl.after(0, wrap_callback(failures, Inbox(Boom()), convention=result_only))
        assert isinstance(failures.wait(), Boom)

    beside_main_loop(work)
    assert ["MainThread"] == [arrival.thread for arrival in failures.arrivals]


def test_thread_survives_a_failing_callback() -> None:
    """What `on_success` raises in the main loop reaches `next`, and the loop goes on."""

    def work(tcl: Any) -> None:
        check_thread_survives(lambda wrap: tcl.after(0, wrap(convention=result_only)))

    beside_main_loop(work)
