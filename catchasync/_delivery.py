"""The one `next`: what a decision is, what is late, and who is told.

Everything that decides where a failure goes must live in this file.

The rules, in the order in which a failure meets them:

1. *What is not ours goes on.* A cancellation in any spelling, ``KeyboardInterrupt``,
   ``SystemExit``, ``GeneratorExit``, what ``pass_through`` names, and what has been at a `next`
   already are raised as they came.
2. *One decision per call*: the first of a result was returned, `next` was called, the handler
   failed, the response was sent. `Call.take` takes it, and one thread wins.
3. *The decision goes to* `next`, *all else is late.* What `late` raises is logged.
4. *What* `next` *raises goes to the handler's caller*, never to the same `next` again.
5. *Nothing is kept.* Our frames leave the traceback where they delivered: no frame of ours holds
   the error, and the traceback reads as if the wrapper alone had been there.

A wrapper hands a failure over inside its ``except`` clause, through `Delivery.failed` or
`Delivery.failed_async`: they return the handler's result, or raise what the caller shall see.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Coroutine
from types import TracebackType
from typing import Any, Final, NoReturn, Protocol

from catchasync import _runtimes
from catchasync._failures import Delivered, as_error, is_never_caught, is_ordinary
from catchasync._kinds import identity_of, is_awaitable, plain
from catchasync._marks import KEY, is_marked, mark
from catchasync.errors import NextCalledTwice
from catchasync.types import Errors, Late, Next, PassThrough

logger = logging.getLogger("catchasync")

VERDICT_LIMIT: Final = 256  # exception types remembered by one delivery; then it starts anew


class Delivery:
    """How one handler's failures travel: fixed when it is decorated, shared by all its calls."""

    __slots__ = ("_late", "_pass_types", "_predicate", "_verdicts", "catch", "name")

    name: str
    catch: Errors

    def __init__(
        self,
        name: str,
        *,
        catch: Errors = Exception,
        pass_through: PassThrough = (),
        late: Late | None = None,
    ) -> None:
        self.name = name
        self.catch = catch
        is_types = isinstance(pass_through, type | tuple)
        self._pass_types: Any = pass_through if is_types else ()
        self._predicate: Any = None if is_types else pass_through
        self._late = late
        self._verdicts: dict[type[BaseException], bool] = {}  # False: nothing but a mark is to ask

    def failed(self, error: BaseException, since: int, next: Next, call: Call | None = None) -> Any:
        """Deliver a failure from a sync wrapper's ``except`` clause, and return the result.

        Args:
            error: What was caught.
            since: The clock of `_marks` when the call began.
            next: Where the failure goes.
            call: The call's decision, where something else may have taken it.

        Raises:
            BaseException: The error itself where it is not ours, and whatever `next` raises.
        """
        is_sure = self._verdicts.get(type(error)) is False and not hasattr(error, KEY)
        if not is_sure and self.passes(error, since, next):
            leave(error)
            raise  # the error that our caller handles
        if call is not None and not call.take():
            call.failed_late(error)
            return call.concluded(None)
        before = error.__traceback__
        try:
            result = next(error)
            return result if type(result) in plain else see_through(result)
        except BaseException as raised:
            came_back(raised, error, before, next)
            raise

    async def failed_async(
        self, error: BaseException, since: int, next: Next, call: Call | None = None
    ) -> Any:
        """Same as `failed`, from an async wrapper: what `next` returns is awaited."""
        is_sure = self._verdicts.get(type(error)) is False and not hasattr(error, KEY)
        if not is_sure and self.passes(error, since, next):
            if call is not None:
                call.left()
            leave(error)
            raise  # the error that our caller handles
        if call is not None and not call.take():
            call.failed_late(error)
            return await call.concluded_async(None)
        before = error.__traceback__
        try:
            result = next(error)
            if type(result) in plain or not is_awaitable(result):
                return result
            return await result
        except BaseException as raised:
            came_back(raised, error, before, next)
            raise

    def passes(self, error: BaseException, since: int, next: Next) -> bool:
        """Say whether an error that was caught is not ours, and goes on as it came."""
        verdict = self._verdicts.get(type(error))
        if verdict is None:
            verdict = self._judge(error)
        return (
            verdict
            or is_marked(error, since, identity_of(next))
            or (self._predicate is not None and self._is_let_by(error))
        )

    def _judge(self, error: BaseException) -> bool:
        verdict = isinstance(error, self._pass_types) or is_never_caught(error)
        if verdict or (self._predicate is None and is_ordinary(type(error))):
            self._remember(error, verdict=verdict)
        return verdict

    def _remember(self, error: BaseException, *, verdict: bool) -> None:
        if isinstance(error, BaseExceptionGroup):  # it is judged by what it holds
            return
        if len(self._verdicts) >= VERDICT_LIMIT:
            self._verdicts.clear()
        self._verdicts[type(error)] = verdict

    def _is_let_by(self, error: BaseException) -> bool:
        try:
            return bool(self._predicate(error))
        except Exception as broken:  # noqa: BLE001 - the failure itself must still arrive
            self.late(broken)
            return False

    def late(self, error: BaseException) -> None:
        """Tell `late` of a failure after the decision; never raises, whatever `late` does."""
        if self._late is None:
            logger.error("late failure of %s", self.name, exc_info=error)
            return
        try:
            result = self._late(error)
            if is_awaitable(result):
                _runtimes.finish(self._told(result))
        except Exception:
            logger.exception("`late` of %s failed on %r", self.name, type(error))

    async def _told(self, awaitable: Awaitable[Any]) -> None:
        try:
            await awaitable
        except Exception:
            logger.exception("`late` of %s failed", self.name)


def came_back(
    raised: BaseException, error: BaseException | None, before: TracebackType | None, next: Next
) -> None:
    """Note what came out of `next`, and take the delivering frame off its traceback.

    Where it is the failure itself, its traceback becomes what it was: the frames of `next`, whose
    local is the error, would make a cycle of it.
    """
    if raised is error:
        BaseException.with_traceback(raised, before)
    leave(raised)
    if not (isinstance(raised, Delivered) or is_never_caught(raised)):
        mark(raised, None if raised is error else identity_of(next))


def leave(error: BaseException) -> None:
    """Take the outermost frame off the traceback: it adds itself anew where the error passes it."""
    if error.__traceback__ is not None:
        BaseException.with_traceback(error, error.__traceback__.tb_next)


def see_through(result: Any) -> Any:
    """Return what `next` returned to a sync handler, seen through where it is awaitable."""
    return _runtimes.finish(result) if is_awaitable(result) else result


def no_next(name: str, came: object) -> NoReturn:
    """Refuse a call that brought no callable `next`, before the handler runs."""
    msg = (
        f"{name}() was called without a callable `next` (got {came!r}), so its failures would have "
        "nowhere to go. Either decorate it with catch_async(next=...), or pass `next` as the last "
        "positional argument or by keyword."
    )
    raise TypeError(msg)


class Response(Protocol):
    """What `Call` asks of a watched response."""

    @property
    def begun(self) -> bool: ...


class HotCall:
    """What a wrapper fills in for each call: slots, which cost least."""

    __slots__ = ("delivery", "next", "open", "over", "since")

    delivery: Delivery
    next: Next
    since: int
    open: list[bool]  # holds one item until the decision; `list.pop` is atomic, also without a GIL
    over: bool  # the wrapper has returned


class Call(HotCall):
    """One call of a handler: its decision, and the guarded `next` that the handler is handed.

    The first call of it decides; whatever comes after the decision is late. Wrappers make one for
    each call and fill it in by hand, which is why there is no ``__init__``.
    """

    response: Response | None = None
    seen: tuple[BaseException, ...] = ()  # what the handler handed to `next`, until it is over
    answer: Any = None  # what `next` made of it, until it is over

    @property
    def decided(self) -> bool:
        """Whether something has taken the decision."""
        return not self.open

    def take(self) -> bool:
        """Take the decision: true for the first that asks, unless a response was sent."""
        if self.response is not None and self.response.begun:
            return False
        try:
            self.open.pop()
        except IndexError:
            return False
        return True

    def __call__(self, error: object = None, /, *_values: object) -> Any:
        """Hand a failure to `next`, or go on where ``error`` is ``None``; once.

        It may serve as an error-first callback: the values beside the error are dropped.
        """
        if error is None:
            return self._go_on()
        failure = as_error(error)
        if not self.over:
            self.seen = (*self.seen, failure)
        if not self.take():
            return self.delivery.late(failure)
        before = failure.__traceback__
        try:
            return self.answered(self.next(failure), failure)
        except BaseException as raised:
            came_back(raised, failure, before, self.next)
            raise

    def _go_on(self) -> Any:
        if not self.take():
            return self.delivery.late(self._called_twice())
        try:
            return self.answered(self.next(), None)
        except BaseException as raised:
            came_back(raised, None, None, self.next)
            raise

    def answered(self, result: Any, _failure: BaseException | None) -> Any:
        """Take what `next` returned for a failure, and see it through."""
        result = see_through(result)
        if not self.over:
            self.answer = result
        return result

    def _called_twice(self) -> NextCalledTwice:
        return NextCalledTwice(
            f"{self.delivery.name} called next() after its outcome was decided: it had returned a "
            "result, failed, called next, or sent the response. Call it once, and return after it."
        )

    def failed_late(self, error: BaseException) -> None:
        """Treat a failure that came after the decision; what went to `next` itself is no news."""
        if not any(error is seen for seen in self.seen):
            self.delivery.late(error)

    def concluded(self, result: Any) -> Any:
        """Return the result of a handler that called `next`: its own, else that of `next`."""
        self.over, self.seen = True, ()
        answer, self.answer = self.answer, None
        return answer if result is None else result

    async def concluded_async(self, result: Any) -> Any:
        """Same as `concluded`, where the caller awaits."""
        return self.concluded(result)

    def left(self) -> None:
        """Note that the wrapper is left by an error that is not ours, a cancellation for one."""
        self.over, self.seen, self.answer = True, (), None

    def __repr__(self) -> str:
        return f"<next of {self.delivery.name}: {'open' if self.open else 'decided'}>"


class AsyncCall(Call):
    """The call of an async handler: what an async `next` returns may be awaited, or not.

    What was not awaited when the handler is over is awaited then. What comes still later, perhaps
    from another thread, is sent to the handler's loop.
    """

    home: Any = None  # that loop, as `_runtimes.as_home` takes it; noted when the wrapper returns
    work: list[Coroutine[Any, Any, Any]] | None = None  # what `next` has still to do; popped once

    def answered(self, result: Any, failure: BaseException | None) -> Any:
        """Take what `next` returned: the wrapper awaits it if the handler did not."""
        if not is_awaitable(result):
            return super().answered(result, failure)
        coroutine = self._awaited(result, failure)
        self.work = [coroutine]
        return self._finish_work() if self.over else coroutine

    async def _awaited(self, awaitable: Awaitable[Any], failure: BaseException | None) -> Any:
        before = None if failure is None else failure.__traceback__
        try:
            result = await awaitable
        except BaseException as raised:
            came_back(raised, failure, before, self.next)
            raise
        finally:
            del failure
        return super().answered(result, None)

    def _claim_work(self) -> Coroutine[Any, Any, Any] | None:
        """Take over what the handler did not begin to await; of two threads, one gets it."""
        try:
            work = self.work.pop() if self.work else None
        except IndexError:  # pragma: no cover - another thread was first, within this very line
            return None
        is_left = work is not None and inspect.getcoroutinestate(work) == inspect.CORO_CREATED
        return work if is_left else None

    def _finish_work(self) -> Any:
        work = self._claim_work()
        return work and _runtimes.finish(work, _runtimes.as_home(self.home))

    async def concluded_async(self, result: Any) -> Any:
        """Same as `concluded`, after an async `next` that the handler did not await."""
        self.over = True  # before the claim: another thread that looks later finishes for itself
        work = self._claim_work()
        if work is not None:
            self.over = False  # its answer is the result of this call
            await work
        return self.concluded(result)

    def left(self) -> None:
        """Same as for a sync handler; what `next` has still to do is done as a kept task."""
        self.home = _runtimes.here()
        super().left()
        self._finish_work()


def new_call(delivery: Delivery, next: Next, since: int) -> Call:
    """Make the decision of a call that went without one so far."""
    call = Call()
    call.delivery, call.next, call.since = delivery, next, since
    call.open, call.over = [True], False
    return call
