"""Sanic."""

from __future__ import annotations

import itertools
from typing import Any

from sanic import Sanic
from sanic.response import HTTPResponse, json

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.sanic import as_next, install

KIND = "sanic"

numbers = itertools.count(1)


async def user(_request: object) -> HTTPResponse:
    """Answer."""
    return json(USER)


async def failing(_request: object) -> HTTPResponse:
    """Fail."""
    raise missing()


async def answer(_request: object, error: Any) -> HTTPResponse:
    """Answer an error."""
    return HTTPResponse(*by_hand(error))


def build(setup: Setup) -> Any:
    """Return the app."""
    Sanic.test_mode = True  # else the second app of a process fails to start
    app: Any = Sanic(f"bench-{next(numbers)}", configure_logging=False)
    app.add_route(setup.decorated(user, as_next), "/user", name="user")
    app.add_route(setup.decorated(failing, as_next), "/missing", name="missing")
    if setup.is_by_hand:
        app.error_handler.add(NotFound, answer)
    return setup.installed(app, install)
