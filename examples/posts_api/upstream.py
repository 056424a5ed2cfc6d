"""The other service: a local server with posts, some of which are none."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


def good_posts() -> list[Any]:
    """Return posts that are in order, with a field too many."""
    return [
        {"id": n, "userId": 1 + n % 2, "title": f"Post {n}", "body": "Text.", "secret": "x"}
        for n in range(1, 5)
    ]


class Upstream(Starlette):
    """
    A service that keeps posts, and fails as it is told.

    ``kept`` is what it keeps; ``trouble`` how it fails: "refuse" (a 500), "garble" (no JSON),
    "hang" (no answer), or "" (not at all).
    """

    def __init__(self) -> None:
        self.kept: Any = good_posts()
        self.trouble = ""
        super().__init__(
            routes=[Route("/posts", self._posts), Route("/posts/{id:int}", self._post)]
        )

    async def _posts(self, request: Request) -> Response:
        user = request.query_params.get("userId")
        if user is None:
            return await self._answer(request, self.kept)
        found = [post for post in self.kept if post["userId"] == int(user)]
        return await self._answer(request, found)

    async def _post(self, request: Request) -> Response:
        number = request.path_params["id"]
        if not 1 <= number <= len(self.kept):
            raise HTTPException(404)
        return await self._answer(request, self.kept[number - 1])

    async def _answer(self, request: Request, value: Any) -> Response:
        if self.trouble == "refuse":
            return PlainTextResponse("db-17: no such table", 500)
        if self.trouble == "garble":
            return PlainTextResponse('[{"id": 1')
        while self.trouble == "hang":
            if (await request.receive())["type"] == "http.disconnect":
                break
        return JSONResponse(value)
