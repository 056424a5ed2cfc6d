"""What a framework has not, and why: these parts of the contract are skipped for it, by name."""

from __future__ import annotations

from typing import Final

from tests.integrations.failing import FAILS_ASYNC, PARTS, PARTS_ASYNC


def no(reason: str, *paths: str) -> dict[str, str]:
    """Say why a framework has none of these."""
    return dict.fromkeys(paths, reason)


TASKS: Final = ("/background", "/background-sync")

SYNC: Final = {
    **no("an async generator needs a loop: WSGI has none", *PARTS_ASYNC),
    **no("WSGI has no background tasks", *TASKS),
    **no("WSGI has no websockets", "/ws", "/ws-early"),
    **no("WSGI has no start of an app: that is made when its module is imported", "lifespan"),
}
"""What no WSGI framework has."""

NO_LOOP: Final = no("its handlers are sync: it runs no loop", "/ok-async", *FAILS_ASYNC)
ASYNC_STREAMS: Final = no("its streams are async generators", *PARTS)
NOT_VALIDATING: Final = no("it has no validation of its own", "/validation")
NOTHING_AFTER: Final = no("nothing of the user's runs after the body", "/after")

LACKS: Final[dict[str, dict[str, str]]] = {
    "aiohttp": {
        **ASYNC_STREAMS,
        **NOT_VALIDATING,
        **no("it has no background tasks", *TASKS),
    },
    "asgi": {
        **ASYNC_STREAMS,
        **NOT_VALIDATING,
        **no("ASGI has no background tasks: what runs after the body is /after", *TASKS),
    },
    "blacksheep": {
        **ASYNC_STREAMS,
        **NOTHING_AFTER,
        **no("it has no background tasks", *TASKS),
        **no("it answers 404 to a method that a path has no route for", "405"),
    },
    "bottle": {**SYNC, **NO_LOOP},
    "django_asgi": {
        **no("it adapts a sync stream for a server of ASGI only with a warning", *PARTS),
        **no("it swallows what the closing of a response raises", "/after"),
        **no("it has no background tasks", *TASKS),
        **no("it has no websockets", "/ws", "/ws-early"),
        **no("it takes no part in the lifespan of ASGI", "lifespan"),
    },
    "django_wsgi": {
        **SYNC,
        **no("it swallows what the closing of a response raises", "/after"),
    },
    "falcon": {**SYNC, **NO_LOOP},
    "falcon_asgi": {
        **ASYNC_STREAMS,
        **no("what it runs after the body is a background task", "/after"),
    },
    "fastapi": {},
    "flask": SYNC,
    "litestar": no("what it runs after the body is a background task", "/after"),
    "pyramid": {**SYNC, **NO_LOOP, **NOT_VALIDATING},
    "quart": no("what it runs after the body is a background task", "/after"),
    "sanic": {
        **ASYNC_STREAMS,
        **no("its background tasks are coroutines", "/background-sync"),
        **no("it logs what such a middleware raises, and goes on", "/middleware-after"),
        **no("a websocket is accepted before its handler is called", "/ws-early"),
    },
    "starlette": NOT_VALIDATING,
    "tornado": {
        **ASYNC_STREAMS,
        **no("it has no middlewares; a handler's prepare runs before", "/middleware-after"),
        **no("it has no background tasks", *TASKS),
        **no("it has no start of an app", "lifespan"),
    },
    "wsgi": {**SYNC, **NO_LOOP, **NOT_VALIDATING},
}
"""By app, and path or ``405`` or ``lifespan``: the reason."""

HEAD_FIRST: Final = "it sends the head before it asks for the first part"

BEGINS_EARLY: Final[dict[str, str]] = {
    "aiohttp": "it has written the head when it asks for the first part",
    "asgi": HEAD_FIRST,
    "blacksheep": HEAD_FIRST,
    "django_asgi": HEAD_FIRST,
    "falcon_asgi": HEAD_FIRST,
    "fastapi": HEAD_FIRST,
    "litestar": HEAD_FIRST,
    "quart": HEAD_FIRST,
    "starlette": HEAD_FIRST,
}
"""Where a stream that fails at its first part is broken off, since the response has begun."""

CLOSES_NORMALLY: Final = {
    "quart": "it closes every websocket with 1000",
    "sanic": "it closes every websocket with 1000",
}
"""Where the code of a close does not say that a websocket has failed."""
