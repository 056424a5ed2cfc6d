"""The contract's app in Pyramid, which has no async handlers and no 405 of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPConflict, HTTPFound, HTTPMethodNotAllowed
from pyramid.response import Response

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.pyramid import as_next, install
from tests.integrations.failing import BREAKS, FAILS, PARTS, break_if, bug, domain, raising
from tests.integrations.servers import serve_wsgi as serve

__all__ = ["build", "serve"]


def ok(request: Any) -> Response:
    """Answer."""
    return Response("ok", content_type="text/plain")


def failing(fail: Callable[[], Any]) -> Callable[[Any], Any]:
    """Return a view that fails."""

    def view(request: Any) -> Any:
        return fail()

    return view


def streaming(parts: Callable[[], Iterator[bytes]]) -> Callable[[Any], Response]:
    """Return a view that returns a stream."""

    def view(request: Any) -> Response:
        return Response(app_iter=parts())

    return view


class After:
    """A body that fails when the server is done with it."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"ok"

    def close(self) -> None:
        """Fail."""
        bug()


def after(request: Any) -> Response:
    """Answer, and fail when the server is done with it."""
    return Response(app_iter=After())


def refuse(request: Any) -> Response:
    """Refuse a method: without this view it would be a 404."""
    raise HTTPMethodNotAllowed(headers={"Allow": "GET"})


class View:
    """A view class."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def __call__(self) -> Response:
        """Fail."""
        bug()

    def show(self) -> Response:
        """Fail."""
        bug()


def breaking(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
    """Return a tween that fails."""

    def tween(request: Any) -> Any:
        break_if(request.path, "before")
        response = handler(request)
        break_if(request.path, "after")
        return response

    return tween


def build(errors: ErrorHandler) -> Any:
    """Make the app."""
    decorated = catch_async(next=as_next(errors))(failing(domain))
    views: dict[str, Any] = {
        **{path: failing(fail) for path, fail in FAILS.items()},
        **{path: streaming(parts) for path, parts in PARTS.items()},
        **dict.fromkeys(BREAKS, ok),
        "/ok": ok,
        "/after": after,
        "/redirect": failing(raising(lambda: HTTPFound("/ok"))),
        "/abort": failing(raising(HTTPConflict)),
        "/class": View,
        "/decorated": decorated,
    }
    with Configurator() as config:
        for path, view in views.items():
            config.add_route(path, path)
            config.add_view(view, route_name=path, request_method="GET")
        config.add_route("/method", "/method")
        config.add_view(View, attr="show", route_name="/method")
        config.add_view(refuse, route_name="/ok", request_method="POST")
        config.add_tween(f"{__name__}.breaking")
        return install(config, errors).make_wsgi_app()
