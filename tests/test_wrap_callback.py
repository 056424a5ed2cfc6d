"""`wrap_callback`: design.md section 4, rules 1 to 5 and 8, on each loop and on none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import (
    CallbackError,
    CallbackNeverCalled,
    catch_async,
    drain,
    promisify,
    wrap_callback,
)
from catchasync._runtimes import pause
from catchasync.conventions import future, result_first, result_only, two_callbacks
from catchasync.testing import RecordingNext
from tests.backends import BACKENDS, in_thread, run_on, soon
from tests.support import Boom

pytestmark = pytest.mark.usefixtures("frozen")

Run = Callable[..., Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="none")


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


@pytest.fixture
def next() -> RecordingNext:
    """Be the one `next`."""
    return RecordingNext("answer")


@pytest.fixture
def late() -> RecordingNext:
    """Hear of late failures."""
    return RecordingNext()


def going_on(next: RecordingNext) -> list[BaseException | None]:
    """Return what `next` was called with, ``None`` where it went on."""
    return [arrival.error for arrival in next.arrivals]


# Rule 1


def test_without_on_success_next_goes_on(next: RecordingNext) -> None:
    """``write_file(path, data, wrap_callback(next))`` goes on with ``next()``."""
    assert wrap_callback(next)(None, "value") == "answer"
    assert [None] == going_on(next)


@pytest.mark.parametrize("values", [(), (1,), (None,), (1, 2), ((1, 2),)])
def test_on_success_gets_the_values(next: RecordingNext, values: tuple[Any, ...]) -> None:
    """As they came, and what it returns is the callback's result."""
    assert wrap_callback(next, lambda *got: ("got", got))(None, *values) == ("got", values)
    assert [] == going_on(next)


def test_it_decorates_on_success(next: RecordingNext) -> None:
    """``@wrap_callback(next)`` over a function makes a callback of it, with its name."""

    @wrap_callback(next)
    def found(value: int) -> int:
        return value + 1

    assert found.__name__ == "found"
    assert repr(found).endswith(".found: open>")
    assert found(None, 1) == 2

    @wrap_callback(next, convention=result_only, timeout=3600)
    def failing(_value: int) -> None:
        raise Boom

    assert failing(1) == "answer"
    assert [Boom] == [type(error) for error in next.errors]


def test_a_function_as_a_value_after_the_decision_decorates_nothing(
    next: RecordingNext, late: RecordingNext
) -> None:
    """A callback that was called is no decorator any more."""
    callback = wrap_callback(next, late=late)
    callback(None)
    assert callback(in_thread) is None
    assert [in_thread] == [error.value for error in late.errors if isinstance(error, CallbackError)]


# Rule 2


@pytest.mark.parametrize("error", ["boom", 0, "", False])
def test_an_error_reaches_next(next: RecordingNext, error: object) -> None:
    """What is no exception comes as a `CallbackError`; on_success is not called."""
    assert wrap_callback(next, pytest.fail)(error) == "answer"
    [came] = next.errors
    assert isinstance(came, CallbackError)
    assert came.value is error


def test_an_exception_reaches_next_as_it_is(next: RecordingNext) -> None:
    """The very object."""
    error = Boom()
    wrap_callback(next, convention=result_first)(None, error)
    assert [error] == next.errors


def test_error_makes_the_exception(next: RecordingNext) -> None:
    """`error=` turns what is no exception into one."""
    wrap_callback(next, error=Boom)(5)
    assert [(5,)] == [error.args for error in next.errors]


def test_two_callbacks_share_one_decision(next: RecordingNext, late: RecordingNext) -> None:
    """The pair is ``(success, error)``; the second of them to be called is late."""
    heard: list[int] = []
    success, error = wrap_callback(next, heard.append, convention=two_callbacks(), late=late)
    success(1)
    error("late")
    assert heard == [1]
    assert [] == going_on(next)
    assert ["late"] == [e.value for e in late.errors if isinstance(e, CallbackError)]
    pair = wrap_callback(next, convention=two_callbacks())
    pair.error()
    assert ["CallbackError(<failed without an error>)"] == [repr(e) for e in next.errors]


def test_a_done_callback(next: RecordingNext) -> None:
    """With `future` it is what `add_done_callback` calls."""
    heard: list[int] = []
    done: concurrent.futures.Future[int] = concurrent.futures.Future()
    done.add_done_callback(wrap_callback(next, heard.append, convention=future))
    done.set_result(3)
    failed: concurrent.futures.Future[int] = concurrent.futures.Future()
    failed.add_done_callback(wrap_callback(next, heard.append, convention=future))
    error = Boom()
    failed.set_exception(error)
    assert heard == [3]
    assert [error] == next.errors


# Rule 3


@pytest.mark.parametrize("first", [(None, 1), ("first",)])
def test_only_the_first_completion_counts(
    next: RecordingNext, late: RecordingNext, first: tuple[Any, ...]
) -> None:
    """A second error is late, a second value nothing; nothing is raised."""
    second, third = Boom("second"), Boom("third")
    callback = wrap_callback(next, late=late)
    callback(*first)
    assert callback(second) is None
    assert callback(None, 2) is None
    in_thread(callback, third)
    assert len(next.arrivals) == 1
    assert [second, third] == late.errors


def test_one_of_many_threads_wins(next: RecordingNext, late: RecordingNext) -> None:
    """A hundred threads call back at once: `next` gets one failure, `late` all others."""
    for _ in range(20):
        callback = wrap_callback(next, late=late)
        barrier = threading.Barrier(10)

        def call(barrier: threading.Barrier = barrier, callback: Any = callback) -> None:
            barrier.wait()
            callback(Boom())

        threads = [threading.Thread(target=call) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(next.errors), len(late.errors)) == (20, 180)


def test_what_on_success_raises_reaches_next(next: RecordingNext, late: RecordingNext) -> None:
    """It is the handler of the values; its failure goes to `next`, once."""
    error = Boom()

    def fails(_value: int) -> None:
        raise error

    assert wrap_callback(next, fails, late=late)(None, 1) == "answer"
    assert [error] == next.errors
    assert [] == late.errors


def test_what_next_raises_is_late(late: RecordingNext) -> None:
    """Nothing is raised in the library's thread, and the same `next` is not called again."""
    raised = Boom("next")
    next = RecordingNext(raised)

    def fails(_value: int) -> None:
        raise Boom

    wrap_callback(next, late=late)("boom")
    wrap_callback(next, late=late)(None)
    wrap_callback(next, fails, late=late)(None, 1)
    assert len(next.arrivals) == 3
    assert [raised] * 3 == late.errors


def test_a_next_that_raises_what_it_was_given(late: RecordingNext) -> None:
    """That failure is late then, and is freed without the garbage collector."""

    def raises(error: BaseException) -> None:
        raise error

    gone: list[weakref.ref[BaseException]] = []

    def hear(error: BaseException) -> None:
        gone.append(weakref.ref(error))

    def fails() -> None:
        raise Boom

    gc.collect()
    gc.disable()
    try:
        wrap_callback(raises, late=hear)(Boom())
        wrap_callback(raises, fails, late=hear)(None)
        assert [None, None] == [ref() for ref in gone]
    finally:
        gc.enable()


def test_a_cancellation_of_on_success_is_no_failure(
    next: RecordingNext, late: RecordingNext
) -> None:
    """An `Exception` among them is late, so that the library's thread lives; others go on."""

    def cancelled() -> None:
        raise concurrent.futures.CancelledError

    def interrupted() -> None:
        raise KeyboardInterrupt

    wrap_callback(next, cancelled, late=late)(None)
    assert [concurrent.futures.CancelledError] == [type(error) for error in late.errors]
    with pytest.raises(KeyboardInterrupt):
        wrap_callback(next, interrupted, late=late)(None)
    assert [] == going_on(next)


def test_late_failures_are_logged_by_default(
    next: RecordingNext, caplog: pytest.LogCaptureFixture
) -> None:
    """At ERROR on the logger `catchasync`, with the traceback."""
    callback = wrap_callback(next)
    callback(None)
    callback(Boom("late"))
    [record] = caplog.records
    assert (record.name, record.levelname) == ("catchasync", "ERROR")
    assert "late failure of" in record.getMessage()
    assert "Boom: late" in (record.exc_text or caplog.text)


# Rule 4


def test_a_callback_that_is_dropped_reaches_next(next: RecordingNext, late: RecordingNext) -> None:
    """With `CallbackNeverCalled`; one that was called says nothing."""
    wrap_callback(next, late=late)
    wrap_callback(next, pytest.fail, late=late)
    wrap_callback(next, late=late)(None)
    assert [CallbackNeverCalled] * 2 + [type(None)] == [type(e) for e in going_on(next)]


def test_half_of_a_pair_may_be_dropped(next: RecordingNext) -> None:
    """Only when neither can be called any more is the callback missed."""
    success, error = wrap_callback(next, convention=two_callbacks())
    del error
    assert [] == going_on(next)
    del success
    assert [CallbackNeverCalled] == [type(e) for e in next.errors]


def test_timeout_without_a_loop(late: RecordingNext) -> None:
    """`next` gets a `TimeoutError` on a thread of its own; what comes then is late."""
    heard = threading.Event()
    errors: list[BaseException] = []

    def hear(error: BaseException) -> None:
        errors.append(error)
        heard.set()

    callback = wrap_callback(hear, timeout=0.001, late=late)
    assert heard.wait(30)
    callback("late")
    assert ["CallbackError('late')"] == [repr(error) for error in late.errors]
    [error] = errors
    assert isinstance(error, TimeoutError)
    assert "did not call back within 0.001 seconds" in str(error)


def test_timeout_on_a_loop(run: Run, next: RecordingNext, late: RecordingNext) -> None:
    """`next` gets a `TimeoutError` on the loop's own thread."""

    async def main() -> None:
        heard: list[Any] = []
        callback = wrap_callback(
            lambda error: heard.append((error, threading.current_thread().name)),
            timeout=0.001,
            late=late,
        )
        while not heard:
            await pause()
        [(error, thread)] = heard
        assert isinstance(error, TimeoutError)
        assert thread == threading.current_thread().name
        callback("late")

    run(main)
    assert len(late.errors) == 1


@pytest.mark.parametrize("how", ["here", "thread", "decorated", "after"])
def test_a_timeout_that_is_not_reached_is_cancelled(
    run: Run, next: RecordingNext, how: str
) -> None:
    """A completion on any thread, and also after the loop has ended, leaves nothing of it."""
    kept: list[Any] = []

    async def main() -> None:
        callback = wrap_callback(next, timeout=3600)
        if how == "decorated":
            callback = callback(going_on)
        if how == "thread":
            in_thread(callback, None)
        elif how == "after":
            kept.append(callback)
        else:
            callback(None, next)
        await pause()

    run(main)
    for callback in kept:
        callback(None)
    assert len(next.arrivals) == (how != "decorated")


def test_a_timeout_without_a_loop_that_is_not_reached(next: RecordingNext) -> None:
    """Its thread ends."""
    before = threading.active_count()
    callback = wrap_callback(next, timeout=3600)
    callback(None)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(30)
    assert before == threading.active_count()


# Rule 5


@pytest.mark.parametrize("how", [in_thread, soon, lambda callback, *args: callback(*args)])
def test_context_variables_are_those_of_the_caller(
    run: Run, next: RecordingNext, how: Callable[..., None]
) -> None:
    """Of `on_success` and of `next`, sync or async, on whatever thread they run."""
    seen: list[str] = []

    def sync_success() -> None:
        seen.append(VARIABLE.get())

    async def async_success() -> None:
        await pause()
        seen.append(VARIABLE.get())

    async def async_next(_error: BaseException) -> None:
        await pause()
        seen.append(VARIABLE.get())

    async def main() -> None:
        VARIABLE.set("caller")
        callbacks = [
            (wrap_callback(next, sync_success), None),
            (wrap_callback(next, async_success), None),
            (wrap_callback(lambda error: seen.append(VARIABLE.get())), "boom"),
            (wrap_callback(async_next), "boom"),
        ]
        VARIABLE.set("later")
        for callback, error in callbacks:
            how(callback, error)
        for _ in range(4):
            await pause()
        await drain()

    run(main)
    assert ["caller"] * 4 == seen


# Rule 8


@pytest.mark.parametrize("where", ["here", "thread"])
def test_async_functions_are_awaited_on_the_loop(run: Run, late: RecordingNext, where: str) -> None:
    """Also where the callback comes on another thread: on the loop that ran at the wrapping."""
    seen: list[Any] = []
    error = Boom()

    async def fails(value: int) -> None:
        await pause()
        seen.append((value, threading.current_thread().name))
        raise error

    async def async_next(came: BaseException) -> str:
        await pause()
        seen.append((came, threading.current_thread().name))
        return "answer"

    async def main() -> Any:
        callback = wrap_callback(async_next, fails, late=late)
        if where == "here":
            result = await callback(None, 1)
        else:
            in_thread(callback, None, 1)
            result = "answer"
        while len(seen) < 2:
            await pause()
        await drain()
        return result

    assert run(main) == "answer"
    name = threading.current_thread().name
    assert [(1, name), (error, name)] == seen
    assert [] == late.errors


def test_without_a_loop_they_are_run_to_their_end(late: RecordingNext) -> None:
    """In the calling thread, and the callback's result is theirs."""
    error = Boom()

    async def works(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    async def fails() -> None:
        await asyncio.sleep(0)
        raise error

    async def async_next(came: BaseException | None = None) -> Any:
        await asyncio.sleep(0)
        return came

    assert wrap_callback(async_next, works, late=late)(None, 1) == 2
    assert wrap_callback(async_next, fails, late=late)(None) is error
    assert wrap_callback(async_next, late=late)(error) is error
    assert wrap_callback(async_next, late=late)(None) is None
    assert [] == late.errors


def test_what_an_async_next_raises_is_late(run: Run, late: RecordingNext) -> None:
    """On each loop; nobody awaits it, and nothing is told by the loop."""
    raised = Boom("next")

    async def async_next(_error: BaseException | None = None) -> None:
        await pause()
        raise raised

    async def fails() -> None:
        raise Boom

    async def main() -> None:
        wrap_callback(async_next, late=late)("boom")
        wrap_callback(async_next, late=late)(None)
        wrap_callback(async_next, fails, late=late)(None)
        await drain()

    run(main)
    assert [raised] * 3 == late.errors


def test_a_cancellation_of_an_async_on_success_is_no_failure(
    late: RecordingNext, next: RecordingNext
) -> None:
    """Its task is cancelled, and neither `next` nor `late` hears of it."""

    async def works() -> None:
        await asyncio.Event().wait()

    async def raises() -> None:
        raise concurrent.futures.CancelledError

    async def main() -> None:
        task = wrap_callback(next, works, late=late)(None)
        await pause()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        wrap_callback(next, raises, late=late)(None)
        await drain()

    run_on("asyncio", main)
    assert [] == going_on(next)
    assert [concurrent.futures.CancelledError] == [type(error) for error in late.errors]


def test_after_the_loop_has_closed_it_is_run_in_the_calling_thread(late: RecordingNext) -> None:
    """What is async is not lost with its loop."""
    seen: list[str] = []

    async def works() -> None:
        await asyncio.sleep(0)
        seen.append(threading.current_thread().name)

    async def main() -> Any:
        return wrap_callback(print, works, late=late)

    callback = asyncio.run(main())
    thread = threading.Thread(target=callback, args=(None,), name="library")
    thread.start()
    thread.join()
    assert seen == ["library"]


def test_an_on_success_that_returns_a_foreign_future(run: Run, next: RecordingNext) -> None:
    """It is awaited as any awaitable; its failure reaches `next`."""
    error = Boom()

    class Fails:
        def __await__(self) -> Any:
            yield from ()
            raise error

    async def main() -> Any:
        return await wrap_callback(next, Fails)(None)

    assert run(main) == "answer"
    assert [error] == next.errors


# With other parts


def test_inside_a_decorated_handler(run: Run, next: RecordingNext) -> None:
    """A failure in the callback and a failure of the handler are one failure."""
    kept: list[Any] = []
    late = RecordingNext()

    @catch_async(late=late)
    def handler(request: object, next: Any) -> None:
        kept.append(wrap_callback(next, late=late))

    handler("request", next)
    error = Boom()
    in_thread(kept[0], error)
    kept[0](Boom())
    assert [error] == next.errors
    assert len(late.errors) == 1


def test_back_and_forth(run: Run, next: RecordingNext) -> None:
    """A promisified function awaits what a wrapped callback hands on."""

    def function(value: int, callback: Any) -> None:
        soon(wrap_callback(callback, functools.partial(callback, None)), None, value)

    assert run(promisify(function), 5) == 5


@pytest.mark.parametrize(
    ("args", "options", "error", "message"),
    [
        ((5,), {}, TypeError, "`next` takes a callable .*: got 5"),
        ((None,), {}, TypeError, "`next` takes a callable .*: got None"),
        ((print, 5), {}, TypeError, "`on_success` takes a callable .*: got 5"),
        ((print,), {"convention": 5}, TypeError, "`convention` takes .*: got 5"),
        ((print,), {"error": 5}, TypeError, "`error` takes .*: got 5"),
        ((print,), {"late": 5}, TypeError, "`late` takes .*: got 5"),
        ((print,), {"timeout": "1"}, TypeError, "`timeout` takes seconds.*'1'"),
        ((print,), {"timeout": 0}, ValueError, "above 0: got 0"),
    ],
)
def test_bad_input_is_refused_at_wrap_time(
    args: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The error says what was expected, and what came."""
    with pytest.raises(error, match=message):
        wrap_callback(*args, **options)
