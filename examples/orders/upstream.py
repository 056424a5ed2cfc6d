"""The other services: a small server that answers, and fails as it is told."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


class Upstream(Starlette):
    """
    Services that an order's summary is made of.

    ``trouble`` says how a part fails: "refuse" (a 500), "garble" (no JSON), "hang" (no answer).
    """

    def __init__(self) -> None:
        self.trouble: dict[str, str] = {}
        super().__init__(routes=[Route("/{part}/{order:int}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        part, order = request.path_params["part"], request.path_params["order"]
        match self.trouble.get(part):
            case "refuse":
                return PlainTextResponse("db-17: no such table", 500)
            case "garble":
                return PlainTextResponse("{")
            case "hang":
                await gone(request)
            case _:
                pass
        return JSONResponse({"part": part, "order": order})


async def gone(request: Request) -> None:
    """Wait until the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
