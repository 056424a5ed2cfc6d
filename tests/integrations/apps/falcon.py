"""The contract's app in Falcon's WSGI, which has no async handlers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import falcon

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.falcon import as_next, install
from tests.integrations import contract
from tests.integrations.servers import serve_wsgi as serve

__all__ = ["HAS_ASYNC", "build", "serve"]

HAS_ASYNC: Final = False


class Failing:
    """A resource that raises an error."""

    def __init__(self, error: type[Exception], *args: object) -> None:
        self.error = error
        self.args = args

    def on_get(self, req: Any, resp: Any) -> None:
        """Fail."""
        raise self.error(*self.args)


class Ok:
    """A resource that answers."""

    def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.text = "ok"


class Http:
    """A resource that fails as `HttpError` does."""

    def on_get(self, req: Any, resp: Any) -> None:
        """Fail."""
        raise contract.no_such_user()

    on_head = on_get


class Stream:
    """A resource whose body fails in the middle."""

    def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""

        def body() -> Iterator[bytes]:
            yield b"begun"
            raise RuntimeError(contract.SECRET)

        resp.stream = body()


def build(errors: ErrorHandler) -> Any:
    """Make the app."""

    class Decorated:
        @catch_async(next=as_next(errors))
        def on_get(self, req: Any, resp: Any) -> None:
            raise contract.UserMissing

    app: Any = falcon.App()
    app.add_route("/ok", Ok())
    app.add_route("/bug", Failing(RuntimeError, contract.SECRET))
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
