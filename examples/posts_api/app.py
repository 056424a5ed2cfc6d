"""The application: one chain, and what is broken off."""

from __future__ import annotations

from contextvars import ContextVar

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from catchasync import Chain
from examples.posts_api import layers
from examples.posts_api.errors import SourceError
from examples.posts_api.responder import Responder
from examples.posts_api.source import Source

broken: ContextVar[list[BaseException]] = ContextVar("broken")
"""What failed after the answer to this request had begun."""


def late(error: BaseException) -> None:
    """Log what comes too late to be answered; the answer must not look whole."""
    layers.logger.error("broken off: %s", type(error).__name__, exc_info=error)
    broken.get().append(error)


def make_chain(source: Source) -> Chain:
    """Make the chain that every request goes through."""
    return (
        Chain(track_response=True, late=late)
        .use(layers.log_request)
        .route(layers.path("/posts"), layers.list_posts(source))
        .route(layers.path(f"/posts/(?P<id>{layers.NUMBER})"), layers.show_post(source))
        .route(layers.path("/posts/export"), layers.export_posts(source))
        .use(layers.invalid_path)
        .use_error(layers.log_failure)
        .use_error(layers.come_again, SourceError)
        .use_error(layers.respond)
    )


class App:
    """
    The posts API as an ASGI application.

    Args:
        source: Where posts come from.
    """

    def __init__(self, source: Source) -> None:
        self._chain = make_chain(source)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        failures: list[BaseException] = []
        broken.set(failures)
        req = Request(scope, receive)
        await self._chain(req, Responder(req, send))
        if failures:
            raise failures.pop()  # the server breaks the connection off
