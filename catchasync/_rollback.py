"""Compensation: what was done is undone where a later step fails."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar

from catchasync import _runtimes
from catchasync._failures import described, is_never_caught
from catchasync._kinds import is_awaitable, kind_of, name_of
from catchasync.types import Late

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("catchasync")


class Rollback:
    """
    Undo what a block has done, last first, where the block fails; nothing where it succeeds.

    Any failure counts, also a cancellation. Each step is undone whatever becomes of the others, and
    the error that left the block goes on: a compensation that fails is reported, and noted on that
    error. In ``async with`` a further cancellation waits until all is undone, and comes then.

    Args:
        report: Called with each error of a compensation, sync or async (in a sync ``with`` on a
            running loop an async one is a kept task); without it they are logged on `catchasync`.
    """

    __slots__ = ("_mode", "_report", "_steps")

    def __init__(self, report: Late | None = None) -> None:
        if report is not None and not callable(report):
            msg = f"report= of Rollback takes a callable of one argument (got {report!r})"
            raise TypeError(msg)
        self._report = report
        self._steps: list[Callable[[], Any]] = []
        self._mode: Literal["with", "async with"] | None = None

    def add(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Callable[P, R]:
        """Note how to undo what was just done.

        Args:
            function: Called with the other arguments if the block fails; in ``async with`` it may
                be async. What it returns is dropped.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            The function as it came.

        Raises:
            TypeError: It cannot be called, or not in such a block: an async function in a sync
                ``with``, or a generator function, of which a call runs nothing.
            RuntimeError: The block has not begun, or is over.
        """
        self._check(function)
        self._steps.append(functools.partial(function, *args, **kwargs))
        return function

    def _check(self, function: object) -> None:
        if not callable(function):
            msg = f"Rollback.add() takes a function and its arguments (got {function!r})"
            raise TypeError(msg)
        if self._mode is None:
            msg = (
                f"{name_of(function)} was added outside of the block, where nothing would call it. "
                "Add it inside: `with Rollback() as undo: undo.add(...)`."
            )
            raise RuntimeError(msg)
        kind = _kind_of_call(function)
        if kind in ("generator", "async_generator"):
            msg = f"{name_of(function)} is a generator function: calling it would undo nothing"
            raise TypeError(msg)
        if kind == "coroutine" and self._mode == "with":
            msg = (
                f"{name_of(function)} is async, and a sync `with` cannot await it. "
                "Write `async with Rollback() as undo:`, or add a sync function."
            )
            raise TypeError(msg)

    def __enter__(self) -> Self:
        return self._entered("with")

    async def __aenter__(self) -> Self:
        return self._entered("async with")

    def _entered(self, mode: Literal["with", "async with"]) -> Self:
        if self._mode is not None:
            msg = "This Rollback is in use: make one for each block, `with Rollback() as undo:`."
            raise RuntimeError(msg)
        self._mode = mode
        return self

    def __exit__(
        self, _type: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            while error is not None and self._steps:
                self._undo(self._steps.pop(), error)
        finally:
            self._over()
            del error

    async def __aexit__(
        self, _type: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            if error is None or not self._steps:
                self._over()
            else:
                await self._shielded(error, may_wait=not _is_closing(error))
        finally:
            del error

    async def _shielded(self, error: BaseException, *, may_wait: bool) -> None:
        """Undo all, where a cancellation cannot reach; one that came meanwhile is not lost."""
        home = _runtimes.here()
        work = self._undo_all(error)
        if home is None:
            _runtimes.run(work)
        elif not may_wait:
            _runtimes.finish(work)  # on this loop: a kept task
        elif await home.shield(work) and not is_never_caught(error):
            home.cancel_again()

    async def _undo_all(self, error: BaseException) -> None:
        try:
            while self._steps:
                await self._undo_async(self._steps.pop(), error)
        finally:
            self._over()
            del error

    def _over(self) -> None:
        self._steps.clear()
        self._mode = None

    def _undo(self, step: Callable[[], Any], error: BaseException) -> None:
        try:
            result = step()
            if is_awaitable(result):  # nothing told us so: see it through as well as we can
                _runtimes.finish(self._undone(result, step, error))
        except BaseException as failed:  # noqa: BLE001 - the first error goes on, whatever comes
            self._see_through(self._failed(failed, step, error))
        finally:
            del error

    async def _undo_async(self, step: Callable[[], Any], error: BaseException) -> None:
        try:
            result = step()
        except BaseException as failed:  # noqa: BLE001 - likewise
            await self._told(self._failed(failed, step, error))
        else:
            if is_awaitable(result):
                await self._undone(result, step, error)
        finally:
            del error

    async def _undone(
        self, awaitable: Awaitable[Any], step: Callable[[], Any], error: BaseException
    ) -> None:
        try:
            await awaitable
        except GeneratorExit:  # this coroutine is closed: nothing can be awaited any more
            raise
        except BaseException as failed:  # noqa: BLE001 - likewise
            await self._told(self._failed(failed, step, error))
        finally:
            del error

    def _failed(
        self, failed: BaseException, step: Callable[[], Any], error: BaseException
    ) -> object:
        """Note on the first error that a compensation failed, and report it."""
        name = name_of(step)
        _note(error, f"compensation {name} failed: {described(failed)}")
        if self._report is None:
            logger.error("compensation %s failed", name, exc_info=failed)
            return None
        try:
            return self._report(failed)
        except Exception:
            logger.exception("`report` of a rollback failed on %s", described(failed))
            return None

    def _see_through(self, result: object) -> None:
        if is_awaitable(result):
            _runtimes.finish(self._told(result))

    async def _told(self, result: Any) -> None:
        try:
            if is_awaitable(result):
                await result
        except Exception:
            logger.exception("`report` of a rollback failed")

    def __repr__(self) -> str:
        where = "outside of its block" if self._mode is None else f"in `{self._mode}`"
        return f"<Rollback of {len(self._steps)} steps, {where}>"


def _kind_of_call(function: Any) -> str:
    """Say what calling it gives, also where it is an object with a ``__call__``."""
    if inspect.isroutine(function) or isinstance(function, type | functools.partial):
        return kind_of(function)
    kind = kind_of(function)
    return kind_of(type(function).__call__) if kind == "sync" else kind


def _is_closing(error: BaseException) -> bool:
    """Say whether the block's coroutine is being closed: then it may not await any more.

    ``aclose()`` of an async generator ends with the same error, and may.
    """
    if not isinstance(error, GeneratorExit):
        return False
    # Below the block's frame are `__aexit__` and this function.
    block = sys._getframe(2)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return not block.f_code.co_flags & inspect.CO_ASYNC_GENERATOR


def _note(error: BaseException, text: str) -> None:
    try:
        BaseException.add_note(error, text)
    except Exception as refused:  # noqa: BLE001 - its notes are no list, or cannot be written
        logger.debug("no note could be left on %s: %s", described(error), described(refused))
