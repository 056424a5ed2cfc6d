"""Where posts come from: another service, over HTTP."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from examples.posts_api.errors import (
    PostNotFound,
    SourceDown,
    SourceError,
    SourceInvalid,
    SourceTimeout,
)
from examples.posts_api.validation import checked_post, checked_posts

NOT_FOUND: Final = 404


class Source:
    """
    The other service.

    Args:
        address: Where it answers.
        timeout: How long to wait for it, in seconds.
    """

    def __init__(self, address: str, *, timeout: float = 2.0) -> None:
        self._address = address
        self._timeout = timeout

    async def posts(self, **query: int) -> list[dict[str, Any]]:
        """Fetch posts, and check them."""
        return checked_posts(await self.raw_posts(**query))

    async def raw_posts(self, **query: int) -> Any:
        """Fetch posts as they come."""
        return json_of(await self._get("/posts", query))

    async def post(self, number: int) -> dict[str, Any]:
        """Fetch a post, and check it; `PostNotFound` where there is none."""
        try:
            answer = await self._get(f"/posts/{number}", {})
        except SourceError as error:
            if error.details == {"status": NOT_FOUND}:
                msg = f"there is no post {number}"
                raise PostNotFound(msg, details={"id": number}) from error
            raise
        return checked_post(json_of(answer))

    async def _get(self, path: str, query: dict[str, int]) -> httpx.Response:
        with in_our_words():
            async with httpx.AsyncClient(timeout=self._timeout, trust_env=False) as client:
                answer = await client.get(self._address + path, params=query)
                return answer.raise_for_status()


@contextmanager
def in_our_words() -> Generator[None, None, None]:
    """Turn errors of the HTTP client into ours, which keep them as their cause."""
    try:
        yield
    except httpx.TimeoutException as error:
        msg = "the source of posts did not answer in time"
        raise SourceTimeout(msg) from error
    except httpx.HTTPStatusError as error:
        msg = "the source of posts refused"
        raise SourceDown(msg, details={"status": error.response.status_code}) from error
    except httpx.TransportError as error:
        msg = "the source of posts does not answer"
        raise SourceDown(msg) from error


def json_of(answer: httpx.Response) -> Any:
    """Return what was sent as JSON; `SourceInvalid` where it is none."""
    try:
        return answer.json()
    except ValueError as error:
        msg = "the source sent what is no JSON"
        raise SourceInvalid(msg) from error
