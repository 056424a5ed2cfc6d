"""Run the shop, and what goes wrong in it: ``python -m examples.orders``."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx

from examples.orders.app import App, make_errors
from examples.orders.parts import Parts
from examples.orders.store import CarefulStock, HastyStock, Stock
from examples.orders.upstream import Upstream
from examples.serving import serving

CAKE = {"item": "cake", "quantity": 2}


async def at_once() -> None:
    """Lose no time."""


@contextmanager
def open_shop(stock: Stock, upstream: Upstream) -> Generator[str]:
    """Open a shop for a while; give its address."""
    with (
        serving(upstream) as services,
        serving(App(stock, Parts(services), make_errors(print_error))) as address,
    ):
        yield address


def print_error(error: BaseException, context: Any) -> None:
    """Be the reporter."""
    print(f"    reported: {error!r} (answered with {context.status})")


def say(answer: httpx.Response) -> None:
    """Print an answer."""
    print(f"    {answer.status_code} {answer.text}")


async def race(address: str) -> None:
    """Order two cakes twice at once."""
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        orders = [client.post("/orders", json={**CAKE, "card": card}) for card in ("A", "B")]
        for answer in await asyncio.gather(*orders):
            say(answer)


def main() -> None:
    """Show each thing once."""
    for kind in (HastyStock, CarefulStock):
        stock = kind({"cake": 3}, asyncio.Barrier(2).wait)  # neither goes on before the other
        print(f"two orders of two cakes each, three are there: {kind.__name__}")
        with open_shop(stock, Upstream()) as address:
            asyncio.run(race(address))
        print(f"    left: {stock.left['cake']}\n")
    upstream = Upstream()
    shop = open_shop(CarefulStock({"cake": 9}, at_once), upstream)
    with shop as address, httpx.Client(base_url=address, trust_env=False) as client:
        client.post("/orders", json={**CAKE, "card": "A"})
        for trouble in ({}, {"price": "refuse"}, {"price": "refuse", "shipping": "garble"}):
            upstream.trouble = dict(trouble)
            print(f"the summary of an order, trouble: {trouble or 'none'}")
            say(client.get("/orders/1/summary", params={"every": "true"}))


if __name__ == "__main__":
    main()
