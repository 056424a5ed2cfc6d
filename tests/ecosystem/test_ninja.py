"""Django Ninja: it answers what it has a handler for; what it lets out is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

project: Any = pytest.importorskip("tests.integrations.apps._django_project")  # has settings
ninja: Any = pytest.importorskip("ninja")

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, override_settings
from django.urls import path

from catchasync import ErrorHandler
from catchasync.integrations.django import install, wrap_router
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

API: Final = ninja.NinjaAPI()


def ok(request: HttpRequest) -> Any:
    """Answer."""
    return {"number": 1}


def parsed(request: HttpRequest, number: int) -> Any:
    """Answer, where the request is valid."""
    return {"number": number}


def taken(request: HttpRequest) -> Any:
    """Fail as Ninja's own do."""
    raise ninja.errors.HttpError(409, "taken")


async def domain_async(request: HttpRequest) -> Any:
    """Fail."""
    raise UserMissing


def tease(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer for the API."""
    answer: HttpResponse = API.create_response(request, {"teased": True}, status=418)
    return answer


def pass_on(request: HttpRequest, error: Exception) -> HttpResponse:
    """Let an error pass, also where Ninja would show its traceback."""
    raise error


def routes() -> list[Any]:
    """Fill the API, and return the URLs of a project."""
    API.exception_handler(Teasing)(tease)
    API.exception_handler(Exception)(pass_on)
    views = {"ok": ok, "parsed": parsed, "taken": taken, "stream": stream}
    for name, view in {**views, **{name: raiser(make) for name, make in RAISED.items()}}.items():
        API.get(f"/{name}", operation_id=name)(view)
    router: Any = ninja.Router()
    wrap_router(router, next=project.next_of_app).get("/domain")(raiser(UserMissing))
    API.add_router("/wrapped", router)
    return [path("", API.urls)]


URLS: Final = urls_of(routes())


@pytest.fixture(autouse=True, params=[False, True], ids=["", "debug"])
def _settings(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    with override_settings(DEBUG=request.param, MIDDLEWARE=[], ROOT_URLCONF=URLS):
        yield


@WAYS
@pytest.mark.usefixtures("transactions")
def test_who_answers(made_with: Callable[[ErrorHandler], Any]) -> None:
    """What Ninja has a handler for is as without us; the rest is rolled back, and ours."""
    errors, reported = make_errors()
    app = made_with(errors)
    check_ours(app, reported)
    check_same(
        app, reported,
        "/ok", "/parsed", "/parsed?number=1", "/taken", "/django404", "/teasing", "/openapi.json",
    )  # fmt: skip


@WAYS
@pytest.mark.usefixtures("transactions")
def test_wrapped_router(made_with: Callable[[ErrorHandler], Any]) -> None:
    """Operations of a wrapped router are answered by its `next`."""
    errors, reported = make_errors()
    project.state["errors"] = errors
    assert (404, PROBLEM) == ask(made_with(errors), "/wrapped/domain")[:2]
    assert ["UserMissing"] == names(reported)
    assert [] == run("SELECT * FROM notes")


def test_async_operations() -> None:
    """Async operations are answered on the loop."""
    api = ninja.NinjaAPI(urls_namespace=f"async-{id(object())}")
    api.get("/domain")(domain_async)
    api.exception_handler(Exception)(pass_on)
    errors, reported = make_errors()
    with override_settings(ROOT_URLCONF=urls_of([path("", api.urls)])):
        app: Any = install(ASGIHandler(), errors)
        answer = asyncio.run(app.get_response_async(AsyncRequestFactory().get("/domain")))
    assert 404 == answer.status_code
    assert ["UserMissing"] == names(reported)
