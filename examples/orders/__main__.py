"""Run the shop, and what goes wrong in it: ``python -m examples.orders``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from examples.orders.app import App, make_errors
from examples.orders.parts import Parts
from examples.orders.store import CarefulStock, HastyStock, Stock
from examples.orders.upstream import Upstream
from examples.serving import serving

CAKE = {"item": "cake", "quantity": 2}


async def both_first() -> None:
    """Let whoever is ready go on."""
    await asyncio.sleep(0.2)


@contextmanager
def open_shop(stock: Stock, upstream: Upstream) -> Iterator[str]:
    """Open a shop for a while; give its address."""
    with (
        serving(upstream) as services,
        serving(App(stock, Parts(services), make_errors(print_error))) as address,
    ):
        yield address


def print_error(error: BaseException, context: object) -> None:
    """Be the reporter."""
    print(f"    reported: {error!r} ({context})")


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
    for stock in (HastyStock({"cake": 3}, both_first), CarefulStock({"cake": 3}, both_first)):
        print(f"two orders of two cakes each, three are there: {type(stock).__name__}")
        with open_shop(stock, Upstream()) as address:
            asyncio.run(race(address))
        print(f"    left: {stock.left['cake']}\n")
    upstream = Upstream()
    shop = open_shop(CarefulStock({"cake": 9}, both_first), upstream)
    with shop as address, httpx.Client(base_url=address, trust_env=False) as client:
        client.post("/orders", json={**CAKE, "card": "A"})
        for trouble in ({}, {"price": "refuse"}, {"price": "refuse", "shipping": "garble"}):
            upstream.trouble = dict(trouble)
            print(f"the summary of an order, trouble: {trouble or 'none'}")
            say(client.get("/orders/1/summary", params={"every": "true"}))


if __name__ == "__main__":
    main()
