"""Orders, payments and stock: three services that know nothing of each other.

No transaction spans them. Each takes a moment, in which other requests go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from examples.orders.errors import OrderNotFound, OutOfStock, PaymentRefused

Pause = Callable[[], Awaitable[Any]]
"""What happens while a service is asked: other requests go on."""


@dataclass(slots=True)
class Order:
    """
    An order.

    Args:
        id: Its number.
        item: What is ordered.
        quantity: How much of it.
        state: "new", or "confirmed" when it is paid and reserved.
    """

    id: int
    item: str
    quantity: int
    state: str = "new"

    def view(self) -> dict[str, Any]:
        """Return what a client sees of it."""
        return asdict(self)


class Orders:
    """The orders."""

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}
        self._numbers = itertools.count(1)

    async def add(self, item: str, quantity: int) -> Order:
        """Write an order down."""
        order = Order(next(self._numbers), item, quantity)
        self._orders[order.id] = order
        return order

    async def remove(self, order: Order) -> None:
        """Cross it out again."""
        del self._orders[order.id]

    def get(self, number: int) -> Order:
        """Return an order; `OrderNotFound` where there is none."""
        try:
            return self._orders[number]
        except KeyError as error:
            msg = f"there is no order {number}"
            raise OrderNotFound(msg, details={"id": number}) from error

    def all(self) -> list[Order]:
        """Return all orders, the oldest first."""
        return list(self._orders.values())


class Payments:
    """
    What cards have paid.

    Args:
        limit: What a card can pay, in cents.
    """

    def __init__(self, limit: int = 100_00) -> None:
        self._limit = limit
        self.paid: dict[str, int] = {}

    async def charge(self, card: str, cents: int) -> None:
        """Take money; `PaymentRefused` where the card has not enough."""
        paid = self.paid.get(card, 0)
        if paid + cents > self._limit:
            msg = f"the card cannot pay {cents / 100:.2f}"
            raise PaymentRefused(msg, details={"left": self._limit - paid})
        self.paid[card] = paid + cents

    async def refund(self, card: str, cents: int) -> None:
        """Give money back."""
        self.paid[card] -= cents


class Stock(Protocol):
    """What there is, and who may have it."""

    left: dict[str, int]

    async def reserve(self, item: str, quantity: int) -> None:
        """Take some of an item; `OutOfStock` where there is too little."""


class HastyStock:
    """
    A stock that looks first and takes later: in between, others look too. It oversells.

    It is here to show the race, and how the other one is without it.

    Args:
        left: How much there is of each item.
        pause: What happens between the look and the taking.
    """

    def __init__(self, left: dict[str, int], pause: Pause) -> None:
        self.left = left
        self._pause = pause

    async def reserve(self, item: str, quantity: int) -> None:
        """Take some of an item."""
        left = self.left[item]
        await self._pause()
        check(item, quantity, left)
        self.left[item] = self.left[item] - quantity


class CarefulStock:
    """
    A stock that looks and takes in one step: no ``await`` lies between.

    In a database this is one statement, ``UPDATE ... WHERE quantity >= ?``; between programs, too.

    Args:
        left: How much there is of each item.
        pause: What happens before.
    """

    def __init__(self, left: dict[str, int], pause: Pause) -> None:
        self.left = left
        self._pause = pause

    async def reserve(self, item: str, quantity: int) -> None:
        """Take some of an item."""
        await self._pause()
        check(item, quantity, self.left[item])
        self.left[item] -= quantity


def check(item: str, quantity: int, left: int) -> None:
    """Refuse to take more than there is."""
    if quantity > left:
        msg = f"there is too little {item} for an order of {quantity}"
        raise OutOfStock(msg, details={"item": item, "wanted": quantity, "left": left})
