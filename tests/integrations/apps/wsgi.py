"""The contract app as plain WSGI: handlers that return applications, and a router by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from catchasync import ErrorHandler, catch_async
from catchasync.errors import Conflict, MethodNotAllowed, NotFound
from catchasync.integrations.wsgi import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_wsgi

HAS_ASYNC: Final = False


def text(body: bytes, status: str = "200 OK", *headers: tuple[str, str]) -> Callable[..., Any]:
    """Return a response."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, list(headers))
        return [body]

    return application


def stream(environ: Any, start_response: Any) -> Iterator[bytes]:
    """Send half a body, and fail."""
    start_response("200 OK", [])
    yield b"begun"
    raise RuntimeError(SECRET)


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a handler that raises."""

    def handler() -> Any:
        raise make()

    return handler


class View:
    """A class whose method is a handler."""

    def get(self) -> Any:
        """Fail."""
        raise RuntimeError(SECRET)


ROUTES: Final[dict[str, Callable[[], Any]]] = {
    "/ok": lambda: text(b"ok"),
    "/bug": raiser(lambda: RuntimeError(SECRET)),
    "/http": raiser(no_such_user),
    "/domain": raiser(UserMissing),
    "/rule-answers": raiser(Teapot),
    "/rule-fails": raiser(BrokenRule),
    "/stream": lambda: stream,
    "/redirect": lambda: text(b"", "302 Found", ("Location", "/ok")),
    "/abort": raiser(Conflict),
    "/class": View().get,
}


def build(errors: ErrorHandler) -> Any:
    """Build the app."""
    decorated = catch_async(next=as_next(errors))(raiser(UserMissing))
    routes = {**ROUTES, "/decorated": decorated}

    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] not in routes:
            raise NotFound
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET"})
        return routes[environ["PATH_INFO"]]()(environ, start_response)

    return install(app, errors)


def serve(app: Any) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_wsgi(app)
