"""Rules 4 and 9: one decision per call; what comes after it is late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from catchasync import NextCalledTwice, catch_async
from catchasync.testing import RecordingNext
from tests.support import Boom

KINDS = ("sync", "coroutine")


def decorated(kind: str, body: Any, late: Any) -> Any:
    """Decorate a handler that is handed `next`; the body may be a coroutine function."""

    def sync(next: Any) -> Any:
        return body(next)

    async def coroutine(next: Any) -> Any:
        result = body(next)
        return await result if asyncio.iscoroutine(result) else result

    return catch_async(late=late)(sync if kind == "sync" else coroutine)


def run(kind: str, handler: Any, *args: Any) -> Any:
    """Run a handler of either kind to its end."""
    return handler(*args) if kind == "sync" else asyncio.run(handler(*args))


@pytest.mark.parametrize("kind", KINDS)
class TestTheFirstCallDecides:
    """After it, a further call or failure is late."""

    def test_a_second_failure_by_next(self, kind: str) -> None:
        """`next(error)` twice: the second error goes to `late`."""
        next_, late, first, second = RecordingNext(), RecordingNext(), Boom(1), Boom(2)

        def body(next: Any) -> None:
            next(first)
            next(second)

        run(kind, decorated(kind, body, late), next_)
        assert ([first], [second]) == (next_.errors, late.errors)

    def test_a_failure_after_next(self, kind: str) -> None:
        """A handler that called `next` and raises something else has failed late."""
        next_, late, first, second = RecordingNext("answer"), RecordingNext(), Boom(1), Boom(2)

        def body(next: Any) -> None:
            next(first)
            raise second

        assert "answer" == run(kind, decorated(kind, body, late), next_)
        assert ([first], [second]) == (next_.errors, late.errors)

    def test_raising_what_next_was_given_is_no_news(self, kind: str) -> None:
        """`next(error); raise error` is told once."""
        next_, late, error = RecordingNext("answer"), RecordingNext(), Boom()

        def body(next: Any) -> None:
            next(error)
            raise error

        assert "answer" == run(kind, decorated(kind, body, late), next_)
        assert ([error], []) == (next_.errors, late.errors)

    def test_going_on_twice(self, kind: str) -> None:
        """A second `next()` is late as well: `NextCalledTwice` names the handler."""
        next_, late = RecordingNext(), RecordingNext()

        def body(next: Any) -> None:
            next()
            next(None)

        run(kind, decorated(kind, body, late), next_)
        assert 1 == len(next_.arrivals)
        [error] = late.errors
        assert isinstance(error, NextCalledTwice)
        assert kind in str(error)

    def test_a_failure_after_going_on(self, kind: str) -> None:
        """A handler that went on and then raises has failed late."""
        next_, late, error = RecordingNext(), RecordingNext(), Boom()

        def body(next: Any) -> None:
            next()
            raise error

        run(kind, decorated(kind, body, late), next_)
        assert ([], [error]) == (next_.errors, late.errors)

    def test_a_call_after_the_failure(self, kind: str) -> None:
        """A handler that failed has decided: its kept `next` is late."""
        next_, late, first, second = RecordingNext(), RecordingNext(), Boom(1), Boom(2)
        kept: list[Any] = []

        def body(next: Any) -> None:
            kept.append(next)
            raise first

        run(kind, decorated(kind, body, late), next_)
        kept[0](second)
        assert ([first], [second]) == (next_.errors, late.errors)

    def test_a_call_after_a_result(self, kind: str) -> None:
        """A result was returned: that was the decision."""
        next_, late, error = RecordingNext(), RecordingNext(), Boom()
        kept: list[Any] = []

        def body(next: Any) -> str:
            kept.append(next)
            return "result"

        assert "result" == run(kind, decorated(kind, body, late), next_)
        kept[0](error)
        assert ([], [error]) == (next_.errors, late.errors)

    def test_a_result_beside_next(self, kind: str) -> None:
        """A handler's own result goes before that of `next`."""
        next_, late = RecordingNext("answer"), RecordingNext()

        def body(next: Any) -> str:
            next(Boom())
            return "result"

        assert "result" == run(kind, decorated(kind, body, late), next_)
        assert (1, []) == (len(next_.errors), late.errors)

    def test_none_returned_is_no_decision(self, kind: str) -> None:
        """While something holds `next`, it may be called later, as an error-first callback too."""
        next_, late, error = RecordingNext(), RecordingNext(), Boom()
        kept: list[Any] = []
        run(kind, decorated(kind, kept.append, late), next_)
        kept[0](error, "a", "value")
        kept[0](None, "a", "value")
        assert [error] == next_.errors
        assert [NextCalledTwice] == [type(error) for error in late.errors]

    def test_a_callback_that_goes_on_drops_the_values(self, kind: str) -> None:
        """`next(None, data)` is `next()`."""
        calls: list[Any] = []
        kept: list[Any] = []

        def next_(*args: Any) -> None:
            calls.append(args)

        run(kind, decorated(kind, kept.append, RecordingNext()), next_)
        kept[0](None, "data")
        assert [()] == calls

    def test_called_later_from_another_thread(self, kind: str) -> None:
        """It is delivered there."""
        next_, late, error = RecordingNext(), RecordingNext(), Boom()
        kept: list[Any] = []
        run(kind, decorated(kind, kept.append, late), next_)
        thread = threading.Thread(target=kept[0], args=(error,), name="library")
        thread.start()
        thread.join()
        assert [(error, "library")] == [(a.error, a.thread) for a in next_.arrivals]

    def test_what_next_raises_goes_through_the_handler(self, kind: str) -> None:
        """A `next` that fails where the handler called it fails the handler, and that is all."""
        second, late = ValueError("of next"), RecordingNext()
        next_ = RecordingNext(second)

        def body(next: Any) -> None:
            next(Boom())

        with pytest.raises(ValueError, match="of next"):
            run(kind, decorated(kind, body, late), next_)
        assert (1, []) == (len(next_.errors), late.errors)

    def test_what_next_raises_when_going_on(self, kind: str) -> None:
        """An error of what comes after is not handed to the `next` that it came from."""
        second, late = ValueError("further on"), RecordingNext()
        next_ = RecordingNext(second)

        def body(next: Any) -> None:
            next()

        with pytest.raises(ValueError, match="further on"):
            run(kind, decorated(kind, body, late), next_)
        assert ([], []) == (next_.errors, late.errors)

    def test_a_handler_may_catch_what_next_raises(self, kind: str) -> None:
        """Then it is dealt with."""
        late = RecordingNext()

        def body(next: Any) -> str:
            with pytest.raises(ValueError, match="of next"):
                next(Boom())
            return "result"

        next_ = RecordingNext(ValueError("of next"))
        assert "result" == run(kind, decorated(kind, body, late), next_)
        assert [] == late.errors

    def test_only_one_of_many_threads_wins(self, kind: str) -> None:
        """Of a hundred calls at once one reaches `next`, and the others are late."""
        next_, late, kept = RecordingNext(), RecordingNext(), list[Any]()
        run(kind, decorated(kind, kept.append, late), next_)
        barrier = threading.Barrier(20)

        def call() -> None:
            barrier.wait()
            for _ in range(5):
                kept[0](Boom())

        threads = [threading.Thread(target=call) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (1, 99) == (len(next_.errors), len(late.errors))

    def test_its_repr_names_the_handler(self, kind: str) -> None:
        """And says whether the outcome is decided."""
        kept: list[Any] = []
        run(kind, decorated(kind, kept.append, None), RecordingNext())
        assert f"{kind}: open>" in repr(kept[0])
        kept[0]()
        assert f"{kind}: decided>" in repr(kept[0])


class AsyncNext:
    """An async `next` that records when it has run to its end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.started: list[Any] = []
        self.done: list[Any] = []
        self.error = error

    async def __call__(self, error: BaseException | None = None) -> str:
        """Record, and answer."""
        self.started.append(error)
        await asyncio.sleep(0)
        self.done.append(error)
        if self.error is not None:
            raise self.error
        return "answer"


class TestAnAsyncNext:
    """A handler that is handed an async `next` may await it, or not."""

    def test_awaited(self) -> None:
        """`return await next(error)` gives its answer."""
        next_ = AsyncNext()

        @catch_async
        async def show(next: Any) -> Any:
            return await next(Boom())

        assert "answer" == asyncio.run(show(next_))
        assert 1 == len(next_.done)

    def test_not_awaited(self) -> None:
        """A forgotten await loses nothing: it is awaited when the handler is over."""
        next_ = AsyncNext()

        @catch_async
        async def show(next: Any) -> None:
            next(Boom())

        assert "answer" == asyncio.run(show(next_))
        assert 1 == len(next_.done)

    def test_not_awaited_by_a_sync_handler(self) -> None:
        """A sync handler cannot await: it is seen through at once."""
        next_ = AsyncNext()

        @catch_async
        def show(next: Any) -> None:
            next(Boom())

        handler: Any = show
        assert "answer" == handler(next_)
        assert 1 == len(next_.done)

    def test_not_awaited_and_failed_after(self) -> None:
        """The later failure is late, and the first one still reaches the end of `next`."""
        next_, late = AsyncNext(), RecordingNext()

        @catch_async(late=late)
        async def show(next: Any) -> None:
            next(Boom(1))
            raise Boom(2)

        handler: Any = show
        assert "answer" == asyncio.run(handler(next_))
        assert ([1], [2]) == ([e.args[0] for e in next_.done], [e.args[0] for e in late.errors])

    @pytest.mark.parametrize("awaits", [True, False])
    def test_what_it_raises_goes_to_the_caller(self, awaits: bool) -> None:  # noqa: FBT001
        """Awaited or not, once."""
        next_, late = AsyncNext(ValueError("of next")), RecordingNext()

        @catch_async(late=late)
        async def show(next: Any) -> None:
            result = next(Boom())
            if awaits:
                await result

        with pytest.raises(ValueError, match="of next"):
            asyncio.run(show(next_))
        assert (1, []) == (len(next_.done), late.errors)

    @pytest.mark.parametrize("how", ["cancelled", "passed"])
    def test_not_awaited_and_left(self, how: str) -> None:
        """A handler that is cancelled, or left by what passes, leaves nothing undone."""
        next_ = AsyncNext()

        @catch_async(pass_through=KeyError)
        async def show(next: Any) -> None:
            next(Boom())
            if how == "passed":
                raise KeyError
            await asyncio.Event().wait()

        async def main() -> None:
            task = asyncio.ensure_future(show(next_))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() or isinstance(task.exception(), KeyError)
            while not next_.done:  # noqa: ASYNC110 - it ends as soon as the kept task does
                await asyncio.sleep(0)

        asyncio.run(main())
        assert 1 == len(next_.done)

    def test_cancelled_while_it_is_awaited(self) -> None:
        """A handler cancelled in `await next(error)` has cancelled its `next`."""
        next_ = AsyncNext()

        @catch_async
        async def show(next: Any) -> None:
            await next(Boom())

        async def main() -> None:
            task = asyncio.ensure_future(show(next_))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

        asyncio.run(main())
        assert (1, 0) == (len(next_.started), len(next_.done))

    def test_called_later_on_the_loop(self) -> None:
        """After the handler is over, it runs as a kept task."""
        next_, kept = AsyncNext(), list[Any]()

        @catch_async
        async def show(next: Any) -> None:
            kept.append(next)

        async def main() -> None:
            await show(next_)
            kept[0](Boom())
            while not next_.done:  # noqa: ASYNC110 - it ends as soon as the kept task does
                await asyncio.sleep(0)

        asyncio.run(main())
        assert 1 == len(next_.done)

    @pytest.mark.parametrize("when", ["while it runs", "later"])
    def test_called_from_another_thread(self, when: str) -> None:
        """It runs on the handler's loop: when the handler is over, or at once where it is."""
        loops: list[Any] = []

        async def next_(_error: BaseException) -> None:
            loops.append(asyncio.get_running_loop())

        async def main() -> None:
            released = asyncio.Event()
            kept: list[Any] = []

            @catch_async
            async def show(next: Any) -> None:
                kept.append(next)
                if when == "while it runs":
                    await released.wait()

            task = asyncio.ensure_future(show(next_))
            await asyncio.sleep(0)
            await asyncio.to_thread(kept[0], Boom())
            released.set()
            await task
            while not loops:  # noqa: ASYNC110 - it ends as soon as the loop was reached
                await asyncio.sleep(0)
            assert [asyncio.get_running_loop()] == loops

        asyncio.run(main())

    def test_called_from_a_thread_after_the_loop_has_closed(self) -> None:
        """Nothing is lost: it is run to its end in the calling thread."""
        next_, kept = AsyncNext(), list[Any]()

        @catch_async
        async def show(next: Any) -> None:
            kept.append(next)

        asyncio.run(show(next_))
        thread = threading.Thread(target=kept[0], args=(Boom(),))
        thread.start()
        thread.join()
        assert 1 == len(next_.done)

    @pytest.mark.parametrize("when", ["while it runs", "later", "after"])
    def test_on_trio(self, when: str) -> None:
        """The same on trio: on its own loop while that runs, in the calling thread after."""
        seen: list[Any] = []
        kept: list[Any] = []

        async def next_(error: BaseException) -> str:
            if when != "after":
                await trio.lowlevel.checkpoint()
            seen.append(error)
            return "answer"

        @catch_async
        async def show(next: Any) -> None:
            kept.append(next)
            if when == "while it runs":
                next(Boom())

        async def main() -> None:
            handler: Any = show
            assert ("answer" if when == "while it runs" else None) == await handler(next_)
            if when == "later":
                await trio.to_thread.run_sync(kept[0], Boom())
                while not seen:
                    await trio.lowlevel.checkpoint()

        trio.run(main)
        if when == "after":
            kept[0](Boom())
        assert 1 == len(seen)


class TestStreams:
    """Streams that are handed `next`."""

    @pytest.mark.parametrize("fails", [True, False])
    def test_a_generator(self, fails: bool) -> None:  # noqa: FBT001
        """What it hands to `next` is told once; it still breaks off where it fails."""
        next_, late = RecordingNext("answer"), RecordingNext()

        @catch_async(late=late)
        def stream(next: Any) -> Any:
            yield 1
            next(Boom(1))
            if fails:
                raise Boom(2)

        def read() -> Any:
            return (yield from stream(next_))

        if fails:
            with pytest.raises(Boom):
                list(read())
        else:
            reading = read()
            assert 1 == reading.send(None)
            with pytest.raises(StopIteration) as stopped:
                reading.send(None)
            assert "answer" == stopped.value.value
        assert [1] == [error.args[0] for error in next_.errors]
        assert ([2] if fails else []) == [error.args[0] for error in late.errors]

    def test_a_generator_that_returns(self) -> None:
        """Its result is its own."""

        @catch_async
        def stream(next: Any) -> Any:
            yield next
            return "result"

        reading = stream(RecordingNext())
        reading.send(None)
        with pytest.raises(StopIteration) as stopped:
            reading.send(None)
        assert "result" == stopped.value.value

    @pytest.mark.parametrize("fails", [True, False])
    def test_an_async_generator(self, fails: bool) -> None:  # noqa: FBT001
        """The same, and a `next` that it did not await is awaited."""
        next_, late = AsyncNext(), RecordingNext()

        @catch_async(late=late)
        async def stream(next: Any) -> AsyncIterator[Any]:
            yield 1
            next(Boom(1))
            if fails:
                raise Boom(2)

        async def read() -> list[Any]:
            return [item async for item in stream(next_)]

        if fails:
            with pytest.raises(Boom):
                asyncio.run(read())
        else:
            assert [1] == asyncio.run(read())
        assert [1] == [error.args[0] for error in next_.done]
        assert ([2] if fails else []) == [error.args[0] for error in late.errors]

    def test_an_async_generator_without_a_failure(self) -> None:
        """Nothing is told."""
        next_ = RecordingNext()

        @catch_async
        async def stream(next: Any) -> AsyncIterator[Any]:
            yield 1

        async def read() -> list[Any]:
            return [item async for item in stream(next_)]

        assert [1] == asyncio.run(read())
        assert [] == next_.arrivals
