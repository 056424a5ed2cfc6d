"""The contract's app in Pyramid, which has no async handlers and no 405 of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPConflict, HTTPFound, HTTPMethodNotAllowed
from pyramid.response import Response

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.pyramid import as_next, install
from tests.integrations import contract
from tests.integrations.servers import serve_wsgi as serve

__all__ = ["HAS_ASYNC", "build", "serve"]

HAS_ASYNC: Final = False


def ok(request: Any) -> Response:
    """Answer."""
    return Response("ok", content_type="text/plain")


def failing(error: type[Exception], *args: object) -> Any:
    """Return a view that raises an error."""

    def view(request: Any) -> Response:
        raise error(*args)

    return view


def fail_as_http(request: Any) -> Response:
    """Fail as `HttpError` does."""
    raise contract.no_such_user()


def stream(request: Any) -> Response:
    """Return a body that fails in the middle."""

    def body() -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError(contract.SECRET)

    return Response(app_iter=body())


def refuse(request: Any) -> Response:
    """Refuse a method: without this view it would be a 404."""
    raise HTTPMethodNotAllowed(headers={"Allow": "GET"})


class View:
    """A view class."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def __call__(self) -> Response:
        """Fail."""
        raise RuntimeError(contract.SECRET)


def build(errors: ErrorHandler) -> Any:
    """Make the app."""

    @catch_async(next=as_next(errors))
    def decorated(request: Any) -> Response:
        raise contract.UserMissing

    views = {
        "ok": ok,
        "bug": failing(RuntimeError, contract.SECRET),
        "http": fail_as_http,
        "domain": failing(contract.UserMissing),
        "rule-answers": failing(contract.Teapot),
        "rule-fails": failing(contract.BrokenRule),
        "stream": stream,
        "redirect": failing(HTTPFound, "/ok"),
        "abort": failing(HTTPConflict),
        "class": View,
        "decorated": decorated,
    }
    with Configurator() as config:
        for name, view in views.items():
            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name, request_method="GET")
        config.add_view(refuse, route_name="ok", request_method="POST")
        return install(config, errors).make_wsgi_app()
