"""The contract that every framework passes: what a client over a socket gets, and what is reported.

An app of ``tests/integrations/apps/`` has the routes of `CASES`. It is built with the
`ErrorHandler` of `make_errors`, so that the same failures must give the same answers everywhere.
"""

from __future__ import annotations

import http.client
import itertools
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from catchasync import ErrorHandler, render_error
from catchasync.errors import HttpError, NotFound

SECRET: Final = "secret"  # noqa: S105 - what no client may see


class UserMissing(Exception):
    """A domain error with a status by registration."""


class Teapot(Exception):
    """A domain error whose rule answers with another error."""


class BrokenRule(Exception):
    """A domain error whose rule raises."""


class RuleError(Exception):
    """What that rule raises."""


class Report(NamedTuple):
    """What a reporter was told of."""

    name: str
    source: str | None
    status: int
    expected: bool


def make_errors(**options: Any) -> tuple[ErrorHandler, list[Report]]:
    """Return the handler of all contract apps, and the list of what it reports."""
    reported: list[Report] = []

    def note(error: BaseException, context: Any) -> None:
        reported.append(
            Report(type(error).__name__, context.source, context.status, context.expected)
        )

    errors = ErrorHandler(reporters=[note], **options)
    errors.on(UserMissing, status=404)

    @errors.on(Teapot)
    def _(error: Exception, context: Any) -> HttpError:
        return HttpError(418, "short and stout")

    @errors.on(BrokenRule)
    def _(error: Exception, context: Any) -> None:
        raise RuleError(SECRET)

    return errors, reported


def no_such_user() -> NotFound:
    """Return the error of ``/http``."""
    return NotFound("no such user", code="user_not_found", details={"id": 7})


@dataclass(frozen=True)
class Answer:
    """What a client got; ``is_whole``: the body came to its proper end."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool = True
    allow: frozenset[str] = field(default=frozenset(), compare=False)


UNCOMPARED: Final = {
    "allow",
    "alt-svc",  # Sanic's server
    "connection",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
}
"""Headers of the servers; and ``Allow``, whose methods the frameworks choose and order."""


def ask(base_url: str, path: str, *, method: str = "GET", accept: str | None = None) -> Answer:
    """Ask a server, on a connection of its own."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    try:
        connection.request(method, path, headers={} if accept is None else {"Accept": accept})
        return read(connection.getresponse())
    finally:
        connection.close()


def read(response: http.client.HTTPResponse) -> Answer:
    """Read an answer, as far as it goes."""
    body, is_whole = b"", True
    try:
        while chunk := response.read1():
            body += chunk
        is_whole = not response.length  # what was announced, and did not come
    except (http.client.HTTPException, OSError):
        is_whole = False
    headers = {name.lower(): value for name, value in response.getheaders()}
    allow = frozenset(headers.get("allow", "").replace(" ", "").split(","))
    kept = {name: value for name, value in headers.items() if name not in UNCOMPARED}
    return Answer(response.status, kept, body, is_whole, allow)


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


def _status(status: int) -> Callable[[], HttpError]:
    return lambda: HttpError(status)


_FAILURES: Final = [
    ("/bug", _status(500), ("RuntimeError",)),
    ("/bug-async", _status(500), ("RuntimeError",)),
    ("/http", no_such_user, ("NotFound",)),
    ("/domain", _status(404), ("UserMissing",)),
    ("/rule-answers", lambda: HttpError(418, "short and stout"), ("Teapot",)),
    ("/rule-fails", _status(500), ("BrokenRule", "RuleError")),
    ("/abort", _status(409), None),
    ("/class", _status(500), ("RuntimeError",)),
    ("/decorated", _status(404), ("UserMissing",)),
    ("/nowhere", _status(404), None),
]

CASES: Final = [
    *(Case(*each) for each in _FAILURES),
    *(Case(*each, accept="text/html") for each in _FAILURES),
    *(Case(*each, accept="text/plain") for each in _FAILURES),
    Case("/http", no_such_user, ("NotFound",), method="HEAD"),
    Case("/http", no_such_user, ("NotFound",), method="HEAD", accept="text/html"),
    Case("/ok", _status(405), None, method="POST"),
]
"""What fails before the response begins; ``Accept``: none (problem details), HTML, text."""

WITHOUT_ASYNC: Final = {"/ok-async", "/bug-async"}
"""The routes that a framework without async handlers need not have."""


def check_case(case: Case, base_url: str, reported: list[Report]) -> None:
    """Check that the answer is the same everywhere, and that the failure is reported once."""
    reported.clear()
    assert case.expected == ask_case(base_url, case)
    check_reported(case.reported, reported)


def check_reported(names: tuple[str, ...] | None, reported: list[Report]) -> None:
    """Check what was reported; the framework's own errors are expected, whatever their names."""
    if names is None:
        assert [True] == [report.expected for report in reported]
    else:
        assert list(names) == [report.name for report in reported]
    assert "route" == reported[0].source


def check_ok(base_url: str, reported: list[Report], path: str = "/ok") -> None:
    """Check that a success is as it was, and nothing is reported."""
    reported.clear()
    answer = ask(base_url, path)
    assert (200, b"ok", True) == (answer.status, answer.body, answer.is_whole)
    assert [] == reported


def check_stream(base_url: str, reported: list[Report]) -> None:
    """Check that a half-sent body is broken off, has nothing appended, and is reported once."""
    reported.clear()
    answer = ask(base_url, "/stream")
    assert (200, b"begun", False) == (answer.status, answer.body, answer.is_whole)
    assert [("RuntimeError", "route")] == [(report.name, report.source) for report in reported]


def check_redirect(base_url: str, reported: list[Report]) -> None:
    """Check that a redirect passes through untouched."""
    reported.clear()
    answer = ask(base_url, "/redirect")
    assert answer.status in {302, 303, 307}
    assert answer.headers["location"].endswith("/ok")
    assert [] == reported


def check_many(base_url: str, reported: list[Report]) -> None:
    """Check that a hundred requests at once get the same answers as one by one."""
    reported.clear()
    cases = [case for case in CASES if case.reported and case.path not in WITHOUT_ASYNC]
    asked = list(itertools.islice(itertools.cycle(cases), 100))
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda case: ask_case(base_url, case), asked))
    assert [case.expected for case in asked] == answers
    names = Counter(itertools.chain.from_iterable(case.reported or () for case in asked))
    assert names == Counter(report.name for report in reported)


def ask_case(base_url: str, case: Case) -> Answer:
    """Ask a server what a case asks."""
    return ask(base_url, case.path, method=case.method, accept=case.accept)


def check_debug(base_url: str) -> None:
    """Check that a handler in debug mode shows what a client must not see otherwise."""
    answer = ask(base_url, "/bug")
    assert 500 == answer.status
    assert SECRET in json.loads(answer.body)["stack"]


def check_allow(base_url: str) -> None:
    """Check that a 405 says which methods there are (RFC 9110, section 15.5.6)."""
    assert "GET" in ask(base_url, "/ok", method="POST").allow
