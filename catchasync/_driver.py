"""The driver that awaits the layers of a chain, on asyncio or trio.

It calls and awaits, and asks `_turns` what comes next. What a layer goes on to is run in a loop, so
that a chain may be as long as it likes. Only ``await next()`` nests; after `HOP` layers it goes on
from the bottom of the stack again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final

from catchasync import _runtimes
from catchasync._delivery import came_back
from catchasync._kinds import is_awaitable, is_plain, plain
from catchasync._runs import Run, Skip, ended
from catchasync._special_turns import AsyncTurn, TrackedTurn, dropped
from catchasync._trio import TrioHome
from catchasync._turns import BEGUN, CALLED, DONE, OPEN, UNHELD, Turn, references
from catchasync._waiters import Waiter
from catchasync._wakes import Wake

HOP: Final = 32  # layers, of a few frames each: far below the interpreter's limit of recursion


async def run_rest(turn: Turn) -> Any:  # noqa: C901, PLR0911, PLR0912, PLR0915 - see below
    """Run what comes after a layer, and return the answer.

    It is one function, long as it is: every call inside it would be one more for each layer.
    """
    if turn.state is not CALLED:
        return await outcome(turn)
    turn.state = BEGUN
    run, index, error = turn.run, turn.target, turn.due()
    steps, is_untracked = run.steps, run.watch is None
    now: Any = None
    try:
        while index < len(steps):
            step = steps[index]
            now = (AsyncTurn if step.is_async else Turn)() if is_untracked else TrackedTurn()
            now.run = run
            now.step = step
            now.open = [True]
            now.state = OPEN
            now.more = now.waiter = None
            is_left = False
            try:
                if error is None:
                    result = step.call(run.req, run.res, now)
                else:
                    result = step.call(error, run.req, run.res, now)
                if step.is_async:
                    result = await result
                if result is now or type(result) is Skip:
                    result = now.misread(result)
                elif type(result) not in plain and not is_plain(result):
                    result = None if now.is_own(result) else await settled(result)
            except BaseException as raised:
                result = None
                if now.failed(raised, error):
                    raise
            if now.state is DONE:
                now.forget()
                answer = now.answer if result is None else result
                if turn.more is not None:
                    return turn.over(answer)
                turn.answer, turn.state = answer, DONE
                return answer
            if now.state is OPEN:
                is_held = references(now) > UNHELD
                waiter = now.undecided(result, is_held=is_held)
                if waiter is None:
                    return turn.over(result)
                now = None
                now = await decision(waiter)
                if now is None:
                    dropped(run, step)
                    return turn.over(None)
                is_left = True
            if now.state is CALLED:
                is_held = references(now) > UNHELD
                index, error = turn.follow(now, result, is_held=is_held)
                continue
            if now.state is BEGUN or is_left:
                return turn.over(await joined(now, result))
            now.forget()
            return turn.over(result)
        return turn.over(await reach_end(run, error))
    except BaseException as raised:
        turn.broke(raised)
        raise
    finally:
        del turn, run, now, error  # the frame may outlive its end, in the traceback of an error


async def decision(waiter: Waiter[Turn]) -> Turn | None:
    """Wait for the `next` of a layer that has returned."""
    try:
        await waiter.wake
    except BaseException:
        waiter.leave()
        raise
    return waiter.outcome()


async def outcome(turn: Turn) -> Any:
    """Wait for what somebody else runs."""
    if turn.state is BEGUN:
        more = turn.special()
        more.listener = more.listener or Wake()
        await more.listener
    failure = None if turn.more is None else turn.more.failure
    if turn.more is None or failure is None:
        return turn.answer
    turn.more.failure = None
    try:
        raise failure
    finally:
        del failure


async def joined(turn: Turn, result: Any) -> Any:
    """Return a layer's own result, else the answer of what somebody else runs after it."""
    answer = await outcome(turn)
    turn.forget()
    return answer if result is None else result


async def settled(result: Any) -> Any:
    """Return what an awaitable or another kind of future gives, on any loop."""
    if is_awaitable(result) and not hasattr(result, "addBoth"):
        return await result
    wake = Wake()
    if not hasattr(result, "addBoth"):
        result.add_done_callback(wake.set)
        await wake
        return result.result()
    values: list[Any] = []  # of a Deferred of Twisted
    result.addBoth(values.append)
    result.addBoth(wake.set)
    await wake
    return values[0].raiseException() if hasattr(values[0], "raiseException") else values[0]


async def reach_end(run: Run, error: BaseException | None) -> Any:
    """Hand the chain's own `next` the error, or nothing; without one, raise the error."""
    before = None if error is None else error.__traceback__
    try:
        result = ended(run, error)
        return await result if is_awaitable(result) else result
    except BaseException as raised:
        if run.next is not None:
            came_back(raised, error, before, run.next)
        raise
    finally:
        del run, error


class Jump:
    """Yielded through all that awaits, down to the root: it shall run what comes after a turn."""

    __slots__ = ("root", "turn")

    def __init__(self, root: Root, turn: Turn) -> None:
        self.root = root
        self.turn = turn

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self)


class Root:
    """The bottom of a stack of layers that await their `next`: steps them itself."""

    __slots__ = ("_turn",)

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def __await__(self) -> Generator[Any, Any, Any]:
        turn, lane = self._turn, lane_here()
        del self._turn
        roots = turn.run.roots = turn.run.roots or {}
        roots[lane] = self
        try:
            return (yield from self._steps(run_rest(turn)))
        finally:
            del roots[lane], turn

    def _steps(self, top: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        below: list[Coroutine[Any, Any, Any]] = []
        step: Callable[[Any], Any] = top.send
        value: Any = None
        try:
            while True:
                try:
                    yielded = step(value)
                except StopIteration as stop:
                    value = stop.value
                    if not below:
                        return value
                    top = below.pop()
                    step = top.send
                except BaseException as error:
                    if not below:
                        raise
                    top, value = below.pop(), error
                    step = top.throw
                else:
                    if type(yielded) is Jump and yielded.root is self:
                        below.append(top)
                        top, value = run_rest(yielded.turn), None
                        step = top.send
                        continue
                    try:
                        value = yield yielded
                        step = top.send
                    except BaseException as error:  # noqa: BLE001 - for the layer that waits
                        value = error
                        step = top.throw
        finally:
            del top, step, value


async def hop(turn: Turn) -> Any:
    """Same as `run_rest`, from the bottom of the stack."""
    root = (turn.run.roots or {}).get(lane_here())
    return await (Root(turn) if root is None else Jump(root, turn))


def lane_here() -> Any:
    """Return the task that runs here, on whichever loop."""
    home = _runtimes.here()
    if isinstance(home, TrioHome):
        return home.trio.lowlevel.current_task()
    return _runtimes.current_task()
