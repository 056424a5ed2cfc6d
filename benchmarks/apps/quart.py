"""Quart."""

from __future__ import annotations

from typing import Any

from quart import Quart, Response

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.quart import as_next, install

KIND = "asgi"


async def user() -> dict[str, Any]:
    """Answer."""
    return USER


async def failing() -> dict[str, Any]:
    """Fail."""
    raise missing()


async def answer(error: Any) -> Response:
    """Answer an error."""
    return Response(*by_hand(error))


def build(setup: Setup) -> Any:
    """Return the app."""
    app = Quart("bench")
    app.add_url_rule("/user", "user", setup.decorated(user, as_next))
    app.add_url_rule("/missing", "missing", setup.decorated(failing, as_next))
    if setup.is_by_hand:
        app.register_error_handler(NotFound, answer)
    return setup.installed(app, install)
