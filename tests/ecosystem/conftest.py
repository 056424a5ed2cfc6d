"""What the tests with libraries on top of frameworks share."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.ecosystem.django_support")


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """Have every request of Django's in a transaction of a database that is in memory."""
    db: Any = pytest.importorskip("django.db")
    monkeypatch.setitem(db.connections.settings["default"], "ATOMIC_REQUESTS", value=True)
    with db.connection.cursor() as cursor:
        cursor.execute("CREATE TABLE notes (number)")
    yield
    with db.connection.cursor() as cursor:
        cursor.execute("DROP TABLE notes")
    db.connection.close()
