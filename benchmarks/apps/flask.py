"""Flask."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.flask import as_next, install

KIND = "wsgi"


def user() -> dict[str, Any]:
    """Answer."""
    return USER


def failing() -> dict[str, Any]:
    """Fail."""
    raise missing()


def answer(error: NotFound) -> Response:
    """Answer an error."""
    return Response(*by_hand(error))


def build(setup: Setup) -> Any:
    """Return the app."""
    app = Flask("bench")
    app.add_url_rule("/user", "user", setup.decorated(user, as_next))
    app.add_url_rule("/missing", "missing", setup.decorated(failing, as_next))
    if setup.is_by_hand:
        app.register_error_handler(NotFound, answer)
    return setup.installed(app, install)
