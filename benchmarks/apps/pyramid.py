"""Pyramid."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.response import Response

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.pyramid import as_next, install

KIND = "wsgi"


def user(_request: object) -> Any:
    """Answer."""
    return Response(json=USER)


def failing(_request: object) -> Any:
    """Fail."""
    raise missing()


def answer(error: Any, _request: object) -> Any:
    """Answer an error."""
    body, status, headers = by_hand(error)
    return Response(body, status, list(headers.items()))


def build(setup: Setup) -> Any:
    """Return the app."""
    with Configurator() as config:
        for name, view in {"user": user, "missing": failing}.items():
            config.add_route(name, f"/{name}")
            config.add_view(setup.decorated(view, as_next), route_name=name)
        if setup.is_by_hand:
            config.add_exception_view(answer, context=NotFound)
        return setup.installed(config, install).make_wsgi_app()
