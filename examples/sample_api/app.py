"""The ASGI application: finds the handler, hands it the one `next`, breaks off what is broken."""

from __future__ import annotations

import itertools
from typing import Any

from catchasync import catch_async
from examples.sample_api.errors import ShopError
from examples.sample_api.handlers import routes
from examples.sample_api.journal import Exchange, Journal, current, late
from examples.sample_api.store import Store
from examples.sample_api.web import Receive, Request, Response, Send, read_body


class BrokenOff(Exception):  # noqa: N818 - no error of ours: it tells the server to hang up
    """An answer that had begun cannot be finished: the server breaks the connection off."""


class App:
    """The shop as an ASGI application.

    Args:
        store: The shop's data.
        journal: Where failures are noted.
    """

    def __init__(self, store: Store, journal: Journal) -> None:
        self._routes = routes(store)
        self._journal = journal
        self._numbers = itertools.count(1)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        name = headers.get(b"x-request-id", b"").decode("latin-1") or f"#{next(self._numbers)}"
        exchange = Exchange(name, self._journal)
        current.set(exchange)
        await self._dispatch(scope, Response(send), receive, exchange)
        if exchange.broken:
            raise BrokenOff(name)

    async def _dispatch(
        self, scope: dict[str, Any], res: Response, receive: Receive, exchange: Exchange
    ) -> None:
        async def answer_failure(error: BaseException) -> None:
            """Be the one `next`: the client is told what concerns it, and nothing else."""
            exchange.arrived("next", error)
            status, body = describe(error)
            await res.json(body, status)

        @catch_async(next=answer_failure, track_response=True, late=late)
        async def dispatch(res: Response) -> None:
            handler, params = self._routes.find(scope["method"], scope["path"])
            body = await read_body(receive)
            req = Request(exchange.request, scope["method"], scope["path"], params, body)
            await handler(req, res, answer_failure)

        await dispatch(res)


def describe(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Say how a failure is answered: a bug shows nothing of itself."""
    if isinstance(error, ShopError):
        return error.status, {"error": {"code": error.code, "message": str(error)}}
    return 500, {"error": {"code": "internal", "message": "Internal Server Error"}}
