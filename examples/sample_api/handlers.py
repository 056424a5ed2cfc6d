"""The handlers: plain functions that say what they do, and leave their failures to `next`.

Each is decorated once. It is called as ``handler(req, res, next)``, and takes ``req`` and ``res``.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from catchasync import catch_async
from examples.sample_api.errors import InvalidData
from examples.sample_api.journal import late
from examples.sample_api.store import Store
from examples.sample_api.web import Request, Response, Routes


def routes(store: Store) -> Routes:
    """Make the handlers of a shop, each under its route."""
    handle = catch_async(track_response=True, late=late)

    @handle
    async def show_user(req: Request, res: Response) -> None:
        user = number(req.params["id"], "id")
        await res.json(await asyncio.to_thread(store.user, user))

    @handle
    async def add_user(req: Request, res: Response) -> None:
        name = text(fields(req), "name")
        await res.json(await asyncio.to_thread(store.add_user, name), status=201)

    @handle
    async def list_orders(req: Request, res: Response) -> None:
        user = number(req.params["id"], "id")
        for order in await asyncio.to_thread(store.orders, user):
            await res.write(json.dumps(order) + "\n")
        await res.end()

    @handle
    async def add_order(req: Request, res: Response) -> None:
        order = fields(req)
        user, quantity = (
            number(order.get("user"), "user"),
            number(order.get("quantity"), "quantity"),
        )
        added = await asyncio.to_thread(store.add_order, user, text(order, "item"), quantity)
        await res.json(added, status=201)

    shop = Routes()
    shop.add("GET", "/users/{id}", show_user)
    shop.add("POST", "/users", add_user)
    shop.add("GET", "/users/{id}/orders", list_orders)
    shop.add("POST", "/orders", add_order)
    return shop


def fields(req: Request) -> dict[str, Any]:
    """Return the fields of a JSON object that was sent."""
    body = req.json()
    if not isinstance(body, dict):
        msg = "the body has to be a JSON object"
        raise InvalidData(msg)
    return body


def number(value: object, name: str) -> int:
    """Return a whole number from 1 on."""
    if not str(value).isascii() or not str(value).isdigit() or int(str(value)) < 1:
        msg = f"{name} has to be a whole number from 1 on"
        raise InvalidData(msg)
    return int(str(value))


def text(given: dict[str, Any], name: str) -> str:
    """Return a text that is not empty."""
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        msg = f"{name} has to be a text"
        raise InvalidData(msg)
    return value
