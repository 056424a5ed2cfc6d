"""A million calls, half of them failing: none lost, none doubled, and no growth in memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import pytest

from catchasync import catch_async
from tests.support import Boom, step

CALLS = 1_000_000
FORMS = ("sync", "coroutine", "handed next", "coroutine handed next")


class Count:
    """A `next` that counts, so that it keeps nothing."""

    def __init__(self) -> None:
        self.calls = 0
        self.total = 0

    def __call__(self, error: BaseException) -> str:
        """Count the call, and add up the numbers that the errors carry."""
        self.calls += 1
        self.total += error.args[0]
        return "answer"


def handlers(next_: Count, late: Count) -> dict[str, Any]:
    """Return a caller for each form: it takes a number, and fails for the odd ones."""

    def fail_if_odd(number: int) -> int:
        if number % 2:
            raise Boom(number)
        return number

    options = catch_async(next=next_, late=late)

    @options
    async def coroutine(number: int) -> int:
        return fail_if_odd(number)

    @catch_async(late=late)
    def handed(number: int, next: Any) -> int | None:
        return next(Boom(number)) if number % 2 else number

    @catch_async(late=late)
    async def handed_async(number: int, next: Any) -> int:
        return fail_if_odd(number)

    return {
        "sync": options(fail_if_odd),
        "coroutine": lambda number: step(coroutine(number)),
        "handed next": lambda number: handed(number, next_),
        "coroutine handed next": lambda number: step(handed_async(number, next_)),
    }


def run(call: Any, numbers: range) -> int:
    """Call with each number; count the answers of `next`."""
    answers = 0
    for number in numbers:
        result = call(number)
        answers += result == "answer"
        assert result in (number, "answer")
    return answers


@pytest.mark.parametrize("form", FORMS)
def test_a_million_calls(form: str) -> None:
    """Each failure arrives once, with its own error, and its answer comes back."""
    next_, late = Count(), Count()
    call = handlers(next_, late)[form]
    calls = range(CALLS // len(FORMS))
    assert len(calls) // 2 == run(call, calls)
    assert (len(calls) // 2, sum(calls[1::2])) == (next_.calls, next_.total)
    assert 0 == late.calls


@pytest.mark.parametrize("form", FORMS)
def test_memory_does_not_grow(form: str) -> None:
    """Ten thousand more calls leave no more behind than ten thousand before."""
    call = handlers(Count(), Count())[form]
    run(call, range(2_000))
    gc.disable()
    try:
        tracemalloc.start()
        run(call, range(10_000))
        first = tracemalloc.get_traced_memory()[0]
        run(call, range(10_000))
        grown = tracemalloc.get_traced_memory()[0] - first
    finally:
        tracemalloc.stop()
        gc.enable()
    assert 2_000 > grown


def test_ten_thousand_at_once() -> None:
    """Concurrent calls on one loop do not mix up."""
    next_, late = Count(), Count()

    @catch_async(next=next_, late=late)
    async def show(number: int) -> int:
        await asyncio.sleep(0)
        if number % 2:
            raise Boom(number)
        return number

    async def main() -> list[Any]:
        return await asyncio.gather(*map(show, range(10_000)))

    results = asyncio.run(main())
    assert [n if n % 2 == 0 else "answer" for n in range(10_000)] == results
    assert (5_000, sum(range(1, 10_000, 2))) == (next_.calls, next_.total)
