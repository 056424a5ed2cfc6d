"""The page for whoever wrote the program: the failure, what led to it, and the request.

The newest comes first: the call that failed, then who called it, then the error's cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from catchasync._facts import Facts
from catchasync._pages import escape, page, said
from catchasync._traces import FRAME_LIMIT, Frame, Line, Trace, text_of_trace

OPEN_LIMIT: Final = 3  # calls of one's own shown open; the rest unfolds

LED: Final = {"cause": "Caused by", "context": "Raised while this was handled"}


def debug_page(facts: Facts, trace: Trace, request: Iterable[tuple[str, str]]) -> str:
    """Return the page for an error."""
    rows = list(request)
    parts = [
        f'<header>\n<p class="dim">{facts.status} {escape(facts.title)}</p>',
        _heading(trace, "h1"),
        "</header>",
        _calls(trace),
        _related(trace),
        "<h2>More</h2>",
        _request(rows) if rows else "",
        _folded("What the client is told", f'<div class="inside">{said(facts, "h3")}</div>'),
        _folded("Traceback as text", f'<pre class="text">{escape(text_of_trace(trace))}</pre>'),
    ]
    return page(f"{trace.name}: {trace.message[:80]}", "\n".join(filter(None, parts)))


def _heading(trace: Trace, tag: str) -> str:
    name = escape(trace.name).replace(".", ".<wbr>")  # where a phone may break it
    parts = [f'<{tag} class="bad">{name}</{tag}>']
    parts += [f'<p class="message">{escape(text)}</p>' for text in _texts(trace)]
    return "\n".join(parts)


def _texts(trace: Trace) -> Iterator[str]:
    if trace.message:
        yield trace.message
    yield from trace.notes


def _calls(trace: Trace) -> str:
    """Return the calls, the one that failed first."""
    newest_first = trace.frames[::-1]
    own = [frame for frame in newest_first if not frame.is_library]
    opened = {id(frame) for frame in (*newest_first[:1], *own[:OPEN_LIMIT])}
    parts = [_frame(frame, is_open=id(frame) in opened) for frame in newest_first]
    if trace.skipped:
        left_out = f'<p class="dim">{trace.skipped} more calls</p>'
        parts.insert(FRAME_LIMIT, left_out)
    return "\n".join(parts)


def _frame(frame: Frame, *, is_open: bool) -> str:
    where = (
        f"<strong>{escape(frame.function)}</strong> "
        f'<span class="dim">{escape(frame.file)}:{frame.line}</span>'
    )
    lines = "".join(_line(line, frame.line) for line in frame.source)
    body = f"<pre>{lines}</pre>" if lines else ""
    return _folded(where, body, is_library=frame.is_library, is_open=is_open)


def _line(line: Line, failed: int) -> str:
    css = "line failed" if line.number == failed else "line"
    return f'<span class="{css}" data-n="{line.number}">{_marked(line)}</span>'


def _marked(line: Line) -> str:
    if line.mark is None:
        return escape(line.text)
    start, end = line.mark
    before, failed, after = line.text[:start], line.text[start:end], line.text[end:]
    return f"{escape(before)}<mark>{escape(failed)}</mark>{escape(after)}"


def _related(trace: Trace) -> str:
    """Return what led to an error, and what is inside it."""
    parts: list[str] = []
    if trace.earlier is not None and trace.link is not None:
        parts += [f"<h2>{LED[trace.link]}</h2>", _section(trace.earlier)]
    for place, inside in enumerate(trace.inside, 1):
        parts.append(f'<h2>Error {place} of the group</h2>\n<div class="inside">')
        parts.append(f"{_section(inside)}\n</div>")
    if trace.more:
        parts.append(f'<p class="dim">{trace.more} more errors</p>')
    return "\n".join(parts)


def _section(trace: Trace) -> str:
    return "\n".join(filter(None, (_heading(trace, "h3"), _calls(trace), _related(trace))))


def _request(rows: list[tuple[str, str]]) -> str:
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return _folded("Request", f"<dl>{pairs}</dl>", is_open=True)


def _folded(title: str, body: str, *, is_library: bool = False, is_open: bool = False) -> str:
    css, opened = ' class="library"' if is_library else "", " open" if is_open else ""
    return f"<details{css}{opened}><summary>{title}</summary>{body}</details>"
