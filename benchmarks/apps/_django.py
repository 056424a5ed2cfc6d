"""What the two Django apps share: a process has one set of settings, and its URLs change hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import django
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test.utils import override_settings
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from benchmarks.apps import SECRET, USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.django import as_next, install

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        LOGGING_CONFIG=None,
        SECRET_KEY=SECRET,
    )
    django.setup()


def user(_request: HttpRequest) -> HttpResponse:
    """Answer."""
    return JsonResponse(USER)


def failing(_request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise missing()


async def user_async(_request: HttpRequest) -> HttpResponse:
    """Answer."""
    return JsonResponse(USER)


async def failing_async(_request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise missing()


@sync_and_async_middleware  # type: ignore[untyped-decorator]
def answering(get_response: Any) -> Any:
    """Return the next layer, with the framework's own way to answer an error."""
    get_response.process_exception = process_exception
    return get_response


def process_exception(_request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Answer an error."""
    if not isinstance(error, NotFound):
        return None
    body, status, headers = by_hand(error)
    return HttpResponse(body, status=status, headers=headers)


HANDLERS: Final[dict[str, tuple[Callable[..., Any], Callable[..., Any]]]] = {
    "sync": (user, failing),
    "async": (user_async, failing_async),
}


COMMON: Final = "django.middleware.common.CommonMiddleware"  # it sets the length of a response

_urls: dict[int, Any] = {}


def build_of(kind: str, application: Callable[[], BaseHandler], setup: Setup) -> Any:
    """Return an app."""
    handlers = [setup.decorated(each, as_next) for each in HANDLERS[kind]]
    middleware = [COMMON, "benchmarks.apps._django.answering"] if setup.is_by_hand else [COMMON]
    with override_settings(MIDDLEWARE=middleware):
        app = setup.installed(application(), install)
    _urls[id(app)] = path("user", handlers[0]), path("missing", handlers[1])
    return app


def prepare(app: object) -> None:
    """Let the settings, which the apps of a process share, name the URLs of this one."""
    settings.ROOT_URLCONF = _urls[id(app)]
