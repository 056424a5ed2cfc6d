"""The contract app in Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from flask import Flask, Response, abort, redirect, request
from flask.views import MethodView

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.flask import as_next, install
from tests.integrations.failing import (
    BREAKS,
    FAILS,
    FAILS_ASYNC,
    PARTS,
    break_if,
    bug,
    domain,
)
from tests.integrations.servers import serve_wsgi


async def ok_async() -> str:
    """Answer."""
    return "ok"


def streaming(parts: Callable[[], Iterator[bytes]]) -> Callable[[], Response]:
    """Return a view that returns a stream."""
    return lambda: Response(parts())


def after() -> Response:
    """Answer, and fail when the server is done with it."""
    response = Response("ok")
    response.call_on_close(bug)
    return response


class View(MethodView):
    """A class whose method is a handler."""

    def get(self) -> str:
        """Fail."""
        bug()


def break_before() -> None:
    """Fail before the view."""
    break_if(request.path, "before")


def break_after(response: Response) -> Response:
    """Fail after the view."""
    break_if(request.path, "after")
    return response


def build(errors: ErrorHandler) -> Flask:
    """Build the app."""
    views: dict[str, Callable[..., Any]] = {
        **FAILS,
        **FAILS_ASYNC,
        **{path: streaming(parts) for path, parts in PARTS.items()},
        **dict.fromkeys(BREAKS, lambda: "ok"),
        "/ok": lambda: "ok",
        "/ok-async": ok_async,
        "/after": after,
        "/redirect": lambda: redirect("/ok"),
        "/validation": lambda: request.args["missing"],
        "/abort": lambda: abort(409),
        "/class": View.as_view("view"),
        "/method": View().get,
        "/decorated": catch_async(next=as_next(errors))(domain),
    }
    app = Flask("contract")
    for path, view in views.items():
        app.add_url_rule(path, path, view)
    app.before_request(break_before)
    app.after_request(break_after)
    return install(app, errors)


def serve(app: Flask) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_wsgi(app)
