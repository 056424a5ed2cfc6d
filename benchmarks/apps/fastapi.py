"""FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.fastapi import as_next, install

KIND = "asgi"


async def user() -> dict[str, Any]:
    """Answer."""
    return USER


async def failing() -> dict[str, Any]:
    """Fail."""
    raise missing()


async def answer(_request: object, error: Any) -> Response:
    """Answer an error."""
    return Response(*by_hand(error))


def build(setup: Setup) -> Any:
    """Return the app."""
    app = FastAPI(exception_handlers={NotFound: answer} if setup.is_by_hand else None)
    app.get("/user")(setup.decorated(user, as_next))
    app.get("/missing")(setup.decorated(failing, as_next))
    return setup.installed(app, install)
