"""How a failure is answered: by the renderer, whatever happens; later, where a rule is async."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any

from catchasync._case import Case
from catchasync._context import ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._facts import facts_of, plain_facts
from catchasync._inside import enter, leave, place_of
from catchasync._negotiation import Format
from catchasync._plain import guarded
from catchasync._render import response_to
from catchasync._reporting import Reporters
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
    """Renders, as one `ErrorHandler` was told to; total, and nothing that it starts comes back."""

    __slots__ = ("_debug", "_format", "_place", "_reporters")

    def __init__(self, reporters: Reporters, *, debug: bool, format: Format | None) -> None:  # noqa: A002
        self._reporters = reporters
        self._place = place_of("render", reporters.serial)
        self._debug = debug
        self._format: Format | None = format

    def at_once(self, error: HttpError, context: ErrorContext) -> ErrorResponse | None:
        """Answer an error of a plain class; ``None`` where there is more to it."""
        if self._debug or context.debug or (facts := plain_facts(error)) is None:
            return None
        return response_to(error, facts, context, self._format, debug=False)

    def plain(self, case: Case) -> ErrorResponse:
        """Answer with a plain 500, in the client's format."""
        return self.rendered(case, HttpError(SERVER_ERROR), debug=False)

    def rendered(
        self, case: Case, instead: BaseException | None = None, *, debug: bool | None = None
    ) -> ErrorResponse:
        """Answer a failure: as it is, or with another error."""
        if (before := enter(self._place)) is None:
            return plain_response()
        try:
            if debug is None:
                debug = self._debug if case.debug is None else case.debug is True
            facts = case.facts if instead is None else facts_of(instead)
            return response_to(instead or case.error, facts, case, self._format, debug=debug)
        except Exception as broken:  # noqa: BLE001 - of ours, or there is no room for another call
            context = ErrorContext("renderer", case.request)
            guarded(self._reporters.tell_defect, broken, context, default=None)
            return plain_response()
        finally:
            leave(before)


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
