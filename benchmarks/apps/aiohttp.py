"""aiohttp."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.aiohttp import as_next, install

KIND = "aiohttp"


async def user(_request: web.Request) -> web.Response:
    """Answer."""
    return web.json_response(USER)


async def failing(_request: web.Request) -> web.Response:
    """Fail."""
    raise missing()


@web.middleware
async def answering(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer an error."""
    try:
        response: web.StreamResponse = await handler(request)
    except NotFound as error:
        body, status, headers = by_hand(error)
        return web.Response(body=body, status=status, headers=headers)
    return response


def build(setup: Setup) -> Any:
    """Return the app."""
    app = web.Application(middlewares=[answering] if setup.is_by_hand else [])
    app.router.add_get("/user", setup.decorated(user, as_next))
    app.router.add_get("/missing", setup.decorated(failing, as_next))
    return setup.installed(app, install)
