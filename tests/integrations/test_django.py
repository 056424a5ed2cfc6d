"""What is special in Django: transactions, signals, middleware, flags of views, two servers."""

from __future__ import annotations

import asyncio
import io
import logging
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

pytest.importorskip("django")

from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.db import connection, connections, transaction
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.http.request import UnreadablePostError
from django.template.response import TemplateResponse
from django.test import AsyncRequestFactory, Client, RequestFactory, override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from catchasync import ErrorHandler, catch_async
from catchasync.errors import NotFound
from catchasync.integrations.django import ErrorMiddleware, as_next, install
from tests.integrations.apps import _django_project as project
from tests.integrations.contract import SECRET, Report, UserMissing, ask, make_errors
from tests.integrations.servers import serve_wsgi

Made: TypeAlias = tuple[ErrorHandler, list[Report]]

MIDDLEWARE: Final = "catchasync.integrations.django.ErrorMiddleware"


def bug(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise RuntimeError(SECRET)


def note(request: HttpRequest) -> HttpResponse:
    """Write to the database, and fail where the client says so."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (1)")
    if "fail" in request.GET:
        raise UserMissing
    return HttpResponse(b"ok")


@csrf_exempt  # type: ignore[untyped-decorator]
def exempt(request: HttpRequest) -> HttpResponse:
    """Answer, also to those who bring no token."""
    return HttpResponse(b"ok")


def raiser(make: Callable[[], Any]) -> Callable[..., Any]:
    """Return a view that raises."""

    def view(request: HttpRequest) -> HttpResponse:
        raise make()

    return view


async def cancelled_async(request: HttpRequest) -> HttpResponse:
    """Fail as a future that was cancelled."""
    raise CancelledError


def cancelled_stream() -> Iterator[bytes]:
    """Give a part, and fail as a future that was cancelled."""
    yield b"part"
    raise CancelledError


async def missing_async(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise UserMissing


class Broken(Exception):
    """An error of a middleware."""


class BrokenMiddleware:
    """A middleware that fails."""

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Fail after the view."""
        self.get_response(request)
        raise Broken


class TakingMiddleware(BrokenMiddleware):
    """A middleware that takes the exceptions of views."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        answer: HttpResponse = self.get_response(request)
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        """Answer for them."""
        return HttpResponse(b"taken", status=503)


def sync_only(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Return a middleware that is none of a class, and cannot run on a loop."""

    def middleware(request: HttpRequest) -> Any:
        return get_response(request)

    return middleware


class Urls:
    """The URLs of these tests."""

    urlpatterns: Final = [
        path("note", note),
        path("note-decorated", catch_async(next=lambda error: project.next_of_app(error))(note)),
        path("bug", bug),
        path("ok", project.ok),
        path("exempt", exempt),
        path("suspicious", raiser(lambda: SuspiciousOperation("odd"))),
        path("gone", raiser(UnreadablePostError)),
        path("cancelled", raiser(CancelledError)),
        path("stream-cancelled", lambda request: StreamingHttpResponse(cancelled_stream())),
        path("missing", raiser(UserMissing)),
        path("lookup", raiser(LookupError)),
        path("missing-async", missing_async),
        path("cancelled-async", cancelled_async),
        path("own-405", lambda request: HttpResponseNotAllowed(["GET"], b"mine")),
    ]


@pytest.fixture(autouse=True)
def _project() -> Generator[None, None, None]:
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[]):
        yield


@pytest.fixture
def made() -> Made:
    """Return an error handler, and what it reports."""
    errors, reported = make_errors()
    project.state["errors"] = errors
    return errors, reported


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have every request in a transaction of a SQLite database, and return its file."""
    file = tmp_path / "test.sqlite3"
    settings: Any = connections.settings
    for name, value in {"NAME": str(file), "ATOMIC_REQUESTS": True}.items():
        monkeypatch.setitem(settings["default"], name, value)
    run(file, "CREATE TABLE notes (number)")
    return file


def run(file: Path, statement: str) -> list[Any]:
    """Run a statement on a connection of its own."""
    database = sqlite3.connect(file)
    try:
        with database:
            return database.execute(statement).fetchall()
    finally:
        database.close()


def get(app: Any, url: str, **headers: Any) -> Any:
    """Ask an app, in this process."""
    return app.get_response(RequestFactory().get(url, **headers))


async def get_async(app: Any, url: str) -> Any:
    """Ask an app under ASGI, in this process."""
    return await app.get_response_async(AsyncRequestFactory().get(url))


@pytest.mark.parametrize("url", ["/note?fail", "/note-decorated?fail"])
def test_transaction_is_rolled_back(made: Made, database: Path, url: str) -> None:
    """What a failing view wrote is not in the database, though the client got an answer."""
    with serve_wsgi(install(WSGIHandler(), made[0])) as base_url:
        assert 404 == ask(base_url, url).status
        assert [] == run(database, "SELECT * FROM notes")


@pytest.mark.parametrize("url", ["/note", "/note-decorated"])
def test_transaction_is_committed(made: Made, database: Path, url: str) -> None:
    """What a view wrote that did not fail is in the database."""
    with serve_wsgi(install(WSGIHandler(), made[0])) as base_url:
        assert b"ok" == ask(base_url, url).body
    assert [(1,)] == run(database, "SELECT * FROM notes")


@pytest.fixture
def signalled() -> Generator[list[Any], None, None]:
    """Note what observers see: the exception that is being handled, and the request."""
    seen: list[Any] = []

    def receiver(request: Any, **more: Any) -> None:
        seen.append((type(sys.exc_info()[1]), request.path))

    got_request_exception.connect(receiver)
    yield seen
    got_request_exception.disconnect(receiver)


def test_bug_is_signalled(made: Made, signalled: list[Any]) -> None:
    """Observers of got_request_exception see the exception itself, as without us."""
    assert 500 == get(install(WSGIHandler(), made[0]), "/bug").status_code
    assert [(RuntimeError, "/bug")] == signalled


def test_bug_is_signalled_under_asgi(made: Made, signalled: list[Any]) -> None:
    """Under ASGI they see it too."""
    answer = asyncio.run(get_async(install(ASGIHandler(), made[0]), "/bug"))
    assert 500 == answer.status_code
    assert [(RuntimeError, "/bug")] == signalled


def test_expected_error_is_not_signalled(made: Made, signalled: list[Any]) -> None:
    """An error with a status below 500 is none for those who look for bugs."""
    assert 404 == get(install(WSGIHandler(), made[0]), "/missing").status_code
    assert [] == signalled


def test_bug_is_logged_by_django(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """The log that mails to admins has the exception, once."""
    get(install(WSGIHandler(), made[0]), "/bug")
    logged = [record for record in caplog.records if record.name == "django.request"]
    assert [RuntimeError] == [record.exc_info and record.exc_info[0] for record in logged]


def test_security_log_is_kept(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """A suspicious operation is answered with 400, and logged where Django logs it."""
    assert 400 == get(install(WSGIHandler(), made[0]), "/suspicious").status_code
    assert ("django.security.SuspiciousOperation", logging.ERROR, "odd") in caplog.record_tuples


def test_middleware_failure_is_answered(made: Made) -> None:
    """A middleware's failure is answered and reported as a view's is."""
    errors, reported = made
    with override_settings(MIDDLEWARE=[f"{__name__}.BrokenMiddleware"]):
        assert 500 == get(install(WSGIHandler(), errors), "/ok").status_code
    assert ["Broken"] == [report.name for report in reported]


def test_failure_below_another_middleware_is_reported_once(made: Made) -> None:
    """Each layer sees a response; under ASGI also one that is taken to a thread and back."""
    errors, reported = made
    with override_settings(MIDDLEWARE=[f"{__name__}.sync_only", f"{__name__}.TakingMiddleware"]):
        app = install(ASGIHandler(), errors)
        assert 404 == asyncio.run(get_async(app, "/nowhere")).status_code
    assert [("Resolver404", True)] == [(report.name, report.expected) for report in reported]


def test_process_exception_comes_first(made: Made) -> None:
    """A middleware that answers for the exceptions of views still does so."""
    errors, reported = made
    with override_settings(MIDDLEWARE=[f"{__name__}.TakingMiddleware"]):
        assert b"taken" == get(install(WSGIHandler(), errors), "/bug").content
    assert [] == reported


def test_flags_of_views_are_unchanged(made: Made) -> None:
    """csrf_exempt holds for the view that has it, and for no other."""
    decorated: Any = catch_async(next=as_next(made[0]))(exempt)
    assert decorated.csrf_exempt
    assert not hasattr(catch_async(next=as_next(made[0]))(bug), "csrf_exempt")
    with override_settings(MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]):
        app: Any = install(WSGIHandler(), made[0])
        factory = RequestFactory(enforce_csrf_checks=True)
        statuses = [app.get_response(factory.post(url)).status_code for url in ("/exempt", "/bug")]
    assert [200, 403] == statuses


def test_gone_client_is_no_failure(made: Made) -> None:
    """A client that goes away while its body is read is not reported."""
    errors, reported = made
    assert 400 == get(install(WSGIHandler(), errors), "/gone").status_code
    assert [] == reported


def test_405_with_a_body_is_the_views_own(made: Made) -> None:
    """A view that words its 405 itself is left alone."""
    errors, reported = made
    assert b"mine" == get(install(WSGIHandler(), errors), "/own-405").content
    assert [] == reported


def test_middleware_answers_in_the_test_client(made: Made) -> None:
    """With ErrorMiddleware, Django's test client sees the answers, and raises bugs as ever."""
    errors, reported = made
    with override_settings(MIDDLEWARE=[MIDDLEWARE], CATCHASYNC_ERRORS=errors):
        answer: Any = Client().get("/missing", headers={"accept": "text/plain"})
        assert (404, b"404 Not Found\n") == (answer.status_code, answer.content)
        with pytest.raises(RuntimeError, match=SECRET):
            Client().get("/bug")
    assert ["UserMissing", "RuntimeError"] == [report.name for report in reported]


def test_middleware_answers_under_asgi(made: Made) -> None:
    """The middleware is async where Django is; the setting may be a dotted path."""
    with override_settings(MIDDLEWARE=[MIDDLEWARE], CATCHASYNC_ERRORS=f"{__name__}.HANDLER"):
        answer = asyncio.run(get_async(ASGIHandler(), "/missing-async"))
    assert 404 == answer.status_code


HANDLER: Final = make_errors()[0]


def test_middleware_takes_any_layer(made: Made) -> None:
    """A layer that Django has not put its conversion around is guarded as it is."""
    with override_settings(CATCHASYNC_ERRORS=made[0]):
        middleware: Any = ErrorMiddleware(bug)
    assert 500 == middleware(RequestFactory().get("/")).status_code


@pytest.mark.parametrize("setting", [None, 7])
def test_missing_setting_is_refused(setting: object) -> None:
    """A project without an ErrorHandler does not start."""
    expected = f"takes an ErrorHandler, or its dotted path: got {setting!r}"
    with (
        override_settings(CATCHASYNC_ERRORS=setting),
        pytest.raises(ImproperlyConfigured, match=expected),
    ):
        ErrorMiddleware(bug)


def test_async_stream_is_as_it_was(made: Made) -> None:
    """A stream that does not fail comes whole, and nothing is reported."""
    errors, reported = made

    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(parts())

    async def read() -> list[bytes]:
        with override_settings(CATCHASYNC_ERRORS=errors):
            answer = await ErrorMiddleware(view)(RequestFactory().get("/"))
        return [part async for part in answer.streaming_content]

    assert [b"a", b"b"] == asyncio.run(read())
    assert [] == reported


def test_install_refuses_other_applications(made: Made) -> None:
    """What is wrapped around Django is no application of Django's."""
    with pytest.raises(TypeError, match="Install first, and wrap it"):
        install(lambda: None, made[0])


def test_installed_app_is_as_it_was(made: Made) -> None:
    """The application comes back, and nothing of it is replaced for good."""
    app = WSGIHandler()
    assert app is install(app, made[0])
    assert "adapt_method_mode" not in vars(app)


def async_rule(errors: ErrorHandler) -> None:
    """Have an error answered by an async rule, with Django's own response."""

    @errors.on(UserMissing)
    async def _(error: Exception, context: Any) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse(type(context.request).__name__.encode(), status=410)


def test_async_rule_answers_under_wsgi(made: Made) -> None:
    """A sync server waits for an async rule; the rule sees Django's request."""
    async_rule(made[0])
    answer = get(install(WSGIHandler(), made[0]), "/missing")
    assert (410, b"WSGIRequest") == (answer.status_code, answer.content)


def test_async_rule_answers_under_asgi(made: Made) -> None:
    """On a loop an async rule runs on that loop."""
    async_rule(made[0])
    answer = asyncio.run(get_async(install(ASGIHandler(), made[0]), "/missing-async"))
    assert (410, b"ASGIRequest") == (answer.status_code, answer.content)


def test_next_answers_without_install(made: Made) -> None:
    """A view that is decorated alone answers in the default format, sync or async."""
    errors, _ = made
    async_rule(errors)
    decorate: Any = catch_async(next=as_next(errors))
    view, view_async = decorate(raiser(UserMissing)), decorate(missing_async)
    request = RequestFactory().get("/")
    assert (410, b"NoneType") == (view(request).status_code, view(request).content)
    assert 410 == asyncio.run(view_async(request)).status_code


def test_next_answers_an_async_view(made: Made) -> None:
    """On a loop, a plain answer needs no waiting."""
    view: Any = catch_async(next=as_next(made[0]))(missing_async)
    assert 404 == asyncio.run(view(RequestFactory().get("/"))).status_code


def test_file_is_left_to_the_server(made: Made) -> None:
    """A file response still offers its file to servers that send files by themselves."""
    file = io.BytesIO(b"contents")
    with override_settings(CATCHASYNC_ERRORS=made[0]):
        answer = ErrorMiddleware(lambda request: FileResponse(file))(RequestFactory().get("/"))
    assert (file, b"contents") == (answer.file_to_stream, b"".join(answer.streaming_content))
    answer.close()


def test_cancellation_passes(made: Made) -> None:
    """The cancellation of a thread's future is no failure: it passes, from views and streams."""
    errors, reported = made
    with pytest.raises(CancelledError):
        get(install(WSGIHandler(), errors), "/cancelled")
    with pytest.raises((CancelledError, asyncio.CancelledError)):  # asyncio makes its own of it
        asyncio.run(get_async(install(ASGIHandler(), errors), "/cancelled"))
    with pytest.raises(CancelledError):
        asyncio.run(get_async(install(ASGIHandler(), errors), "/cancelled-async"))
    with pytest.raises(CancelledError):
        list(get(install(WSGIHandler(), errors), "/stream-cancelled"))
    assert [] == reported


def test_two_projects_and_two_installs(made: Made) -> None:
    """Each application has its own error handler, and what is installed last answers, alone."""
    (first, told_first), (last, told_last) = made, make_errors()
    app = install(install(WSGIHandler(), make_errors()[0]), first)
    other = install(WSGIHandler(), last)
    assert [500, 500, 500] == [get(each, "/bug").status_code for each in (app, other, other)]
    assert [1, 2] == [len(told_first), len(told_last)]


def test_transaction_of_somebody_else(
    made: Made, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that is not that of the request is left alone."""
    settings: Any = connections.settings
    for name, value in {"ATOMIC_REQUESTS": False}.items():
        monkeypatch.setitem(settings["default"], name, value)
    atomic: Any = transaction.atomic
    with atomic():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (1)")
        assert 404 == as_next(made[0])(UserMissing()).status_code
    assert [(1,)] == run(database, "SELECT number FROM notes")


TEMPLATES: Final = {"page.html": "we have no {{ what }}", "broken.html": "{% include missing %}"}


def template(name: str) -> Callable[[Any, Any], Any]:
    """Return a rule that answers with a template, which is rendered when it is sent."""
    return lambda error, context: TemplateResponse(
        context.request, name, {"what": "such user"}, status=409
    )


class Unfit(HttpResponse):  # type: ignore[misc]
    """A response that cannot be rendered."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def render(self) -> None:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("rule", "status", "reports"),
    [
        (template("page.html"), 409, ["LookupError"]),
        (template("broken.html"), 500, ["LookupError", "TemplateDoesNotExist"]),
        (lambda error, context: "no response", 500, ["LookupError", "TypeError"]),
        (lambda error, context: Unfit(NotFound(SECRET)), 500, ["LookupError", "NotFound"]),
    ],
)
def test_rule_answers_with_a_template(
    made: Made, rule: Callable[[Any, Any], Any], status: int, reports: list[str]
) -> None:
    """A rule's answer is rendered; what cannot be is reported, and answered with a plain 500."""
    errors, reported = made
    errors.on(LookupError)(rule)
    loaders = [("django.template.loaders.locmem.Loader", TEMPLATES)]
    engine = "django.template.backends.django.DjangoTemplates"
    templates = [{"BACKEND": engine, "OPTIONS": {"loaders": loaders}}]
    with override_settings(TEMPLATES=templates):
        answer = get(install(WSGIHandler(), errors), "/lookup")
    assert status == answer.status_code
    assert (b"no such user" in answer.content) is (status == 409)
    assert SECRET.encode() not in answer.content
    assert reports == [report.name for report in reported]


@pytest.mark.parametrize("types", [(LookupError,), (LookupError, TypeError)])
def test_format_of_what_a_rule_cannot_answer(types: tuple[type[Exception], ...]) -> None:
    """A plain 500 has the format that was asked for; plain text, where that has a rule, too."""
    errors = ErrorHandler(format="json", reporters=())
    errors.on(*types)(lambda error, context: "no response")
    answer = get(install(WSGIHandler(), errors), "/lookup")
    kind = "application/json" if len(types) == 1 else "text/plain; charset=utf-8"
    assert (500, kind) == (answer.status_code, answer["content-type"])


def test_rule_whose_template_is_cancelled(made: Made) -> None:
    """A cancellation passes a rule's answer that is being rendered, as it passes a view."""
    made[0].on(LookupError)(lambda error, context: Unfit(CancelledError()))
    with pytest.raises(CancelledError):
        get(install(WSGIHandler(), made[0]), "/lookup")
