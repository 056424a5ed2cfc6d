"""What a framework has not, and why: these parts of the contract are skipped for it, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.integrations.failing import BREAKS, FAILS_ASYNC, PARTS, PARTS_ASYNC

ASYNC: Final = ("/ok-async", *FAILS_ASYNC)
WEBSOCKETS: Final = ("/ws", "/ws-early")
OWN_FAILURES: Final = ("/after", "/background")


def no(reason: str, paths: Iterable[str]) -> dict[str, str]:
    """Say why a framework has none of these."""
    return dict.fromkeys(paths, reason)


_SYNC: Final = {
    **no("its handlers are sync: there is no loop", ASYNC),
    **no("a WSGI server cannot iterate over an async generator", PARTS_ASYNC),
    **no("WSGI has no websockets", WEBSOCKETS),
    **no("WSGI has no lifespan: an app is made when its module is imported", ["lifespan"]),
}
_NO_BACKGROUND: Final = no("it has no background tasks", ["/background"])

LACKS: Final[dict[str, dict[str, str]]] = {
    "aiohttp": {
        **_NO_BACKGROUND,
    },
    "asgi": {
        **_NO_BACKGROUND,
        **no("nothing here validates: an application of one's own does", ["/validation"]),
    },
    "blacksheep": {},
    "bottle": {**_SYNC, **_NO_BACKGROUND},
    "django_asgi": {},
    "django_wsgi": {**_SYNC, **_NO_BACKGROUND},
    "falcon": {**_SYNC, **_NO_BACKGROUND},
    "falcon_asgi": {},
    "fastapi": {},
    "flask": {},
    "litestar": {},
    "pyramid": {**_SYNC, **_NO_BACKGROUND},
    "quart": {},
    "sanic": {},
    "starlette": {},
    "tornado": {},
    "wsgi": {**_SYNC, **_NO_BACKGROUND},
}
"""By app and path (or ``lifespan``, ``405``)."""

_ASGI_HEAD: Final = "it sends the head before it asks the stream for its first part"

BEGINS_EARLY: Final[dict[str, str]] = {}
"""Where a stream that fails at its first part has begun already: it is broken off."""
