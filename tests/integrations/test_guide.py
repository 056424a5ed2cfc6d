"""`docs/integrations.md`: its programs run, its table is whole, its example keeps the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

import catchasync.integrations
from tests.integrations import contract
from tests.integrations.contract import BrokenRule, Report, Teapot, UserMissing, make_errors
from tests.integrations.servers import HOST, started, url_of

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "integrations.md"
TEXT: Final = DOCUMENT.read_text(encoding="utf-8")
PROGRAMS: Final = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
EXAMPLE: Final = PROGRAMS[-1]

RAISED: Final[dict[str, Callable[[], Exception]]] = {
    "/bug": lambda: RuntimeError(contract.SECRET),
    "/http": contract.no_such_user,
    "/domain": UserMissing,
    "/rule-answers": Teapot,
    "/rule-fails": BrokenRule,
}
CASES: Final = [case for case in contract.CASES if case.path in RAISED]


def run(program: str) -> dict[str, Any]:
    """Run a program, and return its names."""
    names: dict[str, Any] = {"__name__": "guide"}
    exec(compile(program, DOCUMENT.name, "exec"), names)  # noqa: S102 - our own
    return names


class Handler(BaseHTTPRequestHandler):
    """An app of `http.server`."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        """Print nothing."""

    def do_GET(self) -> None:
        """Do as the path says."""
        self.send_response(200)
        self.send_header("content-length", "10")
        if self.path in RAISED:
            error = RAISED[self.path]()
            raise error
        self.end_headers()
        self.wfile.write(b"begun")
        if self.path == "/gone":
            raise BrokenPipeError
        raise RuntimeError

    do_HEAD = do_GET  # noqa: N815 - its name


class Server(ThreadingHTTPServer):
    """Prints nothing of what is raised."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: the connection is closed."""


def ask(path: str, method: str = "GET", accept: str | None = None) -> Any:
    """Ask the guarded app, and return the answer and what was reported."""
    errors, reported = make_errors()
    server = Server((HOST, 0), run(EXAMPLE)["install"](Handler, errors))
    with closing(server.socket), started(Thread(target=server.serve_forever, args=[0.01])):
        try:
            return contract.ask(url_of(server.socket), path, method=method, accept=accept), reported
        finally:
            server.shutdown()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_example_keeps_the_contract(case: contract.Case) -> None:
    """The example answers and reports as every framework that we ship."""
    answer, reported = ask(case.path, case.method, case.accept)
    assert case.expected == answer
    contract.check_reported(case.reported, reported)


def test_example_breaks_off() -> None:
    """A half-sent body is broken off, and reported once."""
    answer, reported = ask("/stream")
    assert (b"begun", False, 1) == (answer.body, answer.is_whole, len(reported))


def test_example_lets_clients_go() -> None:
    """A client that goes away is no failure."""
    none: list[Report] = []
    assert none == ask("/gone")[1]


def test_example_renders_the_frameworks_own_errors() -> None:
    """The framework's own answer to a method that it does not know is rendered by `errors`."""
    answer, reported = ask("/bug", "BREW")
    assert (501, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert 1 == len(reported)


def test_example_is_short() -> None:
    """It has fewer than 60 lines."""
    assert len(EXAMPLE.splitlines()) < 60


def test_opening_program_runs() -> None:
    """The two lines at the top are all that it takes."""
    pytest.importorskip("flask")
    errors_page = run(PROGRAMS[0])["app"].test_client().get("/nowhere")
    assert "application/problem+json" == errors_page.content_type


def test_table_is_complete() -> None:
    """Each integration has a row."""
    [folder] = catchasync.integrations.__path__
    modules = {path.stem for path in Path(folder).glob("[!_]*.py")}
    assert modules == set(re.findall(r"^\| \[.+?\]\(frameworks/(\w+)\.md\)", TEXT, re.MULTILINE))
