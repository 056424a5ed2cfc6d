"""`promisify`: design.md section 4, rules 1 to 9, on asyncio, uvloop and trio."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import enum
import functools
import gc
import inspect
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio

from catchasync import CallbackError, CallbackNeverCalled, as_awaitable, promisify
from catchasync._runtimes import pause
from catchasync._wakes import new_waiter
from catchasync.conventions import error_first, future, result_first, result_only, two_callbacks
from catchasync.testing import RecordingNext
from tests.backends import BACKENDS, LOOPS, cancel_while_pending, in_thread, run_on, soon
from tests.support import Boom, run_python

pytestmark = pytest.mark.usefixtures("frozen")

Run = Callable[..., Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="none")


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


@pytest.fixture
def late() -> RecordingNext:
    """Hear of late failures."""
    return RecordingNext()


def at_once(callback: Callable[..., Any], *args: Any) -> None:
    """Call back before the function returns."""
    callback(*args)


MOMENTS = {"at once": at_once, "soon": soon, "thread": in_thread}


@pytest.fixture(params=MOMENTS)
def moment(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Call back at once, later on the loop's thread, or on another thread."""
    return MOMENTS[request.param]


def calls(moment: Callable[..., None], *outcome: Any) -> Callable[..., None]:
    """Make a function that calls back at that moment."""

    def function(callback: Callable[..., Any]) -> None:
        moment(callback, *outcome)

    return function


class Legacy:
    """A library that keeps the callback, and calls it when the test says so."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[..., Any]] = []

    def start(self, *_args: Any) -> None:
        """Take the callback, which comes last."""
        self.callbacks.append(_args[-1])


# Rule 1: no value is lost.


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), None), ((1,), 1), ((None,), None), ((1, 2), (1, 2)), (((1, 2),), (1, 2)), (((),), ())],
)
def test_no_value_is_lost(
    run: Run, moment: Callable[..., None], values: tuple[Any, ...], expected: Any
) -> None:
    """No values settle as ``None``, one as itself, several as a tuple."""
    assert expected == run(promisify(calls(moment, None, *values)))


def test_a_callback_without_any_argument_is_success(run: Run) -> None:
    """An error-first callback that is called with nothing has no error and no value."""
    assert run(promisify(calls(soon))) is None


# Rule 2: an error that is no exception is turned into one.


class Code(enum.Enum):
    """An error as an enum."""

    REFUSED = 1


class LibraryError:
    """An error that is no exception, as confluent-kafka has it."""


@pytest.mark.parametrize(
    "error", ["boom", "", 0, 11, False, LibraryError(), Code.REFUSED, [], object()]
)
def test_an_error_that_is_no_exception_is_wrapped(
    run: Run, moment: Callable[..., None], error: object
) -> None:
    """It becomes a `CallbackError` with the original as ``.value``; only ``None`` is no error."""
    with pytest.raises(CallbackError) as caught:
        run(promisify(calls(moment, error)))
    assert caught.value.value is error


def test_error_makes_the_exception(run: Run) -> None:
    """`error=` turns what is no exception into one; an exception stays what it is."""
    function = promisify(calls(soon, 11), error=lambda errno: OSError(errno, "refused"))
    with pytest.raises(OSError, match="refused") as caught:
        run(function)
    assert caught.value.errno == 11
    with pytest.raises(Boom):
        run(promisify(calls(soon, Boom()), error=OSError))


def test_error_may_raise_or_return_anything(run: Run) -> None:
    """What `error=` raises is the failure; what it returns is made into one."""

    def raises(_value: object) -> None:
        raise Boom

    with pytest.raises(Boom):
        run(promisify(calls(soon, 1), error=raises))
    with pytest.raises(CallbackError) as caught:
        run(promisify(calls(soon, 1), error=lambda value: None))
    assert caught.value.value == 1
    with pytest.raises(CallbackError) as caught:
        run(promisify(calls(soon, 1), error=lambda value: f"code {value}"))
    assert caught.value.value == "code 1"
    with pytest.raises(Boom):
        run(promisify(calls(soon, 1), error=lambda value: Boom))


def test_an_exception_class_is_instantiated(run: Run) -> None:
    """A class that was handed over as the error is called; one that wants arguments is a value."""
    with pytest.raises(Boom):
        run(promisify(calls(soon, Boom)))
    with pytest.raises(CallbackError) as caught:
        run(promisify(calls(soon, UnicodeDecodeError)))
    assert caught.value.value is UnicodeDecodeError


@pytest.mark.parametrize("error", [None, 0])
def test_result_first_takes_zero_and_none_for_success(run: Run, error: object) -> None:
    """With an errno, ``0`` is success; so is the value alone."""
    assert run(promisify(calls(soon, "value", error), convention=result_first)) == "value"
    assert run(promisify(calls(soon, "value"), convention=result_first)) == "value"


@pytest.mark.parametrize("error", [1, "", "boom", 0.0, []])
def test_result_first_takes_anything_else_for_an_error(run: Run, error: object) -> None:
    """Any other falsy error is an error."""
    with pytest.raises(CallbackError) as caught:
        run(promisify(calls(soon, None, error), convention=result_first))
    assert caught.value.value is error


def test_result_only(run: Run) -> None:
    """All that comes are values, an exception as well."""
    error = Boom()
    assert run(promisify(calls(soon, error, 1), convention=result_only)) == (error, 1)


@pytest.mark.parametrize("places", [{}, {"success": 0, "error": 1}, {"success": -2, "error": -1}])
def test_two_callbacks_by_position(run: Run, places: dict[str, Any]) -> None:
    """One for success, one for failure; by default the last two positions."""

    def function(ok: Callable[..., Any], fail: Callable[..., Any]) -> None:
        soon(ok, 1, 2)

    def fails(ok: Callable[..., Any], fail: Callable[..., Any]) -> None:
        soon(fail, "boom")

    assert run(promisify(function, convention=two_callbacks(**places))) == (1, 2)
    with pytest.raises(CallbackError, match="boom"):
        run(promisify(fails, convention=two_callbacks(**places)))


def test_two_callbacks_by_keyword_and_without_an_error(run: Run) -> None:
    """To be called is the failure, also with ``None`` or nothing; arguments may be left out."""

    def function(
        fail_with: tuple[Any, ...],
        _option: int = 0,
        *,
        on_ok: Callable[..., Any] | None = None,
        on_error: Callable[..., Any],
    ) -> None:
        soon(on_error, *fail_with)

    convention = two_callbacks(success="on_ok", error="on_error")
    function_async = promisify(function, convention=convention)
    assert list(inspect.signature(function_async).parameters) == ["fail_with", "_option"]
    for fail_with in ((), (None,)):
        with pytest.raises(CallbackError, match="failed without an error"):
            run(function_async, fail_with)


def test_one_of_two_callbacks_may_be_dropped(run: Run) -> None:
    """A library that keeps only one of the two may still call that one."""

    def function(ok: Callable[..., Any], _fail: Callable[..., Any]) -> None:
        soon(ok, 1)

    assert run(promisify(function, convention=two_callbacks())) == 1


def test_a_convention_of_ones_own(run: Run) -> None:
    """A function from what the library hands over to ``(error, values)`` is a convention."""

    def status_first(status: int, *values: Any, reason: str = "") -> Any:
        return (None if status == 200 else reason), values

    def fails(callback: Callable[..., Any]) -> None:
        callback(500, reason="broken")

    assert run(promisify(calls(soon, 200, "body"), convention=status_first)) == "body"
    with pytest.raises(CallbackError, match="broken"):
        run(promisify(fails, convention=status_first))


def test_a_convention_may_raise_the_error(run: Run) -> None:
    """What a convention raises is the failure, with a note of who read what."""

    def picky(value: int) -> Any:
        raise Boom(value)

    with pytest.raises(Boom) as caught:
        run(promisify(calls(soon, 1), convention=picky))
    assert "picky read the callback's call (int)" in caught.value.__notes__[0].split("locals>.")[1]


def test_a_call_that_the_convention_cannot_read_is_a_failure(run: Run) -> None:
    """Neither keywords that it does not know, nor values that are no tuple, are lost."""

    def by_keyword(callback: Callable[..., Any]) -> None:
        callback(err=Boom())

    with pytest.raises(TypeError, match="err") as caught:
        run(promisify(by_keyword))
    assert "error_first read the callback's call (err=Boom)" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match=r"returns \(error, values\).*got 1"):
        run(promisify(calls(soon, 1), convention=lambda value: (None, value)))


# Rule 3: the first completion wins.


def test_a_second_failure_is_late(
    run: Run, late: RecordingNext, moment: Callable[..., None]
) -> None:
    """The first completion wins; an error among the others goes to `late`, a value nowhere."""
    second = Boom("second")

    def function(callback: Callable[..., Any]) -> None:
        callback(None, 1)
        moment(callback, second)
        moment(callback, None, 2)

    async def main() -> Any:
        value = await promisify(function, late=late)()
        await pause()
        return value

    assert run(main) == 1
    assert [second] == late.errors


def test_a_call_that_raised_and_called_back(run: Run, late: RecordingNext) -> None:
    """What came first wins, and the other failure is late."""
    first, second = Boom("first"), Boom("second")

    def both(callback: Callable[..., Any]) -> None:
        callback(first)
        raise second

    with pytest.raises(Boom, match="first"):
        run(promisify(both, late=late))
    assert [second] == late.errors


def test_a_call_that_raised_after_success(run: Run, late: RecordingNext) -> None:
    """A value that came first is the result; what the call raised then is late."""
    error = Boom()

    def both(callback: Callable[..., Any]) -> None:
        callback(None, 1)
        raise error

    assert run(promisify(both, late=late)) == 1
    assert [error] == late.errors


def test_an_exit_is_raised_even_after_success(run: Run) -> None:
    """``KeyboardInterrupt`` goes on, whatever has been called back."""

    def both(callback: Callable[..., Any]) -> None:
        callback(None, 1)
        raise KeyboardInterrupt

    async def main() -> str:
        try:
            await promisify(both)()
        except KeyboardInterrupt:
            return "interrupted"
        return "lost"

    assert run(main) == "interrupted"


def test_a_callback_after_a_cancellation_is_late(run: Run, late: RecordingNext) -> None:
    """It is told to `late`, and raises nothing in the library's thread."""
    legacy, error = Legacy(), Boom()

    async def main() -> bool:
        was_cancelled = await cancel_while_pending(promisify(legacy.start, late=late))
        legacy.callbacks[0](error)
        in_thread(legacy.callbacks[0], None, "value")
        return was_cancelled

    assert run(main) is True
    assert [error] == late.errors


def test_a_failure_that_comes_with_the_cancellation_is_late(run: Run, late: RecordingNext) -> None:
    """A failure that was there already when the await was cancelled was not seen by it."""
    legacy, error = Legacy(), Boom()

    async def call() -> None:
        await promisify(legacy.start, late=late)()

    async def main() -> None:
        if _is_asyncio():
            task = asyncio.ensure_future(call())
            await pause()
            legacy.callbacks[0](error)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            return
        with trio.CancelScope() as scope:
            soon(lambda: (legacy.callbacks[0](error), scope.cancel()))
            await call()
        assert scope.cancelled_caught

    run(main)
    assert [error] == late.errors


def _is_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("backend", ["asyncio", "uvloop"])
@pytest.mark.parametrize("outcome", [(Boom("late"),), (None, 1)])
def test_a_callback_after_the_loop_has_closed(
    backend: str, late: RecordingNext, outcome: tuple[Any, ...]
) -> None:
    """An error is late, whoever still holds the task; nothing is raised in the library's thread."""
    legacy = Legacy()
    loop = LOOPS[backend]()
    call: Any = promisify(legacy.start, late=late)()
    try:
        loop.call_soon(lambda: tasks.append(loop.create_task(call)))
        tasks: list[asyncio.Task[Any]] = []
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
    in_thread(legacy.callbacks[0], *outcome)
    legacy.callbacks[0](Boom("another"))
    assert [str(error) for error in late.errors] == (["late"] if outcome[0] else []) + ["another"]
    tasks[0]._log_destroy_pending = False  # type: ignore[attr-defined]
    call.close()


def test_a_callback_after_trio_has_ended(late: RecordingNext) -> None:
    """An error is late; nothing is raised in the library's thread."""
    legacy, error = Legacy(), Boom()

    async def main() -> None:
        with trio.move_on_after(0):
            await promisify(legacy.start, late=late)()

    trio.run(main)
    in_thread(legacy.callbacks[0], error)
    assert [error] == late.errors


@pytest.mark.parametrize("backend", ["asyncio", "uvloop"])
def test_a_failure_on_its_way_when_the_loop_closes_is_late(
    backend: str, late: RecordingNext
) -> None:
    """A loop that closes before it woke the task loses nothing."""
    legacy, error = Legacy(), Boom()
    loop = LOOPS[backend]()
    task = loop.create_task(promisify(legacy.start, late=late)())
    loop.run_until_complete(asyncio.sleep(0))
    in_thread(legacy.callbacks.pop(), error)
    loop.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    del task, loop
    gc.collect()
    assert [error] == late.errors


# Rule 4: at any moment, on any thread, or never.


def test_on_the_loops_own_thread_no_pipe_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is not woken through its pipe where the callback comes on its own thread."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_soon_threadsafe", None)
        return await promisify(calls(soon, None, 1))()

    assert run_on("asyncio", main) == 1


def test_from_a_finaliser(run: Run) -> None:
    """An object that calls back when it is collected does so on whatever thread."""

    class Last:
        def __init__(self, callback: Callable[..., Any]) -> None:
            self.callback = callback

        def __del__(self) -> None:
            self.callback(None, "collected")

    kept: list[Last] = []

    async def main() -> Any:
        soon(kept.clear)
        return await promisify(lambda callback: kept.append(Last(callback)))()

    assert run(main) == "collected"


@pytest.mark.parametrize("when", ["at once", "later", "in a thread"])
def test_a_callback_that_is_dropped_uncalled_fails_the_await(run: Run, when: str) -> None:
    """It fails with `CallbackNeverCalled`, which names the function, instead of hanging."""
    legacy = Legacy()

    def drops(callback: Callable[..., Any]) -> None:
        legacy.start(callback)
        del callback
        {"at once": at_once, "later": soon, "in a thread": in_thread}[when](legacy.callbacks.clear)

    with pytest.raises(CallbackNeverCalled, match="drops was dropped without having been called"):
        run(promisify(drops))


def test_a_callback_that_is_dropped_in_a_cycle_is_found(run: Run) -> None:
    """Where the library leaves the callback in a reference cycle, the collector finds it."""

    def drops(callback: Callable[..., Any]) -> None:
        cycle: list[Any] = [callback]
        cycle.append(cycle)

    async def main() -> None:
        soon(gc.collect)
        await promisify(drops)()

    with pytest.raises(CallbackNeverCalled):
        run(main)


def test_timeout(run: Run, late: RecordingNext) -> None:
    """The await fails with `TimeoutError`, in seconds; a failure that comes then is late."""
    legacy, error = Legacy(), Boom()
    with pytest.raises(TimeoutError, match=r"start did not call back within 0\.01 seconds"):
        run(promisify(legacy.start, timeout=0.01, late=late))
    legacy.callbacks[0](error)
    assert [error] == late.errors


def test_a_timeout_that_is_not_reached(run: Run, late: RecordingNext) -> None:
    """Nothing of it is left."""
    assert run(promisify(calls(soon, None, 1), timeout=3600, late=late)) == 1
    assert run(promisify(calls(at_once, None, 1), timeout=3600, late=late)) == 1
    assert [] == late.errors


def test_a_function_that_raises_at_once(run: Run, late: RecordingNext) -> None:
    """Its error is the await's; a callback that comes still is late."""
    legacy, error = Legacy(), Boom()

    def raises(callback: Callable[..., Any]) -> None:
        legacy.start(callback)
        raise error

    with pytest.raises(Boom) as caught:
        run(promisify(raises, late=late))
    assert caught.value is error
    second = Boom("second")
    legacy.callbacks[0](second)
    assert [second] == late.errors


def test_an_awaitable_that_is_returned_is_awaited(run: Run) -> None:
    """A function that returns an awaitable and never calls back gives what that gives."""

    async def work(value: Any) -> Any:
        await pause()
        if isinstance(value, Exception):
            raise value
        return value

    assert run(promisify(lambda value, callback: work(value)), 1) == 1
    assert run(promisify(lambda value, callback: work(value)), None) is None
    with pytest.raises(Boom):
        run(promisify(lambda value, callback: work(value)), Boom())


def test_an_awaitable_that_calls_back(run: Run, late: RecordingNext) -> None:
    """What comes first wins: the callback within, whose awaitable works on; its failure is late."""
    done: list[str] = []
    error = Boom()

    async def work(callback: Callable[..., Any]) -> None:
        callback(None, "called back")
        await pause()
        await pause()
        done.append("worked on")
        raise error

    async def main() -> Any:
        value = await promisify(lambda callback: work(callback), late=late)()
        for _ in range(5):
            await pause()
        return value

    assert run(main) == "called back"
    assert [*done, *late.errors] == ["worked on", error]


def test_an_awaitable_that_gives_none_leaves_the_callback_its_turn(run: Run) -> None:
    """``None`` is no outcome while the callback may still be called."""
    legacy = Legacy()

    async def start(callback: Callable[..., Any]) -> None:
        legacy.start(callback)

    async def main() -> Any:
        soon(soon, soon, soon, lambda: legacy.callbacks[0](None, "value"))
        return await promisify(lambda callback: start(callback))()

    assert run(main) == "value"


def test_an_awaitable_with_a_value_wins_over_a_callback_that_is_kept(run: Run) -> None:
    """A value is an outcome, whoever still holds the callback."""
    legacy = Legacy()

    async def start(callback: Callable[..., Any]) -> str:
        legacy.start(callback)
        return "returned"

    assert run(promisify(lambda callback: start(callback))) == "returned"


@pytest.mark.parametrize("backend", LOOPS)
def test_a_returned_awaitable_that_is_cancelled_within_does_not_hang(backend: str) -> None:
    """Somebody else's cancellation is a failure here, told as one."""

    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CallbackError) as caught:
        run_on(backend, promisify(lambda callback: work()))
    assert isinstance(caught.value.value, asyncio.CancelledError)


# Rule 5: context variables.


def test_context_variables_are_those_of_the_caller(run: Run, moment: Callable[..., None]) -> None:
    """What runs after the await sees what the caller set, whatever the library's thread has."""

    def function(callback: Callable[..., Any]) -> None:
        contextvars.copy_context().run(VARIABLE.set, "library")
        moment(lambda: (VARIABLE.set("thread"), callback(None))[0])

    async def main() -> str:
        VARIABLE.set("caller")
        await promisify(function)()
        return VARIABLE.get()

    expected = "thread" if moment is at_once else "caller"
    assert expected == run(main)


# Rule 6: cancellation.


class Operation:
    """What some libraries return, to be cancelled."""

    def __init__(self, effect: Callable[[], Any] = lambda: None) -> None:
        self.cancelled = 0
        self.effect = effect

    def cancel(self) -> Any:
        """Count."""
        self.cancelled += 1
        return self.effect()


def starts(operation: Operation, kept: list[Any]) -> Callable[..., Operation]:
    """Make a function that returns its operation, and never calls back."""

    def start(callback: Callable[..., Any]) -> Operation:
        kept.append(callback)
        return operation

    return start


def test_cancelling_the_await_cancels_what_was_returned(run: Run) -> None:
    """Once; and nothing where the outcome has come."""
    operation, kept = Operation(), list[Any]()

    async def main() -> bool:
        return await cancel_while_pending(promisify(starts(operation, kept)))

    assert run(main) is True
    assert operation.cancelled == 1


def test_on_cancel_takes_the_place_of_cancel(run: Run) -> None:
    """It is called once, with what was returned if it takes an argument."""
    operation, kept, heard = Operation(), list[Any](), list[Any]()
    start = starts(operation, kept)

    async def main() -> None:
        assert await cancel_while_pending(promisify(start, on_cancel=heard.append))
        assert await cancel_while_pending(promisify(start, on_cancel=lambda: heard.append("none")))

    run(main)
    assert heard == [operation, "none"]
    assert operation.cancelled == 0


def test_on_cancel_is_not_called_after_an_outcome(run: Run) -> None:
    """An await that ended, with a value or a failure, cancels nothing."""
    operation = Operation()

    def start(callback: Callable[..., Any]) -> Operation:
        soon(callback, None, 1)
        return operation

    assert run(promisify(start)) == 1
    assert operation.cancelled == 0


def test_a_timeout_cancels_as_well(run: Run) -> None:
    """An await that gives up lets the library know."""
    operation, kept = Operation(), list[Any]()
    with pytest.raises(TimeoutError):
        run(promisify(starts(operation, kept), timeout=0.001))
    assert operation.cancelled == 1


def test_a_library_that_calls_back_in_its_cancel(run: Run, late: RecordingNext) -> None:
    """Its error, ECANCELLED for one, comes after the cancellation: it is late."""
    kept: list[Any] = []
    operation = Operation(lambda: kept[0](24))

    async def main() -> bool:
        return await cancel_while_pending(promisify(starts(operation, kept), late=late))

    assert run(main) is True
    assert [error.value for error in late.errors if isinstance(error, CallbackError)] == [24]


def test_an_on_cancel_that_fails_or_awaits(run: Run, late: RecordingNext) -> None:
    """What it raises, at once or awaited, is late, and hides no cancellation."""
    at_once_error, later_error, done = Boom("at once"), Boom("later"), list[str]()

    def raises() -> None:
        raise at_once_error

    async def raises_later() -> None:
        await pause()
        raise later_error

    async def works() -> None:
        await pause()
        done.append("done")

    async def main() -> None:
        legacy = Legacy()
        for on_cancel in (raises, raises_later, works):
            start = promisify(legacy.start, on_cancel=on_cancel, late=late)
            assert await cancel_while_pending(start)
        for _ in range(5):
            await pause()

    run(main)
    assert [at_once_error, later_error] == late.errors
    assert done == ["done"]


def test_a_cancellation_that_comes_back_as_a_late_error_is_no_news(
    run: Run, late: RecordingNext
) -> None:
    """The cancellation that the library reports for what was cancelled is no failure."""
    legacy = Legacy()

    async def main() -> None:
        assert await cancel_while_pending(promisify(legacy.start, late=late))
        legacy.callbacks[0](concurrent.futures.CancelledError())
        legacy.callbacks[0](asyncio.CancelledError())

    run(main)
    assert [] == late.errors


def test_cancelling_cancels_the_returned_awaitable(run: Run) -> None:
    """A coroutine that the function returned is cancelled with the await."""
    heard: list[str] = []

    async def work() -> None:
        try:
            while True:
                await pause_for_ever()
        except BaseException as error:
            heard.append(type(error).__name__)
            raise

    async def main() -> None:
        assert await cancel_while_pending(promisify(lambda callback: work()))
        for _ in range(5):
            await pause()

    run(main)
    assert heard in (["CancelledError"], ["Cancelled"])


async def pause_for_ever() -> None:
    """Wait for nothing, in either kind of loop."""
    if _is_asyncio():
        await asyncio.Event().wait()
    else:
        await trio.sleep_forever()


# Rule 7: what a future cannot hold.


@pytest.mark.parametrize(
    "error",
    [
        StopIteration(1),
        asyncio.CancelledError("other"),
        KeyboardInterrupt(),
        SystemExit(3),
        GeneratorExit(),
        BaseExceptionGroup("group", [KeyboardInterrupt()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_a_future_cannot_hold_is_turned_into_one_that_it_can(
    run: Run, moment: Callable[..., None], error: BaseException
) -> None:
    """It becomes a `CallbackError` with the original as value and cause; nothing hangs."""
    with pytest.raises(CallbackError) as caught:
        run(promisify(calls(moment, error)))
    assert caught.value.value is error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [StopAsyncIteration(), concurrent.futures.CancelledError()])
def test_an_error_that_a_future_can_hold_stays_as_it_is(run: Run, error: Exception) -> None:
    """Other exceptions are raised as they are."""
    with pytest.raises(type(error)) as caught:
        run(promisify(calls(soon, error)))
    assert caught.value is error


# Rule 9: promisified forms, methods, signatures.


def test_promisifying_twice_is_promisifying_once() -> None:
    """``promisify(promisify(f))`` is ``promisify(f)``."""
    function = calls(soon, None, 1)
    assert promisify(promisify(function)) is promisify(function)
    promisified = promisify(function, timeout=1)
    assert promisify(promisified) is promisified
    assert promisify(function, timeout=1) is not promisified


def test_a_promisified_form_of_its_own_is_used(run: Run) -> None:
    """``__promisified__`` on a function, also for its bound method."""

    async def own_form(self: Any, value: int) -> tuple[Any, int]:
        return self, value

    class Library:
        def read(self, value: int, callback: Callable[..., Any]) -> None:
            """Not be called."""

    Library.read.__promisified__ = own_form  # type: ignore[attr-defined]
    library = Library()
    assert promisify(Library.read) is own_form
    assert run(promisify(library.read), 1) == (library, 1)

    async def of_object() -> str:
        return "own"

    legacy = Legacy()
    legacy.__promisified__ = of_object  # type: ignore[attr-defined]
    assert run(promisify(legacy)) == "own"
    legacy.__promisified__ = 5  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="__promisified__ must be an async function: got 5"):
        promisify(legacy)


class Client:
    """A class whose methods call back."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, key: str, callback: Callable[..., Any]) -> None:
        """Read a key."""
        soon(callback, None, f"{self.name}.{key}")

    @classmethod
    def connect(cls, callback: Callable[..., Any]) -> None:
        """Connect."""
        soon(callback, None, cls)

    @staticmethod
    def ping(callback: Callable[..., Any]) -> None:
        """Ping."""
        soon(callback, None, "pong")

    read_async = promisify(read)
    connect_async = promisify(connect)
    ping_async = promisify(ping)


def test_methods_bind(run: Run) -> None:
    """In a class body, from outside, from an instance; class methods and static methods too."""
    client = Client("a")
    assert run(client.read_async, "x") == "a.x"
    assert run(promisify(client.read), "x") == "a.x"
    assert run(promisify(Client.read), client, "x") == "a.x"
    assert run(client.connect_async) is Client
    assert run(Client.connect_async) is Client
    assert run(client.ping_async) == "pong"
    assert promisify(client.read_async) == client.read_async


def test_the_signature_is_the_functions_less_the_callback() -> None:
    """Name, doc, parameters and hints answer as the function's; the kind is a coroutine's."""

    def read(path: str, size: int = -1, *, flag: bool = False, callback: object = None) -> int:
        """Read a file."""
        return 0

    promisified = promisify(read, callback="callback")
    assert (
        str(inspect.signature(promisified))
        == "(path: 'str', size: 'int' = -1, *, flag: 'bool' = False)"
    )
    assert inspect.iscoroutinefunction(promisified)
    assert inspect.unwrap(promisified) is read
    assert (promisified.__name__, promisified.__doc__) == ("read", "Read a file.")
    assert promisified.__qualname__ == read.__qualname__
    assert set(promisified.__annotations__) == {"path", "size", "flag"}
    assert str(inspect.signature(promisify(read, callback=1))) == (
        "(path: 'str', *, flag: 'bool' = False, callback: 'object' = None)"
    )


def test_defaults_before_the_callback_may_be_left_out(run: Run) -> None:
    """The callback goes to its own parameter, never into another one."""

    def read(path: str, encoding: str = "utf8", callback: Any = None) -> None:
        soon(callback, None, path, encoding)

    def positional_only(path: str, encoding: str = "utf8", callback: Any = None, /) -> None:
        soon(callback, None, path, encoding)

    for function in (read, positional_only):
        assert run(promisify(function), "a") == ("a", "utf8")
        assert run(promisify(function), "a", "ascii") == ("a", "ascii")
    assert run(functools.partial(promisify(read), encoding="latin1"), "a") == ("a", "latin1")


@pytest.mark.parametrize(
    ("place", "expected"), [(0, (1, 2)), (1, (1, 2)), (-1, (1, 2)), (-2, (1, 2))]
)
def test_the_callback_at_an_index(run: Run, place: int, expected: tuple[int, int]) -> None:
    """An index counts all arguments; a negative one from their end."""

    def function(*args: Any) -> None:
        args_without = [arg for arg in args if not callable(arg)]
        assert callable(args[place])
        soon(args[place], None, *args_without)

    assert expected == run(promisify(function, callback=place), 1, 2)


def test_the_callback_in_the_middle_of_named_parameters(run: Run) -> None:
    """It is inserted where the function has it."""

    def function(a: int, callback: Any, b: int = 5) -> None:
        soon(callback, None, a, b)

    promisified = promisify(function, callback=1)
    assert list(inspect.signature(promisified).parameters) == ["a", "b"]
    assert run(promisified, 1, 2) == (1, 2)
    assert run(promisified, 1) == (1, 5)
    assert run(functools.partial(promisified, a=1, b=2)) == (1, 2)


def test_two_callbacks_in_the_middle_and_with_defaults(run: Run) -> None:
    """Each goes to its own place."""

    def function(a: int, ok: Any = None, b: int = 5, fail: Any = None) -> None:
        soon(ok, a, b) if b else soon(fail, "no b")

    promisified = promisify(function, convention=two_callbacks(success=1, error=3))
    assert run(promisified, 1) == (1, 5)
    assert run(promisified, 1, 2) == (1, 2)
    with pytest.raises(CallbackError, match="no b"):
        run(promisified, 1, 0)


def test_a_call_that_leaves_no_place_for_the_callback_says_so(run: Run) -> None:
    """Too few arguments, or the callback's own keyword, are the caller's mistake, named."""
    with pytest.raises(TypeError, match="needs 2 arguments before its callback: got 1"):
        run(promisify(lambda *args: None, callback=2), 1)

    def read(path: str, mode: str, callback: Any) -> None:
        """Not be called."""

    with pytest.raises(TypeError, match="mode"):
        run(promisify(read), "a")
    mine = functools.partial(promisify(read), callback=print)
    with pytest.raises(TypeError, match=r"callback=.*that is where its callback goes"):
        run(mine, "a")


def test_a_function_without_a_signature(run: Run) -> None:
    """What shows no signature gets the callback last, or under the keyword."""

    class Opaque:
        __signature__ = "none"

        def __call__(self, *args: Any, on_done: Any = None) -> None:
            (on_done or args[-1])(None, *args[:1])

    assert run(promisify(Opaque()), 1) == 1
    assert run(promisify(Opaque(), callback="on_done"), 1) == 1


def test_partials_and_callable_objects(run: Run) -> None:
    """They have a name and a signature as well."""
    client = Client("a")
    partial = promisify(functools.partial(client.read, "x"))
    assert run(partial) == "a.x"
    assert partial.__name__ == "read"

    class Reads:
        def __call__(self, key: str, callback: Callable[..., Any]) -> None:
            soon(callback, None, key)

    assert run(promisify(Reads()), "k") == "k"


def test_a_keyword_callback(run: Run) -> None:
    """``callback="on_delivery"``, also where the function takes any keyword."""

    def produce(topic: str, on_delivery: Any = None) -> None:
        soon(on_delivery, None, topic)

    def anything(topic: str, **options: Any) -> None:
        soon(options["on_delivery"], None, topic)

    for function in (produce, anything):
        assert run(promisify(function, callback="on_delivery"), "t") == "t"


def test_the_future_convention(run: Run) -> None:
    """A function that returns something with `add_done_callback` takes no callback."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        submit = promisify(pool.submit, convention=future)
        assert run(submit, divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            run(submit, divmod, 7, 0)
    assert inspect.signature(submit) == inspect.signature(pool.submit).replace(
        return_annotation=inspect.Signature.empty
    )
    with pytest.raises(TypeError, match=r"has to return a future-like.*got 5"):
        run(promisify(lambda: 5, convention=future))


# What bad input gets.


async def an_async_function(callback: Any) -> None:
    """Never call back."""


async def an_async_generator(callback: Any) -> Any:
    """Never call back."""
    yield


def a_generator(callback: Any) -> Iterator[None]:
    """Never call back."""
    yield


class AsyncCall:
    """An object whose call is async."""

    async def __call__(self, callback: Any) -> None:
        """Never call back."""


@pytest.mark.parametrize(
    ("function", "options", "error", "message"),
    [
        (5, {}, TypeError, r"promisify\(\) takes a function that calls back: got 5"),
        (an_async_function, {}, TypeError, "an_async_function is a coroutine function"),
        (an_async_generator, {}, TypeError, "is an async generator function"),
        (a_generator, {}, TypeError, "a_generator is a generator function"),
        (AsyncCall(), {}, TypeError, "coroutine function, which never calls back"),
        (lambda: None, {}, TypeError, r"\(\) takes no positional argument.*callback='...'"),
        (lambda a: None, {"callback": "b"}, TypeError, r"\(a\) takes no keyword 'b'"),
        (lambda b, /: None, {"callback": "b"}, TypeError, "takes no keyword 'b'"),
        (lambda a: None, {"callback": 1}, ValueError, r"\(a\) has no position 1"),
        (lambda a: None, {"callback": -2}, ValueError, "no position -2"),
        (lambda a: None, {"callback": True}, TypeError, "an index .* or a keyword .*: got True"),
        (lambda a: None, {"callback": 1.5}, TypeError, "got 1.5"),
        (lambda a: None, {"callback": "not a name"}, TypeError, "got 'not a name'"),
        (lambda a: None, {"convention": "error_first"}, TypeError, "`convention`.*'error_first'"),
        (lambda a: None, {"convention": None}, TypeError, "`convention` takes .*: got None"),
        (lambda a: None, {"convention": two_callbacks()}, ValueError, "no position -2"),
        (lambda a: None, {"convention": future, "callback": 0}, TypeError, "has no meaning"),
        (
            lambda a, b: None,
            {"convention": two_callbacks(), "callback": 0},
            TypeError,
            "has no meaning with TwoCallbacks",
        ),
        (lambda a: None, {"error": 5}, TypeError, "`error` takes .*: got 5"),
        (lambda a: None, {"late": 5}, TypeError, "`late` takes .*: got 5"),
        (lambda a: None, {"on_cancel": 5}, TypeError, "`on_cancel` takes .*: got 5"),
        (lambda a: None, {"timeout": "1"}, TypeError, "`timeout` takes seconds.*'1'"),
        (lambda a: None, {"timeout": True}, TypeError, "`timeout` takes seconds.*True"),
        (lambda a: None, {"timeout": 0}, ValueError, "above 0: got 0"),
        (lambda a: None, {"timeout": -1}, ValueError, "above 0: got -1"),
        (lambda a: None, {"timeout": float("nan")}, ValueError, "above 0: got nan"),
        (lambda a: None, {"timeout": float("inf")}, ValueError, "above 0: got inf"),
    ],
)
def test_bad_input_is_refused_at_wrap_time(
    function: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The error says what was expected, what came, and how to put it right."""
    with pytest.raises(error, match=message):
        promisify(function, **options)


@pytest.mark.parametrize(
    ("places", "error"),
    [
        ({"success": 1.5}, TypeError),
        ({"error": None}, TypeError),
        ({"success": "a b"}, TypeError),
        ({"success": 1, "error": 1}, ValueError),
    ],
)
def test_bad_places_of_two_callbacks_are_refused(
    places: dict[str, Any], error: type[Exception]
) -> None:
    """They are told where they are written."""
    with pytest.raises(error, match="two_callbacks"):
        two_callbacks(**places)


# Nothing is kept, nothing grows.


def test_no_reference_cycle_is_left(run: Run, moment: Callable[..., None]) -> None:
    """The failure, and what it holds, is freed without the garbage collector."""

    class Held(Boom):
        """Can be watched."""

    gone: list[weakref.ref[BaseException]] = []

    def function(callback: Callable[..., Any]) -> None:
        error = Held()
        gone.append(weakref.ref(error))
        moment(callback, error)

    async def main() -> None:
        with pytest.raises(Held):
            await promisify(function)()
        await pause()

    gc.collect()
    gc.disable()
    try:
        run(main)
        assert [None] == [ref() for ref in gone]
    finally:
        gc.enable()


def test_one_error_for_many_waiters_does_not_grow(run: Run) -> None:
    """The traceback of an error that many tasks wait for starts anew in each."""
    error = Boom()
    lengths: list[int] = []

    async def main() -> None:
        for _ in range(3):
            legacy = Legacy()
            soon(lambda legacy=legacy: legacy.callbacks[0](error))
            try:
                await promisify(legacy.start)()
            except Boom as caught:
                traceback = caught.__traceback__
                lengths.append(0)
                while traceback is not None:
                    lengths[-1] += 1
                    traceback = traceback.tb_next
            error.__traceback__ = None

    run(main)
    assert lengths == [2, 2, 2]


def test_the_arguments_are_not_kept_while_it_waits(run: Run) -> None:
    """What the library let go of is freed while the call is pending."""

    class Payload:
        """Can be watched."""

    legacy = Legacy()

    async def main() -> Any:
        def check() -> None:
            legacy.callbacks[0](None, ref() is None)

        payload = Payload()
        ref = weakref.ref(payload)
        call = promisify(lambda _payload, callback: legacy.start(callback))(payload)
        del payload
        soon(check)
        return await call

    assert run(main) is True


def test_the_callback_has_a_name_and_tells_its_state(run: Run) -> None:
    """Libraries that log ``callback.__name__`` find one; `repr` says whether it was called."""
    seen: list[str] = []

    def function(callback: Any) -> None:
        seen.append(callback.__name__)
        seen.append(repr(callback))
        callback(None)
        seen.append(repr(callback).rpartition(": ")[2])
        weakref.ref(callback)

    run(promisify(function))
    assert seen[0] == "function"
    assert seen[1].startswith("<callback of test_the_callback")
    assert seen[2] == "called>"


def test_a_thousand_at_once(run: Run) -> None:
    """Each call has its own outcome."""

    def function(value: int, callback: Any) -> None:
        soon(callback, None if value % 3 else Boom(value), value)

    async def call(value: int, outcomes: list[Any]) -> None:
        try:
            outcomes.append(await promisify(function)(value))
        except Boom as error:
            outcomes.append(-error.args[0])

    async def main() -> list[Any]:
        outcomes: list[Any] = []
        if _is_asyncio():
            await asyncio.gather(*(call(value, outcomes) for value in range(1000)))
        else:
            async with trio.open_nursery() as nursery:
                for value in range(1000):
                    nursery.start_soon(call, value, outcomes)
        return sorted(outcomes)

    assert run(main) == sorted(value if value % 3 else -value for value in range(1000))


def test_error_first_is_the_usual_convention() -> None:
    """It reads as design.md says."""
    assert error_first(None, 1, 2) == (None, (1, 2))
    assert error_first("boom", 1) == ("boom", (1,))


def test_a_finaliser_at_exit_stays_silent() -> None:
    """Callbacks that are alive when the interpreter ends are not reported as never called."""
    program = "import asyncio, catchasync\nkept = [catchasync.wrap_callback(print)]\nprint('end')\n"
    result = run_python(program)
    assert (result.stdout, result.stderr) == ("end\n", "")


def test_as_awaitable_within_a_thread_pool(run: Run) -> None:
    """Threads and loops meet: a pool's future awaited, its thread still alive afterwards."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        names = {run(lambda: as_awaitable(pool.submit(threading.get_ident))) for _ in range(3)}
    assert len(names) == 1


@pytest.mark.parametrize("outcome", [(None, 7), (Boom(),)], ids=["value", "error"])
def test_an_outcome_that_comes_while_the_wait_is_made(
    run: Run, monkeypatch: pytest.MonkeyPatch, outcome: tuple[Any, ...]
) -> None:
    """Another thread may call back between the look for an outcome and the wait for one."""
    held: list[Callable[..., None]] = []

    def waiter_too_late() -> Any:
        in_thread(held.pop(), *outcome)
        return new_waiter()

    monkeypatch.setattr("catchasync._promisify.new_waiter", waiter_too_late)
    read = promisify(held.append)
    if len(outcome) == 1:
        with pytest.raises(Boom):
            run(read)
    else:
        assert 7 == run(read)
