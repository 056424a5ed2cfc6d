"""The shop on Flask, served by waitress.

Flask's own server is for development: where an answer fails midway, it adds a page of its own to
what was sent, and the client takes it for whole.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import flask
from waitress.server import create_server
from waitress.wasyncore import close_all

from catchasync import ErrorHandler
from catchasync.integrations.flask import install
from examples.sample_api.handlers import ROUTES, Handler, Request
from examples.sample_api.store import Store
from examples.serving import address_of, listening, quiet, running


def make_app(store: Store, errors: ErrorHandler) -> flask.Flask:
    """Make the application; its failures reach ``errors``."""
    app = flask.Flask(__name__)
    for verb, path, handle in ROUTES:
        rule = path.replace("{", "<").replace("}", ">")
        app.add_url_rule(rule, handle.__name__, view(handle, store), methods=[verb])
    return install(app, errors)


def view(handle: Handler, store: Store) -> Callable[..., flask.Response]:
    """Make Flask's view of a handler."""

    def answer(**params: str) -> flask.Response:
        reply = handle(store, Request(params, flask.request.get_data()))
        return flask.Response(reply.body, reply.status, content_type=reply.media_type)

    return answer


@contextmanager
def serving(app: Any, port: int = 0) -> Generator[str]:
    """Serve a WSGI application on this machine; give its address."""
    sockets: dict[int, Any] = {}
    with quiet("waitress"), listening(port) as listener:
        server: Any = create_server(app, map=sockets, sockets=[listener])
        with running(server.run):
            try:
                yield address_of(listener)
            finally:
                server.task_dispatcher.shutdown()
                server.trigger.pull_trigger(lambda: close_all(sockets))
