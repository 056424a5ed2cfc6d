"""`Chain`: when, where and how often `next` may be called; who waits for what; how deep."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
import weakref
from typing import Any, ClassVar

import pytest
import trio

from catchasync import (
    SKIP_ROUTE,
    Chain,
    HandlerIncomplete,
    NextCalledTwice,
    _waiters,
    catch_async,
)
from catchasync._wakes import Wake
from catchasync.testing import RecordingNext
from tests.chain_support import (
    Log,
    Other,
    Response,
    answer,
    every_kind,
    every_loop,
    every_runner,
    go,
    in_thread,
    pause,
)
from tests.support import Boom, raiser, step

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture
def is_waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Tell when a chain has left a layer, and waits for its `next`."""
    event = threading.Event()

    class Told(Wake):
        def __init__(self, *, is_blocking: bool) -> None:
            super().__init__(is_blocking=is_blocking)
            event.set()

    monkeypatch.setattr(_waiters, "Wake", Told)
    return event


# When and where `next` is called.


@every_loop
def test_next_may_be_awaited(runner: str) -> None:
    """It gives the answer of what comes after."""
    seen: list[Any] = []

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        seen.append(await next())
        return seen[0] + "!"

    assert "answer!" == go(runner, Chain(layer, answer))
    assert ["answer"] == seen


@every_loop
def test_an_awaited_answer_need_not_be_returned(runner: str) -> None:
    """A layer that awaited `next` and returns ``None`` leaves the answer as it is."""

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        await next()

    async def return_it(_req: Any, _res: Any, next: Any) -> Any:
        awaited = next()
        await awaited
        return awaited

    async def not_awaited(_req: Any, _res: Any, next: Any) -> Any:
        return next()

    late = RecordingNext()

    assert "answer" == go(runner, Chain(layer, return_it, not_awaited, answer, late=late))
    assert [] == late.errors


@every_kind
def test_a_layer_that_went_on_may_replace_the_answer(runner: str, *, is_async: bool) -> None:
    """What the first of them returns is the answer."""
    log = Log()
    first = log.layer("a", lambda next: (next(), "first")[1], is_async=is_async)
    second = log.layer("b", lambda next: (next(), "second")[1], is_async=is_async)

    assert "first" == go(runner, Chain(first, second, answer))


@every_loop
def test_a_layer_may_handle_what_next_raises(runner: str) -> None:
    """One that catches what ``await next()`` raises has handled it."""
    late = RecordingNext()

    async def layer(_req: Any, _res: Any, next: Any) -> str:
        try:
            await next()
        except Boom:
            return "handled"
        return "not reached"

    async def swallow(_req: Any, _res: Any, next: Any) -> None:
        with contextlib.suppress(Boom):
            await next()

    assert "handled" == go(runner, Chain(layer, raiser(Boom()), late=late))
    assert None is go(runner, Chain(swallow, raiser(Boom()), late=late))
    assert [] == late.errors


@every_loop
def test_what_next_raised_may_go_up(runner: str) -> None:
    """A layer that lets it pass, or raises another in its place, is no second failure."""
    late = RecordingNext()

    async def let_pass(_req: Any, _res: Any, next: Any) -> None:
        await next()

    async def another(_req: Any, _res: Any, next: Any) -> None:
        try:
            await next()
        except Boom as error:
            raise Other from error

    with pytest.raises(Other):
        go(runner, Chain(let_pass, another, let_pass, raiser(Boom()), late=late))
    assert [] == late.errors


@every_loop
def test_a_failure_after_next_is_late(runner: str) -> None:
    """The decision was to go on: the answer stays, the failure is told."""
    late = RecordingNext()
    error = Boom()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        await next()
        raise error

    assert "answer" == go(runner, Chain(layer, answer, late=late))
    assert [error] == late.errors


@every_kind
def test_a_failure_after_a_next_that_was_not_awaited_is_late(
    runner: str, *, is_async: bool
) -> None:
    """The layers after it run; what was itself handed to `next` is no news."""
    late = RecordingNext()
    log = Log()
    error = Boom()

    def act(next: Any) -> None:
        next()
        raise error

    def same(next: Any) -> None:
        next(error)
        raise error

    chain = Chain(log.layer("a", act, is_async=is_async), answer, late=late)
    assert "answer" == go(runner, chain)
    chain = Chain(log.layer("a", same, is_async=is_async), late=late)
    assert "handled" == go(runner, chain.use_error(lambda error: "handled"))
    assert [error] == late.errors


@every_kind
def test_a_second_call_is_late(runner: str, *, is_async: bool) -> None:
    """An error is told as it is, a ``next()`` as `NextCalledTwice`, which names the layer."""
    late = RecordingNext()
    log = Log()
    error = Boom()

    def act(next: Any) -> Any:
        next()
        next(error)
        next(SKIP_ROUTE)
        return next()

    layers = [log.layer("a", act, is_async=is_async), log.layer("b", is_async=is_async), answer]
    chain = Chain(layers, late=late)

    assert "answer" == go(runner, chain)
    assert ["a", "b"] == log
    assert [error] == late.errors[:1]
    assert [NextCalledTwice] * 2 == [type(each) for each in late.errors[1:]]
    assert "called next() after its outcome was decided" in str(late.errors[1])
    assert str(late.errors[1]).startswith("Log.layer")


@every_loop
def test_the_second_next_may_be_awaited(runner: str) -> None:
    """It gives ``None``: there is nothing to wait for."""
    late = RecordingNext()

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        return [await next(), await next()]

    assert ["answer", None] == go(runner, Chain(layer, answer, late=late))


@every_runner
def test_next_may_be_called_later_from_another_thread(
    runner: str, is_waiting: threading.Event
) -> None:
    """A layer that returned ``None`` is waited for while something holds its `next`."""
    given: list[Any] = []

    def later(next: Any) -> None:
        is_waiting.wait()
        given.append(next(None, "data"))

    threads: list[threading.Thread] = []

    def layer(_req: Any, _res: Any, next: Any) -> None:
        threads.append(in_thread(later, next))

    assert "answer" == go(runner, Chain(layer, answer))
    threads[0].join()
    assert [None] == given


@every_runner
def test_an_error_may_come_later(runner: str, is_waiting: threading.Event) -> None:
    """``next(error)`` as an error-first callback reaches the error layers."""

    def later(next: Any) -> None:
        is_waiting.wait()
        next(Boom(), "data")

    def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(later, next)

    assert Boom is go(runner, Chain(layer, answer).use_error(lambda error: type(error)))


@every_loop
def test_an_async_layer_is_waited_for_likewise(runner: str, is_waiting: threading.Event) -> None:
    """It may return before its `next` is called, too."""

    def later(next: Any) -> None:
        is_waiting.wait()
        next()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(later, next)

    assert "answer" == go(runner, Chain(layer, answer))


@every_runner
@pytest.mark.parametrize("is_tracked", [False, True])
def test_a_dropped_next_ends_the_chain(
    runner: str, is_waiting: threading.Event, *, is_tracked: bool
) -> None:
    """When nothing holds it any more, the layer has answered ``None``; tracked, it is reported."""
    late = RecordingNext()

    def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(drop_later, [next])

    def drop_later(held: list[Any]) -> None:
        is_waiting.wait()
        held.clear()

    chain = Chain(layer, answer, track_response=is_tracked, late=late)

    assert None is go(runner, chain, res=Response())
    assert [HandlerIncomplete] * is_tracked == [type(error) for error in late.errors]


@every_runner
def test_a_response_sent_before_next_was_dropped_is_complete(
    runner: str, is_waiting: threading.Event
) -> None:
    """A callback-style function that answers by itself lets go of `next`, and nothing is wrong."""
    late = RecordingNext()

    def layer(_req: Any, res: Any, next: Any) -> None:
        in_thread(answer_later, [next], res)

    def answer_later(held: list[Any], res: Any) -> None:
        is_waiting.wait()
        res.send()
        held.clear()

    chain = Chain(layer, answer, track_response=True, late=late)

    assert None is go(runner, chain, res=Response())
    assert [] == late.errors


def test_a_next_that_is_called_while_a_wait_begins_is_not_missed() -> None:
    """Between the question and the wait another thread may have called it."""
    turn = FakeTurn()
    turn.is_decided = True
    waiter = _waiters.Waiter(turn)

    assert waiter.wake.is_set
    assert turn is waiter.outcome()
    assert None is waiter.outcome()


def test_a_next_that_is_called_while_a_wait_is_left_is_told() -> None:
    """Between the end of the wait and the call, nobody acts on it; nor on one that is gone."""
    turn = FakeTurn()
    waiter = _waiters.Waiter(turn)
    waiter.leave()
    waiter.called(turn)
    assert 2 == turn.left

    reference = weakref.ref(turn)
    del turn
    assert None is reference()
    waiter.leave()


class FakeTurn:
    """What a waiter asks of a turn."""

    is_blocking: ClassVar[bool] = True
    is_decided = False
    left = 0

    def attach(self, waiter: _waiters.Waiter[FakeTurn] | None) -> None:
        """Take no note, so that there is no cycle."""

    def leave(self) -> None:
        """Count."""
        self.left += 1


@every_loop
def test_next_may_be_called_later_on_the_loop(runner: str) -> None:
    """A callback of the loop's own may call it; what the loop runs meanwhile goes on."""

    def layer(_req: Any, _res: Any, next: Any) -> None:
        if runner == "trio":
            trio.lowlevel.current_trio_token().run_sync_soon(next)
        else:
            asyncio.get_running_loop().call_soon(next)

    async def async_layer(req: Any, res: Any, next: Any) -> None:
        layer(req, res, next)

    assert "answer" == go(runner, Chain(layer, async_layer, answer))


def test_a_wait_that_is_over_is_not_ended_again() -> None:
    """A `next` that was called and is dropped after that tells the loop nothing wrong."""
    told: list[Any] = []

    def layer(_req: Any, _res: Any, next: Any) -> None:
        asyncio.get_running_loop().call_soon(next)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: told.append(context)
        )
        for _ in range(3):
            await Chain(layer, layer, answer)(1, 2)
            await asyncio.sleep(0)

    asyncio.run(main())
    assert [] == told


def test_next_may_be_awaited_later_by_another_task() -> None:
    """Whoever awaits it first runs the rest; the chain waits for it, and gives its answer."""

    async def main() -> Any:
        tasks = []

        async def work(next: Any) -> Any:
            await asyncio.sleep(0)
            return await next()

        def layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.ensure_future(work(next)))

        return await Chain(layer, answer)(1, 2), await tasks[0]

    assert ("answer", "answer") == asyncio.run(main())


def test_a_task_of_next_is_waited_for() -> None:
    """A layer may start what comes next as a task and leave it: chain and task agree."""

    async def slow(_req: Any, _res: Any) -> str:
        await asyncio.sleep(0)
        return "slow"

    async def failing(_req: Any, _res: Any) -> str:
        await asyncio.sleep(0)
        raise Boom

    async def main() -> Any:
        tasks = []

        async def layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.create_task(next()))
            await asyncio.sleep(0)

        def sync_layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.create_task(next()))

        answers = [await Chain(each, layer, slow)(1, 2) for each in (layer, sync_layer)]
        with pytest.raises(Boom):
            await Chain(layer, failing)(1, 2)
        return answers, await asyncio.gather(*tasks, return_exceptions=True)

    answers, results = asyncio.run(main())

    assert ["slow", "slow"] == answers
    assert [*["slow"] * 4, Boom] == [*results[:4], type(results[4])]


def test_a_task_of_next_may_be_cancelled() -> None:
    """What comes next is cancelled with it, and so is the chain that waits for it."""
    log = Log()

    async def wait(_req: Any, _res: Any) -> None:
        try:
            await asyncio.Future()
        finally:
            log.append("cancelled")

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        task = asyncio.create_task(next())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(task.cancel)

    async def main() -> None:
        for track_response in (False, True):
            with pytest.raises(asyncio.CancelledError):
                await Chain(layer, wait, track_response=track_response)(1, Response())

    asyncio.run(main())
    assert ["cancelled"] * 2 == log


def test_a_failure_in_another_task_is_the_chains() -> None:
    """Where somebody else awaits a `next` that was held, its failure is raised here as well."""

    async def main() -> Any:
        tasks = []

        async def work(next: Any) -> None:
            await asyncio.sleep(0)
            await next()

        def layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.ensure_future(work(next)))

        with pytest.raises(Boom):
            await Chain(layer, raiser(Boom()))(1, 2)
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [Boom] == [type(result) for result in asyncio.run(main())]


def test_what_next_returned_may_be_awaited_late() -> None:
    """Also when the chain has run it itself, and when it is awaited again, after a failure."""
    kept: list[Any] = []

    async def main() -> Any:
        def layer(_req: Any, _res: Any, next: Any) -> None:
            kept.append(next())

        await Chain(layer, answer)(1, 2)
        with pytest.raises(Boom):
            await Chain(layer, raiser(Boom()))(1, 2)
        return [await each for each in kept]

    assert ["answer", None] == asyncio.run(main())


def test_whoever_awaits_next_beside_the_chain_gets_its_outcome() -> None:
    """A task that awaits what the chain runs itself waits with it."""
    tasks: list[Any] = []

    async def pass_time(_req: Any, _res: Any) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        return "slow"

    async def fail(_req: Any, _res: Any) -> None:
        await pass_time(1, 2)
        raise Boom

    def layer(_req: Any, _res: Any, next: Any) -> None:
        rest = next()

        async def work() -> Any:
            return await rest

        asyncio.get_running_loop().call_soon(lambda: tasks.append(asyncio.ensure_future(work())))

    async def main() -> Any:
        chain = Chain(layer, pass_time)
        with pytest.raises(Boom):
            await Chain(layer, fail)(1, 2)
        return await chain(1, 2), await asyncio.gather(*tasks, return_exceptions=True)

    verdict, results = asyncio.run(main())
    assert "slow" == verdict
    assert [Boom, "slow"] == [type(results[0]), results[1]]


def test_next_under_a_timeout_or_in_a_group() -> None:
    """What wraps an awaitable in a task of its own may wrap ``next()``, at any depth."""

    async def limit(_req: Any, _res: Any, next: Any) -> Any:
        return await asyncio.wait_for(next(), 10)

    async def gather(_req: Any, _res: Any, next: Any) -> Any:
        return (await asyncio.gather(next(), asyncio.sleep(0)))[0]

    async def task(_req: Any, _res: Any, next: Any) -> Any:
        return await asyncio.create_task(next())

    late = RecordingNext()
    layers = [limit, gather, task] * 100

    assert "answer" == asyncio.run(Chain(*layers, answer, late=late)(1, 2))
    assert [] == late.errors


def test_next_in_a_nursery() -> None:
    """A nursery starts what ``next()`` gives."""
    seen: list[str] = []

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(next)

    def sync_layer(_req: Any, _res: Any, next: Any) -> Any:
        return next()

    trio.run(Chain(layer, sync_layer, layer, lambda: seen.append("ran")), 1, 2)

    assert ["ran"] == seen


@every_loop
def test_a_layer_that_works_on_is_waited_for(runner: str) -> None:
    """The chain is over when every layer is, also one that called `next` without awaiting it."""
    log = Log()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        next()
        for _ in range(3):
            await pause()
        log.append("over")

    assert "answer" == go(runner, Chain(layer, answer))
    assert ["over"] == log


@every_loop
def test_a_callback_style_function_with_a_guarded_next(runner: str) -> None:
    """A decorated layer may hand its own `next` to another thread, while it waits for that."""
    late = RecordingNext()

    @catch_async(late=late)
    def layer(req: Any, res: Any, next: Any) -> None:
        thread = in_thread(next, Boom())
        thread.join()

    assert Boom is go(runner, Chain(layer, late=late).use_error(lambda error: type(error)))
    assert [] == late.errors


@every_loop
def test_an_async_layer_may_have_next_called_in_a_thread(runner: str) -> None:
    """Off its own thread ``next()`` gives nothing to await: the chain itself goes on."""
    given: list[Any] = []

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(lambda: given.extend([next(), next()])).join()

    late = RecordingNext()
    assert "answer" == go(runner, Chain(layer, answer, late=late))
    assert [None, None] == given
    assert [NextCalledTwice] == [type(error) for error in late.errors]


def test_a_cancelled_wait_makes_next_late() -> None:
    """Where the chain is cancelled while it waits for a held `next`, its call is late."""
    late, held = RecordingNext(), []
    error = Boom()

    async def main() -> None:
        chain = Chain(lambda req, res, next: held.append(next), late=late)
        task = asyncio.ensure_future(chain(1, 2))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    held.pop()(error)

    assert [error] == late.errors


def test_a_next_called_while_the_wait_is_cancelled_is_late() -> None:
    """The decision came, but nobody acts on it any more: its error is told."""
    late, held = RecordingNext(), []
    error = Boom()

    async def main() -> None:
        chain = Chain(lambda req, res, next: held.append(next), late=late)
        task = asyncio.ensure_future(chain(1, 2))
        await asyncio.sleep(0)
        held.pop()(error)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert [error] == late.errors


def test_a_next_dropped_after_its_loop_is_over_harms_nobody() -> None:
    """The finaliser has nobody left to wake."""
    held: list[Any] = []

    async def main() -> None:
        task = asyncio.ensure_future(Chain(lambda req, res, next: held.append(next))(1, 2))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    held.clear()


# Context variables.


@every_loop
def test_context_variables_go_down_and_come_up(runner: str) -> None:
    """What a layer sets later layers see; what they set is there after ``await next()``."""
    variable = contextvars.ContextVar("variable", default="nothing")
    seen: list[str] = []

    async def outer(_req: Any, _res: Any, next: Any) -> None:
        variable.set("outer")
        await next()
        seen.append(variable.get())

    async def inner(_req: Any, _res: Any, next: Any) -> None:
        seen.append(variable.get())
        variable.set("inner")
        await next()

    go(runner, Chain(outer, *[inner] * 100, answer))

    assert ["outer", *["inner"] * 100] == seen


def test_cancel_scopes_reach_over_next() -> None:
    """A scope of trio around ``await next()`` cancels what comes next, however far down."""
    seen: list[bool] = []

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await next()
        seen.append(scope.cancelled_caught)

    async def pass_on(_req: Any, _res: Any, next: Any) -> None:
        await next()

    trio.run(Chain(layer, *[pass_on] * 100, trio.lowlevel.checkpoint), 1, 2)

    assert [True] == seen


# Depth.


@every_kind
def test_ten_thousand_layers(runner: str, *, is_async: bool) -> None:
    """They run without recursion."""

    def sync(_req: Any, _res: Any, next: Any) -> Any:
        return next()

    async def coroutine(_req: Any, _res: Any, next: Any) -> Any:
        return await next()

    layers = [coroutine if is_async else sync] * 10_000

    assert "answer" == go(runner, Chain(*layers, answer))


@every_loop
def test_an_error_under_ten_thousand_layers(runner: str) -> None:
    """It goes up through all that await, and down to all error layers."""

    async def coroutine(_req: Any, _res: Any, next: Any) -> Any:
        await next()

    async def handler(error: Any, _req: Any, _res: Any, next: Any) -> Any:
        await next(error)

    layers = [coroutine] * 5_000
    handlers = [handler] * 5_000

    with pytest.raises(Boom):
        go(runner, Chain(*layers, raiser(Boom()), *handlers))


@every_loop
def test_deep_chains_side_by_side(runner: str) -> None:
    """A chain that is itself deep goes on in the outer one without being on the stack there."""

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        return await next()

    for size in (5, 31, 40):
        chain = Chain(*(Chain([layer] * size) for _ in range(400)), answer)
        assert "answer" == go(runner, chain)


@every_loop
def test_chains_deep_inside_chains(runner: str) -> None:
    """However deep chains are nested, the stack is not."""

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        return await next()

    chain = Chain(answer)
    for _ in range(100):
        chain = Chain([layer] * 30, chain)

    assert "answer" == go(runner, chain)


@every_loop
def test_ten_thousand_layers_that_wait(runner: str) -> None:
    """Each may suspend, before and after ``await next()``."""

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        await pause()
        result = await next()
        await pause()
        return result

    assert "answer" == go(runner, Chain(*[layer] * 10_000, answer))


def test_a_deep_chain_may_be_closed() -> None:
    """A coroutine of a chain that is closed midway closes every layer's, innermost first."""
    log = Log()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        try:
            await next()
        finally:
            log.append("closed")

    async def wait(_req: Any, _res: Any) -> None:
        await asyncio.Future()

    async def main() -> None:
        coroutine = Chain(*[layer] * 100, wait)(1, 2)
        coroutine.send(None)
        coroutine.close()

    asyncio.run(main())

    assert 100 == len(log)


# `run`.


def test_run_refuses_an_async_layer() -> None:
    """It names the layer, before any layer has run; also one in a chain inside."""
    log = Log()

    async def coroutine(_req: Any, _res: Any) -> None: ...

    for layer in (coroutine, Chain(coroutine)):
        with pytest.raises(TypeError, match=r"sync layers only, and .*coroutine is async"):
            Chain(log.layer("a", is_async=False), layer).run(1, 2)
    assert [] == log


def test_run_leaves_no_coroutine_behind() -> None:
    """A layer that turns out async is named, its coroutine closed; what it handed on is late."""

    async def coroutine() -> None: ...

    def layer(_req: Any, _res: Any, next: Any) -> Any:
        next()
        return coroutine()

    with pytest.raises(TypeError, match=r"layer returned <coroutine"):
        Chain(layer, answer).use_error(lambda error: "not asked").run(1, 2)

    late = RecordingNext()
    error = Boom()

    def hand_over(_req: Any, _res: Any, next: Any) -> Any:
        next(error)
        return coroutine()

    with pytest.raises(TypeError, match=r"hand_over returned <coroutine"):
        Chain(hand_over, late=late).run(1, 2)
    assert [error] == late.errors

    async def awaited() -> None:
        with pytest.raises(TypeError, match=r"<Future pending>"):
            Chain(lambda: asyncio.get_running_loop().create_future()).run(1, 2)

    asyncio.run(awaited())
    gc.collect()


def test_run_works_on_a_thread_with_a_loop() -> None:
    """It blocks that thread, and needs no loop."""

    async def main() -> Any:
        return Chain(start_thread, answer).run(1, 2)

    def start_thread(_req: Any, _res: Any, next: Any) -> None:
        in_thread(next)

    assert "answer" == asyncio.run(main())


def test_a_chain_needs_no_loop_to_be_awaited() -> None:
    """Layers that wait for nothing can be stepped by hand; a held `next` blocks the thread."""

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        return await next()

    def legacy(_req: Any, _res: Any, next: Any) -> None:
        in_thread(next)

    assert "answer" == step(Chain(*[layer] * 100, legacy, answer)(1, 2))
