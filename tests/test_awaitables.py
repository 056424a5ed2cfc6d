"""`as_awaitable`, `spawn` and `drain`, on each loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import gc
import multiprocessing.pool
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.python import threadable
from twisted.python.failure import Failure

from catchasync import CallbackError, CallbackNeverCalled, as_awaitable, drain, promisify, spawn
from catchasync._runtimes import pause
from catchasync.testing import RecordingNext
from tests.backends import BACKENDS, LOOPS, cancel_while_pending, in_thread, run_on, soon
from tests.support import Boom

pytestmark = pytest.mark.usefixtures("frozen")

Run = Callable[..., Any]


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


# Future-likes, each with the way of one library to say that it is done.


class DoneCallback:
    """As futures of grpc: `add_done_callback`, and a ``result()``."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[..., Any]] = []
        self.outcome: Callable[[], Any] = lambda: None
        self.error: BaseException | None = None
        self.cancelled = 0

    def add_done_callback(self, callback: Callable[..., Any]) -> None:
        """Call it when done, on whatever thread."""
        self.callbacks.append(callback)

    def result(self) -> Any:
        """Return or raise."""
        return self.outcome()

    def exception(self) -> BaseException | None:
        """Return the error, if there is one."""
        return self.error

    def cancel(self) -> None:
        """Count."""
        self.cancelled += 1

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Be done."""
        self.outcome = outcome
        for callback in self.callbacks:
            callback(self)


class Linked:
    """As results of gevent and kazoo: `rawlink`, and ``get(block=False)``."""

    def __init__(self) -> None:
        self.links: list[Callable[..., Any]] = []
        self.outcome: Callable[[], Any] = lambda: None

    def rawlink(self, callback: Callable[..., Any]) -> None:
        """Call it when done."""
        self.links.append(callback)

    def get(self, *, block: bool) -> Any:
        """Return or raise at once."""
        assert block is False
        return self.outcome()

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Be done."""
        self.outcome = outcome
        for link in self.links:
            link(self)


class Pair:
    """As responses of cassandra-driver: `add_callbacks`."""

    def add_callbacks(self, ok: Callable[..., Any], fail: Callable[..., Any]) -> None:
        """Call one of them when done."""
        self.ok, self.fail = ok, fail

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Be done."""
        try:
            value = outcome()
        except BaseException as error:  # noqa: BLE001 - this is how it is told
            self.fail(error)
        else:
            self.ok(value)


class Gettable:
    """As results of celery: nothing but ``ready()`` and ``get()``."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.outcome: Callable[[], Any] = lambda: None

    def ready(self) -> bool:
        """Say whether it is done."""
        return self.done.is_set()

    def get(self) -> Any:
        """Wait for it."""
        self.done.wait()
        return self.outcome()

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Be done."""
        self.outcome = outcome
        self.done.set()


class FutureOfPool:
    """A future of `concurrent.futures`."""

    def __init__(self) -> None:
        self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self.add_done_callback = self.future.add_done_callback

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Be done."""
        try:
            self.future.set_result(outcome())
        except BaseException as error:  # noqa: BLE001 - this is how it is told
            self.future.set_exception(error)


class DeferredOfTwisted:
    """A Deferred, fired on the thread that waits for it."""

    def __init__(self) -> None:
        self.future: Deferred[Any] = Deferred()

    def settle(self, outcome: Callable[[], Any]) -> None:
        """Be done."""
        try:
            self.future.callback(outcome())
        except BaseException as error:  # noqa: BLE001 - this is how it is told
            self.future.errback(Failure(error))  # type: ignore[no-untyped-call]


KINDS = (DoneCallback, Linked, Pair, Gettable, FutureOfPool, DeferredOfTwisted)
ANY_THREAD = (DoneCallback, Linked, Pair, Gettable, FutureOfPool)


def awaited(thing: Any) -> Any:
    """Return what is to be awaited of a kind."""
    return as_awaitable(getattr(thing, "future", thing))


def fails_with(error: BaseException) -> Callable[[], Any]:
    """Make an outcome that fails."""

    def outcome() -> Any:
        raise error

    return outcome


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", [soon, lambda callback, *args: callback(*args)])
def test_each_kind_gives_its_result_or_its_error(
    run: Run, kind: type[Any], when: Callable[..., None]
) -> None:
    """On the loop's own thread, later or before the await."""
    error = Boom()

    async def main() -> None:
        for outcome, expected in ((lambda: (1, 2), (1, 2)), (fails_with(error), error)):
            thing = kind()
            waiting = awaited(thing)
            if when is soon or not isinstance(thing, Gettable | FutureOfPool | DeferredOfTwisted):
                soon(thing.settle, outcome)
            else:
                thing.settle(outcome)
            try:
                came = await waiting
            except Boom as raised:
                came = raised
            assert came == expected

    run(main)


@pytest.mark.parametrize("kind", ANY_THREAD)
def test_each_kind_may_be_done_on_another_thread(run: Run, kind: type[Any]) -> None:
    """The loop is woken from there."""

    async def main() -> Any:
        thing = kind()
        soon(in_thread, thing.settle, lambda: "done")
        return await awaited(thing)

    assert run(main) == "done"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [StopIteration(), asyncio.CancelledError(), KeyboardInterrupt()])
def test_an_error_that_a_future_cannot_hold(
    run: Run, kind: type[Any], error: BaseException
) -> None:
    """Nothing hangs on it (rule 7)."""

    async def main() -> Any:
        thing = kind()
        soon(thing.settle, fails_with(error))
        with pytest.raises(CallbackError) as caught:
            await awaited(thing)
        return caught.value.value

    assert run(main) is error


def test_cancelling_cancels_the_thing(run: Run) -> None:
    """Once, by its ``cancel()``; a thing that has none is left alone."""
    thing = DoneCallback()
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    deferred: Deferred[None] = Deferred()

    async def main() -> None:
        for each in (thing, future, deferred, Pair()):
            assert await cancel_while_pending(functools.partial(as_awaitable, each))

    run(main)
    assert thing.cancelled == 1
    assert future.cancelled()
    assert deferred.called


def test_a_thing_that_is_dropped_fails_the_await(run: Run) -> None:
    """What can never be done any more says so."""

    async def main() -> None:
        kept = [DoneCallback()]
        waiting = as_awaitable(kept[0])

        def drop() -> None:
            kept[0].callbacks.clear()

        soon(drop)
        await waiting

    with pytest.raises(CallbackNeverCalled):
        run(main)


def test_awaitables_are_awaited_as_they_are(run: Run) -> None:
    """A coroutine is returned as it is, an object with ``__await__`` awaited."""

    async def work() -> int:
        await pause()
        return 5

    class Awaitable:
        def __await__(self) -> Any:
            return work().__await__()

    async def main() -> list[int]:
        coroutine = work()
        assert as_awaitable(coroutine) is coroutine
        return [await coroutine, await as_awaitable(Awaitable())]

    assert run(main) == [5, 5]


@pytest.mark.parametrize("backend", LOOPS)
def test_a_future_of_the_running_loop(backend: str) -> None:
    """It is awaited natively: cancelling it cancels whoever awaits."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, 5)
        assert await as_awaitable(future) == 5
        future = loop.create_future()
        loop.call_soon(future.cancel)
        with pytest.raises(asyncio.CancelledError):
            await as_awaitable(future)

    run_on(backend, main)


def test_a_future_of_another_loop(run: Run) -> None:
    """Of a loop in another thread, pending or done; cancelling the await cancels it there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def make(error: Exception | None = None) -> asyncio.Future[Any]:
        future = loop.create_future()
        loop.call_later(0, future.set_result, 5) if error is None else future.set_exception(error)
        return future

    async def pending() -> asyncio.Future[Any]:
        return loop.create_future()

    def there(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    async def main() -> Any:
        with pytest.raises(Boom):
            await as_awaitable(there(make(Boom())))
        future = there(pending())
        assert await cancel_while_pending(functools.partial(as_awaitable, future))
        while not future.cancelled():
            await pause()
        return await as_awaitable(there(make()))

    try:
        assert run(main) == 5
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_pool_of_processes_or_threads(run: Run) -> None:
    """What `multiprocessing.pool` gives can only be waited for; its error is the await's."""

    async def main() -> int:
        with multiprocessing.pool.ThreadPool(1) as pool:
            with pytest.raises(ZeroDivisionError):
                await as_awaitable(pool.apply_async(divmod, (1, 0)))
            first, _ = await as_awaitable(pool.apply_async(divmod, (7, 2)))
        return int(first)

    assert run(main) == 3


def test_a_deferred_goes_on_after_it_was_awaited(run: Run) -> None:
    """Its value stays for the callbacks after ours; its failure counts as handled."""

    async def main() -> list[Any]:
        heard: list[Any] = []
        deferred: Deferred[Any] = Deferred()
        soon(deferred.callback, 5)
        heard.append(await as_awaitable(deferred))
        _ = deferred.addCallback(heard.append)
        failed: Deferred[Any] = defer.fail(Boom())
        with pytest.raises(Boom):
            await as_awaitable(failed)
        _ = failed.addCallback(heard.append)
        return heard

    assert run(main) == [5, 5, None]


def test_a_deferred_is_touched_in_the_reactors_thread_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the reactor runs in another thread, it is asked to do it."""
    asked: list[Callable[[], None]] = []

    class Reactor:
        running = True
        callFromThread = asked.append  # noqa: N815 - Twisted's name

    async def main() -> Any:
        deferred: Deferred[Any] = defer.succeed(5)
        soon(lambda: asked.pop()())
        return await as_awaitable(deferred)

    monkeypatch.setattr(threadable, "ioThread", -1)
    monkeypatch.setitem(__import__("sys").modules, "twisted.internet.reactor", Reactor)
    assert run(main) == 5
    monkeypatch.setattr(Reactor, "running", False)

    async def not_running() -> Any:
        return await as_awaitable(defer.succeed(6))

    assert run(not_running) == 6


def test_dasks_futures_are_not_awaited_natively(run: Run) -> None:
    """Their ``__await__`` works under an asynchronous client only; their callbacks always do."""
    made = type(
        "Future",
        (DoneCallback,),
        {"__module__": "distributed.client", "__await__": lambda self: pytest.fail("awaited")},
    )

    async def main() -> Any:
        thing = made()
        soon(thing.settle, lambda: 5)
        return await as_awaitable(thing)

    assert run(main) == 5


@pytest.mark.parametrize("thing", [5, None, "text", object(), [1], print])
def test_what_is_no_future_is_refused_at_the_call(thing: object) -> None:
    """Not only when it is awaited."""
    with pytest.raises(TypeError, match=r"as_awaitable\(\) takes a future-like .*: got"):
        _ = as_awaitable(thing)


def test_one_thing_awaited_by_many(run: Run) -> None:
    """Each gets the outcome; the traceback of a shared error does not grow."""
    error = Boom()
    lengths: list[int] = []

    async def wait(thing: Any) -> None:
        try:
            await as_awaitable(thing)
        except Boom as caught:
            traceback, length = caught.__traceback__, 0
            while traceback is not None:
                traceback, length = traceback.tb_next, length + 1
            lengths.append(length)

    async def main() -> None:
        thing = DoneCallback()
        thing.error = error
        tasks = [spawn(wait(thing), next=print) for _ in range(3)]
        soon(soon, soon, thing.settle, lambda: pytest.fail("asked for the result"))
        await drain()
        assert len(tasks) == 3

    run(main)
    assert len(lengths) == 3
    assert len(set(lengths)) == 1


# spawn and drain


async def works(value: Any) -> Any:
    """Succeed or fail after a while."""
    await pause()
    if isinstance(value, BaseException):
        raise value
    return value


def test_spawn_gives_the_result(run: Run) -> None:
    """The task may be awaited; `next` hears nothing."""
    next = RecordingNext()

    async def main() -> Any:
        return await spawn(works(5), next=next)

    assert run(main) == 5
    assert [] == next.arrivals


def test_a_failure_of_a_spawned_task_reaches_next(run: Run) -> None:
    """Once, also where nobody awaits the task; its result is what `next` returned."""
    next = RecordingNext("answer")
    error = Boom()

    async def async_next(came: BaseException) -> str:
        await pause()
        return f"{next(came)} awaited"

    async def main() -> Any:
        spawn(works(error), next=next)
        await drain()
        return await spawn(works(error), next=async_next)

    assert run(main) == "answer awaited"
    assert [error, error] == next.errors


def test_a_spawned_task_is_kept(run: Run) -> None:
    """Loops hold their tasks weakly (cpython #88831); this one is not collected."""
    next = RecordingNext()

    async def main() -> None:
        for number in range(20):
            spawn(works(Boom(number)), next=next)
        gc.collect()
        await drain()

    run(main)
    assert len(next.errors) == 20


def test_spawn_takes_any_future_like_and_a_name(run: Run) -> None:
    """A pool's future, awaited under the name given."""
    next = RecordingNext()
    error = Boom()
    future: concurrent.futures.Future[None] = concurrent.futures.Future()

    async def main() -> str:
        task = spawn(future, next=next, name="the job")
        soon(future.set_exception, error)
        name = repr(task)
        await drain()
        return name

    assert "the job" in run(main)
    assert [error] == next.errors


def test_what_next_raises_is_the_tasks_error(run: Run) -> None:
    """Whoever awaits the task sees it."""

    async def main() -> None:
        await spawn(works(Boom()), next=RecordingNext(KeyError("next")))

    with pytest.raises(KeyError, match="next"):
        run(main)


@pytest.mark.parametrize("turns", [0, 1])
def test_a_cancelled_task_is_no_failure(run: Run, turns: int) -> None:
    """Neither before it began, nor while it works."""
    next = RecordingNext()

    async def forever() -> None:
        while True:
            await pause()

    async def main() -> None:
        task = spawn(forever(), next=next)
        for _ in range(turns):
            await pause()
        task.cancel()
        await drain()

    run(main)
    assert [] == next.arrivals


def test_drain_waits_for_those_that_are_started_meanwhile(run: Run) -> None:
    """And for nothing where there is nothing."""
    done: list[int] = []

    async def chain(number: int) -> None:
        await pause()
        done.append(number)
        if number < 5:
            spawn(chain(number + 1), next=print)

    async def main() -> None:
        await drain()
        spawn(chain(0), next=print)
        await drain()

    run(main)
    assert done == [0, 1, 2, 3, 4, 5]


def test_drain_within_a_kept_task_does_not_wait_for_itself(run: Run) -> None:
    """It waits for the others."""
    done: list[str] = []

    async def other() -> None:
        await pause()
        done.append("other")

    async def drains() -> None:
        spawn(other(), next=print)
        await drain()
        done.append("drained")

    async def main() -> None:
        await spawn(drains(), next=print)

    run(main)
    assert done == ["other", "drained"]


def test_drain_with_a_timeout(run: Run) -> None:
    """In seconds; what is still running is named, and goes on."""
    next = RecordingNext()
    ended: list[str] = []

    async def main() -> None:
        gate: list[str] = []

        async def waits() -> None:
            while not gate:
                await pause()
            ended.append("ended")

        spawn(waits(), next=next, name="slow job")
        with pytest.raises(TimeoutError, match=r"1 kept tasks .* after 0.01 seconds: .*slow job"):
            await drain(timeout=0.01)
        gate.append("open")
        await drain(timeout=60)

    run(main)
    assert ended == ["ended"]


def test_drain_is_of_its_own_loop(run: Run) -> None:
    """Kept tasks of a loop in another thread are not waited for."""
    started, gate = threading.Event(), threading.Event()

    async def waits() -> None:
        while not gate.is_set():
            await pause()

    async def other() -> None:
        spawn(waits(), next=print)
        started.set()
        await drain()

    threads = [
        threading.Thread(target=asyncio.run, args=(other(),)),
        threading.Thread(target=trio.run, args=(other,)),
    ]
    for thread in threads:
        thread.start()
        started.wait()
        started.clear()
    try:
        run(drain)
    finally:
        gate.set()
        for thread in threads:
            thread.join()


@pytest.mark.filterwarnings("error")
def test_spawn_without_a_loop_says_so() -> None:
    """And leaves no coroutine behind that was never awaited."""
    with pytest.raises(RuntimeError, match=r"spawn\(\) needs a running event loop"):
        spawn(works(5), next=print)
    gc.collect()


def test_bad_input_of_spawn_is_refused(run: Run) -> None:
    """A `next` that is not callable, and what cannot be awaited."""

    async def main() -> None:
        with pytest.raises(TypeError, match=r"`next` takes a callable .*: got None"):
            spawn(works(5), next=None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"future-like .*: got 5"):
            spawn(5, next=print)
        with pytest.raises(ValueError, match="above 0: got 0"):
            await drain(timeout=0)

    run(main)


def test_a_function_may_return_an_awaitable_of_another_loop_to_no_loop() -> None:
    """Nothing awaits where no loop runs: the error says so."""

    async def work() -> None:
        """Never run."""

    coroutine = promisify(lambda callback: work())()
    with pytest.raises(RuntimeError, match="no running event loop to await"):
        coroutine.send(None)
