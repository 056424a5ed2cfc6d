"""Bottle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bottle

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.bottle import as_next, install

KIND = "wsgi"


def user() -> dict[str, Any]:
    """Answer."""
    return USER


def failing() -> dict[str, Any]:
    """Fail."""
    raise missing()


def answering(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Answer an error; a plugin, as Bottle's error handlers are for statuses alone."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except NotFound as error:
            made: Any = by_hand(error)
            return bottle.HTTPResponse(*made)

    return answer


def build(setup: Setup) -> Any:
    """Return the app."""
    app = bottle.Bottle()
    app.get("/user", callback=setup.decorated(user, as_next))
    app.get("/missing", callback=setup.decorated(failing, as_next))
    if setup.is_by_hand:
        app.install(answering)
    return setup.installed(app, install)
