"""The rooms, in SQLite: what handlers of messages, jobs and routes all work with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from examples.consumers.errors import InvalidMessage, StoreDown, TooWarm, UnknownRoom

WARMEST: Final = -15.0  # degrees Celsius

SCHEMA: Final = """
CREATE TABLE rooms (name TEXT PRIMARY KEY, celsius REAL, boxes INTEGER, kilos_a_box REAL);
INSERT INTO rooms VALUES ('north', -20, 0, NULL), ('south', -20, 0, NULL);
"""


class Rooms:
    """
    The rooms.

    Args:
        path: The database file, which must not exist yet.
        timeout: How long to wait for a locked database, in seconds.
    """

    def __init__(self, path: Path, *, timeout: float = 5.0) -> None:
        self.path = path
        self.timeout = timeout
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(SCHEMA)

    def take_reading(self, body: bytes) -> None:
        """Note how warm a room is: ``{"room": "north", "celsius": -19.5}``."""
        given = fields(body, room=str, celsius=int | float)
        self._update("celsius = ?", given["celsius"], room=given["room"])

    def take_delivery(self, body: bytes) -> None:
        """Put boxes into a room: ``{"room": "north", "boxes": 2, "kilos": 30}``."""
        given = fields(body, room=str, boxes=int, kilos=int | float)
        boxes = given["boxes"]
        kilos_a_box = given["kilos"] / boxes  # a bug: there may be no box
        self._update("boxes = boxes + ?, kilos_a_box = ?", boxes, kilos_a_box, room=given["room"])

    def check(self) -> None:
        """See that no room is too warm."""
        with self._transaction() as connection:
            select = "SELECT name FROM rooms WHERE celsius > ? ORDER BY name"
            warm = [name for (name,) in connection.execute(select, (WARMEST,))]
        if warm:
            msg = f"too warm: {', '.join(warm)}"
            raise TooWarm(msg, details={"rooms": warm})

    def show(self, room: str) -> dict[str, Any]:
        """Return what is known of a room."""
        with self._transaction() as connection:
            connection.row_factory = sqlite3.Row
            row = connection.execute("SELECT * FROM rooms WHERE name = ?", (room,)).fetchone()
        if row is None:
            raise unknown(room)
        return dict(row)

    def _update(self, change: str, *values: object, room: str) -> None:
        with self._transaction() as connection:
            update = f"UPDATE rooms SET {change} WHERE name = ?"  # noqa: S608 - our own words
            if not connection.execute(update, (*values, room)).rowcount:
                raise unknown(room)

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=self.timeout)) as database, database:
                yield database
        except sqlite3.OperationalError as error:
            msg = "the database does not answer"
            raise StoreDown(msg) from error


def unknown(room: str) -> UnknownRoom:
    """Return the error that says so."""
    return UnknownRoom(f"there is no room {room}", details={"room": room})


def fields(body: bytes, **wanted: Any) -> dict[str, Any]:
    """Return the fields of a message; `InvalidMessage` where they are not those wanted."""
    try:
        given = json.loads(body)
    except ValueError as error:
        msg = "the message is no JSON"
        raise InvalidMessage(msg) from error
    wrong = [
        name
        for name, kind in wanted.items()
        if not isinstance(given, dict) or not isinstance(given.get(name), kind)
    ]
    if wrong:
        msg = f"missing, or of a wrong type: {', '.join(wrong)}"
        raise InvalidMessage(msg, details={"fields": wrong})
    return dict(given)
