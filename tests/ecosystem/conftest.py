"""What the tests with libraries on top of frameworks share."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.ecosystem.django_support", "tests.integrations.contract")


@pytest.fixture
def transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """Have every request of Django's in a transaction, on a connection of this test's own."""
    db: Any = pytest.importorskip("django.db")
    for name, value in {"NAME": str(tmp_path / "test.sqlite3"), "ATOMIC_REQUESTS": True}.items():
        monkeypatch.setitem(db.connections.settings["default"], name, value)
    forget_connection(db)
    with db.connection.cursor() as cursor:
        cursor.execute("CREATE TABLE notes (number)")
    yield
    forget_connection(db)


def forget_connection(db: Any) -> None:
    """Have Django connect anew: its connection is this thread's, and keeps the name it had."""
    db.connections.close_all()
    with contextlib.suppress(AttributeError):
        del db.connections["default"]
