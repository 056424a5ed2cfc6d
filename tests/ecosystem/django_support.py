"""What the tests of Django's libraries share: failures, a database, and two ways to install."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.test import RequestFactory, override_settings

from catchasync import ErrorHandler
from catchasync.errors import NotFound
from catchasync.integrations.django import install
from tests.integrations.contract import SECRET, Report, UserMissing

PROBLEM: Final = "application/problem+json"


class Teasing(Exception):
    """An error for which an API has a handler of its own."""


RAISED: Final[dict[str, Callable[[], Exception]]] = {
    "bug": lambda: RuntimeError(SECRET),
    "django404": Http404,
    "domain": UserMissing,
    "http": lambda: NotFound("no such user"),
    "teasing": Teasing,
}

OURS: Final = {
    "bug": (500, "RuntimeError"),
    "domain": (404, "UserMissing"),
    "http": (404, "NotFound"),
}
"""Failures that no library has an answer to: what they are answered with, and reported as."""


def raiser(make: Callable[[], Exception]) -> Callable[[Any], Any]:
    """Return a view that writes to the database, and raises."""

    def view(request: Any) -> Any:
        run("INSERT INTO notes VALUES (1)")
        raise make()

    return view


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Give a part, and fail."""

    def parts() -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    return StreamingHttpResponse(parts())


def run(statement: str) -> Any:
    """Run a statement, and return what it finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def urls_of(patterns: list[Any]) -> type:
    """Return what ``ROOT_URLCONF`` takes."""
    return type("Urls", (), {"urlpatterns": patterns})


def installed(errors: ErrorHandler) -> WSGIHandler:
    """Return an application with us around it."""
    return install(WSGIHandler(), errors)


def in_middleware(errors: ErrorHandler) -> WSGIHandler:
    """Return an application with us in its middleware."""
    middleware = ["catchasync.integrations.django.ErrorMiddleware"]
    with override_settings(MIDDLEWARE=middleware, CATCHASYNC_ERRORS=errors):
        return WSGIHandler()


WAYS: Final = pytest.mark.parametrize("made_with", [installed, in_middleware])


def ask(app: Any, url: str, method: str = "GET", accept: str = "*/*") -> tuple[int, str, bytes]:
    """Return status, type and body of an answer."""
    answer = app.get_response(RequestFactory().generic(method, url, HTTP_ACCEPT=accept))
    return answer.status_code, answer["content-type"], answer.content


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


def check_ours(app: Any, reported: list[Report]) -> None:
    """Check what becomes of failures that no library has an answer to, and of a stream's."""
    for url, (status, name) in OURS.items():
        reported.clear()
        assert (status, PROBLEM) == ask(app, f"/{url}")[:2]
        assert [name] == names(reported)
        assert [] == run("SELECT * FROM notes")
    reported.clear()
    with pytest.raises(RuntimeError, match=SECRET):
        list(app.get_response(RequestFactory().get("/stream")))
    assert ["RuntimeError"] == names(reported)


def check_same(app: Any, reported: list[Report], *urls: str) -> None:
    """Check that what a library answers is as without us, to the byte, and not reported."""
    reported.clear()
    plain = WSGIHandler()
    plain.load_middleware()
    for url in urls:
        assert ask(plain, url) == ask(app, url)
    assert ask(plain, "/ok", "POST") == ask(app, "/ok", "POST")
    assert [] == reported
