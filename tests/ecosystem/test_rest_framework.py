"""Django REST framework: it answers its own exceptions; what it lets out is ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

pytest.importorskip("rest_framework")
project: Any = pytest.importorskip("tests.integrations.apps._django_project")  # has settings

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import path
from rest_framework import exceptions
from rest_framework.decorators import api_view
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import exception_handler
from rest_framework.viewsets import ViewSet

from catchasync import ErrorHandler, catch_async
from catchasync.errors import HttpError
from catchasync.integrations.django import wrap_router
from tests.ecosystem.django_support import (
    PROBLEM,
    RAISED,
    WAYS,
    Teasing,
    ask,
    check_ours,
    check_same,
    names,
    raiser,
    run,
    stream,
    urls_of,
)
from tests.integrations.contract import UserMissing, make_errors

TOKEN: Final = re.compile(rb"\w{64}")
"""That of a page, which is another one each time."""


class Users(ViewSet):  # type: ignore[misc]
    """A resource."""

    def list(self, request: Any) -> Any:
        """Answer."""
        return Response([1])

    def retrieve(self, request: Any, pk: str) -> Any:
        """Fail."""
        return raiser(UserMissing)(request)


class People(Users):
    """A resource that goes through a wrapped router."""

    def retrieve(self, request: Any, pk: str) -> Any:
        """Fail."""
        return raiser(UserMissing)(request)


VIEWS: Final[dict[str, Callable[[Any], Any]]] = {
    **{name: raiser(make) for name, make in RAISED.items()},
    "denied": raiser(exceptions.PermissionDenied),
    "invalid": raiser(lambda: exceptions.ValidationError({"name": ["too short"]})),
    "none": raiser(exceptions.NotFound),
    "decorated": catch_async(next=project.next_of_app)(raiser(UserMissing)),
    "ok": lambda request: Response({"number": 1}),
    "stream": stream,
    "unfit": lambda request: Response({"number": object()}),
}


def urls() -> list[Any]:
    """Return the URLs of a project."""
    router, wrapped = SimpleRouter(), SimpleRouter()
    router.register("users", Users, basename="user")
    proxy: Any = wrap_router(wrapped, next=project.next_of_app, methods=["register"])
    proxy.register("people", People, basename="person")
    views = [path(name, api_view(["GET"])(view)) for name, view in VIEWS.items()]
    return [*views, *router.urls, *wrapped.urls]


def handle_exception(error: Exception, context: Any) -> Any:
    """Answer errors as an app does that has an exception handler of its own."""
    if isinstance(error, Teasing):
        return Response({"teased": True}, status=418)
    return exception_handler(error, context)


def take_nothing(error: Exception, context: Any) -> None:
    """Leave all errors to us."""


@pytest.fixture(autouse=True)
def _settings(transactions: None) -> Generator[None, None, None]:
    engine = "django.template.backends.django.DjangoTemplates"
    with override_settings(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        MIDDLEWARE=[],
        REST_FRAMEWORK={"EXCEPTION_HANDLER": f"{__name__}.handle_exception"},
        ROOT_URLCONF=urls_of(urls()),
        TEMPLATES=[{"BACKEND": engine, "APP_DIRS": True}],
    ):
        yield


@WAYS
def test_who_answers(made_with: Callable[[ErrorHandler], Any]) -> None:
    """What its exception handler takes is as without us; the rest is rolled back, and ours."""
    errors, reported = make_errors()
    app = made_with(errors)
    check_ours(app, reported)
    check_same(
        app, reported,
        "/ok", "/users/", "/denied", "/django404", "/invalid", "/none", "/teasing",
    )  # fmt: skip


@WAYS
def test_page_for_browsers(made_with: Callable[[ErrorHandler], Any]) -> None:
    """The pages that it shows to browsers are as without us."""
    pages = [
        ask(app, "/ok", accept="text/html") for app in (WSGIHandler(), made_with(make_errors()[0]))
    ]
    without, with_us = [TOKEN.sub(b"", page[2]) for page in pages]
    assert without == with_us
    assert b"Django REST framework" in with_us


@WAYS
@pytest.mark.parametrize(
    ("url", "status", "name"),
    [
        ("/decorated", 404, "UserMissing"),
        ("/people/7/", 404, "UserMissing"),
        ("/unfit", 500, "TypeError"),
        ("/users/7/", 404, "UserMissing"),
    ],
)
def test_failures_elsewhere(
    made_with: Callable[[ErrorHandler], Any], url: str, status: int, name: str
) -> None:
    """Decorated views, methods of view sets, and what cannot be rendered: answered, once."""
    errors, reported = make_errors()
    project.state["errors"] = errors
    assert (status, PROBLEM) == ask(made_with(errors), url)[:2]
    assert [name] == names(reported)
    assert [] == run("SELECT * FROM notes")


@WAYS
def test_all_errors_in_one_form(made_with: Callable[[ErrorHandler], Any]) -> None:
    """Where its exception handler takes nothing, its own exceptions are ours too."""
    errors, reported = make_errors()

    @errors.on(exceptions.APIException)
    def _(error: Any, context: Any) -> HttpError:
        return HttpError(error.status_code, details=error.get_full_details())

    with override_settings(REST_FRAMEWORK={"EXCEPTION_HANDLER": f"{__name__}.take_nothing"}):
        status, kind, body = ask(made_with(errors), "/invalid")
    assert (400, PROBLEM) == (status, kind)
    assert b"too short" in body
    assert [("ValidationError", True)] == [(each.name, each.expected) for each in reported]
    assert [] == run("SELECT * FROM notes")
