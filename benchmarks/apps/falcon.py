"""Falcon, under WSGI."""

from __future__ import annotations

from typing import Any

import falcon

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.falcon import as_next, install

KIND = "wsgi"


class Resource:
    """What answers at a path."""

    def __init__(self, on_get: Any) -> None:
        self.on_get = on_get


def user(_request: object, response: Any) -> None:
    """Answer."""
    response.media = USER


def failing(_request: object, _response: object) -> None:
    """Fail."""
    raise missing()


def answer(_request: object, response: Any, error: Any, _params: object) -> None:
    """Answer an error."""
    response.data, response.status, headers = by_hand(error)
    response.set_headers(headers)


def build(setup: Setup) -> Any:
    """Return the app."""
    app: Any = falcon.App()
    app.add_route("/user", Resource(setup.decorated(user, as_next)))
    app.add_route("/missing", Resource(setup.decorated(failing, as_next)))
    if setup.is_by_hand:
        app.add_error_handler(NotFound, answer)
    return setup.installed(app, install)
