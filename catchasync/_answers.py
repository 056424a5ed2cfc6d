"""How a failure is answered: by the renderer, whatever happens; later, where a rule is async."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any

from catchasync._context import Case, ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._negotiation import Format
from catchasync._render import render_error
from catchasync._reporting import Reporters, inside, is_inside
from catchasync._statuses import SERVER_ERROR, phrase_of
from catchasync.errors import HttpError


class Answer:
    """What an async rule will answer; the error is reported also where nobody awaits it."""

    __slots__ = ("_report", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], report: Callable[[], None]) -> None:
        self._work: Coroutine[Any, Any, Any] | None = work
        self._report = report

    def __await__(self) -> Generator[Any, None, Any]:
        if self._work is None:
            msg = "the answer of an ErrorHandler is awaited once: it was awaited before"
            raise RuntimeError(msg)
        work, self._work = self._work, None
        return work.__await__()

    def __del__(self) -> None:
        if self._work is not None:
            self._report()


class Renderer:
    """Renders, as one `ErrorHandler` was told to."""

    __slots__ = ("_debug", "_format", "_reporters")

    def __init__(self, reporters: Reporters, *, debug: bool, format: Format | None) -> None:  # noqa: A002
        self._reporters = reporters
        self._debug = debug
        self._format: Format | None = format

    def plain(self, case: Case) -> ErrorResponse:
        """Answer with a plain 500, in the client's format."""
        return self.rendered(case, HttpError(SERVER_ERROR), debug=False)

    def rendered(
        self,
        case: Case,
        error: BaseException,
        *,
        status: int | None = None,
        debug: bool | None = None,
    ) -> ErrorResponse:
        """Answer a failure with an error; total, and nothing that it starts comes back here."""
        if is_inside("render", self._reporters.serial):
            return plain_response()
        if debug is None:
            debug = self._debug if case.debug is None else case.debug is True
        try:
            with inside("render", self._reporters.serial):
                return render_error(
                    error,
                    accept=case.accept,
                    method=case.method,
                    debug=debug,
                    format=self._format,
                    request=case.request,
                    status=status,
                )
        except Exception as broken:  # noqa: BLE001 - a defect of ours
            self._reporters.tell_defect(broken, ErrorContext("renderer", case.request))
            return plain_response()


def plain_response() -> ErrorResponse:
    """Return a 500 made of what cannot fail."""
    body = phrase_of(SERVER_ERROR).encode()
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }
    return ErrorResponse(SERVER_ERROR, headers, body)
