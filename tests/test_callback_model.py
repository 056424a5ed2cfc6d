"""Invariant: each failure is seen exactly once: by the await, by `next`, or by `late`.

And nothing hangs, nothing is raised in the library's thread, the loop's exception handler hears
nothing, and no reference cycle is left. A fake library calls back none to three times, with
anything, at any moment, on any thread, while the caller is cancelled or the loop is closed. Random
schedules print their seed when they fail; besides, every order of up to five events is tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import os
import random
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio

from catchasync import CallbackError, CallbackNeverCalled, promisify, wrap_callback
from catchasync import _runtimes as runtimes
from catchasync.conventions import error_first, result_first
from tests.backends import LOOPS, in_thread
from tests.support import Boom

pytestmark = pytest.mark.usefixtures("frozen")

FULL = bool(os.environ.get("CATCHASYNC_FULL"))
RUNS = 100_000 if FULL else 3_000

EVENTS = ("value", "error", "second", "cancelled", "timed out", "closed", "dropped")
LONGEST = 5


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """Let nothing but reference counts free what was used."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def number_of(error: Any) -> Any:
    """Return the number that a failure was made with; ``None`` for those of the library."""
    if isinstance(error, CallbackError):
        return number_of(error.value)
    if isinstance(error, BaseException):
        return error.args[0] if error.args and isinstance(error.args[0], int) else None
    return error


@dataclass
class Log:
    """What was handed over, and who saw it, by numbers: the errors themselves are not kept."""

    handed: list[int] = field(default_factory=list)
    alive: list[weakref.ref[BaseException]] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)  # of the await, or what `next` heard
    problems: list[object] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """Make the number of something that has to be seen."""
        number = next(self.numbers)
        self.handed.append(number)
        return number

    def new(self, kind: type[BaseException] = Boom) -> BaseException:
        """Make a failure that has to be seen."""
        error = kind(self.number())
        if kind is Boom:
            self.alive.append(weakref.ref(error))
        return error

    def see(self, error: BaseException) -> None:
        """Be `late`."""
        number = number_of(error)
        if number is not None:
            self.seen.append(number)

    def settle(self, error: BaseException | None) -> None:
        """Be the await, or `next`: note the outcome."""
        self.outcomes.append("value" if error is None else type(error).__name__)
        if error is not None:
            self.see(error)

    def called(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call back as a library does, whose thread dies of an exception."""
        try:
            callback(*args)
        except BaseException as error:  # noqa: BLE001 - this is what must not happen
            self.problems.append(repr(error))

    def check(self) -> None:
        """Compare."""
        assert sorted(self.seen) == sorted(self.handed)
        assert [] == self.problems
        assert [] == [ref for ref in self.alive if ref() is not None]


async def outcome_of(log: Log, awaitable: Awaitable[Any]) -> None:
    """Await it, and note what came."""
    try:
        await awaitable
    except (asyncio.CancelledError, trio.Cancelled, GeneratorExit):
        log.outcomes.append("cancelled")
        raise
    except BaseException as error:  # noqa: BLE001 - that is the outcome
        log.settle(error)
    else:
        log.settle(None)


# Every order of up to five events.


def orders() -> Iterator[tuple[str, ...]]:
    """Give every order of events that can happen."""
    for length in range(LONGEST + 1):
        yield from filter(can_happen, itertools.permutations(EVENTS, length))


def can_happen(order: tuple[str, ...]) -> bool:
    """Say whether it can: nobody calls what was dropped; a closed loop cancels nothing."""
    after_drop = order[order.index("dropped") :] if "dropped" in order else ()
    after_close = order[order.index("closed") :] if "closed" in order else ()
    if {"value", "error", "second"} & {*after_drop} or {"cancelled", "timed out"} & {*after_close}:
        return False
    return "second" not in order or bool({"value", "error"} & {*order[: order.index("second")]})


EXPECTED = {
    "value": "value",
    "error": "Boom",
    "cancelled": "cancelled",
    "timed out": "TimeoutError",
    "dropped": "CallbackNeverCalled",
}


class Timers:
    """Stands for `_runtimes.later`: the test says when a timer fires."""

    def __init__(self) -> None:
        self.functions: list[Callable[[], object]] = []

    def later(self, _seconds: float, function: Callable[[], object]) -> Timers:
        """Keep the function."""
        self.functions.append(function)
        return self

    def cancel(self) -> None:
        """Forget it."""
        self.functions.clear()

    def fire(self) -> None:
        """Let the time come."""
        for function in self.functions[:]:
            function()


class Bench:
    """One loop, one call, and the events that happen to it."""

    def __init__(self, backend: str, place: str, timers: Timers) -> None:
        self.log, self.timers, self.place = Log(), timers, place
        self.callbacks: list[Callable[..., Any]] = []
        self.loop = LOOPS[backend]()
        self.loop.set_exception_handler(lambda _, what: self.log.problems.append(what))
        self.task: asyncio.Task[None] | None = None

    def start(self, awaitable: Awaitable[Any]) -> None:
        """Begin to await."""
        self.task = self.loop.create_task(outcome_of(self.log, awaitable))
        self.turn()

    def turn(self) -> None:
        """Let the loop go round."""
        if not self.loop.is_closed():
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.run_until_complete(asyncio.sleep(0))

    def happen(self, event: str) -> None:
        """Let an event happen, on the loop's thread or on another one."""
        act = getattr(self, event.replace(" ", "_"))
        if event in {"cancelled", "timed out", "closed"} or self.place == "here":
            self.on_loop(act)
        else:
            in_thread(act)
        self.turn()

    def on_loop(self, act: Callable[[], object]) -> None:
        """Call it in the loop's thread: in the loop, where it is open."""
        if self.loop.is_closed() or act == self.closed:
            act()
        else:
            self.loop.call_soon(act)
            self.turn()

    def value(self) -> None:
        """Call back with a value."""
        self.log.called(self.callbacks[0], None, "value")

    def error(self) -> None:
        """Call back with an error."""
        self.log.called(self.callbacks[0], self.log.new())

    second = error

    def dropped(self) -> None:
        """Let go of the callback."""
        self.callbacks.clear()

    def cancelled(self) -> None:
        """Cancel the await."""
        if self.task is not None:
            self.task.cancel()

    def timed_out(self) -> None:
        """Let the time come."""
        self.timers.fire()

    def closed(self) -> None:
        """Close the loop, whatever still waits."""
        if self.task is not None:
            self.task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.loop.close()

    def end(self) -> None:
        """Let go of everything."""
        self.dropped()
        self.turn()
        if self.task is not None and self.loop.is_closed():
            coroutine: Any = self.task.get_coro()
            coroutine.close()  # it waits for ever: asyncio's own cycle
        self.task = None
        self.timers.cancel()
        if not self.loop.is_closed():
            self.loop.close()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    """Fire timers by hand."""
    timers = Timers()
    monkeypatch.setattr(runtimes, "later", timers.later)
    return timers


@pytest.mark.parametrize("place", ["here", "thread"])
@pytest.mark.parametrize("backend", LOOPS)
def test_every_order_of_events_of_an_await(backend: str, place: str, timers: Timers) -> None:
    """The first of them is the outcome; each failure is seen once; nothing hangs."""
    count = 0
    for order in orders():
        bench = Bench(backend, place, timers)
        function = promisify(bench.callbacks.append, timeout=3600, late=bench.log.see)
        bench.start(function())
        for event in order:
            bench.happen(event)
        bench.end()
        first = next((event for event in order), "dropped")
        expected = [EXPECTED[first]] if first != "closed" else ["cancelled"]
        assert (order, expected) == (order, bench.log.outcomes)
        bench.log.check()
        count += 1
    assert count > 500


@pytest.mark.parametrize("place", ["here", "thread"])
@pytest.mark.parametrize("backend", LOOPS)
def test_every_order_of_events_of_a_wrapped_callback(
    backend: str, place: str, timers: Timers
) -> None:
    """The same, where `next` hears the outcome; a loop that is closed changes nothing."""
    for order in orders():
        if "cancelled" in order:
            continue
        bench = Bench(backend, place, timers)
        next_ = lambda error=None, log=bench.log: log.settle(error)  # noqa: E731
        bench.callbacks.append(wrap_callback(next_, timeout=3600, late=bench.log.see))
        for event in order:
            bench.happen(event)
        bench.end()
        first = next((event for event in order if event != "closed"), "dropped")
        assert (order, [EXPECTED[first]]) == (order, bench.log.outcomes)
        bench.log.check()


# Random schedules.


@dataclass(frozen=True)
class Schedule:
    """One random life of a call."""

    seed: int
    backend: str
    target: str
    convention: Any
    payloads: tuple[str, ...]
    moments: tuple[str, ...]
    end: str
    cancelled: bool
    closed: bool
    next: str


def make_schedule(seed: int) -> Schedule:
    """Draw a schedule."""
    draw = random.Random(seed)
    calls = draw.randrange(4)
    backend = draw.choice(("asyncio", "uvloop", "trio"))
    return Schedule(
        seed=seed,
        backend=backend,
        target=draw.choice(("promisify", "wrap_callback")),
        convention=draw.choice((error_first, result_first)),
        payloads=tuple(draw.choices(PAYLOADS, k=calls)),
        moments=tuple(draw.choices(("at once", "soon", "thread", "racing", "finaliser"), k=calls)),
        end=draw.choice(("return", "raise", "operation", "value", "none", "fails")),
        cancelled=draw.random() < 0.3,
        closed=backend != "trio" and draw.random() < 0.2,
        next=draw.choice(("returns", "raises", "again", "async returns", "async raises")),
    )


PAYLOADS = ("value", "error", "number", "stop", "exit", "class")


class Finaliser:
    """Calls back when it is collected."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def __del__(self) -> None:
        self.call()


class Library:
    """The fake library of one schedule."""

    def __init__(self, schedule: Schedule, log: Log) -> None:
        self.schedule, self.log = schedule, log
        self.later: list[Callable[[], None]] = []
        self.threads: list[threading.Thread] = []

    def outcome(self, payload: str) -> tuple[Any, ...]:
        """Make what the callback is called with."""
        error = self._error(payload)
        value = () if error is not None else ("value",)
        if self.schedule.convention is error_first:
            return (error, *value)
        return (*(value or (None,)), error)

    def _error(self, payload: str) -> Any:
        if payload == "number":
            return self.log.number()
        kinds: dict[str, Any] = {"error": Boom, "stop": StopIteration, "exit": SystemExit}
        if payload in kinds:
            return self.log.new(kinds[payload])
        return CallbackNeverCalled if payload == "class" else None

    def function(self, callback: Callable[..., Any]) -> Any:
        """Call back as scheduled, then end as scheduled."""
        for payload, moment in zip(self.schedule.payloads, self.schedule.moments, strict=True):
            self.call(moment, functools.partial(self.back, callback, payload))
        return getattr(self, f"end_{self.schedule.end}")()

    def back(self, callback: Callable[..., Any], payload: str) -> None:
        """Call back."""
        self.log.called(callback, *self.outcome(payload))

    def call(self, moment: str, back: Callable[[], None]) -> None:
        """Let it be called at that moment."""
        if moment == "at once":
            back()
        elif moment == "soon":
            self.later.append(back)
        elif moment == "thread":
            self.later.append(lambda: in_thread(back))
        elif moment == "finaliser":
            self.later.append([Finaliser(back)].clear)
        else:
            self.threads.append(threading.Thread(target=back))
            self.threads[-1].start()

    def end_return(self) -> None:
        """Return nothing."""

    def end_raise(self) -> None:
        """Raise besides."""
        self._fail()

    def _fail(self) -> None:
        error = self.log.new()
        try:
            raise error
        finally:
            del error

    def end_operation(self) -> Any:
        """Return what can be cancelled."""
        return Operation()

    def end_value(self) -> Any:
        """Return an awaitable that gives a value."""
        return self._work("value")

    def end_none(self) -> Any:
        """Return an awaitable that gives none."""
        return self._work(None)

    def end_fails(self) -> Any:
        """Return an awaitable that fails."""
        return self._work("fails")

    async def _work(self, value: Any) -> Any:
        await runtimes.pause()
        if value == "fails":
            self._fail()
        return value

    def run_later(self) -> None:
        """Do one thing of what was left for later."""
        if self.later:
            self.later.pop(0)()

    def join(self) -> None:
        """Wait for what races."""
        while self.threads:
            self.threads.pop().join()


class Operation:
    """What can be cancelled."""

    def cancel(self) -> None:
        """Do nothing."""


def make_next(schedule: Schedule, log: Log) -> Callable[..., Any]:
    """Make the `next` of a schedule."""

    def answer(error: BaseException | None) -> str:
        if schedule.next.endswith("raises"):
            raise log.new()
        if schedule.next == "again" and error is not None:
            number = number_of(error)
            if number is not None:
                log.seen.remove(number)  # it comes back, as late
            raise error
        return "answer"

    def sync(error: BaseException | None = None) -> str:
        log.settle(error)
        return answer(error)

    async def asynchronous(error: BaseException | None = None) -> str:
        log.settle(error)
        await runtimes.pause()
        return answer(error)

    return asynchronous if schedule.next.startswith("async") else sync


async def act(schedule: Schedule, library: Library, log: Log) -> None:
    """Make the call of a schedule."""
    if schedule.target == "promisify":
        function = promisify(library.function, convention=schedule.convention, late=log.see)
        await outcome_of(log, function())
        return
    callback = wrap_callback(make_next(schedule, log), convention=schedule.convention, late=log.see)
    try:
        returned = library.function(callback)
        del callback
        if asyncio.iscoroutine(returned):
            await returned
    except Boom as error:
        log.see(error)


async def settle(library: Library, is_over: Callable[[], bool]) -> None:
    """Let everything happen that is to happen."""
    while library.later or any(thread.is_alive() for thread in library.threads) or not is_over():
        await runtimes.pause()
        library.run_later()
    await runtimes.pause()
    await runtimes.here().drain(None)  # type: ignore[union-attr]


def perform(schedule: Schedule, log: Log) -> None:
    """Run one schedule."""
    library = Library(schedule, log)
    if schedule.backend == "trio":
        trio.run(perform_in_trio, schedule, library, log)
    else:
        perform_in_asyncio(schedule, library, log)
    while library.later:
        library.run_later()
    library.join()


async def perform_in_trio(schedule: Schedule, library: Library, log: Log) -> None:
    """Run it under trio."""
    over: list[bool] = []
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await act(schedule, library, log)
        over.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await runtimes.pause()
        if schedule.cancelled:
            scope.cancel()
        await settle(library, lambda: bool(over))


def perform_in_asyncio(schedule: Schedule, library: Library, log: Log) -> None:
    """Run it under asyncio or uvloop; perhaps the loop is closed in the middle."""
    loop = LOOPS[schedule.backend]()
    loop.set_exception_handler(lambda _, what: log.problems.append(what))

    async def main() -> None:
        task = asyncio.ensure_future(act(schedule, library, log))
        await runtimes.pause()
        if schedule.cancelled:
            task.cancel()
        if schedule.closed:
            return
        await settle(library, task.done)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        loop.run_until_complete(main())
    finally:
        library.join()
        end_tasks(schedule, loop)
        loop.close()


def end_tasks(schedule: Schedule, loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left, as `asyncio.run` does; or close the loop under the await."""
    tasks = asyncio.all_tasks(loop)
    if schedule.target == "promisify" and schedule.end in {"return", "raise", "operation"}:
        for task in tasks:  # asyncio's own complaint about them is no news
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        return
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))


def check_one(seed: int) -> None:
    """Run one schedule, and check the invariant; say the seed where it does not hold."""
    schedule = make_schedule(seed)
    log = Log()
    try:
        perform(schedule, log)
        runtimes._kept.clear()
        if schedule.closed:
            gc.collect()  # a loop that ends under its tasks leaves cycles of asyncio's own
        log.check()
    except BaseException as error:
        error.add_note(f"{schedule}\n{log}")
        raise


@pytest.mark.parametrize("part", range(10))
def test_random_schedules(part: int) -> None:
    """Each failure is seen once, whatever the schedule."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads meet more often
    try:
        for seed in range(part * RUNS // 10, (part + 1) * RUNS // 10):
            check_one(seed)
    finally:
        sys.setswitchinterval(interval)
