"""BlackSheep."""

from __future__ import annotations

from typing import Any

from blacksheep import Application, Content, Response, json
from blacksheep.server.routing import Router

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.blacksheep import as_next, install

KIND = "asgi"


async def user() -> Response:
    """Answer."""
    return json(USER)


async def failing() -> Response:
    """Fail."""
    raise missing()


async def answer(_app: object, _request: object, error: Any) -> Response:
    """Answer an error."""
    body, status, headers = by_hand(error)
    content = Content(headers.pop("content-type").encode(), body)
    return Response(status, [(k.encode(), v.encode()) for k, v in headers.items()], content)


def build(setup: Setup) -> Any:
    """Return the app."""
    app = Application(router=Router())
    app.router.add_get("/user", setup.decorated(user, as_next))
    app.router.add_get("/missing", setup.decorated(failing, as_next))
    if setup.is_by_hand:
        app.exceptions_handlers[NotFound] = answer
    return setup.installed(app, install)
