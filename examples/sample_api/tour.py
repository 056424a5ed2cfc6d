"""The tour: real requests over a socket, each with its answer and what reached `next`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import httpx

from examples.sample_api.journal import Arrival, Journal
from examples.sample_api.store import Store

Meanwhile = Callable[[Store], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Stop:
    """One request of the tour.

    Args:
        title: What it shows.
        method: The method.
        path: The path.
        body: What is sent, as it is.
        status: The status to expect.
        arrives: The failures to expect, as ``"next NotFound"``.
        meanwhile: What else goes on while it is answered.
    """

    title: str
    method: str
    path: str
    body: str = ""
    status: int | str = 200
    arrives: tuple[str, ...] = ()
    meanwhile: Meanwhile = lambda _store: nullcontext()


@contextmanager
def locked(store: Store) -> Generator[None, None, None]:
    """Hold the database as a backup would: nobody else can read or write."""
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


BROKEN_OFF = "broken off"

STOPS = (
    Stop("a known user", "GET", "/users/1"),
    Stop("a new user", "POST", "/users", '{"name": "Cyd"}', 201),
    Stop("orders, streamed", "GET", "/users/1/orders"),
    Stop("an order", "POST", "/orders", '{"user": 1, "item": "cake", "quantity": 2}', 201),
    Stop("an unknown user", "GET", "/users/99", "", 404, ("next NotFound",)),
    Stop("invalid data", "POST", "/users", '{"name": ""}', 422, ("next InvalidData",)),
    Stop("malformed JSON", "POST", "/users", '{"name": ', 400, ("next MalformedBody",)),
    Stop(
        "too little stock", "POST", "/orders", '{"user": 1, "item": "cake", "quantity": 2}', 409,
        ("next OutOfStock",),
    ),
    Stop(
        "a failing database", "GET", "/users/1", "", 500, ("next OperationalError",), locked
    ),
    Stop("an unknown path", "GET", "/nowhere", "", 404, ("next NotFound",)),
    Stop(
        "an error after the first bytes", "GET", "/users/2/orders", "", BROKEN_OFF,
        ("late JSONDecodeError",),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one stop."""

    stop: Stop
    status: int | str
    body: str
    arrivals: list[Arrival]

    @property
    def arrived(self) -> tuple[str, ...]:
        """What reached `next` or `late`, as in `Stop.arrives`."""
        return tuple(f"{a.place} {type(a.error).__name__}" for a in self.arrivals)

    @property
    def is_right(self) -> bool:
        """Whether the answer is right, and each failure arrived once."""
        return (self.status, self.arrived) == (self.stop.status, self.stop.arrives)


def take(address: str, store: Store, journal: Journal) -> Iterator[Seen]:
    """Send each request of the tour, and say what came of it."""
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        for number, stop in enumerate(STOPS, 1):
            name = f"stop-{number}"
            with stop.meanwhile(store):
                status, body = ask(client, stop, name)
            yield Seen(stop, status, body, journal.of(name))


def ask(client: httpx.Client, stop: Stop, name: str) -> tuple[Any, str]:
    """Send one request; an answer that breaks off is one, too."""
    headers = {"x-request-id": name}
    received = ""
    with client.stream(stop.method, stop.path, content=stop.body, headers=headers) as response:
        try:
            for piece in response.iter_text():
                received += piece
        except httpx.RemoteProtocolError:
            return BROKEN_OFF, received
        return response.status_code, received
