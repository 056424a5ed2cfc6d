"""The contract app as plain WSGI: handlers that return applications, and a router by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from catchasync import ErrorHandler, catch_async
from catchasync.errors import Conflict, MethodNotAllowed, NotFound
from catchasync.integrations.wsgi import as_next, install
from tests.integrations.failing import BREAKS, FAILS, PARTS, break_if, bug, domain, raising
from tests.integrations.servers import serve_wsgi


def text(body: bytes, status: str = "200 OK", *headers: tuple[str, str]) -> Callable[..., Any]:
    """Return a response."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, list(headers))
        return [body]

    return application


def streaming(parts: Callable[[], Iterator[bytes]]) -> Callable[[], Any]:
    """Return a handler that returns a stream."""

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return parts()

    return lambda: application


class After:
    """A body that fails when the server is done with it."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"ok"

    def close(self) -> None:
        """Fail."""
        bug()


def after(environ: Any, start_response: Any) -> After:
    """Send a body, and fail."""
    start_response("200 OK", [("Content-Length", "2")])
    return After()


class View:
    """A class whose method is a handler; so is an object of it."""

    def get(self) -> Any:
        """Fail."""
        bug()

    def __call__(self) -> Any:
        """Fail."""
        bug()


def ok() -> Callable[..., Any]:
    """Answer."""
    return text(b"ok")


def routes_of(errors: ErrorHandler) -> dict[str, Callable[[], Any]]:
    """Return the handlers."""
    return {
        **FAILS,
        **{path: streaming(parts) for path, parts in PARTS.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/after": lambda: after,
        "/redirect": lambda: text(b"", "302 Found", ("Location", "/ok")),
        "/abort": raising(Conflict),
        "/class": View(),
        "/method": View().get,
        "/decorated": catch_async(next=as_next(errors))(domain),
    }


def build(errors: ErrorHandler) -> Any:
    """Build the app."""
    routes = routes_of(errors)

    def app(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        break_if(path, "before")
        body = response_to(environ["REQUEST_METHOD"], path)(environ, start_response)
        break_if(path, "after")
        return body

    def response_to(method: str, path: str) -> Any:
        if path not in routes:
            raise NotFound
        if method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET"})
        return routes[path]()

    return install(app, errors)


def serve(app: Any) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_wsgi(app)
