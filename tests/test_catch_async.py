"""`catch_async`: the rules of what is caught, who is told, and what comes back."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
import sys
from typing import Any

import pytest
import trio

from catchasync import CallbackError, NextCalledTwice, catch_async, exempt, unwrap
from catchasync._catch import is_exempt
from catchasync.testing import RecordingNext
from tests.support import CALLS, KINDS, STREAMS, Boom, handler_of, raiser, run, run_async


class TestDelivery:
    """A failure reaches `next`, exactly once."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_failure_reaches_next_once(self, kind: str) -> None:
        """The very error that was raised is handed to `next`, one time."""
        next_, error = RecordingNext("answer"), Boom()
        decorated = catch_async(next=next_)(handler_of(kind, raiser(error)))
        if kind in STREAMS:
            with pytest.raises(Boom):
                run(kind, decorated)
        else:
            assert "answer" == run(kind, decorated)
        assert [error] == next_.errors

    @pytest.mark.parametrize("kind", CALLS)
    def test_a_result_is_returned_as_it_is(self, kind: str) -> None:
        """Without a failure, `next` is not called, and the result is the handler's own."""
        next_, result = RecordingNext(), object()
        decorated = catch_async(next=next_)(handler_of(kind, lambda: result))
        assert result is run(kind, decorated)
        assert result is run(kind, decorated)
        assert [] == next_.arrivals

    @pytest.mark.parametrize("kind", CALLS)
    def test_what_an_async_next_returns_is_the_result(self, kind: str) -> None:
        """An async `next` is seen through, under a sync handler without a loop as well."""
        seen = []

        async def next_(error: BaseException) -> str:
            await asyncio.sleep(0)
            seen.append(error)
            return "answer"

        error = Boom()
        assert "answer" == run(kind, catch_async(next=next_)(handler_of(kind, raiser(error))))
        assert [error] == seen

    @pytest.mark.parametrize("kind", STREAMS)
    def test_a_stream_is_told_of_and_breaks_off(self, kind: str) -> None:
        """A stream's items come, `next` is told, and the error is raised to the reader."""
        next_, items = RecordingNext("ignored"), []
        decorated = catch_async(next=next_)(handler_of(kind, raiser(Boom())))

        async def read() -> None:
            if kind == "generator":
                items.extend(list(decorated()))
            else:
                async for item in decorated():
                    items.append(item)  # noqa: PERF401 - the items before the failure count

        with pytest.raises(Boom):
            asyncio.run(read())
        assert (["item"] if kind == "async_generator" else []) == items
        assert 1 == len(next_.errors)

    @pytest.mark.parametrize("kind", STREAMS)
    def test_an_async_next_of_a_stream_runs_before_the_error_goes_on(self, kind: str) -> None:
        """An async `next` under a stream of either kind is never dropped."""
        seen = []

        async def next_(error: BaseException) -> None:
            await asyncio.sleep(0)
            seen.append(error)

        with pytest.raises(Boom):
            run(kind, catch_async(next=next_)(handler_of(kind, raiser(Boom()))))
        assert 1 == len(seen)

    def test_a_bare_decorator_with_parentheses_and_without(self) -> None:
        """`@catch_async`, `@catch_async()` and `catch_async(handler)` are the same."""

        def show(req: object) -> object:
            return req

        for decorated in (catch_async(show), catch_async()(show)):
            assert 1 == decorated(1, RecordingNext())  # type: ignore[call-arg]

    def test_a_handler_called_within_its_own_next(self) -> None:
        """A decorated handler may call itself: each call has a decision of its own."""
        seen: list[BaseException] = []

        @catch_async(next=seen.append)
        def count(depth: int) -> None:
            if depth:
                count(depth - 1)
            raise Boom(depth)

        count(3)
        assert [0, 1, 2, 3] == [error.args[0] for error in seen]


class TestWhatIsCaught:
    """Rule 3: `catch`, less `pass_through`, and never a cancellation."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "error",
        [
            asyncio.CancelledError(),
            concurrent.futures.CancelledError(),
            KeyboardInterrupt(),
            SystemExit(),
            GeneratorExit(),
        ],
        ids=lambda error: type(error).__module__ + "." + type(error).__name__,
    )
    def test_never_caught(self, kind: str, error: BaseException) -> None:
        """Cancellations and the interpreter's own exits go on, also with catch=BaseException."""
        next_ = RecordingNext()
        decorated = catch_async(next=next_, catch=BaseException)(handler_of(kind, raiser(error)))
        if kind in STREAMS and not isinstance(error, Exception):
            stream = decorated()
            with pytest.raises(type(error)):
                _exhaust(kind, stream)
        else:
            with pytest.raises(type(error)):
                drive(kind, decorated)
        assert [] == next_.arrivals

    def test_the_cancellations_of_other_libraries(self) -> None:
        """grpc's, dask's, Twisted's and gevent's are told by name, their subclasses as well."""
        for module, name in [
            ("grpc", "FutureCancelledError"),
            ("distributed.client", "FutureCancelledError"),
            ("twisted.internet.defer", "CancelledError"),
            ("greenlet", "GreenletExit"),
            ("trio", "Cancelled"),
        ]:
            foreign = type(name, (Exception,), {"__module__": module})
            for error_type in (foreign, type("Own", (foreign,), {})):
                next_ = RecordingNext()
                with pytest.raises(foreign):
                    catch_async(next=next_)(raiser(error_type()))()
                assert [] == next_.arrivals

    def test_a_real_trio_cancellation_goes_on(self) -> None:
        """A handler that trio cancels is cancelled, also with catch=BaseException."""
        next_ = RecordingNext()

        @catch_async(next=next_, catch=BaseException)
        async def wait() -> None:
            await trio.sleep_forever()

        async def main() -> bool:
            with trio.move_on_after(0) as scope:
                await wait()
            return scope.cancelled_caught

        assert trio.run(main)
        assert [] == next_.arrivals

    def test_a_real_asyncio_cancellation_goes_on(self) -> None:
        """A task that is cancelled inside a decorated handler is cancelled."""
        next_ = RecordingNext()

        @catch_async(next=next_, catch=BaseException)
        async def wait() -> None:
            await asyncio.Event().wait()

        async def main() -> bool:
            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

        assert asyncio.run(main())
        assert [] == next_.arrivals

    @pytest.mark.parametrize("kind", CALLS)
    def test_catch_says_what_is_a_failure(self, kind: str) -> None:
        """What `catch` does not name is raised as it came."""
        next_ = RecordingNext()
        options = catch_async(next=next_, catch=(KeyError, OSError))
        run(kind, options(handler_of(kind, raiser(FileNotFoundError()))))
        with pytest.raises(Boom):
            run(kind, options(handler_of(kind, raiser(Boom()))))
        assert [FileNotFoundError] == [type(error) for error in next_.errors]

    @pytest.mark.parametrize("kind", CALLS)
    @pytest.mark.parametrize(
        "pass_through",
        [KeyError, (OSError, (KeyError,)), lambda error: isinstance(error, KeyError)],
        ids=["type", "types", "predicate"],
    )
    def test_pass_through_is_left_alone(self, kind: str, pass_through: Any) -> None:
        """Types, nested tuples of them, or a predicate: what they name is raised as it came."""
        next_ = RecordingNext()
        options = catch_async(next=next_, pass_through=pass_through)
        for _ in range(2):  # the second time the verdict is remembered
            with pytest.raises(KeyError):
                run(kind, options(handler_of(kind, raiser(KeyError()))))
            run(kind, options(handler_of(kind, raiser(Boom()))))
        assert [Boom, Boom] == [type(error) for error in next_.errors]

    def test_a_predicate_that_fails_loses_nothing(self) -> None:
        """The failure reaches `next`, and the predicate's own error is late."""
        next_, late, broken = RecordingNext(), RecordingNext(), ZeroDivisionError()
        error = Boom()
        catch_async(next=next_, pass_through=raiser(broken), late=late)(raiser(error))()
        assert ([error], [broken]) == (next_.errors, late.errors)

    def test_groups_are_judged_by_what_they_hold(self) -> None:
        """A group of cancellations alone goes on; one with a failure is a failure."""
        cancelled = concurrent.futures.CancelledError()
        for group, passes in [
            (ExceptionGroup("", [cancelled]), True),
            (ExceptionGroup("", [ExceptionGroup("", [cancelled])]), True),
            (ExceptionGroup("", [cancelled, Boom()]), False),
            (ExceptionGroup("", [Boom()]), False),
            (BaseExceptionGroup("", [Boom(), KeyboardInterrupt()]), True),
            (BaseExceptionGroup("", [Boom(), _Base()]), False),
        ]:
            next_ = RecordingNext()
            decorated = catch_async(next=next_, catch=BaseException)(raiser(group))
            if passes:
                with pytest.raises(BaseExceptionGroup):
                    decorated()
            else:
                decorated()
            assert ([] if passes else [group]) == next_.errors

    def test_verdicts_do_not_pile_up(self) -> None:
        """Exception types made on the fly are judged, and not remembered for ever."""
        next_ = RecordingNext()

        @catch_async(next=next_)
        def fail(number: int) -> None:
            raise type(f"Error{number}", (Exception,), {})

        for number in range(600):
            fail(number)
        assert 600 == len(next_.errors)
        assert 256 >= len(fail.__globals__["_delivery"]._verdicts)


class _Base(BaseException):
    """An error that is no `Exception`, and no exit either."""


def _exhaust(kind: str, stream: Any) -> None:
    """Read a stream to its end without a loop, which would treat an exit in its own way."""
    step = stream.send if kind == "generator" else stream.asend
    while True:
        result = step(None)
        if kind == "async_generator":
            try:
                result.send(None)
            except StopIteration:
                continue


def drive(kind: str, handler: Any) -> Any:
    """Run a handler without a loop, which would treat an exit in its own way."""
    if kind in STREAMS:
        return _exhaust(kind, handler())
    return handler() if kind == "sync" else handler().send(None)


class TestNextFails:
    """Rule 5: the error of `next` goes to the caller, and never to the same `next` again."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("is_async", [False, True])
    def test_its_error_goes_to_the_caller(self, kind: str, is_async: bool) -> None:  # noqa: FBT001
        """It has the first error as its context, and `next` is called once."""
        calls, error, second = [], Boom("first"), ValueError("second")

        def next_(first: BaseException) -> Any:
            calls.append(first)
            if is_async:
                return fail()
            raise second

        async def fail() -> None:
            await asyncio.sleep(0)
            raise second

        with pytest.raises(ValueError, match="second") as caught:
            run(kind, catch_async(next=next_)(handler_of(kind, raiser(error))))
        assert caught.value is second
        assert error is second.__context__
        assert [error] == calls

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("is_async", [False, True])
    def test_raising_the_failure_again_is_told_once(self, kind: str, is_async: bool) -> None:  # noqa: FBT001
        """However many decorators the error passes, the first `next` is the only one told."""
        inner, outer, error = RecordingNext(), RecordingNext(), Boom()

        async def raise_later(first: BaseException) -> None:
            raise first

        def next_(first: BaseException) -> Any:
            inner(first)
            if is_async:
                return raise_later(first)
            raise first

        decorated = catch_async(next=next_)(handler_of(kind, raiser(error)))
        for _ in range(3):
            decorated = catch_async(next=outer)(decorated)
        with pytest.raises(Boom):
            run(kind, decorated)
        assert ([error], []) == (inner.errors, outer.errors)

    def test_the_error_of_next_passes_the_same_next(self) -> None:
        """An outer decorator with the same `next` lets by what that `next` raised."""
        next_ = RecordingNext(ValueError("of next"))
        decorated = catch_async(next=next_)(catch_async(next=next_)(raiser(Boom())))
        with pytest.raises(ValueError, match="of next"):
            decorated()
        assert 1 == len(next_.errors)

    def test_the_error_of_next_passes_the_same_bound_method(self) -> None:
        """A bound method is the same `next`, though Python makes it anew at each look."""
        recorder = RecordingNext(ValueError("of next"))
        decorated = catch_async(next=recorder.__call__)(
            catch_async(next=recorder.__call__)(raiser(Boom()))
        )
        with pytest.raises(ValueError, match="of next"):
            decorated()
        assert 1 == len(recorder.errors)

    def test_the_error_of_next_reaches_another_next(self) -> None:
        """It has been at no `next` yet: that of an outer decorator is told of it."""
        second = ValueError("of next")
        inner, outer = RecordingNext(second), RecordingNext("answer")
        assert "answer" == catch_async(next=outer)(catch_async(next=inner)(raiser(Boom())))()
        assert [second] == outer.errors

    def test_a_cancellation_while_next_runs_goes_on(self) -> None:
        """An async `next` that is cancelled cancels the handler's caller."""

        async def next_(_error: BaseException) -> None:
            await asyncio.Event().wait()

        async def main() -> bool:
            task = asyncio.ensure_future(catch_async(next=next_)(coroutine)())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            return bool(task.cancelled())

        coroutine = handler_of("coroutine", raiser(Boom()))
        assert asyncio.run(main())


class TestAsyncNextUnderSync:
    """Rule 6: an async `next` under a sync handler is never dropped."""

    def test_on_asyncio_the_result_is_a_kept_task(self) -> None:
        """With a running loop, it runs as a task, and the task is the result."""
        seen = []

        async def next_(error: BaseException) -> str:
            await asyncio.sleep(0)
            seen.append(error)
            return "answer"

        async def main() -> Any:
            result: Any = catch_async(next=next_)(raiser(Boom()))()
            assert isinstance(result, asyncio.Task)
            return await result

        assert "answer" == asyncio.run(main())
        assert 1 == len(seen)

    def test_a_task_that_nobody_keeps_runs_to_its_end(self) -> None:
        """The loop holds tasks weakly; we hold them until they are done."""
        import gc  # noqa: PLC0415

        seen: list[BaseException] = []

        async def next_(error: BaseException) -> None:
            await asyncio.sleep(0)
            gc.collect()
            await asyncio.sleep(0)
            seen.append(error)

        async def main() -> None:
            catch_async(next=next_)(raiser(Boom()))()
            while not seen:  # noqa: ASYNC110 - it ends as soon as the task does
                await asyncio.sleep(0)

        asyncio.run(main())
        assert 1 == len(seen)

    def test_on_trio_the_result_can_be_awaited(self) -> None:
        """On trio, it runs as a system task whose handle is the result."""

        async def next_(error: BaseException) -> str:
            await trio.lowlevel.checkpoint()
            return f"answer to {error}"

        async def main() -> Any:
            result: Any = catch_async(next=next_)(raiser(Boom("x")))()
            return await result

        assert "answer to x" == trio.run(main)

    def test_on_trio_the_error_of_next_goes_to_who_awaits(self) -> None:
        """The handle raises what `next` raised."""

        async def next_(_error: BaseException) -> None:
            raise ValueError("of next")

        async def main() -> None:
            result: Any = catch_async(next=next_)(raiser(Boom()))()
            with pytest.raises(ValueError, match="of next"):
                await result

        trio.run(main)

    def test_on_trio_an_error_that_nobody_awaits_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As asyncio does, the interpreter is told when the handle is collected."""
        told: list[Any] = []
        monkeypatch.setattr(sys, "unraisablehook", told.append)

        async def next_(_error: BaseException) -> None:
            raise ValueError("of next")

        async def main() -> None:
            catch_async(next=next_)(raiser(Boom()))()
            await trio.testing.wait_all_tasks_blocked()

        import trio.testing  # noqa: PLC0415

        trio.run(main)
        assert [ValueError] == [type(unraisable.exc_value) for unraisable in told]

    def test_on_trio_it_ends_with_the_loop(self) -> None:
        """What is still at work when trio's main task ends is cancelled, as trio does."""
        seen: list[str] = []

        async def next_(_error: BaseException) -> None:
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                seen.append("cancelled")
                raise

        async def main() -> None:
            catch_async(next=next_)(raiser(Boom()))()
            await trio.testing.wait_all_tasks_blocked()

        import trio.testing  # noqa: PLC0415

        trio.run(main)
        assert ["cancelled"] == seen

    def test_without_a_loop_it_keeps_the_context(self) -> None:
        """Context variables of the caller are those of an async `next`."""
        import contextvars  # noqa: PLC0415

        variable = contextvars.ContextVar("variable", default="unset")

        async def next_(_error: BaseException) -> str:
            return variable.get()

        variable.set("set")
        assert "set" == catch_async(next=next_)(raiser(Boom()))()

    def test_an_awaitable_that_is_no_coroutine(self) -> None:
        """What `next` returns may be any awaitable."""

        class Later:
            def __await__(self) -> Any:
                yield from asyncio.sleep(0).__await__()
                return "answer"

        assert "answer" == catch_async(next=lambda _error: Later())(raiser(Boom()))()


class TestLate:
    """What becomes of a failure after the decision."""

    def test_it_is_logged_with_its_traceback(self, caplog: pytest.LogCaptureFixture) -> None:
        """Without `late`, it goes to the logger `catchasync`, at ERROR, naming the handler."""

        @catch_async
        def show(_req: object, next: Any) -> None:
            next(Boom("first"))
            raise Boom("second")

        with caplog.at_level(logging.ERROR, "catchasync"):
            show(1, RecordingNext())
        [record] = caplog.records
        assert ("catchasync", logging.ERROR) == (record.name, record.levelno)
        assert "show" in record.getMessage()
        assert record.exc_info
        assert "second" == str(record.exc_info[1])

    @pytest.mark.parametrize("is_async", [False, True])
    def test_what_late_raises_is_logged(
        self,
        is_async: bool,  # noqa: FBT001
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Nothing loops: an error of `late` goes to the log and nowhere else."""
        calls = []

        async def fail() -> None:
            raise ValueError("of late")

        def late(error: BaseException) -> Any:
            calls.append(error)
            if is_async:
                return fail()
            raise ValueError("of late")

        @catch_async(late=late)
        def show(_req: object, next: Any) -> None:
            next(Boom("first"))
            raise Boom("second")

        show(1, RecordingNext())
        assert ["second"] == [str(error) for error in calls]
        assert "of late" in caplog.text

    def test_an_async_late_runs_on_the_loop(self) -> None:
        """With a running loop, an async `late` is a kept task."""
        late: list[BaseException] = []

        async def tell(error: BaseException) -> None:
            await asyncio.sleep(0)
            late.append(error)

        @catch_async(late=tell)
        async def show(_req: object, next: Any) -> None:
            next(Boom("first"))
            raise Boom("second")

        async def main() -> None:
            await show(1, RecordingNext())
            while not late:  # noqa: ASYNC110 - it ends as soon as the task does
                await asyncio.sleep(0)

        asyncio.run(main())
        assert ["second"] == [str(error) for error in late]


class TestBadInput:
    """Bad input gets a clear error where it is written."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"next": 5}, "next=.*callable of one argument.*got 5"),
            ({"next": "no name"}, "next=.*parameter's name.*got 'no name'"),
            ({"catch": 5}, "catch=.*exception type.*got 5"),
            ({"catch": int}, "catch=.*exception type.*got <class 'int'>"),
            ({"catch": (KeyError, int)}, "catch=.*exception type"),
            ({"pass_through": 5}, "pass_through=.*predicate.*got 5"),
            ({"pass_through": int}, "pass_through=.*predicate.*got <class 'int'>"),
            ({"late": 5}, "late=.*callable.*got 5"),
            ({"nxt": 5}, "unexpected keyword argument 'nxt'"),
            ({"track_response": 5}, "track_response=.*True, False or a ResponseTracker.*got 5"),
        ],
        ids=str,
    )
    def test_options(self, options: dict[str, Any], message: str) -> None:
        """An option that is none, or not what it has to be, names what came and what is wanted."""
        with pytest.raises(TypeError, match=message):
            catch_async(**options)(lambda res: res)

    @pytest.mark.parametrize(
        "handler", [None, 5, "text", object(), property()], ids=lambda each: type(each).__name__
    )
    def test_what_is_no_handler(self, handler: Any) -> None:
        """What cannot be called is refused when it is decorated."""
        with pytest.raises(TypeError, match="takes a handler, a callable of any kind: got"):
            catch_async(handler)

    def test_two_handlers(self) -> None:
        """Options do not go by position."""
        with pytest.raises(TypeError, match="takes from 0 to 1 positional arguments but 2"):
            catch_async(print, print)  # type: ignore[call-overload]

    def test_a_class_that_is_no_view(self) -> None:
        """A class without a verb method has nothing that could be decorated."""

        class Plain:
            def other(self) -> None:
                """Do nothing."""

        with pytest.raises(TypeError, match=r"view class.*Plain has none"):
            catch_async(next=print)(Plain)

    def test_a_name_of_next_that_is_no_parameter(self) -> None:
        """`next="done"` needs a parameter of that name."""

        def show(req: object, res: object) -> None:
            """Do nothing."""

        with pytest.raises(TypeError, match=r"next='done'.*show has no parameter.*\(req, res\)"):
            catch_async(next="done")(show)


class TestUnwrapAndExempt:
    """`unwrap` gives the handler inside, `exempt` marks one to be left alone."""

    def test_unwrap_goes_through_all_layers(self) -> None:
        """However often it was decorated, the handler inside comes out."""

        def show() -> None:
            """Do nothing."""

        options = catch_async(next=print)
        assert show is unwrap(options(options(options(show))))

    def test_unwrap_of_what_is_not_decorated(self) -> None:
        """Anything else is returned as it is."""
        for thing in (print, self.test_unwrap_goes_through_all_layers, RecordingNext(), int):
            assert thing == unwrap(thing)

    def test_unwrap_keeps_the_binding(self) -> None:
        """A method comes out bound as it was, a classmethod as a classmethod."""

        class Plain:
            def method(self) -> None:
                """Do nothing."""

            @classmethod
            def of_class(cls) -> None:
                """Do nothing."""

        plain, options = Plain(), catch_async(next=print)
        assert plain.method == unwrap(options(plain.method))
        raw = inspect.getattr_static(Plain, "of_class")
        assert raw.__func__ is unwrap(options(raw)).__func__
        assert raw is unwrap(raw)

    def test_exempt_marks_and_returns_the_handler(self) -> None:
        """Functions, methods, classes and objects can be marked."""

        class Plain:
            def method(self) -> None:
                """Do nothing."""

            def __call__(self) -> None:
                """Do nothing."""

        def show() -> None:
            """Do nothing."""

        plain = Plain()
        for handler in (show, plain.method, plain, Plain):
            assert not is_exempt(show) or handler is not show
            assert handler == exempt(handler)
            assert is_exempt(handler)

    def test_exempt_refuses_what_it_cannot_mark(self) -> None:
        """What is no callable, or takes no attributes, is named."""
        with pytest.raises(TypeError, match="got 5"):
            exempt(5)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
        with pytest.raises(TypeError, match="len, it takes no attributes"):
            exempt(len)


class TestAnErrorThatIsNoException:
    """Only ``None`` means no error; what is no exception is made one."""

    @pytest.mark.parametrize("kind", CALLS)
    @pytest.mark.parametrize("value", ["boom", 0, False, "", [], KeyError("x"), KeyError, OSError])
    def test_it_reaches_next_as_an_exception(self, kind: str, value: Any) -> None:
        """A value is wrapped in `CallbackError`, a class is instantiated."""
        next_ = RecordingNext()

        def show(next: Any) -> None:
            next(value)

        async def show_async(next: Any) -> None:
            next(value)

        decorated: Any = catch_async(show if kind == "sync" else show_async)
        run(kind, decorated, next_)
        [error] = next_.errors
        if isinstance(value, BaseException):
            assert value is error
        elif isinstance(value, type):
            assert isinstance(error, value)
        else:
            assert isinstance(error, CallbackError)
            assert value is error.value

    def test_a_class_that_wants_arguments(self) -> None:
        """It cannot be instantiated, so it is the value of a `CallbackError`."""
        next_ = RecordingNext()

        @catch_async
        def show(next: Any) -> None:
            next(UnicodeDecodeError)

        show(next_)
        [error] = next_.errors
        assert isinstance(error, CallbackError)
        assert UnicodeDecodeError is error.value


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", KINDS)
async def test_everything_works_on_a_running_loop(kind: str) -> None:
    """Each kind delivers on a running loop as it does without one."""
    next_ = RecordingNext("answer")
    decorated = catch_async(next=next_)(handler_of(kind, raiser(Boom())))
    if kind in STREAMS:
        with pytest.raises(Boom):
            await run_async(kind, decorated)
    else:
        assert "answer" == await run_async(kind, decorated)
    assert 1 == len(next_.errors)


def test_the_recording_next_shows_what_came() -> None:
    """Its repr is what a failing test prints."""
    next_ = RecordingNext()
    next_(Boom(1))
    assert "<RecordingNext: [Boom(1)]>" == repr(next_)


def test_called_twice_says_what_to_do() -> None:
    """The second `next()` is late, and its message names the handler and the remedy."""
    late = RecordingNext()

    @catch_async(late=late)
    def show(_req: object, next: Any) -> None:
        next()
        next()

    show(1, RecordingNext())
    [error] = late.errors
    assert isinstance(error, NextCalledTwice)
    assert "show called next() after" in str(error)
