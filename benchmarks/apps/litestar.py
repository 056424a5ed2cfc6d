"""Litestar."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Response, get

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.litestar import as_next, install

KIND = "asgi"


async def user() -> dict[str, Any]:
    """Answer."""
    return USER


async def failing() -> dict[str, Any]:
    """Fail."""
    raise missing()


def answer(_request: object, error: NotFound) -> Response[bytes]:
    """Answer an error."""
    body, status, headers = by_hand(error)
    media_type = headers.pop("content-type")
    return Response(body, status_code=status, headers=headers, media_type=media_type)


def build(setup: Setup) -> Any:
    """Return the app."""
    handlers = {"/user": user, "/missing": failing}
    app = Litestar(
        [get(path)(setup.decorated(each, as_next)) for path, each in handlers.items()],
        exception_handlers={NotFound: answer} if setup.is_by_hand else {},
        openapi_config=None,
    )
    return setup.installed(app, install)
