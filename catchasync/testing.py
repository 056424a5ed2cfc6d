"""What a user's tests need: a `next` that records, fakes that misbehave, and a watch for losses.

Nothing here needs pytest; where it is installed, it has the fixture `lost_failures`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from catchasync._failures import as_error
from catchasync._fakes import CallsBack, FakeResponse
from catchasync._lost import Lost, LostFailures
from catchasync._promisify import promisify
from catchasync.conventions import result_only

ErrorT = TypeVar("ErrorT", bound=BaseException)

__all__ = [
    "Arrival",
    "AsyncRecordingNext",
    "CallsBack",
    "FakeResponse",
    "Lost",
    "LostFailures",
    "RecordingNext",
]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call of a `RecordingNext`.

    Args:
        error: What it was called with, a `CallbackError` of what is no exception; ``None`` where
            it was called to go on.
        thread: The name of the thread it was called on.
    """

    error: BaseException | None
    thread: str


class RecordingNext:
    """
    Record each call, and answer it.

    Safe to use from any thread. It may stand for `next` and for `late`.

    Args:
        answer: What it returns; an exception is raised instead.
    """

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.arrivals: list[Arrival] = []
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, Callable[[], Any]]] = []

    def __call__(self, error: object = None, *_values: object) -> Any:
        """Record the call, and give the answer; as error-first callbacks do, it drops values."""
        self._record(error)
        return self._answer()

    def _record(self, error: object) -> None:
        came = None if error is None else as_error(error)
        with self._changed:
            self.arrivals.append(Arrival(came, threading.current_thread().name))
            count = len(self.arrivals)
            due = [wake for wanted, wake in self._waiting if wanted <= count]
            self._waiting = [one for one in self._waiting if one[0] > count]
            self._changed.notify_all()
        for wake in due:
            wake()

    def _answer(self) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    @property
    def errors(self) -> list[BaseException]:
        """The errors that came, in their order."""
        return [arrival.error for arrival in self.arrivals if arrival.error is not None]

    @overload
    def expect_one(self, /) -> BaseException: ...
    @overload
    def expect_one(self, error_type: type[ErrorT], /) -> ErrorT: ...
    def expect_one(self, error_type: type[BaseException] = BaseException, /) -> BaseException:
        """
        Demand that it was called exactly once, with such an error.

        Args:
            error_type: The class that the error must be of; by default any.

        Returns:
            The error, for further questions.

        Raises:
            AssertionError: It was not; with the error that came instead as its ``__cause__``.
        """
        errors = self.errors
        if len(self.arrivals) == 1 and errors and isinstance(errors[0], error_type):
            return errors[0]
        name = "error" if error_type is BaseException else error_type.__name__
        msg = f"expected one call of `next`, with {_article(name)} {name}: {self._told()}"
        raise AssertionError(msg) from (errors[0] if errors else None)

    def expect_go_on(self) -> None:
        """
        Demand that it was called exactly once, without an error.

        Raises:
            AssertionError: It was not; with the error that came instead as its ``__cause__``.
        """
        if [arrival.error for arrival in self.arrivals] != [None]:
            errors = self.errors
            msg = f"expected one call of `next`, without an error: {self._told()}"
            raise AssertionError(msg) from (errors[0] if errors else None)

    def expect_none(self) -> None:
        """
        Demand that it was not called so far.

        Raises:
            AssertionError: It was; with the first error that came as its ``__cause__``.
        """
        if self.arrivals:
            errors = self.errors
            msg = f"expected no call of `next`: {self._told()}"
            raise AssertionError(msg) from (errors[0] if errors else None)

    def wait(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """
        Block this thread until it has been called so often, from other threads.

        In async code use `called`: there this would block the loop.

        Args:
            count: How many calls, those before included.
            timeout: Seconds to wait at most.

        Raises:
            AssertionError: They did not come in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.arrivals) >= count, timeout):
                raise AssertionError(self._missing(count, timeout))

    async def called(self, count: int = 1, *, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """
        Wait until it has been called so often, on whichever thread; asyncio and trio.

        Args:
            count: How many calls, those before included.
            timeout: Seconds (above 0) to wait at most.

        Raises:
            AssertionError: They did not come in time.
        """
        try:
            await promisify(self._wake_at, convention=result_only, timeout=timeout)(count)
        except TimeoutError:
            raise AssertionError(self._missing(count, timeout)) from None

    def _wake_at(self, count: int, wake: Callable[[], Any]) -> None:
        with self._changed:
            if len(self.arrivals) < count:
                self._waiting.append((count, wake))
                return
        wake()

    def _missing(self, count: int, timeout: float) -> str:
        return f"expected {count} call(s) of `next` within {timeout:g} seconds: {self._told()}"

    def _told(self) -> str:
        """Describe what came, a line each."""
        if not self.arrivals:
            return "it was not called."
        lines = (
            f"\n  {number}. next({'' if one.error is None else repr(one.error)}) on {one.thread}"
            for number, one in enumerate(self.arrivals, start=1)
        )
        return f"it was called {len(self.arrivals)} time(s):{''.join(lines)}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.errors!r}>"


class AsyncRecordingNext(RecordingNext):
    """
    Same as `RecordingNext`, as an async function.

    A call is recorded when it is awaited: one that was made and not awaited has not come.

    Args:
        answer: What it returns; an exception is raised instead.
    """

    async def __call__(self, error: object = None, *_values: object) -> Any:
        """Record the call, and give the answer."""
        self._record(error)
        return self._answer()


def _article(name: str) -> str:
    return "an" if name[:1].lower() in "aeiou" else "a"
