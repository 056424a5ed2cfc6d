"""Falcon, under ASGI."""

from __future__ import annotations

from typing import Any

from falcon.asgi import App

from benchmarks.apps import Setup, falcon
from benchmarks.apps.falcon import Resource
from catchasync.errors import NotFound
from catchasync.integrations.falcon import as_next, install

KIND = "asgi"


async def user(request: object, response: Any) -> None:
    """Answer."""
    falcon.user(request, response)


async def failing(request: object, response: Any) -> None:
    """Fail."""
    falcon.failing(request, response)


async def answer(request: object, response: Any, error: Any, params: object) -> None:
    """Answer an error."""
    falcon.answer(request, response, error, params)


def build(setup: Setup) -> Any:
    """Return the app."""
    app: Any = App()
    app.add_route("/user", Resource(setup.decorated(user, as_next)))
    app.add_route("/missing", Resource(setup.decorated(failing, as_next)))
    if setup.is_by_hand:
        app.add_error_handler(NotFound, answer)
    return setup.installed(app, install)
