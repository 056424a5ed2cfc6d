"""The mark on an error that has been at a `next`, so that no decorator reports it again.

An error object can be raised anew (a module-level instance, one failure that a hundred waiters
share), and then it is a new failure. So a mark tells *which flight* it means. A wrapper that finds
one believes it only if it was made after the wrapper's own call began, and either on the same
thread and task (then it was made within that call), or by a wrapper whose part of the traceback
this flight still carries. In doubt the error counts as new: better told twice than lost.
"""

from __future__ import annotations

import opcode
import threading
from collections.abc import Callable
from types import CodeType, TracebackType
from typing import Any, Final, NamedTuple

from catchasync import _runtimes

KEY = "__catchasync__"

RAISE: Final = opcode.opmap["RAISE_VARARGS"]
CODES: Final = 1024  # functions remembered; beyond it they are read anew, so it cannot grow

_raises: Final[dict[int, tuple[CodeType, frozenset[int]]]] = {}

INTEGRATIONS: Final = (
    "aiohttp", "bottle", "falcon", "flask", "litestar", "pyramid", "quart", "sanic", "starlette",
    "tornado",
)  # fmt: skip

RELAYS: Final = {
    "asyncio.futures",
    "concurrent.futures._base",
    "flask.app",
    "litestar._asgi.asgi_router",
    "outcome._impl",  # trio's
    "quart.app",
    "quart.asgi",
    "sanic.app",
    "sanic.signals",
    "starlette._exception_handler",
    "starlette.middleware.base",
    "starlette.middleware.errors",
    "trio._core._run",
    "twisted.python.failure",
    *(f"catchasync.integrations.{name}" for name in INTEGRATIONS),
}
"""The modules that raise what came to them: that is no new failure."""

# The instance dictionary itself, past whatever an error class does with attributes.
dict_of: Callable[[BaseException], dict[str, Any]] = BaseException.__dict__["__dict__"].__get__

traceback_of: Callable[[BaseException], TracebackType | None] = BaseException.__dict__[
    "__traceback__"
].__get__


class Clock:
    """Counts the marks made so far; a wrapper notes the count when its call begins."""

    __slots__ = ("_lock", "now")

    def __init__(self) -> None:
        self.now = 0
        self._lock = threading.RLock()  # re-entrant: a finaliser may mark in the middle

    def tick(self) -> int:
        """Count one more, and return the new count."""
        with self._lock:
            self.now += 1
            return self.now


clock = Clock()


class Mark(NamedTuple):
    """Left on an error that came out of a `next`."""

    made: int  # the clock
    lane: tuple[int, int]  # thread and task
    trail: int  # id of the traceback that the error had inside the wrapper
    error: int  # id of the error: a copy is another error
    by: tuple[int, ...] | None  # the one `next` that must not get it again; None: none may

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Stay behind: in another process the error has reached nobody."""
        return (NoMark, ())


class NoMark:
    """What a mark becomes in another process."""


def mark(error: BaseException, by: tuple[int, ...] | None) -> None:
    """Note that an error has been at a `next`: ``by`` must not get it again; ``None``: none may."""
    made = Mark(clock.tick(), _lane(), id(error.__traceback__), id(error), by)
    dict_of(error)[KEY] = made


def is_marked(error: BaseException, since: int, by: tuple[int, ...]) -> bool:
    """Say whether this failure of a call that began at ``since`` has been at a `next`."""
    found = dict_of(error).get(KEY)
    if not isinstance(found, Mark) or found.made <= since or found.error != id(error):
        return False
    if found.by is not None and found.by != by:
        return False
    return found.lane == _lane() or _is_same_flight(error.__traceback__, found.trail)


def _lane() -> tuple[int, int]:
    return threading.get_ident(), id(_runtimes.current_task())


def _is_same_flight(traceback: TracebackType | None, trail: int) -> bool:
    while traceback is not None and id(traceback) != trail:
        if is_raise(traceback):
            return False
        traceback = traceback.tb_next
    return traceback is not None


def is_raise(traceback: TracebackType) -> bool:
    """Say whether the frame raised the error itself, rather than called what raised it.

    A future written in Python raises what it was given: that is no new failure.
    """
    frame = traceback.tb_frame
    code = frame.f_code
    _, places = _raises.get(id(code)) or _read_raises(code)
    return traceback.tb_lasti in places and frame.f_globals.get("__name__") not in RELAYS


def _read_raises(code: CodeType) -> tuple[CodeType, frozenset[int]]:
    """Note where a function raises: Python copies its bytecode for whoever looks at it."""
    opcodes = enumerate(code.co_code[::2])  # each instruction has two bytes
    found = code, frozenset(2 * place for place, each in opcodes if each == RAISE)
    if len(_raises) >= CODES:
        _raises.clear()
    _raises[id(code)] = found  # with the code, so that no other has its id
    return found
