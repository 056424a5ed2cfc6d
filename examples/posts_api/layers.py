"""The layers: what each request goes through, and each failure."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request

from catchasync import SKIP_ROUTE, status_of
from catchasync.errors import MethodNotAllowed
from examples.posts_api.errors import InvalidPath, InvalidQuery, SourceError
from examples.posts_api.responder import Responder
from examples.posts_api.source import Source
from examples.posts_api.validation import checked_post

logger = logging.getLogger("examples.posts_api")

SERVER_ERROR: Final = 500
NUMBER: Final = "[1-9][0-9]{0,8}"

Layer = Callable[..., Any]


async def log_request(req: Request, res: Responder, next: Any) -> None:
    """Log each request with what it was answered, whatever becomes of it."""
    try:
        await next()
    finally:
        logger.info("%s %s: %s", req.method, req.url.path, res.status)


def path(pattern: str) -> Layer:
    """Make the first layer of a group: a request of another path leaves the group."""
    compiled = re.compile(pattern)

    def match(req: Request, _res: Responder, next: Any) -> Any:
        found = compiled.fullmatch(req.url.path)
        if found is None:
            return next(SKIP_ROUTE)
        if req.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"allow": "GET, HEAD"})
        req.scope["path_params"] = found.groupdict()
        return next()

    return match


def list_posts(source: Source) -> Layer:
    """Make the layer that answers with posts, of one user or of all."""

    async def answer(req: Request, res: Responder) -> None:
        query = {"userId": number(req, "user")} if "user" in req.query_params else {}
        await res.json(await source.posts(**query))

    return answer


def show_post(source: Source) -> Layer:
    """Make the layer that answers with one post."""

    async def answer(req: Request, res: Responder) -> None:
        await res.json(await source.post(int(req.path_params["id"])))

    return answer


def export_posts(source: Source) -> Layer:
    """Make the layer that sends post after post, each checked when its turn comes."""

    async def answer(_req: Request, res: Responder) -> None:
        for index, post in enumerate(await source.raw_posts()):
            await res.write(checked_post(post, f"posts[{index}]"))
        await res.end()

    return answer


def invalid_path(req: Request) -> None:
    """Be the layer after all groups: nobody has answered."""
    msg = f"there is nothing under {req.url.path}"
    raise InvalidPath(msg)


async def log_failure(error: BaseException, req: Request, _res: Responder, next: Any) -> None:
    """Log a failure, and hand it on: a client's mistake in a line, ours with its traceback."""
    status = status_of(error)
    is_ours = status >= SERVER_ERROR
    logger.log(
        logging.ERROR if is_ours else logging.INFO,
        "%s %s failed: %d %s",
        req.method,
        req.url.path,
        status,
        type(error).__name__,
        exc_info=error if is_ours else None,
    )
    await next(error)


async def come_again(error: SourceError, _req: Request, _res: Responder, next: Any) -> None:
    """Say when to come again, where another service has failed; then hand it on."""
    error.headers = {"retry-after": 5}
    await next(error)


async def respond(error: BaseException, _req: Request, res: Responder, _next: Any) -> None:
    """Be the last error layer: answer."""
    await res.error(error)


def number(req: Request, name: str) -> int:
    """Return a whole number of the query, as `NUMBER` has it."""
    value = req.query_params[name]
    if not re.fullmatch(NUMBER, value):
        msg = f"{name} has to be a whole number from 1 to 999999999"
        raise InvalidQuery(msg, details={"parameter": name})
    return int(value)
