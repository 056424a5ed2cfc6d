"""What nobody catches in a process: the interpreter's hooks, and those of asyncio's loops.

A hook that is taken off while somebody has put his own above it stays, and does nothing but call
the one below. It goes when the one above goes, where that is ours.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._failures import is_never_caught
from catchasync._statuses import errors_inside

EXITS: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)

MARK: Final = "__catchasync_hook__"


class Found(NamedTuple):
    """
    What a hook was told of.

    Args:
        error: What failed; anything else is none of our business.
        source: What kind of thing failed.
        handler: The thing itself.
        is_last: Whether nobody but the interpreter itself is called after us.
    """

    error: Any
    source: str
    handler: Any
    is_last: bool


def _on_main(below: object, _kind: object, error: Any, _traceback: object) -> Found:
    return Found(error, "main", None, below is sys.__excepthook__)


def _on_thread(below: object, args: Any) -> Found:
    return Found(args.exc_value, "thread", args.thread, below is threading.__excepthook__)


def _on_unraisable(below: object, args: Any) -> Found:
    return Found(args.exc_value, "unraisable", args.object, below is sys.__unraisablehook__)


def _on_loop(below: object, loop: Any, context: dict[str, Any]) -> Found:
    thing = context.get("task") or context.get("future") or context.get("handle")
    source = "task" if isinstance(thing, asyncio.Task) else "loop"
    return Found(context.get("exception"), source, thing, _is_bare(loop, below))


def _is_bare(loop: Any, below: object) -> bool:
    """Say whether a loop would but log a failure on `asyncio`."""
    if below is not _call_exception_handler and below is not None:
        return False
    own = loop.default_exception_handler, BaseEventLoop.default_exception_handler
    is_custom = isinstance(loop, BaseEventLoop) and getattr(own[0], "__func__", None) is not own[1]
    return (below is None or loop.get_exception_handler() is None) and not is_custom


_call_exception_handler: Final = BaseEventLoop.call_exception_handler

Read: TypeAlias = Callable[..., Found]

PLACES: Final[dict[str, tuple[Any, str, Read]]] = {
    "main": (sys, "excepthook", _on_main),
    "thread": (threading, "excepthook", _on_thread),
    "unraisable": (sys, "unraisablehook", _on_unraisable),
    "loop": (BaseEventLoop, "call_exception_handler", _on_loop),
}


class Hook:
    """One hook that was put on: a function of ours in the place of another."""

    def __init__(self, owner: Any, name: str, read: Read, installation: Installation) -> None:
        self.owner = owner
        self.name = name
        self.is_open = True
        self.below: Any = self.get()

        def hook(*args: Any) -> Any:  # a function: on a class it binds
            found = read(self.below, *args)
            if not (self.is_open and installation.takes(found)):
                self.call_below(*args)

        setattr(hook, MARK, self)
        self.function = hook
        self.set(hook)

    def get(self) -> Any:
        """Return what is in the place now."""
        return getattr(self.owner, self.name)

    def set(self, function: Any) -> None:
        """Put a function there."""
        setattr(self.owner, self.name, function)

    def call_below(self, *args: Any) -> None:
        """Call what was there before."""
        self.below(*args)

    def close(self) -> None:
        """Put back what was there, unless somebody else has come since."""
        self.is_open = False
        if self.get() is self.function:
            self.set(_open_one(self.below))


class LoopHook(Hook):
    """The hook of one loop that is none of asyncio's own classes: uvloop's."""

    def get(self) -> Any:
        """Return the loop's handler; ``None`` where it has none."""
        return self.owner.get_exception_handler()

    def set(self, function: Any) -> None:
        """Give the loop a handler."""
        self.owner.set_exception_handler(function)

    def call_below(self, *args: Any) -> None:
        """Call the handler that the loop had, else what it does without one."""
        if self.below is None:
            self.owner.default_exception_handler(args[1])
        else:
            self.below(*args)


def _open_one(function: Any) -> Any:
    """Return the first from here down that is not a closed hook of ours."""
    hook = getattr(function, MARK, None)
    while hook is not None and not hook.is_open:
        function = hook.below
        hook = getattr(function, MARK, None)
    return function


class Installation:
    """
    What `ErrorHandler.install` has put on; a context manager.

    Args:
        report: Told of each failure, with its context; never raises.
        places: Where: "main", "thread", "unraisable", "loop".
        is_logged: Says whether the log has the traceback of a report; then the interpreter's own
            hooks, which would print it again, are not called. Hooks of others always are.
    """

    def __init__(
        self,
        report: Callable[[BaseException, ErrorContext], None],
        places: Collection[str],
        is_logged: Callable[[BaseException], bool],
    ) -> None:
        self._report = report
        self._is_logged = is_logged
        self._hooks = [Hook(*PLACES[place], self) for place in PLACES if place in places]
        loop = asyncio._get_running_loop()  # noqa: SLF001 - documented for libraries
        if "loop" in places and loop is not None and not isinstance(loop, BaseEventLoop):
            self._hooks.append(LoopHook(loop, "exception_handler", _on_loop, self))

    def takes(self, found: Found) -> bool:
        """Report what a hook was told of, and say whether that is all there is to do."""
        if not isinstance(found.error, BaseException) or is_exit(found.error):
            return False
        self._report(found.error, ErrorContext(found.source, handler=found.handler))
        return found.is_last and self._is_logged(found.error)

    def close(self) -> None:
        """Put back what was found; a second time does nothing."""
        while self._hooks:
            self._hooks.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None and not is_never_caught(error):
                self._report(error, ErrorContext(_source_here()))
        finally:
            self.close()
            del error

    def __repr__(self) -> str:
        names = ", ".join(hook.name for hook in self._hooks)
        return f"<Installation: {names or 'closed'}>"


def is_exit(error: BaseException) -> bool:
    """Say whether an error only ends something; a group does where all that it holds do."""
    if issubclass(type(error), BaseExceptionGroup):
        return all(is_exit(inside) for inside in errors_inside(error))
    return issubclass(type(error), EXITS)


def _source_here() -> str:
    if _runtimes.here() is not None:
        return "task"
    return "main" if threading.current_thread() is threading.main_thread() else "thread"
