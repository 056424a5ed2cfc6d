"""The handlers: plain functions that know no framework, and let their failures out.

Each is called with the shop's data and a `Request`, and returns a `Reply`. An adapter of a few
lines (`with_starlette`, `with_flask`, `with_aiohttp`) puts them into a framework.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from examples.sample_api.errors import InvalidData, MalformedBody
from examples.sample_api.store import Store


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a client asked.

    Args:
        params: What the route found in the path.
        body: As it came.
    """

    params: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What the client gets.

    Args:
        body: The whole of it, or one piece after the other.
        status: The status.
        media_type: What it is.
    """

    body: bytes | Iterator[bytes]
    status: int = 200
    media_type: str = "application/json"


Handler: TypeAlias = Callable[[Store, Request], Reply]


def show_user(store: Store, req: Request) -> Reply:
    """Show a user."""
    return Reply(encoded(store.user(number(req.params["id"], "id"))))


def add_user(store: Store, req: Request) -> Reply:
    """Add a user."""
    return Reply(encoded(store.add_user(text(fields(req), "name"))), 201)


def list_orders(store: Store, req: Request) -> Reply:
    """Send the orders of a user, each when it has been read."""
    orders = store.orders(number(req.params["id"], "id"))
    return Reply(map(encoded, orders), media_type="application/x-ndjson")


def add_order(store: Store, req: Request) -> Reply:
    """Take an order."""
    given = fields(req)
    user, quantity = (number(given.get(name), name) for name in ("user", "quantity"))
    return Reply(encoded(store.add_order(user, text(given, "item"), quantity)), 201)


ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/users/{id}", show_user),
    ("POST", "/users", add_user),
    ("GET", "/users/{id}/orders", list_orders),
    ("POST", "/orders", add_order),
)


def encoded(value: object) -> bytes:
    """Return a line of JSON."""
    return json.dumps(value).encode() + b"\n"


def fields(req: Request) -> dict[str, Any]:
    """Return the fields of a JSON object that was sent."""
    try:
        body = json.loads(req.body)
    except ValueError as error:
        msg = "the body is not JSON"
        raise MalformedBody(msg) from error
    if not isinstance(body, dict):
        msg = "the body has to be a JSON object"
        raise InvalidData(msg)
    return body


def number(value: object, name: str) -> int:
    """Return a whole number from 1 on."""
    digits = str(value)
    if not digits.isascii() or not digits.isdigit() or int(digits) < 1:
        msg = f"{name} has to be a whole number from 1 on"
        raise InvalidData(msg, details={"field": name})
    return int(digits)


def text(given: dict[str, Any], name: str) -> str:
    """Return a text that is not empty."""
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        msg = f"{name} has to be a text"
        raise InvalidData(msg, details={"field": name})
    return value
