"""The project of the contract's two Django apps: settings, URLs and views."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views import View
from django.views.decorators.http import require_http_methods

from catchasync import catch_async
from catchasync.integrations.django import as_next
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        LOGGING_CONFIG=None,
        MIDDLEWARE=[],
        ROOT_URLCONF=__name__,
        SECRET_KEY=SECRET,
        USE_TZ=True,
    )
    django.setup()

state: dict[str, Any] = {"errors": None}
"""The error handler of the app that was built last; settings are the process's."""


def next_of_app(error: object) -> Any:
    """Answer as the app's error handler does."""
    return as_next(state["errors"])(error)


class Conflict(BadRequest):  # type: ignore[misc]
    """What stands for ``abort(409)``, which Django has not."""

    status_code = 409


@require_http_methods(["GET", "HEAD"])  # type: ignore[untyped-decorator]
def ok(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse(b"ok", content_type="text/plain")


@transaction.non_atomic_requests  # type: ignore[untyped-decorator]
async def ok_async(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse(b"ok", content_type="text/plain")


def bug(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise RuntimeError(SECRET)


@transaction.non_atomic_requests  # type: ignore[untyped-decorator]
async def bug_async(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise RuntimeError(SECRET)


def http(request: HttpRequest) -> HttpResponse:
    """Fail as an HTTP error."""
    raise no_such_user()


def domain(request: HttpRequest) -> HttpResponse:
    """Fail as an error of the domain."""
    raise UserMissing(SECRET)


def rule_answers(request: HttpRequest) -> HttpResponse:
    """Fail as an error whose rule answers."""
    raise Teapot


def rule_fails(request: HttpRequest) -> HttpResponse:
    """Fail as an error whose rule fails."""
    raise BrokenRule


def parts() -> Iterator[bytes]:
    """Begin, and fail."""
    yield b"begun"
    raise RuntimeError(SECRET)


async def parts_async(request: HttpRequest) -> AsyncIterator[bytes]:
    """Begin, and fail; Django does not close the request of a stream that fails."""
    with contextlib.closing(request):
        for part in parts():
            yield part


def stream(request: HttpRequest) -> HttpResponseBase:
    """Return a stream that fails, of the kind that the server can send as it comes."""
    is_async = isinstance(request, ASGIRequest)
    return StreamingHttpResponse(parts_async(request) if is_async else parts())


def redirected(request: HttpRequest) -> HttpResponseBase:
    """Redirect."""
    return redirect("/ok")


def abort(request: HttpRequest) -> HttpResponse:
    """Fail as an error of the framework."""
    raise Conflict


class Failing(View):  # type: ignore[misc]
    """A view class."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Fail."""
        raise RuntimeError(SECRET)


@catch_async(next=next_of_app)
def decorated(request: HttpRequest) -> HttpResponse:
    """Fail, decorated by itself."""
    raise UserMissing(SECRET)


urlpatterns = [
    path("ok", ok, name="ok"),
    path("ok-async", ok_async),
    path("bug", bug, name="bug"),
    path("bug-async", bug_async),
    path("http", http),
    path("domain", domain),
    path("rule-answers", rule_answers),
    path("rule-fails", rule_fails),
    path("stream", stream),
    path("redirect", redirected),
    path("abort", abort),
    path("class", Failing.as_view()),
    path("decorated", decorated),
]
