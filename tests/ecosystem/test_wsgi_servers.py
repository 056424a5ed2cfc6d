"""Servers of WSGI: whoever gets half of an answer sees that, and the failure is reported once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.integrations.client import PATIENCE, ask
from tests.integrations.servers import listening, url_of

Serve: TypeAlias = Callable[[Path], AbstractContextManager[str]]
"""What serves the program of a folder, and yields its URL."""

PROGRAM = """
import json
from catchasync import ErrorHandler
from catchasync.integrations.wsgi import install

reported = []
errors = ErrorHandler(reporters=[lambda error, context: reported.append(str(error))])


def failing(*parts):
    yield from parts
    raise RuntimeError("late" if parts else "first")


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    match environ["PATH_INFO"]:
        case "/reports":
            return [json.dumps(reported).encode()]
        case "/late":
            return failing(b"begun")
        case "/first":
            return failing()
        case "/bug":
            raise RuntimeError("bug")
    return [b"ok"]


app = install(app, errors)
"""


def gunicorn(kind: str) -> Serve:
    """Return what serves with gunicorn, in processes of its own."""

    @contextlib.contextmanager
    def serve(folder: Path) -> Generator[str, None, None]:
        pytest.importorskip("gunicorn.app.wsgiapp", exc_type=ImportError)  # not on Windows
        command = [sys.executable, "-P", "-m", "gunicorn", "program:app"]
        options = ["--worker-class", kind, "--threads", "2", "--log-level", "critical"]
        with listening() as listener:
            number = listener.fileno()
            with subprocess.Popen(
                [*command, *options, "--bind", f"fd://{number}"],
                cwd=folder,
                env={**os.environ, "HOME": str(folder)},  # where it puts a socket of its own
                pass_fds=[number],
            ) as process:
                try:
                    yield url_of(listener)
                finally:
                    process.terminate()
                    process.wait(PATIENCE)

    return serve


@contextlib.contextmanager
def waitress(folder: Path) -> Generator[str, None, None]:
    """Serve with waitress, in a thread."""
    module = pytest.importorskip("waitress.server")
    program: dict[str, Any] = {}
    exec((folder / "program.py").read_text(), program)  # noqa: S102 - it is ours
    server = module.create_server(program["app"], listen="127.0.0.1:0", threads=2)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(gunicorn("sync"), id="gunicorn-sync"),
        pytest.param(gunicorn("gthread"), id="gunicorn-gthread"),
        pytest.param(waitress, id="waitress"),
    ],
)
def test_failures_behind_a_server(serve: Serve, tmp_path: Path) -> None:
    """What fails before anything is sent is answered; what fails later is broken off."""
    (tmp_path / "program.py").write_text(PROGRAM)
    with serve(tmp_path) as url:
        assert (200, b"ok") == (ask(url, "/ok").status, ask(url, "/ok").body)
        assert [500, 500] == [ask(url, path).status for path in ("/bug", "/first")]
        late = ask(url, "/late")
        assert (200, b"begun", False) == (late.status, late.body, late.is_whole)
        assert ["bug", "first", "late"] == json.loads(ask(url, "/reports").body)
