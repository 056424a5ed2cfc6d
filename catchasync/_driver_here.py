"""The driver that calls the layers of a chain in a thread, without a loop."""

from __future__ import annotations

from typing import Any, NoReturn

from catchasync._delivery import came_back, see_through
from catchasync._kinds import is_awaitable, is_plain, plain
from catchasync._layers import Step
from catchasync._runs import Run, Skip, ended
from catchasync._special_turns import BlockingTurn, TrackedBlockingTurn, dropped
from catchasync._turns import BEGUN, OPEN, UNHELD, Turn, references


def run_here(turn: Turn) -> Any:  # noqa: C901, PLR0912 - as `run_rest`, whose twin it is
    """Same as `run_rest`, in a thread without a loop."""
    run, index, error = turn.run, turn.target, turn.due()
    turn.state = BEGUN
    now: Any = None
    try:
        made = BlockingTurn if run.watch is None else TrackedBlockingTurn
        while index < len(run.steps):
            step = run.steps[index]
            now = made()
            now.run, now.step, now.open, now.state = run, step, [True], OPEN
            now.more = now.waiter = None
            try:
                if error is None:
                    result = step.call_here(run.req, run.res, now)
                else:
                    result = step.call_here(error, run.req, run.res, now)
                if result is now or type(result) is Skip:
                    result = now.misread(result)
                elif type(result) not in plain and not is_plain(result):
                    result = settled_here(result)
            except BaseException as raised:
                result = None
                if now.failed(raised, error):
                    raise
            if type(result) not in plain and is_awaitable(result):
                now.leave()
                refuse_async(step, result)
            if now.state is OPEN:
                is_held = references(now) > UNHELD
                waiter = now.undecided(result, is_held=is_held)
                if waiter is None:
                    return turn.over(result)
                now = None
                waiter.wake.block()
                now = waiter.outcome()
                if now is None:
                    dropped(run, step)
                    return turn.over(None)
            is_held = references(now) > UNHELD
            index, error = turn.follow(now, result, is_held=is_held)
        return turn.over(reach_end_here(run, error))
    except BaseException as raised:
        turn.broke(raised)
        raise
    finally:
        del turn, run, now, error


def reach_end_here(run: Run, error: BaseException | None) -> Any:
    """Same as `reach_end`, without a loop."""
    before = None if error is None else error.__traceback__
    try:
        return see_through(ended(run, error))
    except BaseException as raised:
        if run.next is not None:
            came_back(raised, error, before, run.next)
        raise
    finally:
        del run, error


def settled_here(result: Any) -> Any:
    """Return what a future gives that can be waited for in a thread; an awaitable as it is."""
    return result if is_awaitable(result) else result.result()


def refuse_async(step: Step, awaitable: Any = None) -> NoReturn:
    """Refuse to run an async layer without a loop, and end its coroutine."""
    if hasattr(awaitable, "close"):
        awaitable.close()
    came = "is async" if awaitable is None else f"returned {awaitable!r}"
    msg = (
        f"Chain.run() runs sync layers only, and {step.name} {came}: use `await chain(...)`, "
        "or make it a plain function."
    )
    raise TypeError(msg)
