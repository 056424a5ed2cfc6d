"""The sample API over HTTP, in each framework: every answer the same, every failure once."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from examples.sample_api import __main__ as demo
from examples.sample_api.frameworks import FRAMEWORKS, open_shop
from examples.sample_api.journal import Journal
from examples.sample_api.store import Store
from examples.sample_api.tour import CAKES, STOPS, Seen, Stop, ask, take

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that is being served."""

    address: str
    store: Store
    journal: Journal
    http: httpx.Client


@pytest.fixture(params=FRAMEWORKS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Serve a shop of its own for a test, in each framework."""
    store, journal = Store(tmp_path / "shop.sqlite"), Journal()
    with (
        open_shop(request.param, store, journal) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as http,
    ):
        yield Shop(address, store, journal, http)


def test_the_tour(shop: Shop) -> None:
    """Each stop has its answer, and each failure reaches the error handler, once."""
    tour = list(take(shop.address, shop.store, shop.journal))
    assert [stop.title for stop in STOPS] == [seen.stop.title for seen in tour]
    assert [] == [seen for seen in tour if not seen.is_right]
    assert 7 == len(shop.journal.arrivals)


def test_every_answer_is_the_same_in_every_framework() -> None:
    """The same handlers: status, media type and each byte are equal, also of what breaks off."""
    tours = [[seen.answer for seen in demo.tour_of(framework)] for framework in FRAMEWORKS]
    for answers in zip(*tours, strict=True):
        assert [answers[0]] * 3 == list(answers)
    assert {"application/json", "application/problem+json", "application/x-ndjson"} == {
        answer.media_type for answer in tours[0]
    }


def test_a_failed_order_takes_nothing(shop: Shop) -> None:
    """Too little stock takes the order back as well."""
    body = '{"user": 1, "item": "cake", "quantity": 9}'
    assert 409 == shop.http.post("/orders", content=body).status_code
    orders = shop.http.get("/users/1/orders").text
    assert (3, 1) == (shop.store.in_stock("cake"), len(orders.splitlines()))


def test_what_is_no_business_of_the_client_stays_here(shop: Shop) -> None:
    """A bug's message is not in the answer."""
    failing = next(stop for stop in STOPS if stop.title == "a failing database")
    with failing.meanwhile(shop.store):
        answer = ask(shop.http, failing, "x")
    assert 500 == answer.status
    assert "locked" not in answer.body
    assert ["OperationalError: database is locked"] == [str(a) for a in shop.journal.of("x")]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/users", '{"name": 1}', "name"),
        ("/orders", '{"item": "cake", "quantity": 1}', "user"),
        ("/orders", '{"user": 1, "item": "cake", "quantity": 0}', "quantity"),
        ("/orders", '{"user": 1, "quantity": 1}', "item"),
        ("/orders", "[]", None),
    ],
)
def test_invalid_data(shop: Shop, path: str, body: str, field: str | None) -> None:
    """The client learns which field is wrong."""
    answer = shop.http.post(path, content=body)
    assert (422, "invalid_data") == (answer.status_code, answer.json()["code"])
    assert field == answer.json().get("details", {}).get("field")


def test_a_hundred_requests_at_once(shop: Shop) -> None:
    """Whatever goes wrong, and however many at once: each failure arrives once, by its request."""
    stops = [stop for stop in STOPS if stop.fails and stop.meanwhile is STOPS[0].meanwhile]
    wanted = [(f"{number}", stops[number % len(stops)]) for number in range(100)]
    shop.store.timeout = 30
    assert 201 == shop.http.post("/orders", content=CAKES).status_code
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda named: ask(shop.http, named[1], named[0]), wanted)
        seen = [
            Seen(stop, answer, shop.journal.of(name))
            for (name, stop), answer in zip(wanted, answers, strict=True)
        ]
    assert [] == [each for each in seen if not each.is_right]
    assert 100 == len(shop.journal.arrivals)


def test_orders_at_once_do_not_oversell(shop: Shop) -> None:
    """Of twenty orders for three cakes, three are taken, and the others are told."""
    shop.store.timeout = 30
    order = Stop("", "POST", "/orders", '{"user": 1, "item": "cake", "quantity": 1}')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda name: ask(shop.http, order, f"{name}").status, range(20))
        assert {201: 3, 409: 17} == collections.Counter(answers)
    assert (0, 17) == (shop.store.in_stock("cake"), len(shop.journal.arrivals))


def test_a_client_that_goes_away(shop: Shop) -> None:
    """It is no failure, and the next client is answered."""
    host, port = re.findall(r"//(.+):(\d+)", shop.address)[0]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /users/1/orders HTTP/1.1\r\nhost: shop\r\n\r\n")
    assert 200 == shop.http.get("/users/1").status_code
    assert [] == shop.journal.arrivals


@pytest.mark.parametrize("how", ["lost", "doubled", "another", "broken off", "different"])
def test_the_demo_tells_when_something_is_wrong(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure that was lost or came twice, or another answer, ends the demo with status 1."""
    right = demo.tour_of("flask")
    at = next(number for number, seen in enumerate(right) if seen.arrivals)
    tour = [*right[:at], spoilt(right[at], how), *right[at + 1 :]]
    assert 1 == demo.report({"aiohttp": right if how == "different" else tour, "flask": tour})
    printed = capsys.readouterr().out
    assert "1 of 11 requests went wrong." in printed
    assert f"BAD {tour[at].stop.title}" in printed
    assert "expected 404, and UserNotFound" in printed


def spoilt(seen: Seen, how: str) -> Seen:
    """Return what was seen, as if something were wrong."""
    answers = {
        "another": seen.answer._replace(status=200),
        "broken off": seen.answer._replace(is_whole=False),
        "different": seen.answer._replace(body="{}"),
    }
    arrivals = {"lost": [], "doubled": seen.arrivals * 2}.get(how, seen.arrivals)
    return dataclasses.replace(seen, answer=answers.get(how, seen.answer), arrivals=arrivals)


def test_the_demo_as_a_program() -> None:
    """It prints what happened, and ends well."""
    command = [sys.executable, "-m", "examples.sample_api"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "") == (run.returncode, run.stderr)
    assert "11 requests to each of starlette, flask, aiohttp: every answer the same." in run.stdout
    assert "21 failures, each seen once." in run.stdout
    assert "... broken off" in run.stdout
    assert "reported JSONDecodeError" in run.stdout


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_serving_it_for_curl(framework: str) -> None:
    """`--serve` leaves it running, prints what to try, and ends by Ctrl-C."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    options = ["--serve", "--framework", framework, "--port", str(port)]
    command = [sys.executable, "-u", "-m", "examples.sample_api", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = f"http://127.0.0.1:{port}"
        try:
            assert f"curl -i {address}/users/1" in until("Ctrl-C", server.stdout)
            assert 404 == httpx.get(f"{address}/users/99", trust_env=False).status_code
            assert "- 404 UserNotFound: there is no user 99" in until("NotFound", server.stdout)
        finally:
            server.send_signal(signal.SIGINT)
        assert ("", "") == server.communicate()
    assert 0 == server.returncode


def until(word: str, lines: Iterator[str]) -> str:
    """Read lines up to the one with a word."""
    read = ""
    for line in lines:
        read += line
        if word in line:
            break
    return read
