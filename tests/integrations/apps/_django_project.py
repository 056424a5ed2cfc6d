"""The project of the contract's two Django apps: settings, URLs and views."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import django
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from django.views import View
from django.views.decorators.http import require_http_methods

from catchasync import catch_async
from catchasync.integrations.django import as_next
from tests.integrations.failing import (
    BREAKS,
    FAILS,
    FAILS_ASYNC,
    PARTS,
    PARTS_ASYNC,
    SECRET,
    break_if,
    bug,
    domain,
    raising,
)

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DATA_UPLOAD_MAX_NUMBER_FIELDS=1,
        LOGGING_CONFIG=None,
        MIDDLEWARE=[f"{__name__}.breaking"],
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


def failing(fail: Callable[[], Any]) -> Callable[[HttpRequest], Any]:
    """Return a view that fails."""
    return lambda request: fail()


def failing_async(fail: Callable[[], Any]) -> Any:
    """Return an async view that fails."""

    async def view(request: HttpRequest) -> Any:
        return await fail()

    return transaction.non_atomic_requests(view)


def streaming(parts: Callable[[], Iterator[bytes]]) -> Callable[[HttpRequest], Any]:
    """Return a view that returns a stream."""
    return lambda request: StreamingHttpResponse(parts())


def streaming_async(parts: Callable[[], AsyncIterator[bytes]]) -> Callable[[HttpRequest], Any]:
    """Return same, of an async generator."""

    async def body(request: HttpRequest) -> AsyncIterator[bytes]:
        with contextlib.closing(request):  # Django does not close it where a stream fails
            async for part in parts():
                yield part

    return lambda request: StreamingHttpResponse(body(request))


def redirected(request: HttpRequest) -> HttpResponseBase:
    """Redirect."""
    return redirect("/ok")


def validated(request: HttpRequest) -> HttpResponse:
    """Answer who does not ask with more fields than are allowed."""
    return HttpResponse(str(request.GET).encode())


class Failing(View):  # type: ignore[misc]
    """A view class."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Fail."""
        bug()


class Views:
    """An object whose method is a view."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Fail."""
        bug()


@catch_async(next=next_of_app)
def decorated(request: HttpRequest) -> HttpResponse:
    """Fail, decorated by itself."""
    domain()


is_async: Final[Callable[[Any], bool]] = iscoroutinefunction  # pyright: ignore[reportDeprecated] # asgiref's knows marked ones


@sync_and_async_middleware  # type: ignore[untyped-decorator]
def breaking(get_response: Any) -> Any:
    """Fail, as a middleware."""

    def middleware(request: HttpRequest) -> Any:
        break_if(request.path, "before")
        response = get_response(request)
        break_if(request.path, "after")
        return response

    async def middleware_async(request: HttpRequest) -> Any:
        break_if(request.path, "before")
        response = await get_response(request)
        break_if(request.path, "after")
        return response

    return middleware_async if is_async(get_response) else middleware


VIEWS: dict[str, Any] = {
    **{each: failing(fail) for each, fail in FAILS.items()},
    **{each: failing_async(fail) for each, fail in FAILS_ASYNC.items()},
    **{each: streaming(parts) for each, parts in PARTS.items()},
    **{each: streaming_async(parts) for each, parts in PARTS_ASYNC.items()},
    **dict.fromkeys([*BREAKS, "/ok"], ok),
    "/ok-async": ok_async,
    "/redirect": redirected,
    "/validation": validated,
    "/abort": failing(raising(Conflict)),
    "/class": Failing.as_view(),
    "/method": Views().get,
    "/decorated": decorated,
}

urlpatterns = [path(each[1:], view, name=each[1:]) for each, view in VIEWS.items()]
