"""The contract app as plain ASGI: handlers that return applications, and a router by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from catchasync import ErrorHandler, catch_async
from catchasync.errors import Conflict, MethodNotAllowed, NotFound
from catchasync.integrations.asgi import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_asgi


class Text:
    """A response."""

    def __init__(self, body: bytes, status: int = 200, headers: tuple[Any, ...] = ()) -> None:
        self.body, self.status, self.headers = body, status, headers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        head = {"status": self.status, "headers": list(self.headers)}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": self.body})


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Send half a body, and fail."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
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


async def ok_async() -> Text:
    """Answer."""
    return Text(b"ok")


async def bug_async() -> Text:
    """Fail."""
    raise RuntimeError(SECRET)


ROUTES: Final[dict[str, Callable[[], Any]]] = {
    "/ok": lambda: Text(b"ok"),
    "/ok-async": ok_async,
    "/bug": raiser(lambda: RuntimeError(SECRET)),
    "/bug-async": bug_async,
    "/http": raiser(no_such_user),
    "/domain": raiser(UserMissing),
    "/rule-answers": raiser(Teapot),
    "/rule-fails": raiser(BrokenRule),
    "/stream": lambda: stream,
    "/redirect": lambda: Text(b"", 302, ((b"location", b"/ok"),)),
    "/abort": raiser(Conflict),
    "/class": View().get,
}


def build(errors: ErrorHandler) -> Any:
    """Build the app."""
    decorated = catch_async(next=as_next(errors))(raiser(UserMissing))
    routes = {**ROUTES, "/decorated": decorated}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] not in routes:
            raise NotFound
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET"})
        response = routes[scope["path"]]()
        if inspect.isawaitable(response):
            response = await response
        await response(scope, receive, send)

    return install(app, errors)


def serve(app: Any) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_asgi(app, lifespan="off")
