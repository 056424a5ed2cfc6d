"""The contract app in Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from flask import Flask, Response, abort, redirect
from flask.views import MethodView

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.flask import as_next, install
from tests.integrations.contract import SECRET, BrokenRule, Teapot, UserMissing, no_such_user
from tests.integrations.servers import serve_wsgi


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a view that raises."""

    def view() -> Any:
        raise make()

    return view


async def ok_async() -> str:
    """Answer."""
    return "ok"


async def bug_async() -> str:
    """Fail."""
    raise RuntimeError(SECRET)


def stream() -> Response:
    """Send half a body, and fail."""

    def chunks() -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    return Response(chunks())


class View(MethodView):
    """A class whose method is a handler."""

    def get(self) -> str:
        """Fail."""
        raise RuntimeError(SECRET)


def build(errors: ErrorHandler) -> Flask:
    """Build the app."""
    app = Flask("contract")
    decorated = catch_async(next=as_next(errors))(raiser(UserMissing))
    app.add_url_rule("/ok", "ok", lambda: "ok")
    app.add_url_rule("/ok-async", "ok-async", ok_async)
    app.add_url_rule("/bug", "bug", raiser(lambda: RuntimeError(SECRET)))
    app.add_url_rule("/bug-async", "bug-async", bug_async)
    app.add_url_rule("/http", "http", raiser(no_such_user))
    app.add_url_rule("/domain", "domain", raiser(UserMissing))
    app.add_url_rule("/rule-answers", "rule-answers", raiser(Teapot))
    app.add_url_rule("/rule-fails", "rule-fails", raiser(BrokenRule))
    app.add_url_rule("/stream", "stream", stream)
    app.add_url_rule("/redirect", "redirect", lambda: redirect("/ok"))
    app.add_url_rule("/abort", "abort", lambda: abort(409))
    app.add_url_rule("/class", "class", View.as_view("view"))
    app.add_url_rule("/decorated", "decorated", decorated)
    return install(app, errors)


def serve(app: Flask) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_wsgi(app)
