"""Turns of async layers, of layers without a loop, and of layers whose response is watched."""

from __future__ import annotations

from threading import get_ident
from typing import Any, ClassVar

from catchasync._layers import Step
from catchasync._runs import Run
from catchasync._turns import CALLED, Turn
from catchasync._waiters import Waiter
from catchasync.errors import HandlerIncomplete


class AsyncTurn(Turn):
    """The turn of an async layer: its `next` returns a coroutine, which costs less to await."""

    __slots__ = ()

    def __call__(self, error: object = None, /, *_values: object) -> Any:
        """Same as for any layer."""
        try:
            self.open.pop()
        except IndexError:
            return self.again(error)
        if error is None:
            self.target = self.step.following
        else:
            self.aim(error)
        if get_ident() != self.run.thread or self.waiter is not None:
            return self.decided()
        self.rest = rest = self.step.rest(self)
        self.state = CALLED
        return rest


class BlockingTurn(Turn):
    """The turn of a layer that is run without a loop: there is nothing to await."""

    __slots__ = ()

    is_blocking: ClassVar[bool] = True

    def decided(self) -> None:
        """Same as for any layer; what comes next is run when the layer has returned."""
        super().decided()

    def again(self, error: object) -> None:
        """Same as for any layer."""
        super().again(error)


class TrackedTurn(Turn):
    """The turn of a layer whose response is watched: sending it decides, too."""

    __slots__ = ()

    def take(self) -> bool:
        """Take the decision, unless a response was sent."""
        return not self.has_sent() and super().take()

    def undecided(self, result: Any, *, is_held: bool) -> Waiter[Turn] | None:
        """Same as for any layer; one that has sent a response is not waited for."""
        if self.has_sent():
            return None
        waiter = super().undecided(result, is_held=is_held)
        if waiter is None and result is None:
            self.late(incomplete(self.step))
        return waiter

    def has_sent(self) -> bool:
        """Say whether a response has begun; the layer that is asked first has sent it."""
        run = self.run
        if not run.watch.begun:
            return False
        if run.sender is None:
            run.sender = self.step.name
        return True


class TrackedBlockingTurn(TrackedTurn, BlockingTurn):
    """Both."""

    __slots__ = ()


def dropped(run: Run, step: Step) -> None:
    """Report a layer whose `next` was dropped, where it can be told that it sent nothing."""
    if run.watch is not None and not run.watch.begun:
        step.delivery.late(incomplete(step))


def incomplete(step: Step) -> HandlerIncomplete:
    """Say that a layer neither answered nor called `next`."""
    return HandlerIncomplete(
        f"{step.name} returned None, sent no response and let go of `next` without calling it: "
        "did it forget to call next(), to `return` its answer, or to `await` what would have "
        "answered?"
    )
