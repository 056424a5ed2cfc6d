"""The contract's app in Falcon's ASGI, whose handlers are all coroutine functions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import falcon
import falcon.asgi

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.falcon import as_next, install
from tests.integrations import contract
from tests.integrations.servers import serve_asgi as serve

__all__ = ["build", "serve"]


class Failing:
    """A resource that raises an error."""

    def __init__(self, error: type[Exception], *args: object) -> None:
        self.error = error
        self.args = args

    async def on_get(self, req: Any, resp: Any) -> None:
        """Fail."""
        raise self.error(*self.args)


class Ok:
    """A resource that answers."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.text = "ok"


class Http:
    """A resource that fails as `HttpError` does."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Fail."""
        raise contract.no_such_user()

    on_head = on_get


class Stream:
    """A resource whose body fails in the middle."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""

        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError(contract.SECRET)

        resp.stream = body()


def build(errors: ErrorHandler) -> Any:
    """Make the app."""

    class Decorated:
        @catch_async(next=as_next(errors))
        async def on_get(self, req: Any, resp: Any) -> None:
            raise contract.UserMissing

    app: Any = falcon.asgi.App()
    app.add_route("/ok", Ok())
    app.add_route("/ok-async", Ok())
    app.add_route("/bug", Failing(RuntimeError, contract.SECRET))
    app.add_route("/bug-async", Failing(RuntimeError, contract.SECRET))
    app.add_route("/http", Http())
    app.add_route("/domain", Failing(contract.UserMissing))
    app.add_route("/rule-answers", Failing(contract.Teapot))
    app.add_route("/rule-fails", Failing(contract.BrokenRule))
    app.add_route("/stream", Stream())
    app.add_route("/redirect", Failing(falcon.HTTPFound, "/ok"))
    app.add_route("/abort", Failing(falcon.HTTPConflict))
    app.add_route("/class", Failing(RuntimeError, contract.SECRET))
    app.add_route("/decorated", Decorated())
    return install(app, errors)
