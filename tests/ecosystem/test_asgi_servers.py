"""The contract, over Hypercorn and Granian in the place of uvicorn."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from typing import Any, Final, NamedTuple

import pytest

from tests.ecosystem.servers import serve_granian, serve_hypercorn, starts_hypercorn
from tests.integrations import contract, servers
from tests.integrations.client import NO_ANSWER, ask, ask_in_vain
from tests.integrations.contract import FAILURES, Case, Reports
from tests.integrations.lacks import LACKS

SERVERS: Final = {"granian": serve_granian, "hypercorn": serve_hypercorn}
APPS: Final = ("asgi", "litestar", "quart", "starlette")


class Served(NamedTuple):
    """An app, and what its error handler reports."""

    server: str
    name: str
    url: str
    reported: Reports

    def need(self, part: str) -> None:
        """Skip where the framework has not got that part of the contract."""
        if part in LACKS[self.name]:
            pytest.skip(f"{self.name} {part}: {LACKS[self.name][part]}")


@pytest.fixture(
    scope="module",
    params=[(server, app) for server in SERVERS for app in APPS],
    ids=lambda param: "-".join(param),
)
def served(request: pytest.FixtureRequest) -> Generator[Served, None, None]:
    """Serve the contract app of each framework by each server."""
    server, name = request.param
    pytest.importorskip(server)
    module = app_of(name)
    errors, reported = contract.make_errors()
    with SERVERS[server](module.build(errors)) as url:
        yield Served(server, name, url, reported)


def app_of(name: str) -> Any:
    """Import the contract app of a framework that is here."""
    if name != "asgi":
        pytest.importorskip(name.removesuffix("_asgi"))
    return importlib.import_module(f"tests.integrations.apps.{name}")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/bug", "/http", "/rule-answers-async", "/nowhere"])
def test_answer(served: Served, path: str, method: str) -> None:
    """A failure has the same answer over every server, and is reported once."""
    contract.check_case(Case(path, *FAILURES[path], method=method), served.url, served.reported)


def test_success(served: Served) -> None:
    """A success is as it was."""
    contract.check_ok(served.url, served.reported)


def test_stream_is_broken_off(served: Served) -> None:
    """A body that fails midway does not look whole."""
    contract.check_broken_off(served.url, served.reported, "/stream-async")


def test_stream_that_fails_at_once(served: Served) -> None:
    """One that fails before its first part is reported once, and does not look whole either.

    Granian has sent nothing by then, and answers by itself.
    """
    served.reported.clear()
    answer = ask_in_vain(served.url, "/stream-first-async")
    assert answer == NO_ANSWER or answer.status == 500 or not answer.is_whole
    assert ["RuntimeError"] == [report.name for report in served.reported]


@pytest.mark.parametrize("path", ["/leave-async", "/leave-early-async"])
def test_client_that_goes_away(served: Served, path: str) -> None:
    """That is no failure, whatever the server raises or does not raise then."""
    contract.check_leaving(served.url, served.reported, path)


def test_failure_after_the_body(served: Served) -> None:
    """It is reported once, and the client has its whole body."""
    served.need("/after")
    contract.check_late(served.url, served.reported, "/after", "route")


def test_websocket_that_fails(served: Served) -> None:
    """It is reported once, and ends."""
    if (served.server, served.name) == ("granian", "quart"):
        pytest.skip("Granian keeps the connection of Quart open, as without us")
    contract.check_websocket(served.url, served.reported, "/ws")


@pytest.mark.parametrize(
    "name", ["blacksheep", "falcon_asgi", "fastapi", "litestar", "quart", "starlette"]
)
def test_start_that_fails_in_hypercorn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is reported, once; not what Hypercorn raises when it is told of that."""
    pytest.importorskip("hypercorn")
    module = app_of(name)
    monkeypatch.setattr(servers, "starts_asgi", starts_hypercorn)
    errors, reported = contract.make_errors()
    assert module.fails_to_start(errors)
    assert [("RuntimeError", "lifespan")] == [(report.name, report.source) for report in reported]


def test_application_without_a_lifespan() -> None:
    """An application that knows of no lifespan has not failed: nothing is reported."""
    pytest.importorskip("hypercorn")
    errors, reported = contract.make_errors()
    with serve_hypercorn(app_of("asgi").build(errors)) as url:
        assert 200 == ask(url, "/ok").status
    assert [] == reported
