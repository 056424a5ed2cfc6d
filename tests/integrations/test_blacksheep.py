"""What is special in BlackSheep: binding, its handlers, middlewares, websockets, start, stop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import pytest

pytest.importorskip("blacksheep")

from blacksheep import (
    Application,
    Request,
    Response,
    Router,
    StreamedContent,
    WebSocket,
    text,
)
from blacksheep.exceptions import Conflict, NotFound
from blacksheep.server.websocket import WebSocketDisconnectError
from blacksheep.testing import TestClient

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.blacksheep import as_next, install
from tests.integrations import contract
from tests.integrations.contract import SECRET, Report, UserMissing, make_errors
from tests.integrations.servers import serve_asgi

Made: TypeAlias = tuple[ErrorHandler, list[Report]]


@pytest.fixture
def made() -> Made:
    """Return an error handler, and what it reports."""
    return make_errors()


def names(made: Made) -> list[tuple[str, str | None]]:
    """Return what was reported, and where it came from."""
    return [(report.name, report.source) for report in made[1]]


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a handler that raises."""

    async def handler() -> Response:
        raise make()

    return handler


@pytest.fixture
def app(made: Made) -> Application:
    """Return an app with the handler installed."""
    app = install(Application(router=Router()), made[0])
    app.router.add_get("/bug", raiser(lambda: RuntimeError(SECRET)))
    app.router.add_get("/missing", raiser(UserMissing))
    app.router.add_get("/conflict", raiser(Conflict))
    return app


def ask(app: Any, path: str) -> tuple[int, str]:
    """Ask an app, in this process."""

    async def run() -> tuple[int, str]:
        await app.start()
        answer = await TestClient(app).get(path)
        return answer.status, await answer.text()

    return asyncio.run(run())


def test_parameters_are_bound(app: Application, made: Made) -> None:
    """Handlers are called with what their annotations ask for, decorated ones too."""

    @app.router.get("/users/{number}")
    @catch_async(next=as_next(made[0]))
    def show(number: int) -> Response:
        if number < 0:
            raise UserMissing
        return text(repr(number))

    assert (200, "7") == ask(app, "/users/7")


def test_own_exception_handlers_come_first(app: Application, made: Made) -> None:
    """The app's exception handlers, by class or by status, are called as without us."""

    async def own(app: Application, request: Request, error: Exception) -> Response:
        return text("own", 418)

    app.exceptions_handlers[UserMissing] = own
    app.exceptions_handlers[409] = own
    assert [(418, "own")] * 2 == [ask(app, path) for path in ("/missing", "/conflict")]
    assert [] == made[1]


def test_failures_are_logged(app: Application, caplog: pytest.LogCaptureFixture) -> None:
    """BlackSheep logs bugs with their exception, and what is expected as information."""
    caplog.set_level(logging.INFO, "blacksheep.server")
    for path in ("/bug", "/missing", "/conflict"):
        ask(app, path)
    logged = [record for record in caplog.records if record.name == "blacksheep.server"]
    assert [logging.ERROR, logging.INFO, logging.INFO] == [each.levelno for each in logged]
    assert logged[0].exc_info is not None


def test_middleware_failure_is_answered(app: Application, made: Made) -> None:
    """A middleware's failure is answered and reported as a handler's is."""

    async def broken(request: Request, handler: Any) -> Response:
        raise RuntimeError(SECRET)

    app.middlewares.append(broken)
    assert 500 == ask(app, "/missing")[0]
    assert [("RuntimeError", "route")] == names(made)


def test_async_rule_answers(app: Application, made: Made) -> None:
    """A rule may be async, and return a response of BlackSheep's; so for a decorated handler."""

    @made[0].on(UserMissing)
    async def _(error: Exception, context: Any) -> Response:
        await asyncio.sleep(0)
        return text(context.request.path, 410)

    decorate: Any = catch_async(next=as_next(made[0]))
    app.router.add_get("/decorated", decorate(raiser(UserMissing)))
    assert [(410, path) for path in ("/missing", "/decorated")] == [
        ask(app, path) for path in ("/missing", "/decorated")
    ]


def test_handler_is_known(app: Application, made: Made) -> None:
    """Rules and reporters are told which handler failed, whatever BlackSheep has put around it."""
    seen: list[Any] = []
    made[0].on(UserMissing, LookupError)(lambda error, context: seen.append(context.handler))
    handler = raiser(UserMissing)
    app.router.add_get("/known", handler)

    async def passing(request: Request, handler: Any) -> Any:
        return await handler(request)

    app.middlewares.append(passing)
    ask(app, "/known")
    assert [handler] == seen


def test_no_handler_is_known_of_nothing(app: Application, made: Made) -> None:
    """Where no route matches, no handler is told of."""
    seen: list[Any] = []
    made[0].on(NotFound)(lambda error, context: seen.append(context.handler))
    assert 404 == ask(app, "/nowhere")[0]
    assert [None] == seen


def test_no_handler_is_known_of_a_router_that_fails(app: Application, made: Made) -> None:
    """Where the router cannot be asked again, no handler is told of."""
    seen: list[Any] = []
    made[0].on(UserMissing, status=404)(lambda error, context: seen.append(context.handler))
    find = app.router.get_match
    asked: list[Request] = []

    def get_match(request: Request) -> Any:
        asked.append(request)
        if len(asked) > 1:
            raise RuntimeError
        return find(request)

    app.router.get_match = get_match  # type: ignore[method-assign]
    assert 404 == ask(app, "/missing")[0]
    assert ([None], 2) == (seen, len(asked))


def test_own_exception_handler_that_fails(app: Application, made: Made) -> None:
    """What an exception handler of the app's own raises is answered, and reported once."""

    async def own(app: Application, request: Request, error: Exception) -> Response:
        raise RuntimeError(SECRET)

    app.exceptions_handlers[UserMissing] = own
    with serve_asgi(app) as url:
        answer = contract.ask(url, "/missing")
    assert (500, True) == (answer.status, answer.is_whole)
    assert [("RuntimeError", "route")] == names(made)


def test_response_that_cannot_be_sent(app: Application, made: Made) -> None:
    """What fails before the head of a response is sent is answered; later it is broken off."""

    async def parts() -> AsyncIterator[Any]:
        yield b"begun"
        yield "no bytes"

    app.router.add_get(
        "/parts", lambda: Response(200, content=StreamedContent(b"text/plain", parts))
    )
    app.router.add_get("/nothing", lambda: object())
    with serve_asgi(app) as url:
        assert not contract.ask(url, "/parts").is_whole
        assert 500 == contract.ask(url, "/nothing").status
    assert ["route"] * 2 == [source for _, source in names(made)]


def test_nothing_is_sent_after_what_has_begun(app: Application, made: Made) -> None:
    """A failure in the middle of a response goes on to the server, and nothing more is sent."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    app.router.add_get(
        "/parts", lambda: Response(200, content=StreamedContent(b"text/plain", parts))
    )
    scope = {"type": "http", "method": "GET", "path": "/parts", "raw_path": b"/parts",
             "headers": [], "query_string": b""}  # fmt: skip
    server = Server({"type": "http.request"})

    start: Any = app.start

    async def run() -> None:
        await start()
        await app(scope, server.receive, server.send)

    with pytest.raises(RuntimeError, match=SECRET):
        asyncio.run(run())
    assert ["http.response.start", "http.response.body"] == server.sent
    assert [("RuntimeError", "route")] == names(made)


def test_request_that_cannot_be_made(made: Made) -> None:
    """What fails before there is a request is answered, and reported once."""

    class Strict(Application):
        def instantiate_request(self, scope: Any, receive: Any) -> Request:
            raise RuntimeError(SECRET)

    with serve_asgi(install(Strict(router=Router()), made[0])) as url:
        answer = contract.ask(url, "/")
    assert (500, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert [("RuntimeError", "route")] == names(made)


def test_cancellation_passes(app: Application, made: Made) -> None:
    """A cancellation that an exception handler lets out is no failure."""

    async def own(app: Application, request: Request, error: Exception) -> Response:
        raise concurrent.futures.CancelledError

    app.exceptions_handlers[UserMissing] = own
    with serve_asgi(app) as url:
        assert 500 == contract.ask(url, "/missing").status
    assert [] == names(made)


def test_installed_twice(app: Application, made: Made) -> None:
    """The second handler answers; whatever has been installed before, each is reported once."""
    others = make_errors()
    install(app, others[0])
    with serve_asgi(app) as url:
        assert [404, 500] == [contract.ask(url, path).status for path in ("/missing", "/bug")]
    assert ([], ["UserMissing", "RuntimeError"]) == (
        names(made),
        [name for name, _ in names(others)],
    )


def test_mounted_applications(made: Made) -> None:
    """Each answers with its own error handler."""
    others = make_errors()
    inner = install(Application(router=Router()), others[0])
    inner.router.add_get("/bug", raiser(lambda: RuntimeError(SECRET)))
    outer = Application(router=Router())
    outer.router.add_get("/missing", raiser(UserMissing))
    outer.mount("/inner", inner)
    install(outer, made[0])
    outer.mount_registry.auto_events = True
    with serve_asgi(outer) as url:
        answers = [contract.ask(url, path).status for path in ("/inner/bug", "/missing")]
    assert [500, 404] == answers
    assert [("UserMissing", "route")] == names(made)
    assert [("RuntimeError", "route")] == names(others)


def test_next_answers_without_install(made: Made) -> None:
    """A handler that is decorated alone answers in the default format."""
    handler: Any = catch_async(next=as_next(made[0]))(raiser(UserMissing))
    assert 404 == asyncio.run(handler()).status
    assert [("UserMissing", "route")] == names(made)


class Server:
    """The server's side of one connection."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)
        self.sent: list[str] = []

    async def receive(self) -> dict[str, Any]:
        """Return the next message."""
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        """Note the kind of a message."""
        self.sent.append(message["type"])


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (RuntimeError(SECRET), [("RuntimeError", "websocket")]),
        (WebSocketDisconnectError(1001), []),
    ],
)
def test_websocket_failure_is_reported(
    app: Application, made: Made, error: Exception, reported: Any
) -> None:
    """A websocket's failure is reported once; a client that goes away is no failure."""

    @app.router.ws("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        raise error

    scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b""}
    server = Server({"type": "websocket.connect"})
    start: Any = app.start

    async def run() -> None:
        await start()
        await app(scope, server.receive, server.send)

    with contextlib.suppress(RuntimeError, WebSocketDisconnectError):  # older versions let it out
        asyncio.run(run())
    assert "websocket.accept" == server.sent[0]
    assert reported == names(made)


def test_failing_start_is_reported(app: Application, made: Made) -> None:
    """What fails before serving is reported, and still keeps the app from serving."""

    async def fail(app: Application) -> None:
        raise RuntimeError(SECRET)

    app.on_start += fail
    server = Server({"type": "lifespan.startup"})
    asyncio.run(app({"type": "lifespan"}, server.receive, server.send))
    assert ["lifespan.startup.failed"] == server.sent
    assert [("RuntimeError", "lifespan")] == names(made)


def test_failing_stop_is_reported_once(app: Application, made: Made) -> None:
    """What fails at the end passes two places of ours, and is reported once."""

    async def fail(app: Application) -> None:
        raise RuntimeError(SECRET)

    app.on_stop += fail
    server = Server({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    with pytest.raises(RuntimeError, match=SECRET):
        asyncio.run(app({"type": "lifespan"}, server.receive, server.send))
    assert [("RuntimeError", "lifespan")] == names(made)


def test_install_refuses_other_apps(made: Made) -> None:
    """Only a BlackSheep app is one."""
    with pytest.raises(TypeError, match="takes a BlackSheep app first"):
        install(lambda: None, made[0])  # type: ignore[type-var]


def test_websocket_without_a_route(app: Application, made: Made) -> None:
    """It is reported as what it is; a request without a route is answered, and reported once."""
    start: Any = app.start
    server = Server({"type": "websocket.connect"})
    scope = {"type": "websocket", "path": "/none", "headers": [], "query_string": b""}

    async def run() -> None:
        await start()
        await app(scope, server.receive, server.send)

    asyncio.run(run())
    assert [("NotFound", "websocket")] == names(made)
    assert 404 == ask(app, "/none")[0]
    assert [("NotFound", "websocket"), ("NotFound", "route")] == names(made)
