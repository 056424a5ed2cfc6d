"""A program: what an observer sees of a contract app, without `install` and with it.

``python observed.py sentry flask`` prints it as JSON: for each path, what was seen of its request.
A process of its own, since observers patch the frameworks for good.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))  # the last: what is installed is tested

from tests.integrations import contract, servers

Seen: TypeAlias = list[tuple[str, Any]]
"""What was seen: of which request, and what."""

PATHS: Final = (
    "/ok",
    "/bug",
    "/bug-async",
    "/class",
    "/abort",
    "/nowhere",
    "/redirect",
    "/stream",
    "/stream-async",
)


def main(observer: str, app: str) -> None:
    """Print what an observer sees of an app."""
    seen: Seen = []
    OBSERVERS[observer](app, seen)
    setattr(servers.WsgiRequest, "environ", with_text(servers.WsgiRequest.environ))  # noqa: B010 - its type is another
    module: Any = importlib.import_module(f"tests.integrations.apps.{app}")
    logging.disable()
    results = {"installed": observed(module, seen)}
    module.install = lambda app, errors: app
    results["plain"] = observed(module, seen)
    print(json.dumps(results))  # noqa: T201 - a program


def with_text(environ: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Let frameworks write of failures where PEP 3333 says: into a stream of text."""
    return lambda request: {**environ(request), "wsgi.errors": io.StringIO()}


def observed(module: Any, seen: Seen) -> dict[str, list[Any]]:
    """Ask an app for each path, and return what was seen of each; also after it was answered."""
    errors, _reported = contract.make_errors()
    seen.clear()
    with module.serve(module.build(errors)) as url:
        for path in PATHS:
            with contextlib.suppress(OSError):  # a server may break off before the first byte
                contract.ask(url, path)
    return {path: [each for its_path, each in seen if its_path == path] for path in PATHS}


INTEGRATED: Final = {
    "aiohttp": ["aiohttp.AioHttpIntegration"],
    "bottle": ["bottle.BottleIntegration"],
    "django_asgi": ["django.DjangoIntegration"],
    "django_wsgi": ["django.DjangoIntegration"],
    "falcon": ["falcon.FalconIntegration"],
    "fastapi": ["fastapi.FastApiIntegration", "starlette.StarletteIntegration"],
    "flask": ["flask.FlaskIntegration"],
    "litestar": ["litestar.LitestarIntegration"],
    "pyramid": ["pyramid.PyramidIntegration"],
    "quart": ["quart.QuartIntegration"],
    "sanic": ["sanic.SanicIntegration"],
    "starlette": ["starlette.StarletteIntegration"],
    "tornado": ["tornado.TornadoIntegration"],
}
"""What Sentry has for frameworks, all of which it would find by itself."""


def sentry(app: str, seen: Seen) -> None:
    """Watch with Sentry's own integration of a framework."""
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration

    class Transport(sentry_sdk.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            event = envelope.get_event() or {"request": {}}
            if "url" in event.get("request", {}):
                path = urlsplit(event["request"]["url"]).path
                seen.append((path, exceptions_of(event)))

    sentry_sdk.init(
        dsn="https://key@localhost/1",
        transport=Transport,
        disabled_integrations=[LoggingIntegration()],
        auto_enabling_integrations=False,
        integrations=[integration(name) for name in INTEGRATED[app]],
    )


def integration(name: str) -> Any:
    """Return an integration of Sentry's."""
    module, _, kind = f"sentry_sdk.integrations.{name}".rpartition(".")
    return getattr(importlib.import_module(module), kind)()


def exceptions_of(event: Any) -> list[Any]:
    """Return the exceptions of an event, with what they came from, and how they were caught."""
    found: Any = event.get("exception", {}).get("values", [])
    found = [each for each in found if each["type"] != "ExceptionGroup"]  # Quart makes one of one
    return [[each["type"], each["value"], each["mechanism"].get("handled")] for each in found]


INSTRUMENTED: Final = {
    "aiohttp": ("aiohttp_server", "AioHttpServerInstrumentor"),
    "django_asgi": ("django", "DjangoInstrumentor"),
    "django_wsgi": ("django", "DjangoInstrumentor"),
    "falcon": ("falcon", "FalconInstrumentor"),
    "fastapi": ("fastapi", "FastAPIInstrumentor"),
    "flask": ("flask", "FlaskInstrumentor"),
    "pyramid": ("pyramid", "PyramidInstrumentor"),
    "starlette": ("starlette", "StarletteInstrumentor"),
    "tornado": ("tornado", "TornadoInstrumentor"),
}
"""What OpenTelemetry has for frameworks: its package, its class."""


def opentelemetry(app: str, seen: Seen) -> None:
    """Watch with OpenTelemetry's instrumentation of a framework."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    class Note(SpanProcessor):
        def on_end(self, span: Any) -> None:
            if span.kind is trace.SpanKind.SERVER:
                seen.append((path_of(span), seen_in(span)))

    provider = TracerProvider()
    provider.add_span_processor(Note())
    trace.set_tracer_provider(provider)
    package, name = INSTRUMENTED[app]
    if package == "django":
        importlib.import_module("tests.integrations.apps._django_project")
    module = importlib.import_module(f"opentelemetry.instrumentation.{package}")
    getattr(module, name)().instrument()


def path_of(span: Any) -> str:
    """Return the path that a span is about."""
    attributes = span.attributes
    found: str = attributes.get("http.target") or attributes.get("http.url") or span.name
    return urlsplit(found).path


def seen_in(span: Any) -> list[Any]:
    """Return what a span says of failures: its status, and the exceptions."""
    events = [event.attributes for event in span.events if event.name == "exception"]
    exceptions = [[each["exception.type"], each["exception.message"]] for each in events]
    return [span.status.status_code.name, *exceptions]


def signal(app: str, seen: Seen) -> None:
    """Watch with the signal ``got_request_exception`` of Django, Flask or Quart."""
    name = app.split("_", maxsplit=1)[0]
    home = "django.core.signals" if name == "django" else name
    framework: Any = importlib.import_module(name)

    def note(_sender: object = None, request: Any = None, **more: Any) -> None:
        error = more.get("exception") or sys.exception()
        path = (request or framework.request).path
        seen.append((path, [type(error).__name__, str(error)]))

    importlib.import_module(home).got_request_exception.connect(note, weak=False)


OBSERVERS: Final[dict[str, Callable[[str, Seen], None]]] = {
    "sentry": sentry,
    "opentelemetry": opentelemetry,
    "signal": signal,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
