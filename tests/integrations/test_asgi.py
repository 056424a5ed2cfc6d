"""The guard around an ASGI application, message by message."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

import pytest

from catchasync import ErrorHandler
from catchasync.integrations._asgi import in_websocket
from catchasync.integrations.asgi import as_next, install
from tests.integrations.contract import Report, UserMissing, make_errors

START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"begun", "more_body": True}
END = {"type": "http.response.body", "body": b""}


def scope_of(kind: str = "http", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """Return a request."""
    return {"type": kind, "method": "GET", "path": "/", "headers": list(headers)}


class Server:
    """What a guarded application is run by: keeps what is sent, and what is raised."""

    def __init__(self, broken: BaseException | None = None) -> None:
        self.sent: list[Any] = []
        self.raised: BaseException | None = None
        self.broken = broken

    async def send(self, message: Any) -> None:
        """Keep a message; or fail, as when the client has gone away."""
        if self.broken is not None:
            raise self.broken
        self.sent.append(message)

    async def receive(self) -> Any:
        """Bring an empty request."""
        return {"type": "http.request", "body": b""}

    def run(self, app: Any, scope: dict[str, Any]) -> None:
        """Run an application for one request."""
        try:
            asyncio.run(app(scope, self.receive, self.send))
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.raised = error


def app_that(error: BaseException, *messages: Any) -> Any:
    """Return an application that sends some messages and then raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
        raise error

    return app


def run(
    error: BaseException, *messages: Any, kind: str = "http", broken: BaseException | None = None
) -> tuple[Server, list[Report]]:
    """Run a guarded application that fails so."""
    errors, reported = make_errors()
    server = Server(broken)
    server.run(install(app_that(error, *messages), errors), scope_of(kind))
    return server, reported


def test_before_the_response() -> None:
    """A failure before the response began is answered, and goes no further."""
    server, reported = run(UserMissing())
    assert (404, None) == (server.sent[0]["status"], server.raised)
    assert 1 == len(reported)


@pytest.mark.parametrize("messages", [(START,), (START, PART)])
def test_after_the_beginning(messages: Any) -> None:
    """A failure after that is reported, raised, and nothing is appended."""
    error = UserMissing()
    server, reported = run(error, *messages)
    assert (list(messages), error) == (server.sent, server.raised)
    assert 1 == len(reported)


def test_after_the_end() -> None:
    """A failure after the end of the response is reported, and breaks nothing off."""
    server, reported = run(UserMissing(), START, END)
    assert ([START, END], None) == (server.sent, server.raised)
    assert 1 == len(reported)


def test_no_rule_after_the_beginning() -> None:
    """A rule is not asked for an answer that cannot be sent."""
    errors = ErrorHandler(reporters=())
    errors.on(KeyError)(lambda error, context: pytest.fail("it was asked"))
    server = Server()
    server.run(install(app_that(KeyError(), START), errors), scope_of())
    assert isinstance(server.raised, KeyError)


def test_client_that_goes_away() -> None:
    """What the server raises in sending, as it came or as a cause, is no failure."""
    gone = OSError("gone")
    server, reported = run(RuntimeError(), START, broken=gone)
    assert (gone, []) == (server.raised, reported)


def test_client_that_goes_away_as_a_cause() -> None:
    """An error that a framework makes of that is none either."""
    errors, reported = make_errors()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(START)
        except OSError as error:
            raise RuntimeError("cannot send") from error

    server = Server(OSError("gone"))
    server.run(install(app, errors), scope_of())
    assert (RuntimeError, []) == (type(server.raised), reported)


def test_os_error_of_the_handler_is_a_failure() -> None:
    """An `OSError` that has nothing to do with the client is a bug like any other."""
    server, reported = run(OSError("disk full"))
    assert 500 == server.sent[0]["status"]
    assert ["OSError"] == [report.name for report in reported]


def test_cancellation_is_no_failure() -> None:
    """A cancellation, in any spelling, goes through."""
    error = concurrent.futures.CancelledError()
    server, reported = run(error)
    assert (error, [], []) == (server.raised, server.sent, reported)


def in_lifespan(app: Any, broken: BaseException | None = None) -> tuple[Server, list[Report]]:
    """Run the lifespan of a guarded application."""
    errors, reported = make_errors()
    server = Server(broken)
    server.run(install(app, errors), scope_of("lifespan"))
    return server, reported


def test_lifespan() -> None:
    """A failure of the lifespan is reported and raised."""
    error = UserMissing()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await receive()
            raise KeyError
        finally:
            raise error

    server, reported = in_lifespan(app)
    assert (error, []) == (server.raised, server.sent)
    assert [("UserMissing", "lifespan")] == [(report.name, report.source) for report in reported]


def test_application_without_a_lifespan() -> None:
    """One that raises before it has heard of a start says that it has none: that is no failure."""
    error = KeyError("path")
    server, reported = in_lifespan(app_that(error))
    assert (error, []) == (server.raised, reported)


@pytest.mark.parametrize("fails", [True, False])
def test_server_that_raises_in_the_lifespan(*, fails: bool) -> None:
    """What a server raises, told of a failure, is not reported; what failed is, and once."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        try:
            if fails:
                raise UserMissing
        finally:
            await send({"type": "lifespan.startup.failed"})

    word = ValueError("the start has failed")
    server, reported = in_lifespan(app, broken=word)
    assert word is server.raised
    assert [("UserMissing" if fails else "ValueError")] == [report.name for report in reported]


def test_websocket_before_the_handshake() -> None:
    """A websocket that fails before the handshake is closed with a code of its kind."""
    server, reported = run(UserMissing(), kind="websocket")
    assert [{"type": "websocket.close", "code": 1008, "reason": ""}] == server.sent
    assert ["websocket"] == [report.source for report in reported]


def test_websocket_that_was_closed() -> None:
    """A failure after a websocket was closed is reported, and that is all."""
    close = {"type": "websocket.close", "code": 1000}
    server, reported = run(UserMissing(), {"type": "websocket.accept"}, close, kind="websocket")
    assert (None, 1) == (server.raised, len(reported))


def test_accept_headers_are_joined() -> None:
    """Several ``Accept`` headers are one."""
    errors, _ = make_errors()
    accept = [(b"accept", b"text/html;q=0.1"), (b"accept", b"text/plain")]
    server = Server()
    server.run(install(app_that(UserMissing()), errors), scope_of("http", *accept))
    assert (b"content-type", b"text/plain; charset=utf-8") in server.sent[0]["headers"]


async def made_later(error: Any, context: Any) -> Any:
    """Answer, as an async rule."""
    return None


def test_async_rules() -> None:
    """Async rules are awaited, by the guard and by the answer of a single handler."""
    errors = ErrorHandler(reporters=())
    errors.on(UserMissing, status=404)(made_later)
    first, second = Server(), Server()
    first.run(install(app_that(UserMissing()), errors), scope_of())
    second.run(as_next(errors)(UserMissing()), scope_of())
    assert [404, 404] == [server.sent[0]["status"] for server in (first, second)]


def test_rule_that_returns_no_application() -> None:
    """A rule that returns data is reported as a defect, and answered with a plain 500."""
    errors, reported = make_errors()
    errors.on(KeyError)(lambda error, context: {"status": 404})
    server = Server()
    server.run(install(app_that(KeyError()), errors), scope_of())
    assert 500 == server.sent[0]["status"]
    assert ["KeyError", "TypeError"] == [report.name for report in reported]


@pytest.mark.parametrize(("app", "errors"), [(None, ErrorHandler()), (app_that, None)])
def test_what_cannot_be_installed(app: Any, errors: Any) -> None:
    """What is no application, or no error handler, is refused by name."""
    with pytest.raises(TypeError, match=r"install\(app, errors\) takes .*: got None"):
        install(app, errors)


def test_cause_of_itself() -> None:
    """An error that is its own cause (``raise error from error``) is answered like any other."""
    error = UserMissing()
    error.__cause__ = error
    server, reported = run(error)
    assert (404, 1) == (server.sent[0]["status"], len(reported))


def test_what_is_no_error_handler_of_next() -> None:
    """`as_next` refuses what is no `ErrorHandler` when it is called."""
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("broken", "expected"),
    [(OSError(), []), (BrokenPipeError(32, "gone"), []), (FileNotFoundError(2, "no"), 1)],
)
def test_send_that_fails(broken: OSError, expected: Any) -> None:
    """A server's own error says that the client has gone; one with a number is the system's."""
    errors, reported = make_errors()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)

    server = Server(broken)
    server.run(install(app, errors), scope_of())
    assert broken is server.raised
    assert len(reported) == (expected or 0)


def test_a_websocket_is_over() -> None:
    """What a websocket's guard has noted is forgotten with it, also in the same task."""
    errors, _ = make_errors()
    seen: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(in_websocket.get())

    async def main() -> None:
        for kind in ("http", "websocket", "http"):
            await install(app, errors)(scope_of(kind), None, None)  # type: ignore[arg-type]

    asyncio.run(main())
    assert [False, True, False] == seen
