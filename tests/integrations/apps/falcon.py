"""The contract's app in Falcon's WSGI, which has no async handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import falcon

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.falcon import as_next, install
from tests.integrations.failing import BREAKS, FAILS, PARTS, break_if, bug, domain, raising
from tests.integrations.servers import serve_wsgi as serve

__all__ = ["build", "serve"]


class Ok:
    """A resource that answers."""

    def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.text = "ok"


class Failing:
    """A resource that fails."""

    def __init__(self, fail: Callable[[], object]) -> None:
        self.fail = fail

    def on_get(self, req: Any, resp: Any) -> None:
        """Fail."""
        self.fail()

    on_head = on_get
    on_get_method = on_get


class Streaming:
    """A resource that sends a stream."""

    def __init__(self, parts: Callable[[], Iterator[bytes]]) -> None:
        self.parts = parts

    def on_get(self, req: Any, resp: Any) -> None:
        """Answer."""
        resp.stream = self.parts()


class Body:
    """A body that fails when the server is done with it."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"ok"

    def close(self) -> None:
        """Fail."""
        bug()


class Validated:
    """A resource that takes a number."""

    def on_get(self, req: Any, resp: Any) -> None:
        """Answer who asks with a number."""
        req.get_param_as_int("number")


class Breaking:
    """A middleware that fails."""

    def process_request(self, req: Any, resp: Any) -> None:
        """Fail before the handler."""
        break_if(req.path, "before")

    def process_response(self, req: Any, resp: Any, resource: Any, succeeded: Any) -> None:
        """Fail after the handler."""
        break_if(req.path, "after")


def build(errors: ErrorHandler) -> Any:
    """Make the app."""

    class Decorated:
        @catch_async(next=as_next(errors))
        def on_get(self, req: Any, resp: Any) -> None:
            domain()

    resources: dict[str, Any] = {
        **{path: Failing(fail) for path, fail in FAILS.items()},
        **{path: Streaming(parts) for path, parts in PARTS.items()},
        **dict.fromkeys([*BREAKS, "/ok"], Ok()),
        "/after": Streaming(Body),  # type: ignore[arg-type]
        "/redirect": Failing(raising(lambda: falcon.HTTPFound("/ok"))),
        "/validation": Validated(),
        "/abort": Failing(raising(falcon.HTTPConflict)),
        "/class": Failing(bug),
        "/decorated": Decorated(),
    }
    app: Any = falcon.App(middleware=[Breaking()])
    for path, resource in resources.items():
        app.add_route(path, resource)
    app.add_route("/method", Failing(bug), suffix="method")
    return install(app, errors)
