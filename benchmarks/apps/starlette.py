"""Starlette."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.starlette import as_next, install

KIND = "asgi"


async def user(_request: Request) -> Response:
    """Answer."""
    return JSONResponse(USER)


async def failing(_request: Request) -> Response:
    """Fail."""
    raise missing()


async def answer(_request: Request, error: Any) -> Response:
    """Answer an error."""
    return Response(*by_hand(error))


def build(setup: Setup) -> Any:
    """Return the app."""
    handlers = {"/user": user, "/missing": failing}
    app = Starlette(
        routes=[Route(path, setup.decorated(each, as_next)) for path, each in handlers.items()],
        exception_handlers={NotFound: answer} if setup.is_by_hand else None,
    )
    return setup.installed(app, install)
