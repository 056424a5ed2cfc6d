"""The shop's data in SQLite: an embedded store, whose failures are real."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from examples.sample_api.errors import OutOfStock, UserNotFound

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE stock (item TEXT PRIMARY KEY, quantity INTEGER NOT NULL CHECK (quantity >= 0));
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users, details TEXT NOT NULL
);
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO stock VALUES ('tea', 100), ('cake', 3);
INSERT INTO orders VALUES
    (1, 1, '{"item": "tea", "quantity": 1}'),
    (2, 2, '{"item": "tea", "quantity": 2}'),
    (3, 2, '{"item": "cake", "quant');
"""
"""Bob's second order was cut off by a crash: reading it fails after his first one was sent."""


class Store:
    """The shop's data.

    Args:
        path: The database file; it is made where it does not exist.
        timeout: How long to wait for a locked database, in seconds.
    """

    def __init__(self, path: Path, *, timeout: float = 0.1) -> None:
        self.path = path
        self.timeout = timeout
        if not path.exists():
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Open a transaction: committed at the end, rolled back by a failure."""
        with closing(sqlite3.connect(self.path, timeout=self.timeout)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                yield connection

    def user(self, user: int) -> dict[str, Any]:
        """Return a user; `UserNotFound` where there is none."""
        with self.transaction() as connection:
            row = connection.execute("SELECT id, name FROM users WHERE id = ?", (user,)).fetchone()
        if row is None:
            msg = f"there is no user {user}"
            raise UserNotFound(msg, details={"id": user})
        return {"id": row[0], "name": row[1]}

    def add_user(self, name: str) -> dict[str, Any]:
        """Add a user, and return it."""
        with self.transaction() as connection:
            row = connection.execute("INSERT INTO users (name) VALUES (?)", (name,))
        return {"id": row.lastrowid, "name": name}

    def orders(self, user: int) -> Iterator[dict[str, Any]]:
        """Return a user's orders, each read when it is asked for."""
        self.user(user)
        with self.transaction() as connection:
            select = "SELECT id, details FROM orders WHERE user = ? ORDER BY id"
            rows = connection.execute(select, (user,)).fetchall()
        return ({"id": order, **json.loads(details)} for order, details in rows)

    def add_order(self, user: int, item: str, quantity: int) -> dict[str, Any]:
        """Take an order and its items from the stock: both, or neither."""
        self.user(user)
        details = {"item": item, "quantity": quantity}
        with self.transaction() as connection:
            insert = "INSERT INTO orders (user, details) VALUES (?, ?)"
            row = connection.execute(insert, (user, json.dumps(details)))
            update = "UPDATE stock SET quantity = quantity - ? WHERE item = ? AND quantity >= ?"
            if not connection.execute(update, (quantity, item, quantity)).rowcount:
                msg = f"there is too little {item} for an order of {quantity}"
                raise OutOfStock(msg)  # which takes the order back, too
        return {"id": row.lastrowid, "user": user, **details}

    def in_stock(self, item: str) -> int:
        """Return how much there is of an item."""
        with self.transaction() as connection:
            select = "SELECT quantity FROM stock WHERE item = ?"
            return int(connection.execute(select, (item,)).fetchone()[0])
