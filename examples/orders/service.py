"""Placing an order: three steps in three services, all of them or none."""

from __future__ import annotations

from typing import Any, Final

from catchasync import Rollback
from catchasync.types import Late
from examples.orders.errors import InvalidOrder
from examples.orders.store import Order, Orders, Payments, Stock

PRICES: Final = {"tea": 4_50, "cake": 12_00}  # cents


class Shop:
    """
    The shop.

    Args:
        stock: What there is.
        report: Told of each step that could not be undone.
    """

    def __init__(self, stock: Stock, report: Late | None = None) -> None:
        self.orders = Orders()
        self.payments = Payments()
        self.stock = stock
        self._report = report

    async def place(self, item: str, quantity: int, card: str) -> Order:
        """Order something: it is written down, paid and reserved, or nothing has happened."""
        async with Rollback(self._report) as undo:
            order = await self.orders.add(item, quantity)
            undo.add(self.orders.remove, order)
            cents = PRICES[item] * quantity
            await self.payments.charge(card, cents)
            undo.add(self.payments.refund, card, cents)
            await self.stock.reserve(item, quantity)
            order.state = "confirmed"
        return order


def checked(given: Any) -> dict[str, Any]:
    """Return the fields of an order as a client sent it; `InvalidOrder` names what is wrong."""
    given = given if isinstance(given, dict) else {}
    quantity, card = given.get("quantity"), given.get("card")
    wrong: dict[str, str] = {}
    if given.get("item") not in PRICES:
        wrong["item"] = f"has to be one of {', '.join(PRICES)}"
    if type(quantity) is not int or quantity < 1:  # `True` is an int, too
        wrong["quantity"] = "has to be a whole number from 1 on"
    if not (isinstance(card, str) and card):
        wrong["card"] = "has to be a text"
    if wrong:
        msg = f"wrong fields: {', '.join(wrong)}"
        raise InvalidOrder(msg, details=wrong)
    return {name: given[name] for name in ("item", "quantity", "card")}
