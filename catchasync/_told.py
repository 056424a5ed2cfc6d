"""Which errors have been reported: each failure once, however many hands it passes.

An error object can be raised anew, and then it is a new failure (see `_marks`). So a mark tells
which raise had begun the flight that was reported; an error that was merely passed on since, or
handed over a second time, is the same failure. In doubt it counts as new: better told twice than
lost.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref
from types import TracebackType
from typing import Any, Final, NamedTuple

from catchasync._marks import NoMark, dict_of, is_raise, traceback_of
from catchasync._runtimes import current_task

KEY: Final = "__catchasync_told__"

LOG: Final = 0  # the serial of the log; it shows the traceback of a failure once

serials: Final = itertools.count(LOG + 1)  # ids of ours, which no later handler can have again

_lock: Final = threading.RLock()  # re-entrant: a finaliser may report in the middle


class Told(NamedTuple):
    """Left on an error that was reported."""

    error: int  # id of the error: a copy is another error
    traceback: TracebackType | None  # what it had then; None: it had not been raised
    task: weakref.ref[asyncio.Task[Any]] | None  # of an error that had not

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Stay behind: in another process it was told to nobody."""
        return (NoMark, ())


def is_news(error: BaseException, serial: int) -> bool:
    """Say whether this failure is reported for the first time by what has this serial."""
    made = {serial: _mark(error)}
    first = dict.setdefault(dict_of(error), KEY, made)  # in one step: another thread may ask too
    return first is made or _is_other(error, serial, made)


def _is_other(error: BaseException, serial: int, made: dict[int, Told]) -> bool:
    """Mark an error that has been reported before; say whether this is another failure."""
    with _lock:
        is_new = not is_known(error, serial)
        dict_of(error)[KEY] = {**_marks_of(error), **made}
    return is_new


def is_known(error: BaseException, serial: int) -> bool:
    """Say whether this failure has been reported by what has this serial."""
    mark = _marks_of(error).get(serial)
    return isinstance(mark, Told) and _is_same(error, mark)


def is_known_to_any(error: BaseException) -> bool:
    """Say whether this failure has been reported by anybody."""
    return any(is_known(error, serial) for serial in _marks_of(error))


def _marks_of(error: BaseException) -> dict[int, object]:
    found = dict_of(error).get(KEY)
    return found if type(found) is dict else {}


def _mark(error: BaseException) -> Told:
    traceback = traceback_of(error)
    task: Any = None if traceback is not None else current_task()
    parts = (id(error), traceback, None if task is None else weakref.ref(task))
    return tuple.__new__(Told, parts)  # what `Told(*parts)` does, in half the time


def _is_same(error: BaseException, mark: Told) -> bool:
    if mark.error != id(error):
        return False
    if mark.traceback is not None:
        return _origin_of(mark.traceback) is _origin_of(traceback_of(error))
    if mark.task is not None and mark.task() is None and current_task() is not None:
        return False  # another task: somebody has handed the object over again
    return _raises_in(traceback_of(error)) <= 1  # handed over first, and raised since


def _origin_of(traceback: TracebackType | None) -> TracebackType | None:
    """Return what the last raise left; where C raised, the innermost frame did."""
    origin = None
    while traceback is not None:
        origin = traceback
        if is_raise(traceback):
            break
        traceback = traceback.tb_next
    return origin


def _raises_in(traceback: TracebackType | None) -> int:
    count = 0
    while traceback is not None:
        count += is_raise(traceback)
        traceback = traceback.tb_next
    return count
