"""Observers see what they saw: Sentry, OpenTelemetry, the signals of the frameworks themselves."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from catchasync import ErrorHandler
from catchasync.integrations import _observers, asgi, wsgi
from tests.integrations import observed
from tests.integrations.contract import UserMissing, make_errors

BUG: Final = ["RuntimeError", "secret"]

SIGNALLING: Final = ("django_asgi", "django_wsgi", "flask", "quart")


def seen_by(observer: str, app: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what an observer sees of an app without `install`, and with it."""
    command = [sys.executable, "-P", observed.__file__, observer, app]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert 0 == done.returncode, done.stderr
    seen = json.loads(done.stdout)
    return seen["plain"], seen["installed"]


def framework_of(app: str) -> str:
    """Return the module of the framework of an app."""
    return app.partition("_")[0]


def need(*modules: str) -> None:
    """Skip a test where one of these is not installed."""
    for module in modules:
        pytest.importorskip(module)


def without_searches(seen: Any) -> Any:
    """Return what was seen, without the 404 of Pyramid that has found no exception view."""
    return {
        path: [[error for error in event if error[0] != "HTTPNotFound"] for event in events]
        for path, events in seen.items()
    }


@pytest.mark.parametrize("app", observed.INTEGRATED)
def test_sentry(app: str) -> None:
    """Sentry's own integration sees the same events, each once, and no expected errors."""
    need("sentry_sdk", framework_of(app))
    plain, installed = seen_by("sentry", app)
    assert without_searches(plain) == installed
    [[*_, bug]] = installed["/bug"]
    assert [*BUG, False] == bug
    assert [[], [], []] == [installed[path] for path in ("/ok", "/abort", "/nowhere")]


@pytest.mark.parametrize("app", observed.INSTRUMENTED)
def test_opentelemetry(app: str) -> None:
    """The span of a request says the same of its failure, each exception once."""
    package = observed.INSTRUMENTED[app][0]
    need("opentelemetry.sdk", f"opentelemetry.instrumentation.{package}", framework_of(app))
    plain, installed = seen_by("opentelemetry", app)
    assert plain == installed
    assert [["UNSET"]] == installed["/ok"]
    exceptions = [] if app == "falcon" else [BUG]  # it records none, with us or without
    assert [["ERROR", *exceptions]] == installed["/bug"]


@pytest.mark.parametrize("app", SIGNALLING)
def test_signal(app: str) -> None:
    """Receivers of ``got_request_exception`` are sent what they were sent, once."""
    need(framework_of(app))
    plain, installed = seen_by("signal", app)
    assert plain == installed
    assert [BUG] == installed["/bug"]
    assert [[], [], []] == [installed[path] for path in ("/ok", "/abort", "/nowhere")]


class Sentry:
    """What of Sentry is called, of a program with the integrations of these names."""

    def __init__(self, *integrations: str) -> None:
        self.integrations = integrations
        self.options: dict[str, Any] = {}
        self.events: list[Any] = []
        self.utils = SimpleNamespace(event_from_exception=self.event)

    def get_client(self) -> Sentry:
        """Return the client."""
        return self

    def get_integration(self, name: str) -> object:
        """Return an integration, where it is active."""
        return name if name in self.integrations else None

    def event(self, error: Exception, client_options: Any, mechanism: Any) -> Any:
        """Return an event, and its hint."""
        return (error, mechanism["type"]), {"hint": error}

    def capture_event(self, event: Any, hint: Any) -> None:
        """Take an event."""
        self.events.append(event)


class Span:
    """What of OpenTelemetry is called: the API, and a span."""

    def __init__(self, *, is_recording: bool) -> None:
        self.is_recording = lambda: is_recording
        self.get_current_span = lambda: self
        self.errors: list[BaseException] = []

    def record_exception(self, error: BaseException) -> None:
        """Take an exception."""
        self.errors.append(error)


def test_tells_only_integrations_that_are_active(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentry is told in the name of a framework whose integration is on, and of no other."""
    sentry, error = Sentry("starlette"), RuntimeError()
    monkeypatch.setitem(sys.modules, "sentry_sdk", sentry)
    for name in (None, "starlette", "aiohttp"):
        _observers.tell(error, None, name)
    assert [(error, "starlette")] == sentry.events


@pytest.mark.parametrize("is_recording", [True, False])
def test_tells_spans_that_record(monkeypatch: pytest.MonkeyPatch, *, is_recording: bool) -> None:
    """A span that has ended, or is none, is told nothing."""
    span, error = Span(is_recording=is_recording), RuntimeError()
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", span)
    _observers.tell(error)
    assert [error] * is_recording == span.errors


def test_tells_nobody_who_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported for the sake of observers."""
    for name in ("sentry_sdk", "opentelemetry.trace"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    _observers.tell(RuntimeError(), None, "starlette")
    assert "sentry_sdk" not in sys.modules
    assert "opentelemetry.trace" not in sys.modules


@pytest.mark.parametrize(("status", "count"), [(404, 0), (499, 0), (500, 1), (503, 1), (None, 1)])
def test_tells_of_what_the_server_is_at_fault_for(
    monkeypatch: pytest.MonkeyPatch, status: int | None, count: int
) -> None:
    """A failure that is answered as a client's mistake is none for those who look for bugs."""
    span = Span(is_recording=True)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", span)
    _observers.tell(RuntimeError(), SimpleNamespace(status=status))
    assert count == len(span.errors)


def test_observer_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an observer raises changes nothing, and the others are told."""
    span = Span(is_recording=True)
    monkeypatch.setitem(sys.modules, "sentry_sdk", object())
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", span)
    _observers.tell(RuntimeError(), None, "starlette")
    assert 1 == len(span.errors)


@pytest.fixture
def span(monkeypatch: pytest.MonkeyPatch) -> Span:
    """Return the current span."""
    span = Span(is_recording=True)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", span)
    return span


def errors_and_bug() -> tuple[ErrorHandler, Exception]:
    """Return a handler, and what is to be raised."""
    return make_errors()[0], RuntimeError("secret")


def test_any_asgi_application(span: Span) -> None:
    """The span that is around a guarded ASGI application is told before it is answered."""
    errors, error = errors_and_bug()
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    async def send(message: Any) -> None:
        seen.append(list(span.errors))

    scope = {"type": "http", "method": "GET", "headers": []}
    asyncio.run(asgi.install(app, errors)(scope, None, send))  # type: ignore[arg-type]
    assert [[error], [error]] == seen


def test_failure_after_the_end_of_a_response(span: Span) -> None:
    """A failure after the end of a response goes no further, so the observers are told of it."""
    errors, error = errors_and_bug()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"ok"})
        raise error

    async def send(message: Any) -> None: ...

    scope = {"type": "http", "method": "GET", "headers": []}
    asyncio.run(asgi.install(app, errors)(scope, None, send))  # type: ignore[arg-type]
    assert [error] == span.errors


def test_failure_that_is_raised_on(span: Span) -> None:
    """What is raised out of the application is seen there: we need not tell."""
    errors, error = errors_and_bug()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        raise error

    async def send(message: Any) -> None: ...

    scope = {"type": "http", "method": "GET", "headers": []}
    with pytest.raises(RuntimeError):
        asyncio.run(asgi.install(app, errors)(scope, None, send))  # type: ignore[arg-type]
    assert [] == span.errors


@pytest.mark.parametrize(("error", "count"), [(RuntimeError("secret"), 1), (UserMissing(), 0)])
def test_any_wsgi_application(span: Span, error: Exception, count: int) -> None:
    """The span that is around a guarded WSGI application is told of bugs."""
    errors, _ = errors_and_bug()

    def app(environ: Any, start_response: Any) -> Any:
        raise error

    wsgi.install(app, errors)({"REQUEST_METHOD": "GET"}, lambda *args: None)
    assert [error] * count == span.errors


def test_every_framework_is_observed() -> None:
    """No app of the contract is forgotten here, but for those that no observer knows."""
    apps = {path.stem for path in (Path(__file__).parent / "apps").glob("[!_]*.py")}
    unknown = {"asgi", "wsgi", "blacksheep", "falcon_asgi"}
    assert apps - unknown == {*observed.INTEGRATED, *observed.INSTRUMENTED, *SIGNALLING}
