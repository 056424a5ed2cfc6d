"""Streams: `send`, `throw`, `close` and their async twins go through."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from catchasync import catch_async
from catchasync.testing import RecordingNext
from tests.support import Boom


def talk() -> Any:
    """Answer what is sent and thrown, and note the end."""
    heard: list[Any] = []
    try:
        while True:
            try:
                heard.append((yield list(heard)))
            except KeyError as error:
                heard.append(repr(error))
    finally:
        heard.append("closed")
        talks.append(heard)


async def talk_async() -> AsyncGenerator[Any, Any]:
    """Answer what is sent and thrown, and note the end, asynchronously."""
    heard: list[Any] = []
    try:
        while True:
            try:
                heard.append((yield list(heard)))
            except KeyError as error:
                heard.append(repr(error))
    finally:
        await asyncio.sleep(0)
        heard.append("closed")
        talks.append(heard)


talks: list[list[Any]] = []


class TestGenerators:
    """Everything a generator can be told reaches the handler's."""

    def test_send_throw_and_close(self) -> None:
        """What is sent and thrown arrives, and closing closes."""
        next_ = RecordingNext()
        stream = catch_async(next=next_)(talk)()
        assert [] == stream.send(None)
        assert ["hello"] == stream.send("hello")
        assert ["hello", "KeyError('x')"] == stream.throw(KeyError("x"))
        stream.close()
        assert ["hello", "KeyError('x')", "closed"] == talks.pop()
        assert [] == next_.arrivals

    def test_the_return_value(self) -> None:
        """`yield from` gives what the handler's generator returned."""

        def stream() -> Any:
            yield 1
            return "result"

        def reader() -> Any:
            results.append((yield from catch_async(next=print)(stream)()))

        results: list[Any] = []
        assert [1] == list(reader())
        assert ["result"] == results

    def test_what_is_thrown_and_not_caught(self) -> None:
        """It leaves the handler: `next` is told, and whoever threw it gets it back."""
        next_, error = RecordingNext(), Boom()
        stream = catch_async(next=next_)(talk)()
        stream.send(None)
        with pytest.raises(Boom) as caught:
            stream.throw(error)
        assert caught.value is error
        assert [error] == next_.errors
        talks.clear()

    def test_the_error_of_next_replaces_the_failure(self) -> None:
        """What `next` raises is what the reader sees."""

        def stream() -> Any:
            yield 1
            raise Boom

        with pytest.raises(ValueError, match="of next") as caught:
            list(catch_async(next=RecordingNext(ValueError("of next")))(stream)())
        assert isinstance(caught.value.__context__, Boom)

    def test_as_a_context_manager(self) -> None:
        """`contextlib.contextmanager` works with a decorated generator."""
        next_ = RecordingNext()

        @contextlib.contextmanager
        @catch_async(next=next_)
        def opened() -> Any:
            yield "resource"

        with opened() as resource:
            assert "resource" == resource
        with pytest.raises(Boom), opened():
            raise Boom
        assert 1 == len(next_.errors)


class TestAsyncGenerators:
    """Everything an async generator can be told reaches the handler's."""

    def test_asend_athrow_and_aclose(self) -> None:
        """What is sent and thrown arrives, and closing closes."""
        next_ = RecordingNext()

        async def main() -> None:
            stream = catch_async(next=next_)(talk_async)()
            assert [] == await stream.asend(None)
            assert ["hello"] == await stream.asend("hello")
            assert ["hello", "KeyError('x')"] == await stream.athrow(KeyError("x"))
            await stream.aclose()

        asyncio.run(main())
        assert ["hello", "KeyError('x')", "closed"] == talks.pop()
        assert [] == next_.arrivals

    def test_what_is_thrown_and_not_caught(self) -> None:
        """It leaves the handler: `next` is told, and whoever threw it gets it back."""
        next_, error = RecordingNext(), Boom()

        async def main() -> None:
            stream = catch_async(next=next_)(talk_async)()
            await stream.asend(None)
            with pytest.raises(Boom) as caught:
                await stream.athrow(error)
            assert caught.value is error

        asyncio.run(main())
        assert [error] == next_.errors
        talks.clear()

    def test_thrown_into_a_stream_that_ends(self) -> None:
        """A handler that catches what is thrown, and returns, ends the stream."""

        async def stream() -> AsyncGenerator[Any, Any]:
            with contextlib.suppress(Boom):
                yield 1

        async def main() -> None:
            decorated = catch_async(next=print)(stream)()
            await decorated.asend(None)
            with pytest.raises(StopAsyncIteration):
                await decorated.athrow(Boom())

        asyncio.run(main())

    def test_one_that_is_left_is_closed_by_the_loop(self) -> None:
        """A reader that breaks off leaves the closing to the loop, as without us."""

        async def main() -> None:
            async for _ in catch_async(next=print)(talk_async)():
                break
            gc.collect()
            while not talks:  # noqa: ASYNC110 - it ends as soon as the loop has closed it
                await asyncio.sleep(0)

        asyncio.run(main())
        assert ["closed"] == talks.pop()

    def test_cancelled(self) -> None:
        """A reader that is cancelled cancels the handler, and nothing is told."""
        next_, seen = RecordingNext(), list[str]()

        @catch_async(next=next_)
        async def stream() -> AsyncGenerator[Any, Any]:
            yield 1
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        async def read() -> None:
            async for _ in stream():
                pass

        async def main() -> None:
            task = asyncio.ensure_future(read())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

        asyncio.run(main())
        assert (["cancelled"], []) == (seen, next_.arrivals)

    def test_one_that_is_handed_next_and_closed(self) -> None:
        """Closing one that called an async `next` leaves nothing undone."""
        done: list[BaseException] = []

        async def next_(error: BaseException) -> None:
            await asyncio.sleep(0)
            done.append(error)

        @catch_async
        async def stream(next: Any) -> AsyncGenerator[Any, Any]:
            next(Boom())
            yield 1

        async def main() -> None:
            reading = stream(next_)
            await reading.asend(None)
            await reading.aclose()
            while not done:  # noqa: ASYNC110 - it ends as soon as the kept task does
                await asyncio.sleep(0)

        asyncio.run(main())
        assert 1 == len(done)
