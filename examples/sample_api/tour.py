"""The tour: real requests over a socket, each with its answer and what reached the handler."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, NamedTuple

import httpx

from examples.sample_api.journal import Arrival, Journal
from examples.sample_api.store import Store

Meanwhile = Callable[[Store], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Stop:
    """
    One request of the tour.

    Args:
        title: What it shows.
        method: The method.
        path: The path.
        body: What is sent, as it is.
        status: The status to expect.
        is_whole: Whether the answer comes to its end.
        fails: The class of the failure to expect, by name.
        meanwhile: What else goes on while it is answered.
    """

    title: str
    method: str
    path: str
    body: str = ""
    status: int = 200
    is_whole: bool = True
    fails: str | None = None
    meanwhile: Meanwhile = lambda _store: nullcontext()


@contextmanager
def locked(store: Store) -> Generator[None]:
    """Hold the database as a backup would: nobody else can read or write."""
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


CAKES: Final = '{"user": 1, "item": "cake", "quantity": 2}'

STOPS: Final = (
    Stop("a known user", "GET", "/users/1"),
    Stop("a new user", "POST", "/users", '{"name": "Cyd"}', 201),
    Stop("orders, streamed", "GET", "/users/1/orders"),
    Stop("an order", "POST", "/orders", CAKES, 201),
    Stop("an unknown user", "GET", "/users/99", status=404, fails="UserNotFound"),
    Stop("invalid data", "POST", "/users", '{"name": ""}', 422, fails="InvalidData"),
    Stop("malformed JSON", "POST", "/users", '{"name": ', 400, fails="MalformedBody"),
    Stop("too little stock", "POST", "/orders", CAKES, 409, fails="OutOfStock"),
    Stop(
        "a failing database", "GET", "/users/1", status=500, fails="OperationalError",
        meanwhile=locked,
    ),
    Stop("an unknown path", "GET", "/nowhere", status=404, fails="the framework's own"),
    Stop(
        "an error after the first bytes", "GET", "/users/2/orders", is_whole=False,
        fails="JSONDecodeError",
    ),
)  # fmt: skip


class Answer(NamedTuple):
    """What a client got: equal answers are the same to the last byte."""

    status: int
    media_type: str
    body: str
    is_whole: bool

    def __str__(self) -> str:
        return f"{self.status} {self.body}{'' if self.is_whole else ' ... broken off'}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one stop."""

    stop: Stop
    answer: Answer
    arrivals: list[Arrival]

    @property
    def is_right(self) -> bool:
        """Whether the answer is right, and its failure arrived once."""
        stop, answer = self.stop, self.answer
        if (stop.status, stop.is_whole) != (answer.status, answer.is_whole):
            return False
        names = [type(arrival.error).__name__ for arrival in self.arrivals]
        if stop.fails == "the framework's own":  # each has a class of its own for it
            return len(names) == 1
        return names == ([stop.fails] if stop.fails else [])


def take(address: str, store: Store, journal: Journal) -> Iterator[Seen]:
    """Send each request of the tour, and say what came of it."""
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        for number, stop in enumerate(STOPS, 1):
            name = f"stop-{number}"
            with stop.meanwhile(store):
                answer = ask(client, stop, name)
            yield Seen(stop, answer, journal.of(name))


def ask(client: httpx.Client, stop: Stop, name: str) -> Answer:
    """Send one request; an answer that breaks off is one, too."""
    headers = {"x-request-id": name}
    received, is_whole = b"", True
    with client.stream(stop.method, stop.path, content=stop.body, headers=headers) as response:
        try:
            for piece in response.iter_bytes():
                received += piece
        except (httpx.RemoteProtocolError, httpx.ReadError):
            is_whole = False
    return Answer(
        response.status_code, response.headers["content-type"], received.decode(), is_whole
    )
