"""The guard around a WSGI application, by the letter of PEP 3333."""

from __future__ import annotations

import concurrent.futures
import io
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from catchasync import ErrorHandler
from catchasync.integrations.wsgi import as_next, install
from tests.integrations.contract import Report, UserMissing, make_errors


class Server:
    """What an application is run by: keeps what is sent, and what is raised."""

    def __init__(self) -> None:
        self.status = ""
        self.body = b""
        self.raised: BaseException | None = None

    def start(self, status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        """Take a status; raise, where something has gone out."""
        assert exc_info or not self.status, "a second time without exc_info"
        if exc_info and self.body:
            raise exc_info[1]
        self.status = status
        return self.write

    def write(self, chunk: bytes) -> None:
        """Send."""
        self.body += chunk

    def run(self, app: Any) -> None:
        """Run an application for one request."""
        environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
        try:
            chunks = app(environ, self.start)
            try:
                for chunk in chunks:
                    self.write(chunk)
            finally:
                getattr(chunks, "close", lambda: None)()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.raised = error


def run(app: Any) -> tuple[Server, list[Report]]:
    """Run an application, guarded."""
    errors, reported = make_errors()
    server = Server()
    server.run(install(app, errors))
    return server, reported


def test_before_start_response() -> None:
    """A failure before the response began is answered."""

    def app(environ: Any, start_response: Any) -> Any:
        raise UserMissing

    server, reported = run(app)
    assert ("404 Not Found", None, 1) == (server.status, server.raised, len(reported))


def test_after_start_response() -> None:
    """One after ``start_response`` is answered too: nothing has gone out."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        raise UserMissing

    server, reported = run(app)
    assert ("404 Not Found", None, 1) == (server.status, server.raised, len(reported))


def test_after_write() -> None:
    """One after ``write`` is reported and raised."""
    error = UserMissing()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])(b"begun")
        raise error

    server, reported = run(app)
    assert (b"begun", error, 1) == (server.body, server.raised, len(reported))


def test_generator_that_fails_at_once() -> None:
    """A body that fails before its first byte is answered in its place."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b""
        raise UserMissing

    server, reported = run(app)
    assert ("404 Not Found", None, 1) == (server.status, server.raised, len(reported))
    assert server.body.startswith(b'{"type"')


def test_generator_that_fails_later() -> None:
    """A body that fails later is reported and broken off, with nothing appended."""
    error = UserMissing()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        raise error

    server, reported = run(app)
    assert (b"begun", error, 1) == (server.body, server.raised, len(reported))


class Closing:
    """A body that is whole, and fails when it is closed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"ok"])

    def close(self) -> None:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "count"), [(UserMissing(), 1), (concurrent.futures.CancelledError(), 0)]
)
def test_close_that_fails(error: Exception, count: int) -> None:
    """What ``close`` raises is reported and raised; a cancellation is no failure."""

    def app(environ: Any, start_response: Any) -> Closing:
        start_response("200 OK", [])
        return Closing(error)

    server, reported = run(app)
    assert (b"ok", error, count) == (server.body, server.raised, len(reported))


def test_body_is_closed() -> None:
    """A body that is given up is closed, and that is no failure."""
    errors, reported = make_errors()
    closed: list[int] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            yield b"begun"
        finally:
            closed.append(1)

    body: Any = install(app, errors)({"REQUEST_METHOD": "GET"}, Server().start)
    chunks = iter(body)
    assert b"begun" == next(chunks)
    body.close()
    assert ([1], []) == (closed, reported)


def test_body_without_close() -> None:
    """An iterator without ``close`` needs none."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return iter([b"ok"])

    assert (b"ok", None) == ((server := run(app)[0]).body, server.raised)


@pytest.mark.parametrize("make", [lambda: [b"ok"], lambda: FileWrapper(io.BytesIO(b"ok"))])
def test_plain_bodies_are_untouched(make: Callable[[], Any]) -> None:
    """A list, and the server's own file wrapper, reach the server as they are."""
    body = make()
    errors, _ = make_errors()
    environ = {"wsgi.file_wrapper": FileWrapper}
    assert body is install(lambda environ, start_response: body, errors)(environ, Server().start)


@pytest.mark.parametrize("is_late", [False, True])
def test_cancellation_is_no_failure(is_late: bool) -> None:  # noqa: FBT001 - a parameter
    """A cancellation, in any spelling, goes through."""
    error = concurrent.futures.CancelledError()

    def fail() -> Iterator[bytes]:
        raise error
        yield b""

    def app(environ: Any, start_response: Any) -> Any:
        return fail() if is_late else next(fail())

    server, reported = run(app)
    assert (error, []) == (server.raised, reported)


async def made_later(error: Any, context: Any) -> Any:
    """Answer, as an async rule."""
    return None


def test_async_rules() -> None:
    """Async rules are run to their end, by the guard and by the answer of a single handler."""
    errors = ErrorHandler(reporters=())
    errors.on(UserMissing, status=404)(made_later)
    answer = as_next(errors)(UserMissing())
    server = Server()
    server.run(install(lambda environ, start: answer(environ, start), errors))
    assert "404 Not Found" == server.status


def test_rule_that_returns_no_application() -> None:
    """A rule that returns data is reported as a defect, and answered with a plain 500."""
    errors, reported = make_errors()
    errors.on(KeyError)(lambda error, context: {"status": 404})

    def app(environ: Any, start_response: Any) -> Any:
        raise KeyError

    server = Server()
    server.run(install(app, errors))
    assert "500 Internal Server Error" == server.status
    assert ["KeyError", "TypeError"] == [report.name for report in reported]


def test_validator() -> None:
    """The guard keeps the rules of PEP 3333, as the validator of the standard library has them."""
    errors, _ = make_errors()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        raise UserMissing
        yield b""

    guarded: Any = validator(install(validator(app), errors))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "here",
        "SERVER_PORT": "80",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    statuses: list[str] = []
    body: Any = guarded(environ, lambda status, headers, exc_info=None: statuses.append(status))
    chunks = list(body)
    body.close()
    assert "404 Not Found" == statuses[-1]
    assert b"Not Found" in b"".join(chunks)


@pytest.mark.parametrize(("app", "errors"), [(None, ErrorHandler()), (run, None)])
def test_what_cannot_be_installed(app: Any, errors: Any) -> None:
    """What is no application, or no error handler, is refused by name."""
    with pytest.raises(TypeError, match=r"install\(app, errors\) takes .*: got None"):
        install(app, errors)


def test_application_that_answers_its_own_failure() -> None:
    """What an application gives to ``start_response`` with an error reaches the server."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        error = ValueError()
        start_response("500 Oops", [], (ValueError, error, None))
        return [b"mine"]

    server, reported = run(app)
    assert ("500 Oops", b"mine", []) == (server.status, server.body, reported)
