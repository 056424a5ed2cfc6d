"""What is special to Starlette: middlewares, background tasks, websockets, lifespan, its errors."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from catchasync import ErrorHandler, catch_async
from catchasync.errors import NotFound
from catchasync.integrations.starlette import as_next, install
from tests.integrations.contract import Report, UserMissing, make_errors

Call = Callable[[Request], Awaitable[Response]]


def bug(request: Request) -> Response:
    """Fail."""
    raise RuntimeError("secret")


def missing(request: Request) -> Response:
    """Fail in another way."""
    raise LookupError("secret")


def app_of(endpoint: Any, **options: Any) -> tuple[Starlette, list[Report]]:
    """Return an app with one route, and what is reported."""
    errors, reported = make_errors()
    return install(Starlette(routes=[Route("/", endpoint)], **options), errors), reported


def names(reported: list[Report]) -> list[tuple[str, str | None]]:
    """Return what was reported, and from where."""
    return [(report.name, report.source) for report in reported]


def test_answers_pass_through_middlewares() -> None:
    """A middleware adds its headers to the answer to a bug as to any response."""
    app, reported = app_of(bug)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    response = TestClient(app).get("/", headers={"Origin": "https://example.org"})
    assert (500, "*") == (response.status_code, response.headers["access-control-allow-origin"])
    assert [("RuntimeError", "route")] == names(reported)


def test_middleware_that_fails() -> None:
    """What a middleware raises is answered, also where it was added after `install`."""

    async def broken(request: Request, call_next: Call) -> Response:
        raise UserMissing

    app, reported = app_of(bug, debug=True)
    app.add_middleware(BaseHTTPMiddleware, dispatch=broken)
    assert 404 == TestClient(app).get("/").status_code
    assert [("UserMissing", "route")] == names(reported)


@pytest.mark.parametrize("error", [HTTPException(409), LookupError("secret"), ValueError("secret")])
def test_late_error_that_has_a_handler(error: Exception) -> None:
    """It is reported itself, not Starlette's word for it: that it came too late to be answered."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise error

    async def stream(request: Request) -> Response:
        return StreamingResponse(parts())

    async def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse("never")

    app, reported = app_of(stream, exception_handlers={LookupError: answer, RuntimeError: answer})
    with pytest.raises((RuntimeError, ValueError)):
        TestClient(app).get("/")
    assert [(type(error).__name__, "route")] == names(reported)


def test_middleware_lets_failures_by() -> None:
    """A failure that is answered inside does not come to the outer guard as well."""

    async def passing(request: Request, call_next: Call) -> Response:
        return await call_next(request)

    app, reported = app_of(bug)
    app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    assert 500 == TestClient(app).get("/").status_code
    assert [("RuntimeError", "route")] == names(reported)


def test_middleware_that_holds_the_head_back() -> None:
    """A body is not sent without its head, where a middleware around a closed one has that."""

    async def failing_after(request: Request, call_next: Call) -> Response:
        await call_next(request)
        raise ValueError

    errors, reported = make_errors()
    app = Starlette(
        routes=[Route("/", lambda request: PlainTextResponse("ok"))],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=failing_after),
            Middleware(GZipMiddleware, minimum_size=1),
        ],
    )
    client = TestClient(install(app, errors), headers={"accept-encoding": "identity"})
    answer = client.get("/")
    assert (500, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert [("ValueError", "route")] == names(reported)


def test_http_errors_leave_nothing_behind() -> None:
    """An error, and what its handler held, is gone when it has been answered."""
    errors, _reported = make_errors()
    held: list[Any] = []

    class Held:
        """What a handler has in hand."""

    async def handler(request: Request) -> Response:
        in_hand = Held()
        held.append(weakref.ref(in_hand))
        raise HTTPException(404)

    app = install(Starlette(routes=[Route("/", handler)]), errors)

    async def receive() -> Any: ...

    async def send(message: Any) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(StopIteration):
            app({**scope}, receive, send).send(None)
        assert [None] == [each() for each in held]
    finally:
        gc.enable()


class Outer:
    """A middleware of ASGI that notes what it sees, and adds a header."""

    def __init__(self, app: Any, seen: list[Any]) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the app."""

        async def adding(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.seen.append(message["status"])
                message["headers"] = [*message["headers"], (b"x-seen", b"1")]
            await send(message)

        try:
            await self.app(scope, receive, adding)
        except Exception as error:
            self.seen.append(error)
            raise


def test_middlewares_see_the_failure_and_then_the_answer() -> None:
    """A middleware can roll back before it is answered, and still adds its headers."""
    app, reported = app_of(bug)
    seen: list[Any] = []
    app.add_middleware(Outer, seen=seen)
    response = TestClient(app).get("/")
    assert (500, "1") == (response.status_code, response.headers["x-seen"])
    [error, status] = seen
    assert (RuntimeError, 500) == (type(error), status)
    assert [("RuntimeError", "route")] == names(reported)


def test_middleware_whose_way_out_is_closed() -> None:
    """An answer that a middleware cannot let out any more goes past it, whole."""
    errors = ErrorHandler(reporters=())
    errors.on(RuntimeError)(lambda error, context: PlainTextResponse("long" * 1000, 418))
    app = install(Starlette(routes=[Route("/", bug)]), errors)
    app.add_middleware(GZipMiddleware)
    app.add_middleware(Outer, seen=[])
    response = TestClient(app).get("/")
    assert (418, "long" * 1000) == (response.status_code, response.text)


def test_way_out_that_is_partly_closed() -> None:
    """Where one middleware lets nothing through, those around it still do: a browser may read it.

    The stream of a `BaseHTTPMiddleware` is closed by the failure that passes it.
    """

    async def passing(request: Request, call_next: Call) -> Response:
        return await call_next(request)

    app, reported = app_of(bug)
    seen: list[Any] = []
    app.add_middleware(Outer, seen=seen)
    app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    response = TestClient(app).get("/", headers={"Origin": "https://example.org"})
    assert (500, "*") == (response.status_code, response.headers["access-control-allow-origin"])
    assert ([RuntimeError, 500], 1) == ([type(seen[0]), seen[1]], len(reported))


def test_middleware_that_makes_another_scope() -> None:
    """A middleware may hand on a scope without what we keep there."""

    class Renewing(Outer):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            kept = {name: scope[name] for name in scope if not name.startswith("catchasync")}
            await self.app(kept, receive, send)

    app, reported = app_of(bug)
    app.add_middleware(Renewing, seen=[])
    assert 500 == TestClient(app).get("/").status_code
    assert [("RuntimeError", "route")] == names(reported)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("middlewares", [[], [Middleware(CORSMiddleware)]])
def test_answer_that_fails(*, debug: bool, middlewares: list[Middleware]) -> None:
    """Where the answer of a rule fails as it is sent, Starlette answers, as without us."""

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("in the answer")

    def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse(f"mine: {error!r}", 500)

    errors = ErrorHandler(reporters=())
    errors.on(RuntimeError)(lambda error, context: broken)
    handlers: Any = {} if debug else {Exception: answer}
    app = Starlette(debug, [Route("/", bug)], exception_handlers=handlers, middleware=middlewares)
    client = TestClient(install(app, errors), raise_server_exceptions=False)
    response = client.get("/")
    assert (500, True) == (response.status_code, "in the answer" in response.text)
    assert debug is not response.text.startswith("mine: LookupError")


def test_handler_of_starlettes_outermost_layer() -> None:
    """It is called where the response had begun, too: the error is the server's then."""
    seen: list[Exception] = []

    async def handler(request: Request) -> Response:
        async def body() -> AsyncGenerator[bytes, None]:
            yield b"half"
            raise RuntimeError("secret")

        return StreamingResponse(body())

    def note(request: Request, error: Exception) -> Response:
        seen.append(error)
        return PlainTextResponse("not sent")

    app, reported = app_of(handler, exception_handlers={500: note})
    with pytest.raises(RuntimeError):
        TestClient(app).get("/")
    assert [RuntimeError] == [type(error) for error in seen]
    assert [("RuntimeError", "route")] == names(reported)


class Own(Starlette):
    """An app whose layers are its own affair."""

    def build_middleware_stack(self) -> Any:
        """Return the router alone."""
        return self.router


def test_app_with_layers_of_its_own() -> None:
    """An app that does without Starlette's layers is guarded all the same."""
    errors, reported = make_errors()
    app = install(Own(routes=[Route("/", bug)]), errors)
    assert 500 == TestClient(app).get("/").status_code
    assert [("RuntimeError", "route")] == names(reported)


def test_outermost_layer_that_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody watches Starlette's outermost layer being called, it still is."""
    seen: list[str] = []
    call = ServerErrorMiddleware.__call__

    async def watching(self: Any, scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        await call(self, scope, receive, send)

    monkeypatch.setattr(ServerErrorMiddleware, "__call__", watching)
    errors, reported = make_errors()
    errors.on(LookupError)(lambda error, context: call)  # no application: its call fails
    routes = [Route("/", bug), Route("/broken", missing)]
    client = TestClient(install(Starlette(routes=routes), errors), raise_server_exceptions=False)
    assert [500, 500] == [client.get(path).status_code for path in ("/", "/broken")]
    assert ["/", "/broken"] == seen
    assert [("RuntimeError", "route"), ("LookupError", "route")] == names(reported)


def test_install_twice() -> None:
    """Where it is installed twice, the inner one, of the second call, answers, once."""
    errors, reported = make_errors()
    others, nothing = make_errors()
    app = install(install(Starlette(routes=[Route("/", bug)]), others), errors)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    response = TestClient(app).get("/", headers={"Origin": "https://example.org"})
    assert (500, "*") == (response.status_code, response.headers["access-control-allow-origin"])
    assert ([("RuntimeError", "route")], []) == (names(reported), nothing)


def test_middleware_that_swallows_what_comes_late() -> None:
    """Nor is an answer lost where a middleware drops what comes after its end."""

    class Dropping(Outer):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            is_over = False

            async def until_over(message: Any) -> None:
                if not is_over:
                    await send(message)

            try:
                await self.app(scope, receive, until_over)
            finally:
                is_over = True

    app, reported = app_of(bug)
    app.add_middleware(Dropping, seen=[])
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    response = TestClient(app).get("/", headers={"Origin": "https://example.org"})
    assert (500, "*") == (response.status_code, response.headers["access-control-allow-origin"])
    assert [("RuntimeError", "route")] == names(reported)


def test_answer_goes_past_what_is_closed() -> None:
    """Middlewares inside of one that lets nothing through any more have their say all the same."""

    async def passing(request: Request, call_next: Call) -> Response:
        return await call_next(request)

    app, reported = app_of(bug)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    response = TestClient(app).get("/", headers={"Origin": "https://example.org"})
    assert (500, "*") == (response.status_code, response.headers["access-control-allow-origin"])
    assert [("RuntimeError", "route")] == names(reported)


def test_middleware_that_is_closed() -> None:
    """Nor where one of its own kind raises: an answer goes past it, and out by those around it."""

    class Closing(Outer):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            is_over = False

            async def until_over(message: Any) -> None:
                if is_over:
                    raise RuntimeError("closed")
                await send(message)

            try:
                await self.app(scope, receive, until_over)
            finally:
                is_over = True

    app, reported = app_of(bug)
    app.add_middleware(Closing, seen=[])
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    response = TestClient(app).get("/", headers={"Origin": "https://example.org"})
    assert (500, "*") == (response.status_code, response.headers["access-control-allow-origin"])
    assert [("RuntimeError", "route")] == names(reported)


@pytest.mark.parametrize("is_inside", [True, False])
@pytest.mark.parametrize("part", ["http.response.start", "http.response.body"])
def test_answer_that_breaks_on_its_way_out(part: str, *, is_inside: bool) -> None:
    """An answer of which something has gone out is not sent a second time."""
    sent: list[str] = []

    async def passing(request: Request, call_next: Call) -> Response:
        return await call_next(request)

    class Breaking(Outer):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def breaking(message: Any) -> None:
                await send(message)
                sent.append(message["type"])
                if message["type"] == part:
                    raise LookupError

            await self.app(scope, receive, breaking)

    app, reported = app_of(bug)
    if is_inside:
        app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    app.add_middleware(Breaking, seen=[])
    with pytest.raises(LookupError):
        TestClient(app).get("/")
    assert part == sent[-1]
    assert len(sent) == len(set(sent))
    assert [("RuntimeError", "route")] == names(reported)


def test_mounted_app_whose_middleware_fails() -> None:
    """The app that is mounted answers by its own way, not by that of the app around it."""

    async def broken(request: Request, call_next: Call) -> Response:
        raise UserMissing

    inner, reported = app_of(bug)
    inner.add_middleware(BaseHTTPMiddleware, dispatch=broken)
    outer = install(Starlette(routes=[Mount("/sub", inner)]), make_errors()[0])
    seen: list[Any] = []
    outer.add_middleware(Outer, seen=seen)
    response = TestClient(outer).get("/sub/")
    assert (404, "1", [404]) == (response.status_code, response.headers["x-seen"], seen)
    assert [("UserMissing", "route")] == names(reported)


def test_middlewares_of_the_app_are_as_they_were() -> None:
    """The app's own list of middlewares holds what the app has put there."""
    app, _reported = app_of(bug)
    app.add_middleware(Outer, seen=[])
    TestClient(app).get("/")
    assert [True] == [isinstance(each.cls, type(Outer)) for each in app.user_middleware]


def test_handlers_of_the_app_come_first() -> None:
    """An exception handler that the app has for a class answers as without us."""

    def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse("mine", 499)

    app, reported = app_of(bug, exception_handlers={RuntimeError: answer})
    assert (499, "mine") == ((r := TestClient(app).get("/")).status_code, r.text)
    assert [] == reported


def test_not_modified_is_no_failure() -> None:
    """An ``HTTPException`` below 400 is answered as Starlette does, and not reported."""

    def unchanged(request: Request) -> Response:
        raise HTTPException(304, headers={"etag": "7"})

    app, reported = app_of(unchanged)
    response = TestClient(app).get("/")
    assert (304, "7", []) == (response.status_code, response.headers["etag"], reported)


def test_redirect_is_no_failure() -> None:
    """Nor is a redirect that is raised; its body is Starlette's too."""

    def moved(request: Request) -> Response:
        raise HTTPException(307, headers={"location": "/ok"})

    app, reported = app_of(moved)
    response = TestClient(app).get("/", follow_redirects=False)
    assert (307, "/ok") == (response.status_code, response.headers["location"])
    assert ("Temporary Redirect", []) == (response.text, reported)


def test_context() -> None:
    """Rules and reporters are told which request failed, and which handler."""
    seen: list[Any] = []
    errors = ErrorHandler(reporters=[lambda error, context: seen.append(context)])
    app = install(Starlette(routes=[Route("/", bug)]), errors)
    TestClient(app).get("/", headers={"accept": "text/html"})
    [context] = seen
    assert (bug, "GET", "text/html") == (context.handler, context.method, context.accept)
    assert "/" == context.request.url.path


def test_background_task_that_fails() -> None:
    """A failure after the end of the response is reported once, and the response stands."""

    def fail() -> None:
        raise RuntimeError("secret")

    def handler(request: Request) -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(fail))

    app, reported = app_of(handler)
    assert "ok" == TestClient(app).get("/").text
    assert [("RuntimeError", "route")] == names(reported)


def test_client_that_goes_away() -> None:
    """A client that went away is no failure: nothing is reported, Starlette's error goes on."""

    async def handler(request: Request) -> Response:
        raise ClientDisconnect

    app, reported = app_of(handler)
    with pytest.raises(ClientDisconnect):
        TestClient(app).get("/")
    assert [] == reported


def test_lifespan_that_fails() -> None:
    """A startup that fails is reported once, and fails."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        raise RuntimeError("secret")
        yield

    app, reported = app_of(bug, lifespan=lifespan)
    with pytest.raises(RuntimeError), TestClient(app):
        pass
    assert [("RuntimeError", "lifespan")] == names(reported)


async def socket(websocket: WebSocket) -> None:
    """Accept, and fail."""
    await websocket.accept()
    raise RuntimeError("secret")


async def early_socket(websocket: WebSocket) -> None:
    """Fail before anything is accepted."""
    raise UserMissing


def test_websocket_that_fails() -> None:
    """A websocket that was accepted and fails is reported once, and broken off."""
    errors, reported = make_errors()
    app = install(Starlette(routes=[WebSocketRoute("/", socket)]), errors)
    with pytest.raises(RuntimeError), TestClient(app).websocket_connect("/"):
        pass
    assert [("RuntimeError", "websocket")] == names(reported)


def test_websocket_that_fails_early() -> None:
    """A websocket that fails before it is accepted is answered."""
    errors, reported = make_errors()
    app = install(Starlette(routes=[WebSocketRoute("/", early_socket)]), errors)
    with pytest.raises(WebSocketDisconnect), TestClient(app).websocket_connect("/"):
        pass
    assert [("UserMissing", "websocket")] == names(reported)


def test_answer_that_is_dropped() -> None:
    """A websocket drops what its handler returns: the failure is reported all the same, once."""
    errors, reported = make_errors()
    route = WebSocketRoute("/", catch_async(next=as_next(errors))(socket))
    client = TestClient(Starlette(routes=[route]))
    with contextlib.suppress(WebSocketDisconnect), client.websocket_connect("/"):
        pass
    assert ["RuntimeError"] == [report.name for report in reported]


@pytest.mark.parametrize("is_early", [False, True])
def test_next_in_a_websocket(*, is_early: bool) -> None:
    """A decorated websocket that fails is reported, and broken off, as one that is not."""
    errors, reported = make_errors()
    handler = catch_async(next=as_next(errors))(early_socket if is_early else socket)
    app = install(Starlette(routes=[WebSocketRoute("/", handler)]), errors)
    raised = WebSocketDisconnect if is_early else RuntimeError
    with pytest.raises(raised), TestClient(app).websocket_connect("/"):
        pass
    expected = "UserMissing" if is_early else "RuntimeError"
    assert [(expected, "websocket")] == names(reported)


def test_next_runs_background_tasks() -> None:
    """The response of `as_next` runs the background task that it is given."""
    ran: list[int] = []
    errors, _ = make_errors()
    response = as_next(errors)(UserMissing())
    response.background = BackgroundTask(ran.append, 7)

    def handler(request: Request) -> Response:
        return response

    TestClient(Starlette(routes=[Route("/", handler)])).get("/")
    assert [7] == ran


def test_response_of_next() -> None:
    """The response of `as_next` has its status at once, and nothing that responses have not."""
    response = as_next(make_errors()[0])(NotFound())
    assert (404, "0") == (response.status_code, response.headers["content-length"])
    with pytest.raises(AttributeError, match="'ErrorAnswer' object has no attribute 'stream'"):
        getattr(response, "stream")  # noqa: B009 - by name, past the type checkers


def test_what_is_added_to_the_answer_of_next() -> None:
    """A decorator around the decorated handler may add headers and cookies to its answer."""
    errors, _reported = make_errors()
    decorated = catch_async(next=as_next(errors))(bug)

    async def page(request: Request) -> Response:
        response = decorated(request)
        response.headers["X-Seen"] = "1"
        response.set_cookie("seen", "yes")
        return response

    answer = TestClient(Starlette(routes=[Route("/", page)])).get("/")
    assert (500, "1", "yes") == (
        answer.status_code,
        answer.headers["x-seen"],
        answer.cookies["seen"],
    )


def test_next_without_install() -> None:
    """A single handler is answered in the client's format, also where nothing is installed."""
    errors, reported = make_errors()
    handler = catch_async(next=as_next(errors))(bug)
    client = TestClient(Starlette(routes=[Route("/", handler)]))
    answer = client.get("/", headers={"Accept": "text/plain"})
    assert (500, "text/plain; charset=utf-8") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert [("RuntimeError", "route")] == names(reported)


def test_async_rule() -> None:
    """What an async rule returns, a response of Starlette's, is the answer."""
    errors = ErrorHandler(reporters=())

    @errors.on(RuntimeError)
    async def _(error: Exception, context: Any) -> Response:
        return PlainTextResponse(context.request.url.path, 418)

    decorated = catch_async(next=as_next(errors))(bug)
    routes = [Route("/plain", bug), Route("/decorated", decorated)]
    client = TestClient(install(Starlette(routes=routes), errors))
    assert ["/plain", "/decorated"] == [client.get(path).text for path in ("/plain", "/decorated")]


def test_rule_that_returns_no_response() -> None:
    """A rule that returns data is reported as a defect, and answered with a plain 500."""
    errors, reported = make_errors()

    @errors.on(RuntimeError)
    def _(error: Exception, context: Any) -> dict[str, int]:
        return {"status": 404}

    client = TestClient(install(Starlette(routes=[Route("/", bug)]), errors))
    assert 500 == client.get("/").status_code
    assert ["RuntimeError", "TypeError"] == [report.name for report in reported]


def test_rule_for_everything_that_returns_no_response() -> None:
    """Nor is there a loop where the rule for that defect returns data as well."""
    errors, reported = make_errors()

    @errors.on(Exception)
    def _(error: Exception, context: Any) -> dict[str, int]:
        return {"status": 404}

    answer = TestClient(install(Starlette(routes=[Route("/", bug)]), errors)).get("/")
    assert (500, "Internal Server Error") == (answer.status_code, answer.text)
    assert ["RuntimeError", "TypeError"] == [report.name for report in reported]


@pytest.mark.parametrize("app", [None, lambda scope, receive, send: None])
def test_what_is_no_app(app: Any) -> None:
    """What is no Starlette app is refused by name."""
    with pytest.raises(TypeError, match="takes a Starlette app first: got"):
        install(app, ErrorHandler())


def test_what_is_no_error_handler() -> None:
    """What is no `ErrorHandler` is refused, and the app is unchanged."""
    with pytest.raises(TypeError, match=r"takes a catchasync\.ErrorHandler second: got"):
        install(Starlette(), print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_app_that_serves_already() -> None:
    """An app that has begun to serve is refused: its middleware has been built."""
    app = Starlette()
    TestClient(app).get("/")
    with pytest.raises(RuntimeError, match="before the app serves its first request"):
        install(app, ErrorHandler())


def test_way_out_is_not_kept() -> None:
    """A request is let go of in the end: its scope holds nothing that leads back to it."""
    scopes: list[Any] = []

    async def endpoint(request: Request) -> Response:
        scopes.append(request.scope)
        return PlainTextResponse("ok")

    app, _ = app_of(endpoint)
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    assert 200 == TestClient(app).get("/").status_code
    assert scopes[0]["catchasync.ways_out"] is None


def test_what_is_no_error_handler_of_next() -> None:
    """`as_next` refuses what is no `ErrorHandler` when it is called."""
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_stream_of_a_mounted_app_that_has_an_install_of_its_own() -> None:
    """What fails midway passes both, and is reported once."""
    errors, reported = make_errors()

    async def parts() -> AsyncIterator[bytes]:
        yield b"part"
        raise RuntimeError("secret")

    def view(request: Request) -> Response:
        return StreamingResponse(parts())

    inner = install(Starlette(routes=[Route("/", view)]), errors)
    app = install(Starlette(routes=[Mount("/inner", inner)]), errors)
    with pytest.raises(RuntimeError):
        TestClient(app).get("/inner/")
    assert [("RuntimeError", "route")] == names(reported)


def test_rule_that_answers_a_decorated_handler() -> None:
    """A response that a rule returns is sent as it is."""
    errors = ErrorHandler(reporters=())
    errors.on(LookupError)(lambda _error, _context: PlainTextResponse("rule", 418))
    app = Starlette(routes=[Route("/", catch_async(next=as_next(errors))(missing))])
    answer = TestClient(app).get("/")
    assert (418, "rule") == (answer.status_code, answer.text)
