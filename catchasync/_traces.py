"""A failure taken apart for those who look into it: its frames, its causes, what is in its group.

For `debug` alone: it holds what strangers must not see. All of it is plain, masked and bounded.
"""

from __future__ import annotations

import linecache
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from types import CodeType, TracebackType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from catchasync._masking import mask, mask_source
from catchasync._plain import clean, guarded, text_of
from catchasync._statuses import attribute, errors_inside

ERROR_LIMIT: Final = 50  # causes and members of groups, all together
FRAME_LIMIT: Final = 25  # at each end of a traceback: a recursion repeats itself in between
NOTE_LIMIT: Final = 20
AROUND: Final = 5  # lines of source before and after the one that failed
LINE_LIMIT: Final = 400  # characters
FILE_LIMIT: Final = 5_000_000  # bytes; no one wrote a longer one by hand

Link: TypeAlias = Literal["cause", "context"]

LIBRARIES: Final = re.compile(r"[\\/](?:site|dist)-packages[\\/]|^<frozen ")
STANDARD_LIBRARY: Final = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - no pathlib yet

# They turn the direction of writing round, and make code read as what it is not.
_BIDIRECTIONAL: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Line(NamedTuple):
    """A line of source: its number from 1, its text, and the columns in it that failed."""

    number: int
    text: str
    mark: tuple[int, int] | None = None


class Frame(NamedTuple):
    """A call that was under way."""

    file: str
    line: int
    function: str
    source: tuple[Line, ...]
    is_library: bool


class Trace(NamedTuple):
    """
    An error and what led to it.

    Args:
        name: The type, with its module.
        frames: The calls, the outermost first.
        skipped: How many calls are left out, in the middle of the frames.
        link: How the earlier error led to this one.
        earlier: That error.
        inside: What a group holds.
        more: How many errors are left out that belong here.
    """

    name: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[Frame, ...]
    skipped: int
    link: Link | None
    earlier: Trace | None
    inside: tuple[Trace, ...]
    more: int


def trace_of(error: BaseException) -> Trace:
    """Take an error apart."""
    return _Reader().read(error)


class _Reader:
    """Reads errors, each once, and no more than there is room for."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def read(self, error: BaseException) -> Trace:
        self._seen.add(id(error))
        frames, skipped = _frames_of(error)
        link, earlier = _earlier(error)
        is_read = earlier is not None and self._has_room(earlier)
        members = errors_inside(error) if issubclass(type(error), BaseExceptionGroup) else ()
        inside = tuple(self.read(member) for member in members if self._has_room(member))
        return Trace(
            name=_name_of(type(error)),
            message=visible(mask(text_of(error))),
            notes=_notes_of(error),
            frames=frames,
            skipped=skipped,
            link=link,
            earlier=self.read(earlier) if earlier is not None and is_read else None,
            inside=inside,
            more=len(members) - len(inside) + (earlier is not None and not is_read),
        )

    def _has_room(self, error: BaseException) -> bool:
        return id(error) not in self._seen and len(self._seen) < ERROR_LIMIT


def visible(text: str) -> str:
    """Return a text that reads as it is written, whatever it does to the direction."""
    return _BIDIRECTIONAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _name_of(kind: type) -> str:
    module, name = attribute(kind, "__module__"), attribute(kind, "__qualname__")
    parts = [part for part in (module, name) if type(part) is str and part != "builtins"]
    return visible(clean(".".join(parts), LINE_LIMIT))


def _notes_of(error: BaseException) -> tuple[str, ...]:
    notes: Any = attribute(error, "__notes__")
    if type(notes) not in {list, tuple}:
        return ()
    return tuple(visible(mask(text_of(note))) for note in notes[:NOTE_LIMIT])


def _earlier(error: BaseException) -> tuple[Link | None, BaseException | None]:
    cause, context = attribute(error, "__cause__"), attribute(error, "__context__")
    if issubclass(type(cause), BaseException):
        return "cause", cause
    if (
        issubclass(type(context), BaseException)
        and attribute(error, "__suppress_context__") is not True
    ):
        return "context", context
    return None, None


def _frames_of(error: BaseException) -> tuple[tuple[Frame, ...], int]:
    steps = _steps(attribute(error, "__traceback__"))
    first = list(islice(steps, FRAME_LIMIT))
    last: deque[TracebackType] = deque(maxlen=FRAME_LIMIT)
    count = 0
    for count, step in enumerate(steps, 1):  # noqa: B007 - how many there were
        last.append(step)
    return tuple(map(_frame_of, [*first, *last])), count - len(last)


def _steps(step: object) -> Iterator[TracebackType]:
    while type(step) is TracebackType:
        yield step
        step = step.tb_next


def _frame_of(step: TracebackType) -> Frame:
    code = step.tb_frame.f_code
    file = code.co_filename
    lines = guarded(_lines_of, file, step.tb_frame.f_globals, default=[])
    return Frame(
        file=visible(clean(file, LINE_LIMIT)),
        line=step.tb_lineno or 0,
        function=visible(clean(code.co_qualname, LINE_LIMIT)),
        source=tuple(_source(lines, step.tb_lineno or 0, _columns(code, step.tb_lasti))),
        is_library=bool(LIBRARIES.search(file)) or file.startswith(STANDARD_LIBRARY),
    )


def _lines_of(file: str, module: dict[str, Any]) -> list[str]:
    """Return the lines of a source file; none of what is no file, or never ends."""
    if os.path.exists(file) and not _is_source(file):  # noqa: PTH110 - a string as it stands
        return []
    return linecache.getlines(file, module)


def _is_source(file: str) -> bool:
    return os.path.isfile(file) and os.path.getsize(file) <= FILE_LIMIT  # noqa: PTH113, PTH202


Columns: TypeAlias = tuple[int | None, int | None, int | None, int | None]


def _columns(code: CodeType, instruction: int) -> Columns:
    """Return first line, last line, first column, last column, in bytes, of what failed."""
    nothing: Columns = (None, None, None, None)
    return next(islice(code.co_positions(), max(instruction, 0) // 2, None), nothing)


def _source(lines: list[str], failed: int, columns: Columns) -> Iterable[Line]:
    first = max(failed - AROUND, 1)
    for number, line in enumerate(lines[first - 1 : failed + AROUND], first):
        text = line.rstrip("\n")
        mark = _mark(text, columns) if number == failed and columns[0] == columns[1] else None
        shown = visible(mask_source(clean(text, LINE_LIMIT)))
        yield Line(number, shown, mark if len(shown) == len(text) else None)


def _mark(line: str, columns: Columns) -> tuple[int, int] | None:
    """Turn columns in bytes into columns in characters."""
    encoded = line.encode("utf-8", "replace")
    start, end = (
        len(encoded[:column].decode("utf-8", "replace")) if column is not None else 0
        for column in columns[2:]
    )
    return (start, end) if start < end else None


def text_of_trace(trace: Trace) -> str:
    """Return a trace as Python prints it."""
    return "\n".join(_written(trace, ""))


SAID: Final = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}


def _written(trace: Trace, indent: str) -> Iterator[str]:
    if trace.earlier is not None and trace.link is not None:
        yield from _written(trace.earlier, indent)
        gap = indent.rstrip()
        yield from (gap, indent + SAID[trace.link], gap)
    if trace.frames:
        yield indent + "Traceback (most recent call last):"
    for place, frame in enumerate(trace.frames):
        if trace.skipped and place == FRAME_LIMIT:
            yield f"{indent}  [{trace.skipped} more calls]"
        yield f'{indent}  File "{frame.file}", line {frame.line}, in {frame.function}'
        yield from (
            f"{indent}    {line.text.strip()}" for line in frame.source if line.number == frame.line
        )
    said = f"{trace.name}: {trace.message}" if trace.message else trace.name
    yield from (indent + line for note in (said, *trace.notes) for line in note.split("\n"))
    for place, inside in enumerate(trace.inside, 1):
        yield f"{indent}  +---- {place} ----"
        yield from _written(inside, indent + "  | ")
    if trace.more:
        yield f"{indent}  [{trace.more} more errors]"
