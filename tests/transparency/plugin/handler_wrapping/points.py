"""Where each framework takes handlers: the one way that all its registrations go.

Every function imports its framework, and patches it where it is given a wrapping.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from .wrap import patch_argument, patch_values

Wrap = Callable[[Any], Any]
Point = Callable[[Wrap | None], None]


def starlette(wrap: Wrap | None) -> None:
    """Wrap the endpoints of routes; Starlette makes one of every registration."""
    from starlette import routing

    if wrap:
        patch_argument(routing.Route, "__init__", "endpoint", wrap)
        patch_argument(routing.WebSocketRoute, "__init__", "endpoint", wrap)


def flask(wrap: Wrap | None) -> None:
    """Wrap view functions where a rule is added; blueprints add theirs here too."""
    from flask import Flask

    if wrap:
        patch_argument(Flask, "add_url_rule", "view_func", wrap)


def quart(wrap: Wrap | None) -> None:
    """Wrap view functions where a rule is added, those of websockets too."""
    from quart import Quart

    if wrap:
        patch_argument(Quart, "add_url_rule", "view_func", wrap)
        patch_argument(Quart, "add_websocket", "view_func", wrap)


def fastapi(wrap: Wrap | None) -> None:
    """Wrap the endpoints of routes; those of Starlette's own kinds are wrapped beside."""
    from fastapi import routing

    starlette(wrap)
    if wrap:
        patch_argument(routing.APIRoute, "__init__", "endpoint", wrap)
        patch_argument(routing.APIWebSocketRoute, "__init__", "endpoint", wrap)


def aiohttp(wrap: Wrap | None) -> None:
    """Wrap the handlers of routes; the router makes one of every registration."""
    from aiohttp.web_urldispatcher import ResourceRoute

    if wrap:
        patch_argument(ResourceRoute, "__init__", "handler", wrap)


def django(wrap: Wrap | None) -> None:
    """Wrap views where `path` and `re_path` make a pattern of them."""
    from django.urls.resolvers import URLPattern

    if wrap:
        patch_argument(URLPattern, "__init__", "callback", wrap)


def sanic(wrap: Wrap | None) -> None:
    """Wrap handlers where the router of an app gets them, from blueprints too."""
    from sanic.router import Router

    if wrap:
        patch_argument(Router, "add", "handler", wrap)


def litestar(wrap: Wrap | None) -> None:
    """Wrap what the decorators are put on."""
    from litestar.handlers.base import BaseRouteHandler
    from litestar.handlers.http_handlers.base import HTTPRouteHandler

    if wrap:
        patch_argument(BaseRouteHandler, "__call__", "fn", wrap)
        patch_argument(HTTPRouteHandler, "__call__", "fn", wrap)


def falcon(wrap: Wrap | None) -> None:
    """Wrap the responders of resources, and sinks."""
    from falcon import App
    from falcon.asgi import App as AsyncApp
    from falcon.routing import CompiledRouter

    if wrap:
        patch_values(CompiledRouter, "map_http_methods", wrap)
        patch_argument(App, "add_sink", "sink", wrap)
        patch_argument(AsyncApp, "add_sink", "sink", wrap)


def tornado(wrap: Wrap | None) -> None:
    """Wrap the methods of handler classes, where an application first makes use of one."""
    from tornado.web import Application

    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)  # as its own runner does
    if wrap:
        patch_argument(Application, "get_handler_delegate", "target_class", wrap)


def bottle(wrap: Wrap | None) -> None:
    """Wrap the callbacks of routes."""
    import bottle

    if wrap:
        patch_argument(bottle.Route, "__init__", "callback", wrap)


def pyramid(wrap: Wrap | None) -> None:
    """Wrap views where they are derived: `add_view` looks at its caller's frame."""
    from pyramid.config.views import ViewsConfiguratorMixin

    if wrap:
        patch_argument(ViewsConfiguratorMixin, "_derive_view", "view", wrap)


POINTS: Final[dict[str, Point]] = {
    point.__name__: point
    for point in (
        aiohttp,
        bottle,
        django,
        falcon,
        fastapi,
        flask,
        litestar,
        pyramid,
        quart,
        sanic,
        starlette,
        tornado,
    )
}
