"""Sync handlers that give back something which settles later."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import inspect
import threading
import types
from collections.abc import Generator
from typing import Any

import pytest
from twisted.internet import defer
from twisted.python import failure as twisted_failure

from catchasync import catch_async
from catchasync.testing import RecordingNext
from tests.support import Boom


async def fail() -> Any:
    """Fail in a coroutine."""
    await asyncio.sleep(0)
    raise Boom


async def succeed() -> Any:
    """Give a result in a coroutine."""
    return "result"


class TestCoroutines:
    """A coroutine stays one: it has not begun, so it is watched where it is awaited."""

    def test_its_failure_reaches_next(self) -> None:
        """What `next` returns is what awaiting it gives."""
        next_ = RecordingNext("answer")
        result = catch_async(next=next_)(lambda: fail())()
        assert inspect.iscoroutine(result)
        assert "answer" == asyncio.run(result)
        assert 1 == len(next_.errors)

    def test_its_result_is_its_own(self) -> None:
        """Without a failure nothing is told."""
        next_ = RecordingNext()
        assert "result" == asyncio.run(catch_async(next=next_)(lambda: succeed())())
        assert [] == next_.arrivals

    def test_one_that_nobody_awaits_is_named(self, recwarn: pytest.WarningsRecorder) -> None:
        """The warning of the interpreter has the handler's coroutine's name."""
        with pytest.warns(RuntimeWarning, match="coroutine 'succeed' was never awaited"):
            self.drop()
        recwarn.clear()

    @staticmethod
    def drop() -> None:
        """Call a handler and forget what it gave."""
        forgotten: Any = catch_async(next=print)(lambda: succeed())()
        del forgotten
        gc.collect()

    def test_of_generators(self) -> None:
        """A generator-based coroutine is awaited as well, a generator is a result."""

        @types.coroutine
        def old() -> Generator[Any, Any, Any]:
            yield from asyncio.sleep(0).__await__()
            raise Boom

        next_ = RecordingNext("answer")
        untyped: Any = old
        handler: Any = catch_async(next=next_)(lambda: untyped())
        for _ in range(2):
            assert "answer" == asyncio.run(handler())
        generator: Any = (number for number in range(1))
        plain: Any = catch_async(next=next_)(lambda: generator)
        assert [generator, generator] == [plain(), plain()]
        decorated = catch_async(next=next_)(untyped)
        assert "answer" == asyncio.run(_await(decorated()))

    def test_another_sort_of_thing_at_each_call(self) -> None:
        """A function may return a result now and a coroutine next time."""
        next_ = RecordingNext("answer")
        handler: Any = catch_async(next=next_)(lambda thing: thing)
        for _ in range(2):
            assert 1 == handler(1)
            assert "answer" == asyncio.run(handler(fail()))
            assert "text" == handler("text")
            assert next_ is handler(next_)
        assert 2 == len(next_.errors)

    def test_types_do_not_pile_up(self) -> None:
        """Types made on the fly are told apart, and not remembered for ever."""
        handler: Any = catch_async(next=print)(lambda thing: thing)
        for number in range(1100):
            thing = type(f"Type{number}", (), {})()
            assert thing is handler(thing)
        assert 1024 >= len(handler.__globals__["_plain"])


async def _await(awaitable: Any) -> Any:
    return await awaitable


class TestAsyncioFutures:
    """A future's failure is delivered when it settles, also where nobody awaits it."""

    def run(self, settle: Any, *, wait: bool = True, next_: Any = None) -> tuple[Any, Any]:
        """Run a handler that returns a future, settle that, and wait or not."""
        next_ = next_ or RecordingNext("answer")

        async def main() -> Any:
            future = asyncio.get_running_loop().create_future()
            result = catch_async(next=next_)(lambda: future)()
            assert asyncio.isfuture(result)
            settle(future)
            if wait:
                return await result
            for _ in range(5):
                await asyncio.sleep(0)
            return None

        return asyncio.run(main()), next_

    def test_it_reaches_next(self) -> None:
        """Awaited, it gives what `next` returned."""
        answer, next_ = self.run(lambda future: future.set_exception(Boom()))
        assert ("answer", 1) == (answer, len(next_.errors))

    def test_nobody_awaits(self) -> None:
        """It reaches `next` all the same."""
        _, next_ = self.run(lambda future: future.set_exception(Boom()), wait=False)
        assert 1 == len(next_.errors)

    def test_its_result(self) -> None:
        """A result is passed on."""
        answer, next_ = self.run(lambda future: future.set_result("result"))
        assert ("result", []) == (answer, next_.arrivals)

    def test_cancelled(self) -> None:
        """A future that is cancelled cancels who awaits."""
        with pytest.raises(asyncio.CancelledError):
            self.run(lambda future: future.cancel())

    def test_cancelling_ours_cancels_theirs(self) -> None:
        """Cancelling what came back cancels what the handler returned."""

        async def main() -> bool:
            future = asyncio.get_running_loop().create_future()
            result: Any = catch_async(next=print)(lambda: future)()
            await asyncio.sleep(0)
            result.cancel()
            await asyncio.wait([result])
            return future.cancelled()

        assert asyncio.run(main())

    @pytest.mark.parametrize("how", ["result", "cancelled"])
    def test_one_that_is_done_is_returned_itself(self, how: str) -> None:
        """There is nothing to wait for."""

        async def main() -> None:
            future = asyncio.get_running_loop().create_future()
            if how == "result":
                future.set_result(1)
            else:
                future.cancel()
            assert future is catch_async(next=print)(lambda: future)()

        asyncio.run(main())

    def test_one_that_has_failed(self) -> None:
        """Its failure is delivered."""
        future = None
        next_ = RecordingNext("answer")

        async def main() -> Any:
            nonlocal future
            future = asyncio.get_running_loop().create_future()
            future.set_exception(Boom())
            handler: Any = catch_async(next=next_)(lambda: future)
            return await handler()

        assert "answer" == asyncio.run(main())
        assert 1 == len(next_.errors)

    def test_one_that_has_failed_on_a_loop_that_is_closed(self) -> None:
        """Its failure is delivered at once."""
        next_ = RecordingNext()
        loop = asyncio.new_event_loop()
        future = loop.create_future()
        future.set_exception(Boom())
        loop.close()
        assert future is catch_async(next=next_)(lambda: future)()
        assert 1 == len(next_.errors)

    def test_one_of_another_thread(self) -> None:
        """It is watched on its own loop, and stays the same future."""
        next_ = RecordingNext()

        async def main() -> None:
            future = asyncio.get_running_loop().create_future()
            handler: Any = catch_async(next=next_)(lambda: future)
            assert future is await asyncio.to_thread(handler)
            future.set_exception(Boom())
            while not next_.errors:  # noqa: ASYNC110 - it ends as soon as it was told
                await asyncio.sleep(0)

        asyncio.run(main())
        assert [threading.current_thread().name] == [arrival.thread for arrival in next_.arrivals]


class TestConcurrentFutures:
    """Futures of `concurrent.futures`, in whichever thread they settle."""

    def watched(self, **options: Any) -> tuple[Any, Any, Any]:
        """Return a future, what a handler that returned it gave, and the `next` of it."""
        next_ = RecordingNext("answer")
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        options.setdefault("next", next_)
        result: Any = catch_async(**options)(lambda: future)()
        assert isinstance(result, concurrent.futures.Future)
        return future, result, next_

    def test_its_failure_reaches_next(self) -> None:
        """Also where nobody asks for the result, in the thread that settled it."""
        future, result, next_ = self.watched()
        assert not result.done()
        thread = threading.Thread(target=future.set_exception, args=(Boom(),), name="worker")
        thread.start()
        thread.join()
        assert ["worker"] == [arrival.thread for arrival in next_.arrivals]
        assert "answer" == result.result(0)

    def test_its_result(self) -> None:
        """A result is passed on."""
        future, result, next_ = self.watched()
        future.set_result("result")
        assert ("result", []) == (result.result(0), next_.arrivals)

    def test_what_passes_through(self) -> None:
        """What is not ours is raised by the future."""
        future, result, next_ = self.watched(pass_through=Boom)
        future.set_exception(Boom())
        with pytest.raises(Boom):
            result.result(0)
        assert [] == next_.arrivals

    def test_cancelling(self) -> None:
        """Cancelling ours cancels theirs, which cancels ours."""
        future, result, next_ = self.watched()
        assert result.cancel()
        assert future.cancelled()
        assert result.cancelled()
        assert [] == next_.arrivals

    def test_running(self) -> None:
        """It runs when theirs runs, and cannot be cancelled then."""
        future, result, _ = self.watched()
        assert not result.running()
        future.set_running_or_notify_cancel()
        assert result.running()
        assert not result.cancel()
        future.set_result(1)

    def test_an_async_next_without_a_loop(self) -> None:
        """It is run to its end in the thread that settled the future."""

        async def next_(_error: BaseException) -> str:
            await asyncio.sleep(0)
            return "answer"

        future, result, _ = self.watched(next=next_)
        future.set_exception(Boom())
        assert "answer" == result.result(0)


def failure() -> Any:
    """Make what a Deferred fails with."""
    make: Any = twisted_failure.Failure
    return make(Boom())


class TestDeferreds:
    """Twisted's `Deferred` stays the same `Deferred`."""

    def test_its_failure_reaches_next(self) -> None:
        """What `next` returns is its result."""
        next_, got = RecordingNext("answer"), list[Any]()
        deferred: Any = defer.Deferred()
        assert deferred is catch_async(next=next_)(lambda: deferred)()
        deferred.addCallback(got.append)
        deferred.errback(failure())
        assert (["answer"], 1) == (got, len(next_.errors))

    def test_its_result(self) -> None:
        """A result is passed on."""
        got: list[Any] = []
        deferred: Any = defer.Deferred()
        catch_async(next=print)(lambda: deferred)().addCallback(got.append)
        deferred.callback("result")
        assert ["result"] == got

    def test_a_cancellation_passes(self) -> None:
        """Twisted's own cancellation is an `Exception`, and is not caught all the same."""
        next_, got = RecordingNext(), list[Any]()
        deferred: Any = defer.Deferred()
        catch_async(next=next_)(lambda: deferred)().addErrback(got.append)
        deferred.cancel()
        assert [] == next_.arrivals
        assert got[0].check(defer.CancelledError)

    def test_an_async_next_on_a_loop(self) -> None:
        """Its answer becomes the result when it is there."""

        async def next_(_error: BaseException) -> str:
            await asyncio.sleep(0)
            return "answer"

        async def main() -> Any:
            deferred: Any = defer.Deferred()
            catch_async(next=next_)(lambda: deferred)()
            deferred.errback(failure())
            return await deferred.asFuture(asyncio.get_running_loop())

        assert "answer" == asyncio.run(main())


class TestOtherAwaitables:
    """Any other object that can be awaited, or that calls back when it is done."""

    def test_an_object_with_await(self) -> None:
        """It keeps its class and its attributes, and delivers where it is awaited."""

        class Request:
            method = "GET"

            def __await__(self) -> Any:
                yield from asyncio.sleep(0).__await__()
                raise Boom

        next_ = RecordingNext("answer")
        result = catch_async(next=next_)(lambda: Request())()
        assert isinstance(result, Request)
        assert "GET" == result.method
        assert "answer" == asyncio.run(_await(result))
        assert 1 == len(next_.errors)

    def future_like(self, **options: Any) -> tuple[Any, Any]:
        """Return what a handler gave that returned a foreign future, and its callbacks."""

        class Foreign:
            def __init__(self) -> None:
                self.callbacks: list[Any] = []
                self.error: BaseException | None = None

            def add_done_callback(self, callback: Any) -> None:
                self.callbacks.append(callback)

            def result(self) -> Any:
                if self.error is not None:
                    raise self.error
                return "result"

        future = Foreign()
        assert future is catch_async(**options)(lambda: future)()
        return future, future.callbacks[0]

    def test_a_foreign_future(self) -> None:
        """It stays the same object; its failure reaches `next` when it calls back."""
        next_ = RecordingNext()
        future, callback = self.future_like(next=next_)
        future.error = Boom()
        callback(future)
        assert 1 == len(next_.errors)

    def test_a_foreign_future_that_succeeds(self) -> None:
        """Nothing is told."""
        next_ = RecordingNext()
        future, callback = self.future_like(next=next_)
        callback(future)
        assert [] == next_.arrivals

    def test_what_next_raises_there(self) -> None:
        """Nobody could catch it: it is late, and never raised in the library's thread."""
        late, second = RecordingNext(), ValueError("of next")
        future, callback = self.future_like(next=RecordingNext(second), late=late)
        future.error = Boom()
        callback(future)
        assert [second] == late.errors

    def test_what_passes_through_there(self) -> None:
        """The future has it still: nothing is told."""
        next_, late = RecordingNext(), RecordingNext()
        future, callback = self.future_like(next=next_, late=late, pass_through=Boom)
        future.error = Boom()
        callback(future)
        assert ([], []) == (next_.errors, late.errors)


class TestWithADecisionOfItsOwn:
    """A handler that was handed `next` and returned something that settles later."""

    def test_next_first(self) -> None:
        """The failure of the future is late."""
        next_, late = RecordingNext(), RecordingNext()
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        @catch_async(late=late)
        def show(next: Any) -> Any:
            next(Boom(1))
            return future

        show(next_)
        future.set_exception(Boom(2))
        assert ([1], [2]) == ([e.args[0] for e in next_.errors], [e.args[0] for e in late.errors])

    @pytest.mark.parametrize("result", ["result", None])
    def test_the_result_first(self, result: Any) -> None:
        """When it has settled with a result, `next` is late; with None, it is not."""
        next_, late, kept = RecordingNext(), RecordingNext(), list[Any]()
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        @catch_async(late=late)
        def show(next: Any) -> Any:
            kept.append(next)
            return future

        show(next_)
        future.set_result(result)
        kept[0](Boom())
        assert ((0, 1) if result else (1, 0)) == (len(next_.errors), len(late.errors))

    def test_a_coroutine_that_called_next(self) -> None:
        """Its result is that of `next` where it has none."""

        @catch_async
        def show(next: Any) -> Any:
            async def work() -> None:
                next(Boom())

            return work()

        assert "answer" == asyncio.run(show(RecordingNext("answer")))

    def test_a_coroutine_that_called_next_and_failed(self) -> None:
        """Its failure is late."""
        late = RecordingNext()

        @catch_async(late=late)
        def show(next: Any) -> Any:
            async def work() -> None:
                next(Boom(1))
                raise Boom(2)

            return work()

        assert "answer" == asyncio.run(show(RecordingNext("answer")))
        assert [2] == [error.args[0] for error in late.errors]
