"""The shop on Starlette."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from catchasync import ErrorHandler
from catchasync.integrations.starlette import install
from examples.sample_api.handlers import ROUTES, Handler, Request
from examples.sample_api.store import Store
from examples.serving import serving

__all__ = ["make_app", "serving"]


def make_app(store: Store, errors: ErrorHandler) -> Starlette:
    """Make the application; its failures reach ``errors``."""
    routes = [Route(path, route(handle, store), methods=[verb]) for verb, path, handle in ROUTES]
    return install(Starlette(routes=routes), errors)


def route(handle: Handler, store: Store) -> Callable[[requests.Request], Awaitable[Response]]:
    """Make Starlette's endpoint of a handler."""

    async def answer(request: requests.Request) -> Response:
        asked = Request(request.path_params, await request.body())
        reply = await run_in_threadpool(handle, store, asked)
        if isinstance(reply.body, bytes):
            return Response(reply.body, reply.status, media_type=reply.media_type)
        return StreamingResponse(reply.body, reply.status, media_type=reply.media_type)

    return answer
