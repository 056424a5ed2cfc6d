"""The contract, passed by every framework that is installed here."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.integrations import contract
from tests.integrations.contract import CASES, WITHOUT_ASYNC, Case, Report

APPS: Final = sorted(path.stem for path in (Path(__file__).parent / "apps").glob("[!_]*.py"))


class Served(NamedTuple):
    """A framework's app, and what its error handler reports."""

    url: str
    reported: list[Report]
    has_async: bool


@pytest.fixture(scope="module", params=APPS)
def served(request: pytest.FixtureRequest) -> Generator[Served, None, None]:
    """Serve the app of each framework once; one that is not installed is skipped by name."""
    module = app_module(request.param)
    errors, reported = contract.make_errors()
    with module.serve(module.build(errors)) as url:
        yield Served(url, reported, getattr(module, "HAS_ASYNC", True))


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
    if case.path in WITHOUT_ASYNC and not served.has_async:
        pytest.skip("it has no async handlers")
    contract.check_case(case, served.url, served.reported)


@pytest.mark.parametrize("path", ["/ok", "/ok-async"])
def test_success_is_as_it_was(served: Served, path: str) -> None:
    """A handler that does not fail answers as without us."""
    if path in WITHOUT_ASYNC and not served.has_async:
        pytest.skip("it has no async handlers")
    contract.check_ok(served.url, served.reported, path)


def test_stream_is_broken_off(served: Served) -> None:
    """A returned stream that fails breaks the connection off, and is reported once."""
    contract.check_stream(served.url, served.reported)


def test_redirect_passes_through(served: Served) -> None:
    """A redirect is no failure."""
    contract.check_redirect(served.url, served.reported)


def test_a_hundred_at_once(served: Served) -> None:
    """A hundred requests at once, with mixed failures, are answered as one by one."""
    contract.check_many(served.url, served.reported)


@pytest.mark.parametrize("name", APPS)
def test_debug(name: str) -> None:
    """In debug mode the answer to a bug shows the stack, whatever the framework would show."""
    module = app_module(name)
    with module.serve(module.build(contract.make_errors(debug=True)[0])) as url:
        contract.check_debug(url)


def test_405_names_the_methods(served: Served) -> None:
    """The answer to a wrong method says which ones there are."""
    contract.check_allow(served.url)
