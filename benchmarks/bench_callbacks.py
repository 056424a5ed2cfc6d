"""A promisified function beside a future that is awaited and settled by hand."""

from __future__ import annotations

import asyncio
import queue
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks._harness import Case, Run, awaits
from catchasync import promisify

Done = Callable[..., None]

CROWD = 20_000


def cases() -> Iterator[Case]:
    """Give all cases of this file."""
    yield Case("calls back at once", contestants(at_once), target=2.5)
    yield Case("calls back later, on the loop", contestants(later), target=1.4)
    yield Case(
        "calls back from a thread",
        {"by hand": threaded(by_hand_from_thread), "catchasync": threaded(promisify)},
        target=1.15,
        calls=3_000,
    )
    yield Case(
        f"{CROWD} calls at once",
        {"by hand": crowd(by_hand(later)), "catchasync": crowd(promisify(later))},
        target=1.4,
        calls=CROWD,
        rounds=7,
    )
    yield Case(
        "bytes of a pending call (not ns)",
        {"by hand": pending_bytes(by_hand), "catchasync": pending_bytes(promisify)},
        target=1.5,
        calls=2_000,
        rounds=3,
    )


def contestants(function: Callable[..., Any]) -> dict[str, Run]:
    """Await it again and again."""
    return {
        "by hand": awaits(by_hand(function), 1),
        "catchasync": awaits(promisify(function), 1),
    }


def at_once(value: int, callback: Done) -> None:
    """Call back before returning."""
    callback(None, value)


def later(value: int, callback: Done) -> None:
    """Call back in the loop's next round."""
    asyncio.get_running_loop().call_soon(callback, None, value)


def by_hand(function: Callable[..., Any]) -> Callable[..., Any]:
    """Write what `promisify` writes, for a library that calls back on the loop's thread."""

    async def call(value: int) -> Any:
        future = asyncio.get_running_loop().create_future()

        def done(error: BaseException | None, result: Any = None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        function(value, done)
        return await future

    return call


def by_hand_from_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Same as `by_hand`, for a library that calls back on a thread of its own."""

    async def call(value: int) -> Any:
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def settle(error: BaseException | None, result: Any) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def done(error: BaseException | None, result: Any = None) -> None:
            loop.call_soon_threadsafe(settle, error, result)

        function(value, done)
        return await future

    return call


def threaded(convert: Callable[..., Any]) -> Run:
    """Await a library that calls back on a thread of its own."""

    def run(count: int) -> float:
        jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def work() -> None:
            while (job := jobs.get()) is not None:
                value, callback = job
                callback(None, value)

        def start(value: int, callback: Done) -> None:
            jobs.put((value, callback))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            return awaits(convert(start), 1)(count)
        finally:
            jobs.put(None)
            thread.join()

    return run


def crowd(function: Callable[..., Any]) -> Run:
    """Await so many calls together."""

    async def main(count: int) -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.gather(*(function(number) for number in range(count)))
        return loop.time() - start

    return lambda count: asyncio.run(main(count))


def pending_bytes(convert: Callable[..., Any]) -> Run:
    """Measure what calls weigh while they wait; told as if bytes were nanoseconds."""

    async def main(count: int) -> float:
        waiting: list[Done] = []
        function = convert(lambda _value, callback: waiting.append(callback))
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        tasks = [asyncio.create_task(function(number)) for number in range(count)]
        await asyncio.sleep(0)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for callback in waiting:
            callback(None)
        await asyncio.gather(*tasks)
        return (after - before) / 1e9

    return lambda count: asyncio.run(main(count))
