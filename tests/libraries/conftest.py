"""What the tests with real libraries share: which libraries are here, and their servers."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest

_missing: dict[str, str | None] = {}  # each library asked for: None, or why it cannot be had


def require(name: str) -> Any:
    """
    Import a library, or skip the test module that needs it, by name and with the reason.

    Args:
        name: The module to import.

    Returns:
        The module.
    """
    library = name.partition(".")[0]
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        _missing[library] = str(error)
        pytest.skip(f"{library} cannot be had here: {error}", allow_module_level=True)
    _missing.setdefault(library, None)
    return module


def servers() -> Any:
    """Return the module of the servers, which needs `require`."""
    return importlib.import_module("tests.libraries.servers")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the real libraries that could be had, and name those that could not."""
    absent = [f"{library} ({reason})" for library, reason in _missing.items() if reason]
    if _missing:
        present = len(_missing) - len(absent)
        skipped = f"; skipped: {', '.join(absent)}" if absent else ""
        terminalreporter.write_line(
            f"real libraries: {present} of {len(_missing)} are here{skipped}"
        )


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which a library, or we, had an error to log: each one was to be delivered."""
    yield
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    assert [] == [record.getMessage() for record in records if record.levelno >= logging.ERROR]


@pytest.fixture(scope="session")
def dns() -> Iterator[str]:
    """Return the address of a DNS server."""
    with servers().dns_server() as address:
        yield address


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Return the address of a Kafka broker."""
    with servers().kafka_broker() as address:
        yield address


@pytest.fixture(scope="session")
def mqtt() -> Iterator[int]:
    """Return the port of an MQTT broker."""
    with servers().mqtt_broker() as port:
        yield port


@pytest.fixture(scope="session")
def echo() -> Iterator[Any]:
    """Return the address of a grpc server, and what it does."""
    with servers().grpc_server() as server:
        yield server
