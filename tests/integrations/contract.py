"""The contract that every framework passes: what a client over a socket gets, and what is reported.

An app of ``tests/integrations/apps/`` has the routes of `CASES` and of the checks below. It is
built with the `ErrorHandler` of `make_errors`, so that the same failures must give the same answers
everywhere; `lacks.py` says what a framework has not.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple

from catchasync import ErrorHandler, render_error
from catchasync.errors import HttpError
from tests.integrations.client import (
    NO_ANSWER,
    PATIENCE,
    Answer,
    Talk,
    ask,
    ask_in_vain,
    leave,
    listen,
    see_begun,
)
from tests.integrations.failing import (
    SECRET,
    BrokenRule,
    LateBrokenRule,
    LateTeapot,
    RuleError,
    Teapot,
    UserMissing,
    departure,
    no_such_user,
)

__all__ = ["SECRET", "Answer", "BrokenRule", "Teapot", "UserMissing", "ask", "no_such_user"]


class Report(NamedTuple):
    """What a reporter was told of."""

    name: str
    source: str | None
    status: int
    expected: bool


class Reports(list[Report]):
    """What was reported; some of it comes when the client has its answer already."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def note(self, error: BaseException, context: Any) -> None:
        """Take a report."""
        with self._changed:
            name = type(error).__name__
            self.append(Report(name, context.source, context.status, context.expected))
            self._changed.notify_all()

    def wait(self, count: int) -> None:
        """Wait until there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self) >= count, PATIENCE), self


def make_errors(**options: Any) -> tuple[ErrorHandler, Reports]:
    """Return the handler of all contract apps, and the list of what it reports."""
    reported = Reports()
    errors = ErrorHandler(reporters=[reported.note], **options)
    errors.on(UserMissing, status=404)

    @errors.on(Teapot)
    def _(error: Exception, context: Any) -> HttpError:
        return teapot()

    @errors.on(LateTeapot)
    async def _(error: Exception, context: Any) -> HttpError:
        return teapot()

    @errors.on(BrokenRule)
    def _(error: Exception, context: Any) -> None:
        raise RuleError(SECRET)

    @errors.on(LateBrokenRule)
    async def _(error: Exception, context: Any) -> None:
        raise RuleError(SECRET)

    return errors, reported


def teapot() -> HttpError:
    """Return what the rules of teapots answer with."""
    return HttpError(418, "short and stout")


def status(code: int) -> Callable[[], HttpError]:
    """Return what makes an error that says no more than its status."""
    return lambda: HttpError(code)


@dataclass(frozen=True)
class Case:
    """
    A request, and what it leads to.

    Args:
        path: What is asked for.
        answered_as: Makes the error whose rendering is the answer.
        reported: The names of what is reported, in this order; ``None``: one error of the
            framework's own, expected.
        method: How it is asked for.
        accept: What the client takes.
    """

    path: str
    answered_as: Callable[[], HttpError]
    reported: tuple[str, ...] | None
    method: str = "GET"
    accept: str | None = None

    @property
    def id(self) -> str:
        """The name of the case."""
        return " ".join(filter(None, [self.method, self.path, self.accept]))

    @property
    def expected(self) -> Answer:
        """What the client gets."""
        error = self.answered_as()
        response = render_error(error, accept=self.accept, method=self.method)
        return Answer(response.status, response.headers, response.body)


BUG: Final = ("RuntimeError",)

FAILURES: Final[dict[str, tuple[Callable[[], HttpError], tuple[str, ...] | None]]] = {
    "/bug": (status(500), BUG),
    "/bug-async": (status(500), BUG),
    "/http": (no_such_user, ("NotFound",)),
    "/domain": (status(404), ("UserMissing",)),
    "/rule-answers": (teapot, ("Teapot",)),
    "/rule-answers-async": (teapot, ("LateTeapot",)),
    "/rule-fails": (status(500), ("BrokenRule", "RuleError")),
    "/rule-fails-async": (status(500), ("LateBrokenRule", "RuleError")),
    "/timeout": (status(500), ("TimeoutError",)),
    "/timeout-async": (status(500), ("TimeoutError",)),
    "/abort": (status(409), None),
    "/class": (status(500), BUG),
    "/method": (status(500), BUG),
    "/decorated": (status(404), ("UserMissing",)),
    "/nowhere": (status(404), None),
    "/middleware": (status(500), BUG),
    "/middleware-after": (status(500), BUG),
}
"""What fails before the response begins: how it is answered, and reported."""

FORMATS: Final[dict[str | None, str]] = {
    None: "application/problem+json",
    "*/*": "application/problem+json",
    "application/problem+json": "application/problem+json",
    "application/json": "application/problem+json",
    "application/vnd.api+json": "application/vnd.api+json",
    "text/html": "text/html; charset=utf-8",
    "text/plain": "text/plain; charset=utf-8",
}
"""What clients take, and the media type that they get."""

CASES: Final = [
    *(Case(path, *each) for path, each in FAILURES.items()),
    *(Case(path, *FAILURES[path], method="HEAD") for path in ("/bug", "/http", "/nowhere")),
    Case("/ok", status(405), None, method="POST"),
]
"""Each is asked in every format."""


def check_case(case: Case, base_url: str, reported: Reports) -> None:
    """Check that the answer is the same everywhere, and that the failure is reported once."""
    for accept in FORMATS:
        asked = Case(case.path, case.answered_as, case.reported, case.method, accept)
        reported.clear()
        assert (accept, asked.expected) == (accept, ask_case(base_url, asked))
        check_reported(case.reported, reported)


def ask_case(base_url: str, case: Case) -> Answer:
    """Ask a server what a case asks."""
    return ask(base_url, case.path, method=case.method, accept=case.accept)


def check_reported(names: Iterable[str] | None, reported: Sequence[Report]) -> None:
    """Check what was reported; the framework's own errors are expected, whatever their names."""
    if names is None:
        assert [True] == [report.expected for report in reported]
    else:
        assert list(names) == [report.name for report in reported]
    assert "route" == reported[0].source


def check_ok(base_url: str, reported: Reports, path: str = "/ok") -> None:
    """Check that a success is as it was, and nothing is reported."""
    reported.clear()
    answer = ask(base_url, path)
    assert (200, b"ok", True) == (answer.status, answer.body, answer.is_whole)
    assert [] == reported


def check_validation(base_url: str, reported: Reports, code: int) -> None:
    """Check that what the framework says of an invalid request is rendered, and is no bug."""
    for accept, media_type in FORMATS.items():
        reported.clear()
        answer = ask_invalidly(base_url, accept)
        rendered = render_error(HttpError(code), accept=accept, method="GET")
        assert (code, media_type) == (answer.status, answer.headers["content-type"])
        assert rendered.headers.keys() == answer.headers.keys()
        check_reported(None, reported)
    body = json.loads(ask_invalidly(base_url).body)
    assert (code, "about:blank") == (body["status"], body["type"])


def ask_invalidly(base_url: str, accept: str | None = None) -> Answer:
    """Ask what is invalid in every way: words for a number, twice, and JSON that ends at once."""
    query = "number=seven&number=eight"
    return ask(base_url, f"/validation?{query}", accept=accept, json=b"{")


def check_broken_off(
    base_url: str, reported: Reports, path: str = "/stream", body: bytes = b"begun"
) -> None:
    """Check that a half-sent body is broken off, has nothing appended, and is reported once."""
    reported.clear()
    answer = ask_in_vain(base_url, path)
    assert (body, False) == (answer.body, answer.is_whole)
    assert answer.status == 200 or (answer == NO_ANSWER and not body)
    assert [("RuntimeError", "route")] == [(report.name, report.source) for report in reported]


def check_late(base_url: str, reported: Reports, path: str, *sources: str) -> None:
    """Check that what fails after the body is reported once, and the client has all of that."""
    reported.clear()
    answer = ask(base_url, path)
    assert (200, b"ok", True) == (answer.status, answer.body, answer.is_whole)
    check_late_reports(base_url, reported, *sources)


def check_late_reports(base_url: str, reported: Reports, *sources: str) -> None:
    """Check that a bug is reported, once also when the server has done something else since."""
    reported.wait(1)
    assert 200 == ask(base_url, "/ok").status
    assert ["RuntimeError"] == [report.name for report in reported]
    assert reported[0].source in sources


def check_leaving(base_url: str, reported: Reports, path: str) -> None:
    """Check that a client that goes away is no failure, and that the server goes on."""
    reported.clear()
    departure.reset()
    is_early = path.startswith("/leave-early")
    leave(base_url, path, (lambda _: departure.asked.wait(PATIENCE)) if is_early else see_begun)
    departure.left.set()
    assert departure.is_over(), "the stream does not end"
    check_ok(base_url, reported)


def check_websocket(base_url: str, reported: Reports, path: str) -> Talk:
    """Check that the failure of a websocket is reported once, and its connection ends."""
    reported.clear()
    talk = listen(base_url, path)
    check_late_reports(base_url, reported, "websocket")
    return talk


def check_redirect(base_url: str, reported: Reports) -> None:
    """Check that a redirect passes through untouched."""
    reported.clear()
    answer = ask(base_url, "/redirect")
    assert answer.status in {302, 303, 307}
    assert answer.headers["location"].endswith("/ok")
    assert [] == reported


def check_many(base_url: str, reported: Reports, paths: Iterable[str], count: int = 100) -> None:
    """Check that many requests at once get the same answers and reports as one by one."""
    mixed = sorted(itertools.product(paths, FORMATS), key=str)
    asked = Random(count).choices(mixed, k=count)
    alone = {each: once(base_url, reported, *each) for each in dict.fromkeys(asked)}
    reported.clear()
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda each: get(base_url, *each), asked))
    assert [alone[each][0] for each in asked] == answers
    expected = Counter(report for each in asked for report in alone[each][1])
    reported.wait(expected.total())
    assert expected == Counter(reported)


LATE: Final = ("/after", "/background", "/background-sync", "/ws", "/ws-early")
"""What may be reported when the client has its answer already."""


def once(
    base_url: str, reported: Reports, path: str, accept: str | None
) -> tuple[Answer | Talk, list[Report]]:
    """Ask once, and return the answer and what was reported."""
    reported.clear()
    answer = get(base_url, path, accept)
    if path in LATE:
        reported.wait(1)
    return answer, list(reported)


def get(base_url: str, path: str, accept: str | None) -> Answer | Talk:
    """Ask by HTTP, or over a websocket."""
    if path.startswith("/ws"):
        return listen(base_url, path)
    return ask_in_vain(base_url, path, accept=accept)


def check_debug(base_url: str, reported: Reports) -> None:
    """Check that a handler in debug mode shows what a client must not see otherwise."""
    for accept in FORMATS:
        reported.clear()
        answer = ask(base_url, "/bug", accept=accept)
        assert (500, True) == (answer.status, SECRET.encode() in answer.body)
        check_reported(BUG, reported)
    assert SECRET in json.loads(ask(base_url, "/bug").body)["stack"]


def check_allow(base_url: str) -> None:
    """Check that a 405 says which methods there are (RFC 9110, section 15.5.6)."""
    assert "GET" in ask(base_url, "/ok", method="POST").allow
