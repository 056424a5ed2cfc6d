"""The orders example, over HTTP: undone halfway, two at once, and parts that fail."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from examples.orders.app import App, make_errors
from examples.orders.errors import PartFailed
from examples.orders.parts import Parts
from examples.orders.store import CarefulStock, HastyStock, Pause, Stock
from examples.orders.upstream import Upstream
from examples.serving import serving

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Told:
    """A reporter that keeps what it is told."""

    errors: list[tuple[BaseException, int]] = field(default_factory=list)

    def __call__(self, error: BaseException, context: Any) -> None:
        """Keep one."""
        self.errors.append((error, context.status))


@dataclass(frozen=True, slots=True)
class Place:
    """A shop that is being served."""

    app: App
    address: str
    upstream: Upstream
    told: Told
    http: httpx.Client

    def order(self, **fields: Any) -> httpx.Response:
        """Order a cake, or something else."""
        return self.http.post(
            "/orders", json={"item": "cake", "quantity": 1, "card": "A", **fields}
        )

    def states(self) -> list[str]:
        """Return the states of all orders."""
        return [order["state"] for order in self.http.get("/orders").json()]

    def summary(self, *, every: bool = False) -> httpx.Response:
        """Ask for the summary of the first order."""
        return self.http.get("/orders/1/summary", params={"every": "true"} if every else {})


async def at_once() -> None:
    """Lose no time."""


@contextmanager
def open_shop(stock: Stock, timeout: float = 30) -> Generator[Place]:
    """Serve a shop, and the services that it asks."""
    upstream, told = Upstream(), Told()
    with serving(upstream) as services:
        app = App(stock, Parts(services, timeout=timeout), make_errors(told))
        with (
            serving(app) as address,
            httpx.Client(base_url=address, trust_env=False, timeout=30) as http,
        ):
            yield Place(app, address, upstream, told, http)


@pytest.fixture
def place() -> Iterator[Place]:
    """Serve a shop with three cakes."""
    with open_shop(CarefulStock({"cake": 3, "tea": 99}, at_once)) as place:
        yield place


def test_an_order(place: Place) -> None:
    """It is confirmed, paid and reserved."""
    answer = place.order(quantity=2)
    assert (201, "confirmed") == (answer.status_code, answer.json()["state"])
    assert answer.json() == place.http.get("/orders/1").json()
    assert ({"A": 24_00}, 1) == (place.app.shop.payments.paid, place.app.shop.stock.left["cake"])


def test_too_little_stock_takes_everything_back(place: Place) -> None:
    """The order is crossed out and the money given back; the client learns what is left."""
    place.order()  # of the same card; it stays as it is
    answer = place.order(quantity=4)
    assert (409, "out_of_stock") == (answer.status_code, answer.json()["code"])
    assert {"item": "cake", "wanted": 4, "left": 2} == answer.json()["details"]
    assert (["confirmed"], {"A": 12_00}) == (place.states(), place.app.shop.payments.paid)
    assert 2 == place.app.shop.stock.left["cake"]
    assert [409] == [status for _, status in place.told.errors]


def test_only_what_was_done_is_undone(place: Place) -> None:
    """A card that is refused gets no money back; the order is crossed out."""
    answer = place.order(quantity=9)
    assert (402, "payment_refused") == (answer.status_code, answer.json()["code"])
    assert ([], {}) == (place.states(), place.app.shop.payments.paid)


def test_a_browser_is_sent_to_another_page(place: Place) -> None:
    """A rule may answer by a redirect, for those who read HTML; the failure is reported as ever."""
    place.http.headers["accept"] = "text/html,*/*"
    place.http.follow_redirects = True
    answer = place.order(quantity=9)
    assert [303] == [each.status_code for each in answer.history]
    assert (200, "/payment") == (answer.status_code, answer.url.path)
    assert "another card" in answer.text
    assert ["PaymentRefused"] == [type(error).__name__ for error, _ in place.told.errors]


def test_what_cannot_be_undone_is_reported(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first error is the answer, the other steps are undone, and both are reported."""

    async def fail(card: str, cents: int) -> None:
        raise OSError("the bank is closed")

    monkeypatch.setattr(place.app.shop.payments, "refund", fail)
    assert 409 == place.order(quantity=4).status_code
    assert [] == place.states()
    told = [(type(error).__name__, status) for error, status in place.told.errors]
    assert [("OSError", 500), ("OutOfStock", 409)] == told


def two_at_once(stock: type[HastyStock | CarefulStock]) -> tuple[list[int], Place, int]:
    """Send two orders of two cakes, each of which gets to the stock before the other one goes on.

    Returns:
        The statuses, the shop, and how many cakes are left of three.
    """
    barrier = asyncio.Barrier(2)
    pause: Pause = barrier.wait
    with open_shop(stock({"cake": 3}, pause)) as place:
        return (
            sorted(asyncio.run(post_two(place.address))),
            place,
            place.app.shop.stock.left["cake"],
        )


async def post_two(address: str) -> list[int]:
    """Order with two cards at once."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
        given = [{"item": "cake", "quantity": 2, "card": card} for card in ("A", "B")]
        answers = await asyncio.gather(*(client.post("/orders", json=each) for each in given))
    return [answer.status_code for answer in answers]


def test_a_race_that_is_lost() -> None:
    """Where there is an `await` between the look and the taking, the shop oversells."""
    statuses, _, left = two_at_once(HastyStock)
    assert ([201, 201], -1) == (statuses, left)


def test_a_race_that_nobody_loses() -> None:
    """Where there is none, one order is confirmed; the other one is undone, and that one alone."""
    statuses, place, left = two_at_once(CarefulStock)
    assert ([201, 409], 1) == (statuses, left)
    assert ["confirmed"] == [order.state for order in place.app.shop.orders.all()]
    assert [0, 24_00] == sorted(place.app.shop.payments.paid.values())


def test_a_summary(place: Place) -> None:
    """Its parts come from other services."""
    place.order()
    for every in (False, True):
        summary = place.summary(every=every).json()
        assert {"part": "price", "order": 1} == summary["price"]
        assert {"order", "customer", "price", "shipping"} == set(summary)
    assert [] == place.told.errors


@pytest.mark.parametrize(
    ("trouble", "details", "cause"),
    [
        ("refuse", {"part": "price", "status": 500}, "HTTPStatusError"),
        ("garble", {"part": "price"}, "JSONDecodeError"),
    ],
)
def test_a_part_that_fails(place: Place, trouble: str, details: dict[str, Any], cause: str) -> None:
    """The group of one is answered as that one; its cause is for the report alone."""
    place.order()
    place.upstream.trouble = {"price": trouble, "shipping": "hang"}  # it is not waited for
    answer = place.summary()
    assert (502, "part_failed") == (answer.status_code, answer.json()["code"])
    assert details == answer.json()["details"]
    assert "db-17" not in answer.text

    [(group, _)] = place.told.errors
    assert isinstance(group, ExceptionGroup)
    assert cause == type(group.exceptions[0].__cause__).__name__


def test_a_part_that_does_not_come() -> None:
    """It is a 504, with its part."""
    with open_shop(CarefulStock({"cake": 3}, at_once), timeout=0.2) as place:
        place.order()
        place.upstream.trouble = {"customer": "hang"}
        answer = place.summary()
    assert (504, "part_timeout") == (answer.status_code, answer.json()["code"])
    assert {"part": "customer"} == answer.json()["details"]


def test_a_service_that_is_not_there() -> None:
    """A connection that is refused is a part that could not be fetched."""
    told = Told()
    app = App(CarefulStock({"cake": 3}, at_once), Parts("http://127.0.0.1:1"), make_errors(told))
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as http:
        place = Place(app, address, Upstream(), told, http)
        place.order()
        answer = place.summary(every=True)
    assert (502, "parts_failed") == (answer.status_code, answer.json()["code"])
    assert ["part_failed"] * 3 == [part["code"] for part in answer.json()["details"]]


def test_several_parts_that_fail(place: Place) -> None:
    """With `every`, each is fetched to its end, and all failures are told."""
    place.order()
    place.upstream.trouble = {"price": "refuse", "shipping": "garble"}
    answer = place.summary(every=True)
    assert (502, "parts_failed") == (answer.status_code, answer.json()["code"])
    assert [
        {"code": "part_failed", "part": "price", "status": 500},
        {"code": "part_failed", "part": "shipping"},
    ] == sorted(answer.json()["details"], key=lambda part: str(part["part"]))


def test_a_bug_among_the_parts() -> None:
    """A group that holds a bug is one: a 500 that shows nothing."""
    group = ExceptionGroup(
        "two", [PartFailed("price", details={"part": "price"}), KeyError("secret")]
    )
    response = make_errors(Told())(group)
    assert 500 == response.status
    assert b"secret" not in response.body


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/orders/9", b"", 404, "order_not_found"),
        ("GET", "/orders/9/summary", b"", 404, "order_not_found"),
        ("POST", "/orders", b"{", 422, "invalid_order"),
        ("POST", "/orders", b'{"item": "cake", "quantity": true, "card": 1}', 422, "invalid_order"),
        ("POST", "/orders", b'{"item": "moon", "quantity": 1, "card": "A"}', 422, "invalid_order"),
        ("GET", "/nowhere", b"", 404, None),
    ],
)
def test_what_a_client_does_wrong(  # noqa: PLR0913, PLR0917 - a table
    place: Place, method: str, path: str, body: bytes, status: int, code: str | None
) -> None:
    """It is answered, and nothing is ordered."""
    answer = place.http.request(method, path, content=body)
    assert (status, code) == (answer.status_code, answer.json().get("code"))
    assert [] == place.states()


def test_as_a_program() -> None:
    """It shows a race lost and one that nobody loses, and what becomes of failed parts."""
    command = [sys.executable, "-m", "examples.orders"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "") == (run.returncode, run.stderr)
    assert "left: -1" in run.stdout
    assert "left: 1" in run.stdout
    assert '"parts_failed"' in run.stdout
