"""The contract's app in Bottle, which has no async handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import bottle

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.bottle import as_next, install
from tests.integrations.failing import BREAKS, FAILS, PARTS, break_if, bug, domain
from tests.integrations.servers import serve_wsgi as serve

__all__ = ["build", "serve"]


def ok() -> str:
    """Answer."""
    return "ok"


class After:
    """A body that fails when the server is done with it."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"ok"])

    def close(self) -> None:
        """Fail."""
        bug()


class View:
    """An object whose method is a handler; so is itself."""

    def get(self) -> str:
        """Fail."""
        bug()

    def __call__(self) -> str:
        """Fail."""
        bug()


def break_before() -> None:
    """Fail before the handler."""
    break_if(bottle.request.path, "before")


def breaking(callback: Any) -> Callable[..., Any]:
    """Return a handler after which a plugin fails; hooks that run after one have no say here."""

    def run(*args: Any, **kwargs: Any) -> Any:
        answer = callback(*args, **kwargs)
        break_if(bottle.request.path, "after")
        return answer

    return run


def build(errors: ErrorHandler) -> bottle.Bottle:
    """Make the app."""
    handlers: dict[str, Callable[[], Any]] = {
        **FAILS,
        **PARTS,
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/after": After,
        "/redirect": lambda: bottle.redirect("/ok"),
        "/abort": lambda: bottle.abort(409),
        "/class": View(),
        "/method": View().get,
        "/validation": lambda: bottle.request.json,
        "/decorated": catch_async(next=as_next(errors))(domain),
    }
    app = bottle.Bottle()
    for path, handler in handlers.items():
        app.get(path, callback=handler)
    app.add_hook("before_request", break_before)
    app.install(breaking)
    return install(app, errors)
