"""The contract, passed by every framework that is installed here."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.integrations import contract
from tests.integrations.contract import CASES, FAILURES, LATE, Case, Reports
from tests.integrations.failing import PARTS, PARTS_ASYNC
from tests.integrations.lacks import BEGINS_EARLY, CLOSES_NORMALLY, LACKS, TASKS

APPS: Final = sorted(path.stem for path in (Path(__file__).parent / "apps").glob("[!_]*.py"))

STREAMS: Final = [path for path in {**PARTS, **PARTS_ASYNC} if not path.startswith("/leave")]

NORMAL: Final = 1000  # RFC 6455, section 7.4.1


class Served(NamedTuple):
    """A framework's app, and what its error handler reports."""

    name: str
    url: str
    reported: Reports

    def has(self, part: str) -> bool:
        """Say whether the framework has a part of the contract."""
        return part not in LACKS[self.name]

    def need(self, part: str) -> None:
        """Skip where the framework has not got that part; the reason is in the table."""
        if not self.has(part):
            pytest.skip(f"{self.name} {part}: {LACKS[self.name][part]}")


@pytest.fixture(scope="module", params=APPS)
def served(request: pytest.FixtureRequest) -> Generator[Served, None, None]:
    """Serve the app of each framework once; one that is not installed is skipped by name."""
    module = app_module(request.param)
    errors, reported = contract.make_errors()
    with module.serve(module.build(errors)) as url:
        yield Served(request.param, url, reported)


def app_module(name: str) -> Any:
    """Import the app of a framework, or skip: then that is not installed."""
    try:
        return importlib.import_module(f"tests.integrations.apps.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("tests", "catchasync")):
            raise
        pytest.skip(f"{name} cannot be had here: {error}")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_failure_is_answered_and_reported(served: Served, case: Case) -> None:
    """The same failure gives the same answer in every framework, and is reported exactly once."""
    served.need("405" if case.method == "POST" else case.path)
    contract.check_case(case, served.url, served.reported)


@pytest.mark.parametrize("path", ["/ok", "/ok-async", "/gen", "/gen-async"])
def test_success_is_as_it_was(served: Served, path: str) -> None:
    """A handler that does not fail answers as without us."""
    served.need(path)
    contract.check_ok(served.url, served.reported, path)


def test_validation_is_rendered(served: Served) -> None:
    """The framework's own answer to an invalid request is rendered as all others."""
    served.need("/validation")
    code = 422 if served.name == "fastapi" else 400
    contract.check_validation(served.url, served.reported, code)


@pytest.mark.parametrize("path", ["/stream", "/stream-async"])
def test_stream_is_broken_off(served: Served, path: str) -> None:
    """A stream that fails midway breaks the connection off, and is reported once."""
    served.need(path)
    contract.check_broken_off(served.url, served.reported, path)


@pytest.mark.parametrize("path", ["/stream-first", "/stream-first-async"])
def test_stream_that_fails_at_once(served: Served, path: str) -> None:
    """A stream that fails at its first part is answered where nothing has been sent."""
    served.need(path)
    if served.name in BEGINS_EARLY:
        contract.check_broken_off(served.url, served.reported, path, b"")
    else:
        contract.check_case(Case(path, *FAILURES["/bug"]), served.url, served.reported)


@pytest.mark.parametrize("path", ["/leave", "/leave-async", "/leave-early", "/leave-early-async"])
def test_client_that_goes_away(served: Served, path: str) -> None:
    """A client that goes away before a body or in the middle of it is no failure."""
    served.need(path)
    contract.check_leaving(served.url, served.reported, path)


def test_failure_after_the_body(served: Served) -> None:
    """What fails after the body is reported once; the client has its whole body."""
    served.need("/after")
    contract.check_late(served.url, served.reported, "/after", "route")


@pytest.mark.parametrize("path", TASKS)
def test_background_task(served: Served, path: str) -> None:
    """What fails in a background task is reported once; the client has its whole body."""
    served.need(path)
    contract.check_late(served.url, served.reported, path, "route", "task")


def test_websocket_that_fails(served: Served) -> None:
    """A websocket that fails is reported once, and closed as is not normal."""
    served.need("/ws")
    talk = contract.check_websocket(served.url, served.reported, "/ws")
    assert (101, (b"begun",)) == (talk.status, talk.texts)
    assert (talk.code == NORMAL) == (served.name in CLOSES_NORMALLY)


def test_websocket_that_fails_early(served: Served) -> None:
    """One that fails before it is accepted is reported once, and refused."""
    served.need("/ws-early")
    talk = contract.check_websocket(served.url, served.reported, "/ws-early")
    assert talk.status in {403, 500}


def test_redirect_passes_through(served: Served) -> None:
    """A redirect is no failure."""
    contract.check_redirect(served.url, served.reported)


def test_a_hundred_at_once(served: Served) -> None:
    """A hundred requests at once, with mixed failures, are answered as one by one."""
    paths = [*FAILURES, *STREAMS, *LATE, "/ok", "/redirect", "/validation"]
    asked = [path for path in paths if served.has(path)]
    contract.check_many(served.url, served.reported, asked)


@pytest.mark.parametrize("name", APPS)
def test_debug(name: str) -> None:
    """In debug mode the answer to a bug shows the stack, whatever the framework would show."""
    module = app_module(name)
    errors, reported = contract.make_errors(debug=True)
    with module.serve(module.build(errors)) as url:
        contract.check_debug(url, reported)


@pytest.mark.parametrize("name", APPS)
def test_start_that_fails(name: str) -> None:
    """What fails when an app starts is reported once, and the start fails."""
    module = app_module(name)
    if "lifespan" in LACKS[name]:
        pytest.skip(f"{name} lifespan: {LACKS[name]['lifespan']}")
    errors, reported = contract.make_errors()
    assert module.fails_to_start(errors)
    assert [("RuntimeError", "lifespan")] == [(each.name, each.source) for each in reported]


def test_405_names_the_methods(served: Served) -> None:
    """The answer to a wrong method says which ones there are."""
    served.need("405")
    contract.check_allow(served.url)


def test_table_is_of_these_apps() -> None:
    """Whatever the table says is said of an app that there is."""
    assert set(APPS) == set(LACKS)
    assert set(APPS) >= set(BEGINS_EARLY)
