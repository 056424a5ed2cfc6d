"""The contract's app in Bottle, which has no async handlers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import bottle

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.bottle import as_next, install
from tests.integrations import contract
from tests.integrations.servers import serve_wsgi as serve

__all__ = ["HAS_ASYNC", "build", "serve"]

HAS_ASYNC: Final = False


def ok() -> str:
    """Answer."""
    return "ok"


def failing(error: type[Exception], *args: object) -> Any:
    """Return a handler that raises an error."""

    def handler() -> str:
        raise error(*args)

    return handler


def fail_as_http() -> str:
    """Fail as `HttpError` does."""
    raise contract.no_such_user()


def stream() -> Iterator[bytes]:
    """Fail in the middle of the body."""
    yield b"begun"
    raise RuntimeError(contract.SECRET)


class View:
    """Handlers of an object."""

    def get(self) -> str:
        """Fail."""
        raise RuntimeError(contract.SECRET)


def build(errors: ErrorHandler) -> bottle.Bottle:
    """Make the app."""

    @catch_async(next=as_next(errors))
    def decorated() -> str:
        raise contract.UserMissing

    app = bottle.Bottle()
    app.get("/ok", callback=ok)
    app.get("/bug", callback=failing(RuntimeError, contract.SECRET))
    app.get("/http", callback=fail_as_http)
    app.get("/domain", callback=failing(contract.UserMissing))
    app.get("/rule-answers", callback=failing(contract.Teapot))
    app.get("/rule-fails", callback=failing(contract.BrokenRule))
    app.get("/stream", callback=stream)
    app.get("/redirect", callback=lambda: bottle.redirect("/ok"))
    app.get("/abort", callback=lambda: bottle.abort(409))
    app.get("/class", callback=View().get)
    app.get("/decorated", callback=decorated)
    return install(app, errors)
