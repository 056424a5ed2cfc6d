"""A layer's turn: what `next` decides, what comes after it, what is late.

All that decides which layer of a chain comes next must live in this file; it calls no layer and
awaits nothing. The two drivers of `_chain` do that, and ask here.

1. A turn is decided once: its layer called `next`, failed, or answered. One thread wins.
2. What comes after the decision is late, but for what the layer handed to `next` itself.
3. A layer whose `next` raised, what came after it, may raise that or something else: that goes on
   up to whoever awaits, for there is no answer that it could have instead.
4. A layer that returned ``None`` undecided has answered, unless something still holds its `next`.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Coroutine, Generator
from threading import get_ident
from typing import Any, ClassVar, Final

from catchasync._contexts import keep_first
from catchasync._delivery import leave
from catchasync._failures import as_error, is_never_caught
from catchasync._layers import Step, error_layer_after
from catchasync._runs import SKIP_ROUTE, SKIP_ROUTER, Run, Skip
from catchasync._waiters import Nothing, Waiter
from catchasync._wakes import Wake
from catchasync.errors import CallbackError, NextCalledTwice

# How often a driver refers to the turn that it asks about: as its local, and as the argument of
# the question (which Python only lends from 3.14 on).
UNHELD: Final = 2 if sys.version_info < (3, 14) else 1

references: Callable[[object], int] = sys.getrefcount


class State(enum.IntEnum):
    """How far a turn is."""

    OPEN = 0
    CALLED = 1  # decided; what comes after it has not begun
    BEGUN = 2
    FAILED = 3  # what came after it raised
    DONE = 4


OPEN, CALLED, BEGUN, FAILED, DONE = State


class More:
    """What few turns need besides."""

    error: BaseException | None = None  # what goes on to the next error layer
    listener: Wake | None = None  # a driver waits for what somebody else runs
    failure: BaseException | None = None  # what that raised
    replaced: Any = None  # the answer that a layer gave besides having called `next`
    followed: tuple[Turn, ...] = ()  # turns whose rest somebody else may wait for


class Turn:
    """One layer's turn; it is the `next` that the layer is handed.

    Drivers fill it in by hand, which costs least: that is why there is no ``__init__``.
    """

    __slots__ = (
        "__weakref__", "answer", "more", "open", "rest", "run", "state", "step", "target", "waiter",
    )  # fmt: skip

    is_blocking: ClassVar[bool] = False

    run: Run
    step: Step
    open: list[bool]  # holds one item until the decision; `list.pop` is atomic, also without a GIL
    state: State
    more: More | None
    waiter: Waiter[Turn] | None  # a driver that has left the layer waits for the decision
    target: int  # the place of the layer that comes next
    answer: Any  # what came of what comes next
    rest: Any  # the coroutine of it

    def take(self) -> bool:
        """Take the decision: true for the first that asks."""
        try:
            self.open.pop()
        except IndexError:
            return False
        return True

    def __call__(self, error: object = None, /, *_values: object) -> Any:
        """Go on to the next layer, to the next error layer, or out of the group or chain; once.

        It may serve as an error-first callback: the values beside the error are dropped.

        Returns:
            What may be awaited for the answer of what comes next; on a thread that is not the
            run's own, nothing.
        """
        if not self.take():
            return self.again(error)
        if error is None:
            self.target = self.step.following
        else:
            self.aim(error)
        return self.decided()

    def decided(self) -> Any:
        """Publish the decision, to whoever waits for it as well."""
        self.rest = None
        self.state = CALLED
        if self.waiter is not None:
            self.waiter.called(self)
        return self if get_ident() == self.run.thread else None

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._begun().__await__()

    def send(self, value: Any) -> Any:
        """Step what comes next, as a task does."""
        return self._begun().send(value)

    def throw(self, *error: Any) -> Any:
        """Step what comes next with an error, as a task does."""
        return self._begun().throw(*error)

    def close(self) -> None:
        """Drop what comes next, without a warning that it was never awaited."""
        rest, self.rest = self.rest, None
        if rest is not None:
            rest.close()

    def _begun(self) -> Coroutine[Any, Any, Any]:
        if self.rest is None:
            self.rest = self.step.rest(self)
        return self.rest  # type: ignore[no-any-return]

    def aim(self, error: object) -> None:
        """Find the layer that comes next, where it is not the following one."""
        if type(error) is CallbackError and isinstance(error.value, Skip):
            error = error.value  # it came through a `next` to which it was no exception
        if error is SKIP_ROUTE:
            self.target = self.step.after_group
        elif error is SKIP_ROUTER:
            self.target = len(self.run.steps)
        else:
            failure = self.special().error = as_error(error)
            self.target = error_layer_after(self.run.steps, self.step, failure)

    def again(self, error: object) -> Any:
        """Tell of a call after the decision."""
        if error is None or isinstance(error, Skip):
            self.late(self._called_twice())
        else:
            self.late(as_error(error))
        return Nothing() if get_ident() == self.run.thread else None

    def _called_twice(self) -> NextCalledTwice:
        return NextCalledTwice(
            f"{self.step.name} called next() after its outcome was decided: it had called next, "
            "failed, answered, or sent the response. Call it once, and return after it."
        )

    def late(self, error: BaseException) -> None:
        """Tell `late` of a failure after the decision."""
        if self.run.sender is not None:
            error.add_note(f"The response had been sent by {self.run.sender}.")
        self.step.delivery.late(error)

    def failed(self, error: BaseException, received: BaseException | None) -> bool:
        """Treat what the layer raised; true where it goes on up.

        Args:
            error: What it raised.
            received: For an error layer, the error that it was called with.
        """
        if self.state is FAILED:
            return True
        if not isinstance(error, Exception) or is_never_caught(error):
            self.leave()
            return True
        leave(error)
        if self.take():
            if received is not None:
                keep_first(error, received)
            self.aim(error)
            self.rest = None
            self.state = CALLED
        elif error is not self.due():
            self.late(error)
        return False

    def leave(self) -> None:
        """Note that the run is over, by a cancellation for one: nothing comes after this turn."""
        if self.take() or self.state is not CALLED:
            return
        error = self.due()
        if error is not None:
            self.late(error)
        self.close()

    def undecided(self, result: Any, *, is_held: bool) -> Waiter[Turn] | None:
        """Take the answer of a layer that called no `next`; or return what waits for it.

        Args:
            result: What the layer returned.
            is_held: Whether something still holds this turn.
        """
        has_answered = self.take() if result is not None else not is_held
        return None if has_answered else Waiter(self)

    def follow(self, turn: Turn, result: Any, *, is_held: bool) -> tuple[int, BaseException | None]:
        """Return the place and the error with which another turn goes on, as part of this one.

        Args:
            turn: A turn that was decided, and whose layer is over.
            result: What that layer returned.
            is_held: Whether somebody may wait for what comes after it.
        """
        if result is not None and self.special().replaced is None:
            self.special().replaced = result
        turn.close()
        turn.state = BEGUN
        if is_held:
            self.special().followed += (turn,)
        return turn.target, turn.forget()

    def is_own(self, result: Any) -> bool:
        """Say whether a layer returned what its `next` had returned to it."""
        return result is self or (self.state is not OPEN and result is self.rest)

    def misread(self, result: object) -> None:
        """Refuse a `next`, or a sentinel, that a layer returned instead of calling `next`."""
        if result is self and self.state is not OPEN:
            return  # it did call: what `next` returns is the turn
        name, call = "next", "next()"
        if isinstance(result, Skip):
            name = f"SKIP_{result.name}"
            call = f"next({name})"
        msg = f"{self.step.name} returned {name}, which does nothing: write `return {call}`."
        raise TypeError(msg)

    def due(self) -> BaseException | None:
        """Return the error that goes on to the next error layer."""
        return None if self.more is None else self.more.error

    def forget(self) -> BaseException | None:
        """Same as `due`, for the last time: the layer is over."""
        if self.more is None:
            return None
        error, self.more.error = self.more.error, None
        return error

    @property
    def is_decided(self) -> bool:
        """Whether it is known what comes next."""
        return self.state is not OPEN

    def attach(self, waiter: Waiter[Turn] | None) -> None:
        """Note who waits for the decision."""
        self.waiter = waiter

    def special(self) -> More:
        """Return what few turns need."""
        if self.more is None:
            self.more = More()
        return self.more

    def over(self, answer: Any) -> Any:
        """Note, and return, the answer of what came after the layer."""
        more = self.more
        if more is not None and more.replaced is not None:
            answer = more.replaced
        self.answer, self.state = answer, DONE
        if more is not None:
            self._tell(more, lambda turn: turn.over(answer))
        return answer

    def _tell(self, more: More, tell: Callable[[Turn], object]) -> None:
        if more.listener is not None:
            more.listener.set()
        followed, more.followed = more.followed, ()
        for turn in followed:
            tell(turn)

    def broke(self, error: BaseException) -> None:
        """Note that what came after the layer raised; keep it where a driver shall raise it."""
        self.state, self.answer = FAILED, None
        self.forget()
        more = self.more
        if self.waiter is not None or (more is not None and more.listener is not None):
            self.special().failure = error
        if more is not None:
            self._tell(more, lambda turn: turn.broke(error))

    def __repr__(self) -> str:
        return f"<next of {self.step.name}: {self.state.name.lower()}>"
