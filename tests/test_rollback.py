"""Rollback: what was done is undone where a later step fails."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import logging
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import Any
from unittest import mock

import anyio
import pytest
import trio
import uvloop

from catchasync import Rollback
from catchasync._rollback import logger
from catchasync.testing import RecordingNext
from tests.support import Boom, once, raiser

FORMS = ("with", "async with")
LOOPS = ("asyncio", "uvloop", "trio")

FAILURES = (
    Boom("first"),
    ExceptionGroup("many", [Boom("one"), Boom("two")]),
    BaseExceptionGroup("base", [KeyboardInterrupt()]),
    KeyboardInterrupt(),
    SystemExit(3),
    asyncio.CancelledError(),
    GeneratorExit(),
)


def run_block(form: str, undo: Rollback, body: Callable[[Rollback], Any]) -> None:
    """Run a body in the block, of either form."""

    async def block() -> None:
        async with undo as entered:
            body(entered)

    if form == "async with":
        with asyncio.Runner() as runner:
            runner.run(block())
    else:
        with undo as entered:
            body(entered)


def run_on(loop: str, function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function on a loop."""
    if loop == "trio":
        return trio.run(function)
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(function())


def adder(function: Any) -> Callable[[Rollback], Any]:
    """Make a body that adds one function."""
    return lambda undo: undo.add(function)


async def pause(loop: str = "asyncio") -> None:
    """Let the others on the loop run."""
    await (trio.sleep if loop == "trio" else asyncio.sleep)(0)


def failing(undo: Rollback, error: BaseException, *steps: Callable[[], Any]) -> None:
    """Add the steps, and fail."""
    for step in steps:
        undo.add(step)
    raise error


@pytest.mark.parametrize("form", FORMS)
class TestBothForms:
    """`with` and `async with` promise the same."""

    def test_nothing_is_undone_where_the_block_succeeds(self, form: str) -> None:
        """Compensation is for failures only."""
        done: list[str] = []

        run_block(form, Rollback(), lambda undo: undo.add(done.append, "undone"))
        assert [] == done

    def test_the_last_is_undone_first(self, form: str) -> None:
        """Steps are undone in the opposite of their order, with the arguments they were given."""
        done: list[tuple[Any, ...]] = []

        def note(*args: int, **kwargs: int) -> None:
            done.append((args, kwargs))

        def body(undo: Rollback) -> None:
            undo.add(note, 1)
            undo.add(note, 2, x=3)
            undo.add(note)
            raise Boom

        with pytest.raises(Boom):
            run_block(form, Rollback(), body)
        assert [((), {}), ((2,), {"x": 3}), ((1,), {})] == done

    @pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
    def test_any_failure_counts(self, form: str, error: BaseException) -> None:
        """Whatever leaves the block, a cancellation or an exit too, undoes it, and goes on."""
        done: list[str] = []

        def body(undo: Rollback) -> None:
            failing(undo, error, lambda: done.append("undone"))

        with pytest.raises(type(error)) as caught:
            run_block(form, Rollback(), body)
        assert ["undone"] == done
        if form == "with":  # `Runner.run` replaces a cancellation
            assert error is caught.value

    @pytest.mark.parametrize("broken", FAILURES, ids=lambda error: type(error).__name__)
    def test_a_failing_compensation_hides_nothing(self, form: str, broken: BaseException) -> None:
        """The first error goes on; the other is reported and noted; the other steps still run."""
        if isinstance(broken, GeneratorExit):
            return
        first, done, report = Boom("first"), list[str](), RecordingNext()

        def body(undo: Rollback) -> None:
            steps = (lambda: done.append("early"), raiser(broken), lambda: done.append("late"))
            failing(undo, first, *steps)

        with pytest.raises(Boom) as caught:
            run_block(form, Rollback(report), body)
        assert first is caught.value
        assert ["late", "early"] == done
        assert [broken] == report.errors
        [note] = first.__notes__
        assert "raiser.<locals>.body failed" in note
        assert type(broken).__name__ in note

    def test_the_default_report_is_the_log(
        self, form: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A compensation that fails is an error on the logger `catchasync`, with its traceback."""
        broken = Boom("broken")

        with pytest.raises(ValueError, match="first"):
            run_block(
                form, Rollback(), lambda undo: failing(undo, ValueError("first"), raiser(broken))
            )
        [record] = caplog.records
        assert ("catchasync", logging.ERROR) == (record.name, record.levelno)
        assert "compensation raiser.<locals>.body failed" == record.getMessage()
        assert record.exc_info
        assert broken is record.exc_info[1]

    def test_several_failing_compensations(self, form: str) -> None:
        """Each is reported and noted."""
        report, first, two, one = RecordingNext(), Boom("first"), Boom("two"), Boom("one")

        with pytest.raises(Boom):
            run_block(
                form, Rollback(report), lambda undo: failing(undo, first, raiser(one), raiser(two))
            )
        assert [two, one] == report.errors
        assert ["two", "one"] == [note.rpartition(" ")[2] for note in first.__notes__]

    def test_a_report_that_fails(self, form: str, caplog: pytest.LogCaptureFixture) -> None:
        """Its error is logged once, and changes nothing."""
        done: list[str] = []

        with pytest.raises(Boom, match="first"):
            run_block(
                form,
                Rollback(raiser(ValueError("report"))),
                lambda undo: failing(
                    undo, Boom("first"), lambda: done.append("undone"), raiser(Boom("step"))
                ),
            )
        assert ["undone"] == done
        [record] = caplog.records
        assert "`report` of a rollback failed on Boom: step" == record.getMessage()

    def test_an_async_report(self, form: str, caplog: pytest.LogCaptureFixture) -> None:
        """It is seen through, and its own failure logged."""
        broken, seen = Boom("step"), list[BaseException]()

        async def report(error: BaseException) -> None:
            await asyncio.sleep(0)
            seen.append(error)
            raise LookupError

        with pytest.raises(Boom, match="first"):
            run_block(
                form, Rollback(report), lambda undo: failing(undo, Boom("first"), raiser(broken))
            )
        assert [broken] == seen
        [record] = caplog.records
        assert "`report` of a rollback failed" == record.getMessage()

    def test_an_error_that_takes_no_note(self, form: str, caplog: pytest.LogCaptureFixture) -> None:
        """It goes on as it came; only that no note could be left is logged, for who looks."""
        first = Boom("first")
        first.__notes__ = "not a list"  # type: ignore[assignment]
        report = RecordingNext()

        with caplog.at_level(logging.DEBUG), pytest.raises(Boom, match="first"):
            run_block(form, Rollback(report), lambda undo: failing(undo, first, raiser(Boom(2))))
        assert 1 == len(report.errors)
        assert first.__notes__ == "not a list"  # type: ignore[comparison-overlap]
        levels = {record.levelno for record in caplog.records if record.name == "catchasync"}
        assert {logging.DEBUG} == levels

    def test_an_error_without_words(self, form: str) -> None:
        """A compensation whose error cannot be written is noted all the same."""

        class Mute(Exception):
            def __str__(self) -> str:
                raise Boom

        first, report = Boom("first"), RecordingNext()

        with pytest.raises(Boom, match="first"):
            run_block(form, Rollback(report), lambda undo: failing(undo, first, raiser(Mute())))
        assert ["compensation raiser.<locals>.body failed: Mute: <its str() failed>"] == (
            first.__notes__
        )

    def test_a_compensation_may_add_another(self, form: str) -> None:
        """What is added while undoing is undone too."""
        done: list[str] = []

        def body(undo: Rollback) -> None:
            undo.add(lambda: done.append("first"))
            undo.add(undo.add, done.append, "added")
            undo.add(done.append, "second")
            raise Boom

        with pytest.raises(Boom):
            run_block(form, Rollback(), body)
        assert ["second", "added", "first"] == done

    def test_add_returns_the_function(self, form: str) -> None:
        """So that it serves as a decorator."""
        done: list[str] = []

        def body(undo: Rollback) -> None:
            @undo.add
            def step() -> None:
                done.append("undone")

            assert "step" == step.__name__
            raise Boom

        with pytest.raises(Boom):
            run_block(form, Rollback(), body)
        assert ["undone"] == done

    def test_one_after_the_other(self, form: str) -> None:
        """A second block with the same object knows nothing of the first."""
        done: list[str] = []
        undo = Rollback()

        run_block(form, undo, lambda undo: undo.add(done.append, "first"))
        with pytest.raises(Boom):
            run_block(form, undo, lambda undo: failing(undo, Boom(), lambda: done.append("second")))
        with pytest.raises(Boom):
            run_block(form, undo, raiser(Boom()))
        assert ["second"] == done

    def test_not_one_in_the_other(self, form: str) -> None:
        """A block inside of its own block is refused."""
        undo = Rollback()

        with pytest.raises(RuntimeError, match="make one for each block"), undo:
            run_block(form, undo, lambda _undo: None)

    def test_outside_of_the_block(self, form: str) -> None:
        """Before and after it nothing would call the function: `add` says so."""
        undo = Rollback()

        with pytest.raises(RuntimeError, match=r"print was added outside of the block"):
            undo.add(print)
        run_block(form, undo, lambda _undo: None)
        with pytest.raises(RuntimeError, match=r"outside of the block"):
            undo.add(print)

    def test_what_cannot_be_called(self, form: str) -> None:
        """`undo.add(release())` instead of `undo.add(release)` fails where it is written."""
        with pytest.raises(TypeError, match=r"takes a function and its arguments \(got None\)"):
            run_block(form, Rollback(), lambda undo: undo.add(None))  # type: ignore[arg-type]

    def test_a_generator_function(self, form: str) -> None:
        """Calling it would run nothing: it is refused."""

        def generator() -> Iterator[int]:
            yield 1

        async def async_generator() -> AsyncIterator[int]:
            yield 1

        for function in (generator, async_generator):
            with pytest.raises(TypeError, match="is a generator function: calling it would undo"):
                run_block(form, Rollback(), adder(function))

    def test_nothing_is_kept(self, form: str) -> None:
        """What the steps held, and the errors, go without the garbage collector."""

        class Payload:
            pass

        def body(undo: Rollback) -> None:
            payload = Payload()
            alive.append(weakref.ref(payload))
            undo.add(lambda _payload: None, payload)
            undo.add(once(Boom("step")))
            raise Boom

        async def main() -> None:  # a loop would keep what leaves it
            with suppress(Boom):
                async with undo:
                    body(undo)
            assert [None] == [reference() for reference in alive]

        alive: list[weakref.ref[Payload]] = []
        undo = Rollback(lambda _error: None)
        gc.collect()
        gc.disable()
        try:
            if form == "async with":
                asyncio.run(main())
            else:
                with suppress(Boom), undo:
                    body(undo)
            assert [None] == [reference() for reference in alive]
        finally:
            gc.enable()


class TestSync:
    """`with`."""

    def test_an_async_function_is_refused(self) -> None:
        """A sync block could not await it: `add` fails, whatever the function is made of."""

        class AsyncObject:
            async def __call__(self) -> None: ...

            async def method(self) -> None: ...

        async def function() -> None: ...

        functions = (
            function,
            functools.partial(function),
            AsyncObject(),
            AsyncObject().method,
            mock.AsyncMock(),
        )
        for refused in functions:
            with (
                pytest.raises(TypeError, match="is async, and a sync `with` cannot"),
                Rollback() as u,
            ):
                u.add(refused)

    def test_its_message_says_what_to_write(self) -> None:
        """It names the function and the remedy."""

        async def release() -> None: ...

        with pytest.raises(TypeError, match=r"release is async.*async with Rollback\(\) as undo:"):
            run_block("with", Rollback(), lambda undo: undo.add(release))

    def test_a_class_and_a_builtin(self) -> None:
        """Whatever can be called can be added."""
        with pytest.raises(Boom), Rollback() as undo:
            undo.add(dict)
            undo.add(print, end="")
            raise Boom

    def test_a_function_that_turns_out_async(self) -> None:
        """A sync function that returns a coroutine cannot be told: it is run to its end."""
        done: list[str] = []
        report, first = RecordingNext(), Boom("first")

        async def release() -> None:
            await asyncio.sleep(0)
            done.append("undone")
            raise LookupError

        with pytest.raises(Boom), Rollback(report) as undo:
            undo.add(lambda: release())
            raise first
        assert ["undone"] == done
        assert [LookupError] == [type(error) for error in report.errors]
        assert 1 == len(first.__notes__)

    async def _on_a_loop(self) -> None:
        done = asyncio.Event()

        async def release() -> None:
            done.set()

        with pytest.raises(Boom), Rollback() as undo:
            undo.add(lambda: release())
            raise Boom
        await done.wait()

    def test_a_function_that_turns_out_async_on_a_loop(self) -> None:
        """There it is a kept task."""
        asyncio.run(self._on_a_loop())

    def test_in_an_exit_stack(self) -> None:
        """It is a context manager like any other."""
        done: list[str] = []

        with pytest.raises(Boom), ExitStack() as stack:
            stack.enter_context(Rollback()).add(done.append, "undone")
            raise Boom
        assert ["undone"] == done


@pytest.mark.parametrize("loop", LOOPS)
class TestAsync:
    """`async with`, on every loop."""

    def test_sync_and_async_steps(self, loop: str) -> None:
        """Both kinds may be added, and what turns out to be awaitable is awaited."""
        done: list[int] = []

        async def release(number: int) -> None:
            await pause(loop)
            done.append(number)

        async def main() -> None:
            async with Rollback() as undo:
                undo.add(release, 1)
                undo.add(done.append, 2)
                undo.add(lambda: release(3))
                raise Boom

        with pytest.raises(Boom):
            run_on(loop, main)
        assert [3, 2, 1] == done

    def test_a_failing_async_step(self, loop: str) -> None:
        """It is reported and noted, and the others still run."""
        done: list[str] = []
        first, report = Boom("first"), RecordingNext()

        async def broken() -> None:
            await pause(loop)
            raise LookupError

        async def main() -> None:
            async with Rollback(report) as undo:
                undo.add(done.append, "undone")
                undo.add(broken)
                raise first

        with pytest.raises(Boom):
            run_on(loop, main)
        assert ["undone"] == done
        assert [LookupError] == [type(error) for error in report.errors]
        assert 1 == len(first.__notes__)

    def test_context_variables(self, loop: str) -> None:
        """A step sees those of the block."""
        variable = contextvars.ContextVar("variable", default="outside")
        seen: list[str] = []

        async def release() -> None:
            seen.append(variable.get())

        async def main() -> None:
            async with Rollback() as undo:
                variable.set("inside")
                undo.add(release)
                raise Boom

        with pytest.raises(Boom):
            run_on(loop, main)
        assert ["inside"] == seen

    def test_a_timeout_inside_a_step(self, loop: str) -> None:
        """The shield is around the steps, not inside: a step may still give up by itself."""
        report = RecordingNext()

        async def release() -> None:
            if loop == "trio":
                with trio.fail_after(0):
                    await trio.sleep_forever()
            else:
                async with asyncio.timeout(0):
                    await asyncio.get_running_loop().create_future()

        async def main() -> None:
            async with Rollback(report) as undo:
                undo.add(release)
                raise Boom

        with pytest.raises(Boom):
            run_on(loop, main)
        assert 1 == len(report.errors)
        assert isinstance(report.errors[0], trio.TooSlowError if loop == "trio" else TimeoutError)


async def cancelled_while_undoing(
    error: BaseException | None, after: Callable[[], Awaitable[Any]] | None = None
) -> tuple[asyncio.Task[Any], list[str]]:
    """Fail in a block, by an error or a first cancellation, and cancel while it is undone."""
    done: list[str] = []
    undoing, go_on = asyncio.Event(), asyncio.Event()

    async def release(name: str) -> None:
        undoing.set()
        await go_on.wait()
        done.append(name)

    async def body() -> None:
        async with Rollback() as undo:
            undo.add(release, "first")
            undo.add(release, "second")
            if error is not None:
                raise error
            await asyncio.get_running_loop().create_future()

    async def block() -> None:
        try:
            await body()
        except Boom:
            done.append("caught")
            if after is None:
                raise
            await after()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    if error is None:
        task.cancel("first")
    await undoing.wait()
    for _ in range(3):
        task.cancel("again")
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait([task])
    return task, done


class TestCancellation:
    """A block that is cancelled is undone, and a further cancellation waits for that."""

    def test_a_cancelled_block(self) -> None:
        """Both steps are undone in spite of three more cancellations, and the task is cancelled."""
        task, done = asyncio.run(cancelled_while_undoing(None))
        assert ["second", "first"] == done
        assert task.cancelled()

    def test_a_failed_block(self) -> None:
        """The first error goes on, though the task was cancelled while undoing."""
        error = Boom()

        task, done = asyncio.run(cancelled_while_undoing(error))
        assert ["second", "first", "caught"] == done
        assert error is task.exception()

    def test_the_cancellation_is_not_lost(self) -> None:
        """Where the first error was caught, the cancellation comes at the next `await`."""
        task, done = asyncio.run(
            cancelled_while_undoing(Boom(), lambda: asyncio.get_running_loop().create_future())
        )
        assert ["second", "first", "caught"] == done
        assert task.cancelled()

    def test_a_timeout_around_it(self) -> None:
        """A timeout that ran out while undoing is taken back: nothing is cancelled afterwards."""

        async def main() -> str:
            async def release() -> None:
                await started.wait()

            started = asyncio.Event()
            loop = asyncio.get_running_loop()
            with suppress(Boom):
                async with asyncio.timeout(None) as timeout, Rollback() as undo:
                    undo.add(release)
                    timeout.reschedule(loop.time())
                    loop.call_later(0.01, started.set)
                    raise Boom
            for _ in range(5):
                await asyncio.sleep(0)
            return "went on"

        assert "went on" == asyncio.run(main())

    def test_a_timeout_that_cancels_the_block(self) -> None:
        """It is a `TimeoutError` afterwards, as without us."""
        done: list[str] = []

        async def release() -> None:
            await asyncio.sleep(0)
            done.append("undone")

        async def main() -> None:
            async with asyncio.timeout(0), Rollback() as undo:
                undo.add(release)
                await asyncio.get_running_loop().create_future()

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert ["undone"] == done

    def test_the_end_of_the_loop(self) -> None:
        """`asyncio.run` cancels what is left at its end: what is being undone is not among it."""
        done: list[str] = []

        async def release() -> None:
            await asyncio.sleep(0.01)
            done.append("undone")

        async def block() -> None:
            async with Rollback() as undo:
                undo.add(release)
                raise Boom

        async def main() -> asyncio.Task[None]:
            task = asyncio.create_task(block())
            for _ in range(3):
                await asyncio.sleep(0)
            return task

        task = asyncio.run(main())
        assert ["undone"] == done
        assert isinstance(task.exception(), Boom)

    def test_trio(self) -> None:
        """Under trio the block is undone in a shielded scope, and the cancellation goes on."""
        done: list[str] = []

        async def release() -> None:
            await trio.lowlevel.checkpoint()
            done.append("undone")

        async def main() -> bool:
            with trio.CancelScope() as scope:
                async with Rollback() as undo:
                    undo.add(release)
                    scope.cancel()
                    await trio.sleep_forever()
            return scope.cancelled_caught

        assert trio.run(main)
        assert ["undone"] == done

    def test_trio_while_undoing(self) -> None:
        """The first error goes on, and the scope's cancellation comes at the next checkpoint."""
        done: list[str] = []

        async def main() -> bool:
            async def release() -> None:
                scope.cancel()
                await trio.lowlevel.checkpoint()
                done.append("undone")

            with trio.CancelScope() as scope:
                try:
                    async with Rollback() as undo:
                        undo.add(release)
                        raise Boom
                except Boom:
                    done.append("caught")
                    await trio.lowlevel.checkpoint()
                    done.append("never")
            return scope.cancelled_caught

        assert trio.run(main)
        assert ["undone", "caught"] == done

    def test_anyio(self) -> None:
        """A scope of anyio's does not cancel over and over what is being undone."""
        done: list[str] = []
        rounds: list[int] = []

        async def release() -> None:
            await asyncio.sleep(0.01)
            done.append("undone")

        async def main() -> bool:
            loop = asyncio.get_running_loop()
            task: Any = asyncio.current_task()
            with anyio.CancelScope() as scope:
                async with Rollback() as undo:
                    undo.add(release)
                    undo.add(lambda: rounds.append(task.cancelling()))
                    loop.call_soon(scope.cancel)
                    try:
                        await anyio.sleep_forever()
                    finally:
                        loop.call_later(0.005, lambda: rounds.append(task.cancelling()))
            return scope.cancelled_caught

        assert asyncio.run(main())
        assert ["undone"] == done
        assert rounds[0] == rounds[1]

    def test_a_task_group(self) -> None:
        """A sibling that is cancelled by a task group is undone, and the group's error is whole."""
        done: list[str] = []

        async def sibling() -> None:
            async with Rollback() as undo:
                undo.add(asyncio.sleep, 0)
                undo.add(done.append, "undone")
                await asyncio.get_running_loop().create_future()

        async def failing_task() -> None:
            await asyncio.sleep(0)
            raise Boom

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(sibling())
                group.create_task(failing_task())

        with pytest.raises(ExceptionGroup) as caught:
            asyncio.run(main())
        assert [Boom] == [type(error) for error in caught.value.exceptions]
        assert ["undone"] == done


class TestClosing:
    """A block that is closed without having ended is undone too."""

    def test_a_coroutine_without_a_loop(self) -> None:
        """`close()` of a coroutine undoes its block to the end."""
        done: list[str] = []

        async def release() -> None:
            await asyncio.sleep(0)
            done.append("undone")

        async def block() -> None:
            async with Rollback() as undo:
                undo.add(release)
                await suspended()

        coroutine = block()
        coroutine.send(None)
        coroutine.close()
        assert ["undone"] == done

    def test_a_coroutine_on_a_loop(self) -> None:
        """There it may not await any more: a kept task undoes it."""

        async def main() -> None:
            done = asyncio.Event()

            async def release() -> None:
                await asyncio.sleep(0)
                done.set()

            async def block() -> None:
                async with Rollback() as undo:
                    undo.add(release)
                    await suspended()

            coroutine = block()
            coroutine.send(None)
            coroutine.close()
            await done.wait()

        asyncio.run(main())

    def test_an_async_generator(self) -> None:
        """`aclose()` waits until all is undone."""
        done: list[str] = []

        async def release() -> None:
            await asyncio.sleep(0)
            done.append("undone")

        async def items() -> AsyncIterator[int]:
            async with Rollback() as undo:
                undo.add(release)
                yield 1

        async def main() -> None:
            stream: Any = items()
            await anext(stream)
            await stream.aclose()
            done.append("closed")

        asyncio.run(main())
        assert ["undone", "closed"] == done

    def test_what_is_closed_while_undoing(self) -> None:
        """A loop that is thrown away in the middle does not make us await again."""
        done: list[str] = []

        async def release() -> None:
            await suspended()

        async def block() -> None:
            async with Rollback() as undo:
                undo.add(done.append, "never")
                undo.add(release)
                raise Boom

        work: Any = block()
        with mock.patch("catchasync._runtimes.here", return_value=ShieldlessHome()):
            work.send(None)
            work.close()
        assert [] == done


class ShieldlessHome:
    """A loop that awaits, and holds back nothing."""

    async def shield(self, awaitable: Awaitable[Any]) -> bool:
        """Await it."""
        await awaitable
        return False


class Suspension:
    """What a coroutine waits for that is closed."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def suspended() -> None:
    """Wait to be closed."""
    await Suspension()


def test_report_must_be_callable() -> None:
    """Another value fails where it is written."""
    with pytest.raises(TypeError, match=r"report= of Rollback takes a callable .* \(got 'log'\)"):
        Rollback("log")  # type: ignore[arg-type]


def test_repr() -> None:
    """It says how much there is to undo, and where it stands."""
    undo = Rollback()
    assert "<Rollback of 0 steps, outside of its block>" == repr(undo)
    with undo:
        undo.add(print)
        assert "<Rollback of 1 steps, in `with`>" == repr(undo)


def test_in_an_async_exit_stack() -> None:
    """It is an async context manager like any other."""
    done: list[str] = []

    async def main() -> None:
        async with AsyncExitStack() as stack:
            undo = await stack.enter_async_context(Rollback())
            undo.add(done.append, "undone")
            raise Boom

    with pytest.raises(Boom):
        asyncio.run(main())
    assert ["undone"] == done


def test_steps_from_another_thread() -> None:
    """What another thread did in the block can be added there."""
    done: list[str] = []

    with pytest.raises(Boom), Rollback() as undo:
        thread = threading.Thread(target=undo.add, args=(done.append, "undone"))
        thread.start()
        thread.join()
        raise Boom
    assert ["undone"] == done


def test_the_traceback_is_as_without_us() -> None:
    """The first error's frames are those of the block alone."""

    def frames(error: BaseException) -> list[str]:
        found, traceback = [], error.__traceback__
        while traceback is not None:
            found.append(traceback.tb_frame.f_code.co_name)
            traceback = traceback.tb_next
        return found

    async def block() -> None:
        async with Rollback() as undo:
            undo.add(asyncio.sleep, 0)
            raise Boom

    with pytest.raises(Boom) as caught:
        asyncio.run(block())
    assert "block" == frames(caught.value)[-1]
    assert "__aexit__" not in frames(caught.value)


def test_an_interrupt_undoes() -> None:
    """Ctrl-C in a real process: what was done is undone, and the process exits by the signal."""
    program = """
        import asyncio, signal
        from catchasync import Rollback

        async def release():
            await asyncio.sleep(0.01)
            print("undone")

        async def main():
            async with Rollback() as undo:
                undo.add(release)
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(60)

        asyncio.run(main())
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "undone\n" == result.stdout
    assert "KeyboardInterrupt" in result.stderr


def test_the_logger_is_ours() -> None:
    """There is one logger of the library."""
    assert "catchasync" == logger.name
