"""The sample API, over HTTP: each failure is answered, and arrives exactly once."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from examples.sample_api import __main__ as demo
from examples.sample_api.app import App
from examples.sample_api.journal import Arrival, Journal
from examples.sample_api.server import serving
from examples.sample_api.store import Store
from examples.sample_api.tour import BROKEN_OFF, STOPS, Stop, ask, take

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that is being served."""

    address: str
    store: Store
    journal: Journal


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Serve a shop of its own for a test."""
    store, journal = Store(tmp_path / "shop.sqlite"), Journal()
    with serving(App(store, journal)) as address:
        yield Shop(address, store, journal)


def test_the_tour(shop: Shop) -> None:
    """Each stop has its answer, and each failure arrives where it belongs, once."""
    tour = list(take(shop.address, shop.store, shop.journal))
    assert [stop.title for stop in STOPS] == [seen.stop.title for seen in tour]
    assert [] == [seen for seen in tour if not seen.is_right]
    assert 7 == len(shop.journal.arrivals)


def test_a_failed_order_takes_nothing(shop: Shop) -> None:
    """Too little stock takes the order back as well."""
    stop = Stop("", "POST", "/orders", '{"user": 1, "item": "cake", "quantity": 9}')
    with httpx.Client(base_url=shop.address, trust_env=False) as client:
        assert 409 == ask(client, stop, "x")[0]
        _, orders = ask(client, Stop("", "GET", "/users/1/orders"), "y")
    assert (3, 1) == (shop.store.in_stock("cake"), len(orders.splitlines()))


def test_what_is_no_business_of_the_client_stays_here(shop: Shop) -> None:
    """A bug's message is not in the answer."""
    failing = next(stop for stop in STOPS if stop.title == "a failing database")
    client = httpx.Client(base_url=shop.address, trust_env=False)
    with client, failing.meanwhile(shop.store):
        status, body = ask(client, failing, "x")
    assert 500 == status
    assert "locked" not in body
    [arrival] = shop.journal.of("x")
    assert "database is locked" == str(arrival.error)


def test_a_hundred_requests_at_once(shop: Shop) -> None:
    """Whatever goes wrong, and however many at once: each failure arrives once, by its request."""
    stops = [stop for stop in STOPS if stop.arrives and stop.meanwhile is STOPS[0].meanwhile]
    wanted = [(f"{number}", stops[number % len(stops)]) for number in range(100)]
    with httpx.Client(base_url=shop.address, trust_env=False, timeout=60) as client:
        sell_out(client)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = pool.map(lambda named: ask(client, named[1], named[0])[0], wanted)
            assert [stop.status for _, stop in wanted] == list(answers)
    for name, stop in wanted:
        arrived = [f"{a.place} {type(a.error).__name__}" for a in shop.journal.of(name)]
        assert list(stop.arrives) == arrived


def sell_out(client: httpx.Client) -> None:
    """Buy all the cake."""
    body = '{"user": 1, "item": "cake", "quantity": 3}'
    assert 201 == ask(client, Stop("", "POST", "/orders", body), "sell out")[0]


def test_orders_at_once_do_not_oversell(shop: Shop) -> None:
    """Of twenty orders for three cakes, three are taken, and the others are told."""
    shop.store.timeout = 30
    body = '{"user": 1, "item": "cake", "quantity": 1}'
    order = Stop("", "POST", "/orders", body)
    client = httpx.Client(base_url=shop.address, trust_env=False, timeout=60)
    with client, concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda name: ask(client, order, f"{name}")[0], range(20))
        assert {201: 3, 409: 17} == collections.Counter(answers)
    assert (0, 17) == (shop.store.in_stock("cake"), len(shop.journal.arrivals))


def test_a_client_that_goes_away(shop: Shop) -> None:
    """It is no failure, and the next client is answered."""
    host, port = re.findall(r"//(.+):(\d+)", shop.address)[0]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /users/1/orders HTTP/1.1\r\nhost: shop\r\n\r\n")
    with httpx.Client(base_url=shop.address, trust_env=False) as client:
        assert 200 == ask(client, STOPS[0], "x")[0]
    assert [] == shop.journal.arrivals


@pytest.mark.parametrize("how", ["lost", "doubled", "answered wrong"])
def test_the_tour_tells_when_something_is_wrong(
    how: str, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure that was lost or came twice ends the demo with status 1."""
    tour = list(take(shop.address, shop.store, shop.journal))
    failed = next(number for number, seen in enumerate(tour) if seen.arrivals)
    seen = tour[failed]
    arrivals: list[Arrival] = {"lost": [], "doubled": seen.arrivals * 2}.get(how, seen.arrivals)
    status = 200 if how == "answered wrong" else seen.status
    tour[failed] = dataclasses.replace(seen, arrivals=arrivals, status=status)
    assert 1 == demo.report(tour)
    printed = capsys.readouterr().out
    assert "1 of 11 requests went wrong" in printed
    assert f"BAD {seen.stop.title}" in printed


def test_the_demo_as_a_program() -> None:
    """It prints what happened, and ends well."""
    command = [sys.executable, "-m", "examples.sample_api"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "") == (run.returncode, run.stderr)
    assert "11 requests, 7 failures, each seen once." in run.stdout
    assert f"answer   {BROKEN_OFF}" in run.stdout
    assert "late     JSONDecodeError" in run.stdout


def test_serving_it_for_curl() -> None:
    """`--serve` leaves it running, and prints what to try."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-u", "-m", "examples.sample_api", "--serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert f"curl -i http://127.0.0.1:{port}/users/1" in until("Ctrl-C", server.stdout)
            transport = httpx.HTTPTransport(retries=10)  # it prints before it listens
            with httpx.Client(transport=transport, trust_env=False) as client:
                assert 404 == client.get(f"http://127.0.0.1:{port}/users/99").status_code
            assert "next NotFound: there is no user 99" in until("NotFound", server.stdout)
        finally:
            server.terminate()


def until(word: str, lines: Iterator[str]) -> str:
    """Read lines up to the one with a word."""
    read = ""
    for line in lines:
        read += line
        if word in line:
            break
    return read
