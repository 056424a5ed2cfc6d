"""What is special to Falcon: responders, streams, its error handlers, websockets; WSGI and ASGI."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from wsgiref.util import FileWrapper

import pytest

falcon: Any = pytest.importorskip("falcon")
falcon_asgi: Any = pytest.importorskip("falcon.asgi")

from falcon import inspect, testing

from catchasync import ErrorHandler, ErrorResponse, catch_async, spawn
from catchasync.errors import NotFound
from catchasync.integrations.falcon import as_next, install, wrap_router
from tests.integrations.contract import Report, Teapot, UserMissing, ask, make_errors
from tests.integrations.servers import serve_asgi, serve_wsgi

App = Callable[[Any, ErrorHandler], Any]


def wsgi_app(handler: Any, errors: ErrorHandler) -> Any:
    """Return a WSGI app, whose one responder calls the handler with its response."""

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            handler(resp)

    return with_route(falcon.App(), Resource(), errors)


def asgi_app(handler: Any, errors: ErrorHandler) -> Any:
    """Same, of ASGI."""

    class Resource:
        async def on_get(self, req: Any, resp: Any) -> None:
            handler(resp)

    return with_route(falcon_asgi.App(), Resource(), errors)


def with_route(app: Any, resource: Any, errors: ErrorHandler) -> Any:
    """Return the app with a resource."""
    app.add_route("/", resource)
    return install(app, errors)


both = pytest.mark.parametrize("app_of", [wsgi_app, asgi_app])


def get(app: Any, **options: Any) -> Any:
    """Ask an app."""
    return testing.TestClient(app).simulate_get("/", **options)


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


def bug(resp: Any) -> None:
    """Fail."""
    raise RuntimeError("secret")


def teapot(resp: Any) -> None:
    """Fail as expected."""
    raise Teapot


@both
def test_response_that_was_being_made(app_of: App) -> None:
    """Of a response that was being made, nothing is sent that says something of the body."""
    errors, _reported = make_errors()

    def handler(resp: Any) -> None:
        resp.text, resp.etag, resp.content_type = "half", "tag", "text/csv"
        resp.set_header("X-Seen", "1")
        resp.cache_control = ["public"]
        raise UserMissing

    result = get(app_of(handler, errors))
    assert "application/problem+json" == result.headers["content-type"]
    assert set() == {"etag", "cache-control"} & {*result.headers}
    assert "1" == result.headers["x-seen"]  # as without us


@both
def test_own_error_handlers(app_of: App) -> None:
    """An error handler of the application's own answers its class; what it raises is rendered."""
    errors, reported = make_errors()
    app = app_of(teapot, errors)

    def handle(req: Any, resp: Any, ex: Any, params: Any) -> None:
        raise falcon.HTTPGone

    async def handle_async(req: Any, resp: Any, ex: Any, params: Any) -> None:
        handle(req, resp, ex, params)

    app.add_error_handler(Teapot, handle_async if app_of is asgi_app else handle)
    result = get(app)
    assert (410, "application/problem+json") == (
        result.status_code,
        result.headers["content-type"],
    )
    assert ["HTTPGone"] == names(reported)


@both
def test_own_error_handler_and_an_async_rule(app_of: App) -> None:
    """What an own error handler raises is reported, and rendered, also where its rule is async."""
    errors, reported = make_errors()
    app = app_of(teapot, errors)

    @errors.on(falcon.HTTPGone)
    async def _(error: Exception, context: Any) -> None: ...

    def handle(req: Any, resp: Any, ex: Any, params: Any) -> None:
        raise falcon.HTTPGone

    async def handle_async(req: Any, resp: Any, ex: Any, params: Any) -> None:
        handle(req, resp, ex, params)

    app.add_error_handler(Teapot, handle_async if app_of is asgi_app else handle)
    assert 410 == get(app).status_code
    assert ["HTTPGone"] == names(reported)


def responder(next: Any, *, is_async: bool) -> Any:
    """Return a resource with a decorated responder that fails."""

    class Resource:
        @catch_async(next=next)
        def on_get(self, req: Any, resp: Any) -> None:
            raise Teapot

    class AsyncResource:
        @catch_async(next=next)
        async def on_get(self, req: Any, resp: Any) -> None:
            raise Teapot

    return AsyncResource() if is_async else Resource()


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_next_without_install(
    monkeypatch: pytest.MonkeyPatch,
    is_async: bool,  # noqa: FBT001 - a parameter
    is_late: bool,  # noqa: FBT001 - a parameter
) -> None:
    """A decorated responder is answered in an app that knows nothing of us."""
    errors, reported = make_errors()
    monkeypatch.setattr("catchasync.integrations.falcon._is_installed", [])
    if is_late:

        @errors.on(Teapot, status=418)
        async def _(error: Exception, context: Any) -> None: ...

    app = falcon_asgi.App() if is_async else falcon.App()
    app.add_route("/", responder(as_next(errors), is_async=is_async))
    result = get(app)
    assert (418, "application/problem+json") == (
        result.status_code,
        result.headers["content-type"],
    )
    assert ["Teapot"] == names(reported)


@pytest.mark.parametrize("is_async", [False, True])
def test_async_rules(is_async: bool) -> None:  # noqa: FBT001 - a parameter
    """A rule may be async, and may return a response of Falcon's."""
    errors, _reported = make_errors()

    @errors.on(Teapot)
    async def _(error: Exception, context: Any) -> Any:
        made = falcon.Response()
        made.status, made.text = 418, f"{context.request.path} {type(context.handler).__name__}"
        made.set_header("X-Seen", "1")
        return made

    app = falcon_asgi.App() if is_async else falcon.App()
    app = with_route(app, responder(as_next(errors), is_async=is_async), errors)
    result = get(app)
    name = "AsyncResource" if is_async else "Resource"
    assert (418, f"/ {name}", "1") == (result.status_code, result.text, result.headers["x-seen"])
    plain = get((asgi_app if is_async else wsgi_app)(teapot, errors))
    assert (418, "/ Resource") == (plain.status_code, plain.text)


@both
def test_rule_that_answers_what_is_no_response(app_of: App) -> None:
    """It is a defect of the rule: reported, and answered with a plain 500."""
    errors, reported = make_errors()
    errors.on(Teapot)(lambda error, context: "short and stout")
    assert 500 == get(app_of(teapot, errors)).status_code
    assert ["Teapot", "TypeError"] == names(reported)


@both
def test_redirect_of_a_decorated_responder(app_of: App) -> None:
    """An ``HTTPStatus`` that is raised passes `next` by."""
    errors, reported = make_errors()

    @catch_async(next=as_next(errors))
    def handler(resp: Any) -> None:
        raise falcon.HTTPFound("/there")

    assert "/there" == get(app_of(handler, errors)).headers["location"]
    assert [] == reported


def test_events_that_were_being_made() -> None:
    """Of server-sent events nothing is sent where the responder fails."""
    errors, reported = make_errors()

    async def events() -> AsyncIterator[Any]:
        yield falcon_asgi.SSEvent(text="begun")

    def handler(resp: Any) -> None:
        resp.sse = events()
        raise UserMissing

    assert 404 == get(asgi_app(handler, errors)).json["status"]
    assert ["UserMissing"] == names(reported)


def test_middleware_that_fails() -> None:
    """What a middleware raises is answered and reported as any failure, of no resource."""
    errors, reported = make_errors()
    seen: list[Any] = []
    errors.on(UserMissing, status=404)(lambda error, context: seen.append(context.handler))

    class Middleware:
        def process_request(self, req: Any, resp: Any) -> None:
            raise UserMissing

    app = wsgi_app(bug, errors)
    app.add_middleware(Middleware())
    assert 404 == get(app).status_code
    assert (["UserMissing"], [None]) == (names(reported), seen)


class Reader:
    """A stream with a ``read`` that fails in the end."""

    def __init__(self, *, fails: bool = True) -> None:
        self.pieces = [b"begun"]
        self.fails = fails
        self.is_closed = False

    def read(self, size: int = -1) -> bytes:
        """Return a piece, or fail."""
        if self.pieces:
            return self.pieces.pop()
        if self.fails:
            raise RuntimeError("secret")
        return b""

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


class AsyncReader(Reader):
    """Same, async."""

    async def read(self, size: int = -1) -> bytes:  # type: ignore[override]
        """Return a piece, or fail."""
        return super().read(size)

    async def close(self) -> None:  # type: ignore[override]
        """Note it."""
        super().close()


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("is_async", [False, True])
def test_streams_that_are_read(is_async: bool, fails: bool) -> None:  # noqa: FBT001 - parameters
    """A stream with a ``read`` is watched, and closed."""
    errors, reported = make_errors()
    stream = AsyncReader(fails=fails) if is_async else Reader(fails=fails)
    app_of, serve = (asgi_app, serve_asgi) if is_async else (wsgi_app, serve_wsgi)

    def handler(resp: Any) -> None:
        resp.stream = stream

    with serve(app_of(handler, errors)) as url:
        answer = ask(url, "/")
    assert (b"begun", not fails) == (answer.body, answer.is_whole)
    assert (["RuntimeError"] if fails else []) == names(reported)
    assert stream.is_closed


def test_head_of_a_stream() -> None:
    """Nothing is made of a stream whose parts nobody asks for."""
    errors, reported = make_errors()
    made: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        made.append(b"ok")
        yield made[0]

    class Resource:
        def on_head(self, req: Any, resp: Any) -> None:
            resp.stream = pieces()

    app = with_route(falcon.App(), Resource(), errors)
    assert 200 == testing.TestClient(app).simulate_head("/").status_code
    assert ([], []) == (made, names(reported))


@both
def test_streams_that_do_not_fail(app_of: App) -> None:
    """A stream comes as it is."""
    errors, reported = make_errors()

    def pieces() -> Iterator[bytes]:
        yield from (b"o", b"k")

    async def pieces_async() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    def handler(resp: Any) -> None:
        resp.stream = pieces_async() if app_of is asgi_app else pieces()

    assert "ok" == get(app_of(handler, errors)).text
    assert [] == reported


def test_files_are_left_to_the_server() -> None:
    """A file is handed to the server as it is, so that it may be sent by the system."""
    errors, _reported = make_errors()
    seen: list[Any] = []

    class File(io.BytesIO):
        def fileno(self) -> int:
            return 0

    class Outer:
        def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:  # noqa: FBT001 - Falcon's signature
            seen.append(type(resp.stream))

    app = falcon.App(middleware=[Outer()])

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            resp.stream = File(b"ok")

    assert "ok" == get(with_route(app, Resource(), errors)).text
    assert [File] == seen
    environ = {**testing.create_environ("/"), "wsgi.file_wrapper": FileWrapper}
    assert FileWrapper is type(app(environ, lambda *_: None))


def test_events_that_fail() -> None:
    """Server-sent events are watched as other streams."""
    errors, reported = make_errors()

    async def events() -> AsyncIterator[Any]:
        yield falcon_asgi.SSEvent(text="begun")
        raise RuntimeError("secret")

    def handler(resp: Any) -> None:
        resp.sse = events()

    with serve_asgi(asgi_app(handler, errors)) as url:
        answer = ask(url, "/")
    assert (b"data: begun\n\n", False) == (answer.body, answer.is_whole)
    assert ["RuntimeError"] == names(reported)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("error", "code"), [(RuntimeError("secret"), 1011), (falcon.HTTPConflict(), 3409)]
)
async def test_websocket_that_fails(error: Exception, code: int) -> None:
    """A websocket's failure is reported, and closed with Falcon's code."""
    errors, reported = make_errors()

    class Resource:
        async def on_websocket(self, req: Any, ws: Any) -> None:
            await ws.accept()
            raise error

    app = with_route(falcon_asgi.App(), Resource(), errors)
    async with testing.ASGIConductor(app) as conductor:
        async with conductor.simulate_ws("/") as ws:
            with pytest.raises(falcon.WebSocketDisconnected) as caught:
                await ws.receive_text()
        assert code == caught.value.code
    assert [(type(error).__name__, "websocket")] == [(each.name, each.source) for each in reported]


@pytest.mark.asyncio
async def test_websocket_whose_client_goes_away() -> None:
    """That a client has gone away is no failure."""
    errors, reported = make_errors()
    closed: list[bool] = []

    class Resource:
        async def on_websocket(self, req: Any, ws: Any) -> None:
            await ws.accept()
            try:
                await ws.receive_text()
            finally:
                closed.append(ws.closed)

    app = with_route(falcon_asgi.App(), Resource(), errors)
    async with testing.ASGIConductor(app) as conductor, conductor.simulate_ws("/") as ws:
        await ws.close()
    assert [True] == closed
    assert [] == reported


@pytest.mark.asyncio
async def test_websocket_that_is_refused() -> None:
    """A websocket that fails before it is accepted is reported, and refused with its status."""
    errors, reported = make_errors()

    class Resource:
        async def on_websocket(self, req: Any, ws: Any) -> None:
            raise falcon.HTTPConflict

    app = with_route(falcon_asgi.App(), Resource(), errors)
    with pytest.raises(falcon.WebSocketDisconnected) as caught:
        await opened(app)
    assert 3409 == caught.value.code
    assert ["HTTPConflict"] == names(reported)


async def opened(app: Any) -> None:
    """Open a websocket, and close it."""
    async with testing.ASGIConductor(app) as conductor, conductor.simulate_ws("/"):
        pass


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_media_that_cannot_be_made(method: str) -> None:
    """What fails when a body is made is answered whole, and reported once; headers stay."""
    errors, reported = make_errors()

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            resp.media = {"of": object()}

        on_head = on_get

    app = falcon.App(cors_enable=True)
    app.add_route("/", Resource())
    client = testing.TestClient(install(app, errors))
    result = client.simulate_request(method, "/", headers={"Origin": "https://a.example"})
    assert (500, "*") == (result.status_code, result.headers["access-control-allow-origin"])
    whole = get(wsgi_app(bug, errors))
    assert (whole.content if method == "GET" else b"") == result.content
    assert f"{len(whole.content)}" == result.headers["content-length"]
    assert ["TypeError", "RuntimeError"] == names(reported)


@both
def test_empty_answers(app_of: App) -> None:
    """What has no body has none; so has a failure that a rule answers so."""
    errors, _reported = make_errors()
    errors.on(Teapot)(lambda error, context: ErrorResponse(204, {}, b""))
    assert b"" == get(app_of(lambda resp: None, errors)).content
    empty = get(app_of(teapot, errors))
    assert (204, b"") == (empty.status_code, empty.content)


@both
@pytest.mark.parametrize("kind", [Exception, falcon.HTTPError])
def test_own_error_handlers_of_all_errors(app_of: App, kind: type) -> None:
    """An error handler of the application's own for all errors is called first."""
    errors, reported = make_errors()
    app = falcon_asgi.App() if app_of is asgi_app else falcon.App()

    def handle(req: Any, resp: Any, ex: Any, params: Any) -> None:
        resp.status, resp.text = 418, "own"

    async def handle_async(req: Any, resp: Any, ex: Any, params: Any, ws: Any = None) -> None:
        handle(req, resp, ex, params)

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            raise RuntimeError if kind is Exception else falcon.HTTPConflict

    class AsyncResource:
        async def on_get(self, req: Any, resp: Any) -> None:
            Resource().on_get(req, resp)

    app.add_error_handler(kind, handle_async if app_of is asgi_app else handle)
    with_route(app, AsyncResource() if app_of is asgi_app else Resource(), errors)
    assert (418, "own") == (get(app).status_code, get(app).text)
    assert [] == reported


def test_own_error_handler_that_fails() -> None:
    """What an own error handler raises, no error of Falcon's, is answered and reported."""
    errors, reported = make_errors()
    app = wsgi_app(teapot, errors)
    app.add_error_handler(Teapot, lambda req, resp, ex, params: bug(resp))
    result = get(app)
    assert (500, "application/problem+json") == (
        result.status_code,
        result.headers["content-type"],
    )
    assert ["RuntimeError"] == names(reported)


def test_own_error_handler_that_fails_under_asgi() -> None:
    """It is reported, and goes on to the server, which answers it."""
    errors, reported = make_errors()
    app = asgi_app(teapot, errors)

    async def handle(req: Any, resp: Any, ex: Any, params: Any) -> None:
        bug(resp)

    app.add_error_handler(Teapot, handle)
    with serve_asgi(app) as url:
        assert 500 == ask(url, "/").status
    assert ["RuntimeError"] == names(reported)


def test_next_that_is_called_by_the_responder() -> None:
    """A responder may call the `next` that it takes; what is installed answers."""
    errors, reported = make_errors()

    class Resource:
        @catch_async(next=as_next(errors))
        def on_get(self, req: Any, resp: Any) -> None:
            as_next(errors)(UserMissing())

    class AsyncResource:
        @catch_async(next=as_next(errors))
        async def on_get(self, req: Any, resp: Any) -> None:
            as_next(errors)(UserMissing())

    for app, resource in ((falcon.App(), Resource()), (falcon_asgi.App(), AsyncResource())):
        assert 404 == get(with_route(app, resource, errors)).status_code
    assert ["UserMissing"] * 2 == names(reported)


def test_next_of_another_handler() -> None:
    """The error handler of `as_next` answers, also where another one is installed."""
    errors, reported = make_errors()
    others, others_reported = make_errors()
    get(with_route(falcon.App(), responder(as_next(others), is_async=False), errors))
    assert ([], ["Teapot"]) == (names(reported), names(others_reported))


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_next_where_only_others_are_installed(is_async: bool, is_late: bool) -> None:  # noqa: FBT001 - parameters
    """A decorated responder is answered in an app without us, also beside an app with us."""
    errors, reported = make_errors()
    install(falcon.App(), errors)
    if is_late:

        @errors.on(NotFound)
        async def _(error: Exception, context: Any) -> None: ...

    def missing(req: Any, resp: Any) -> None:
        raise NotFound

    async def missing_async(req: Any, resp: Any) -> None:
        raise NotFound

    app = falcon_asgi.App() if is_async else falcon.App()
    app.add_sink(catch_async(next=as_next(errors))(missing_async if is_async else missing))
    result = get(app)
    assert (404, "application/problem+json") == (
        result.status_code,
        result.headers["content-type"],
    )
    assert ["NotFound"] == names(reported)


def test_failure_on_its_way() -> None:
    """What `next` raises has no attributes but those of an ``HTTPStatus``."""
    errors, _reported = make_errors()
    install(falcon.App(), errors)
    with pytest.raises(falcon.HTTPStatus) as caught:
        as_next(errors)(UserMissing())
    assert not hasattr(caught.value, "text_of_another")
    assert 404 == caught.value.status_code


def test_failure_on_its_way_past_another_decorator() -> None:
    """A failure that has been at one `next` is not one for that of a decorator around it."""
    errors, reported = make_errors()
    others, others_reported = make_errors()

    class Resource:
        @catch_async(next=as_next(others))
        @catch_async(next=as_next(errors))
        def on_get(self, req: Any, resp: Any) -> None:
            raise UserMissing

    assert 404 == get(with_route(falcon.App(), Resource(), errors)).status_code
    assert (["UserMissing"], []) == (names(reported), names(others_reported))


@pytest.mark.parametrize("is_async", [False, True])
def test_decorated_stream_that_fails(is_async: bool) -> None:  # noqa: FBT001 - a parameter
    """A failure on its way out of a stream is reported, as what it is, once."""
    errors, reported = make_errors()

    @catch_async(next=as_next(errors))
    def rows() -> Iterator[bytes]:
        yield b"one"
        raise ValueError

    @catch_async(next=as_next(errors))
    async def rows_async() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError

    def handler(resp: Any) -> None:
        resp.stream = rows_async() if is_async else rows()

    with pytest.raises(falcon.HTTPStatus):
        get((asgi_app if is_async else wsgi_app)(handler, errors))
    assert ["ValueError"] == names(reported)


def test_decorated_function_that_is_spawned() -> None:
    """A failure on its way that reaches the `next` of a task is reported, as what it is, once."""
    errors, reported = make_errors()

    @catch_async(next=as_next(errors))
    async def work() -> None:
        raise ValueError

    async def begin() -> None:
        spawn(work(), next=errors)
        async with asyncio.TaskGroup() as group:
            group.create_task(work())

    class Resource:
        async def on_get(self, req: Any, resp: Any) -> None:
            await begin()

    assert 500 == get(with_route(falcon_asgi.App(), Resource(), errors)).status_code
    assert ["ExceptionGroup", "ValueError"] == sorted(names(reported))


@pytest.mark.asyncio
async def test_lifespan_that_fails() -> None:
    """What fails at start and stop is reported, and Falcon tells the server."""
    errors, reported = make_errors()

    class Component:
        async def process_startup(self, scope: Any, event: Any) -> None:
            raise RuntimeError("start")

        async def process_shutdown(self, scope: Any, event: Any) -> None:
            raise RuntimeError("stop")

        async def process_request(self, req: Any, resp: Any) -> None: ...

    app = install(falcon_asgi.App(middleware=[Component()]), errors)
    for kind in ("startup", "shutdown"):
        sent: list[Any] = []

        async def receive(kind: str = kind) -> Any:
            return {"type": f"lifespan.{kind}"}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
        assert [f"lifespan.{kind}.failed"] == sent
    assert [("RuntimeError", "lifespan")] * 2 == [(each.name, each.source) for each in reported]


def test_router_that_answers_once() -> None:
    """Where a router of the application's own cannot be asked again, no resource is known."""
    errors, reported = make_errors()
    seen: list[Any] = []
    errors.on(RuntimeError)(lambda error, context: seen.append(context.handler))
    app = wsgi_app(bug, errors)
    found = [app._router_search]
    app._router_search = lambda *args, **options: found.pop()(*args, **options)
    assert 500 == get(app).status_code
    assert (["RuntimeError"], [None]) == (names(reported), seen)


def test_request_that_cannot_be_made() -> None:
    """What fails before there is a request is answered, and reported."""
    errors, reported = make_errors()
    started: list[str] = []
    environ = testing.create_environ("/")
    del environ["REQUEST_METHOD"]
    body = wsgi_app(bug, errors)(environ, lambda status, *_: started.append(status))
    assert (["500 Internal Server Error"], b"secret" in b"".join(body)) == (started, False)
    assert ["KeyError"] == names(reported)


def test_cancellation_passes() -> None:
    """A cancellation that an error handler lets out is no failure."""
    errors, reported = make_errors()
    app = wsgi_app(teapot, errors)

    def handle(req: Any, resp: Any, ex: Any, params: Any) -> None:
        raise concurrent.futures.CancelledError

    app.add_error_handler(Teapot, handle)
    with pytest.raises(concurrent.futures.CancelledError):
        get(app)
    assert [] == names(reported)


@pytest.mark.asyncio
async def test_client_that_is_gone() -> None:
    """What the server's ``send`` says of a client that is gone is no failure."""
    errors, reported = make_errors()
    app = asgi_app(lambda resp: None, errors)

    async def send(message: Any) -> None:
        raise ConnectionResetError

    async def receive() -> Any:
        return {"type": "http.request"}

    with pytest.raises(ConnectionResetError):
        await app(testing.create_scope("/"), receive, send)
    assert [] == names(reported)


@pytest.mark.asyncio
async def test_background_task_of_a_task() -> None:
    """A background task that a task of the responder's schedules is watched likewise."""
    errors, reported = make_errors()

    async def fail() -> None:
        raise RuntimeError("secret")

    class Resource:
        async def on_get(self, req: Any, resp: Any) -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

            async def schedule() -> None:
                resp.schedule(fail)

            await asyncio.create_task(schedule())

    app = with_route(falcon_asgi.App(), Resource(), errors)
    async with testing.ASGIConductor(app) as conductor:
        await conductor.simulate_get("/")
        await asyncio.sleep(0)
    assert [("RuntimeError", "task")] == [(each.name, each.source) for each in reported]


@pytest.mark.asyncio
async def test_background_task_of_no_request() -> None:
    """A response that was made by hand watches its tasks too; their failures have no request."""
    errors, reported = make_errors()
    app: Any = install(falcon_asgi.App(), errors)

    async def fail() -> None:
        raise RuntimeError("secret")

    resp = app._response_type()
    resp.schedule(fail)
    [(run, _)] = resp._registered_callbacks
    with pytest.raises(RuntimeError):
        await run()
    assert [("RuntimeError", "task")] == [(each.name, each.source) for each in reported]


def test_sink_that_fails() -> None:
    """What a sink raises is answered and reported as any failure; no resource is known then."""
    errors, reported = make_errors()
    seen: list[Any] = []
    errors.on(RuntimeError)(lambda error, context: seen.append(context.handler))

    def sink(req: Any, resp: Any) -> None:
        raise RuntimeError("secret")

    app = install(falcon.App(), errors)
    app.add_sink(sink)
    assert 500 == get(app).status_code
    assert ["RuntimeError"] == names(reported)
    assert [None] == seen


def test_middleware_is_told_of_failures() -> None:
    """A middleware that holds a transaction is told that the request has failed."""
    errors, _reported = make_errors()
    told: list[Any] = []

    class Transaction:
        def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: Any) -> None:
            told.append((req_succeeded, resp.status))

    for handler in (bug, lambda resp: None):
        app = falcon.App(middleware=[Transaction()])
        get(with_route(app, resource_of(handler), errors))
    assert [(False, 500), (True, falcon.HTTP_200)] == told


def resource_of(handler: Any) -> Any:
    """Return a resource that calls a handler with its response."""

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            handler(resp)

    return Resource()


def test_routes_and_arguments_are_unchanged() -> None:
    """Responders have their names and fields; suffixes and converters work as before."""
    errors, _reported = make_errors()

    class Resource:
        @catch_async(next=as_next(errors))
        def on_get_one(self, req: Any, resp: Any, *, number: int) -> None:
            resp.text = f"{number + 1}"

    app = install(falcon.App(), errors)
    app.add_route("/items/{number:int}", Resource(), suffix="one")
    assert "6" == testing.TestClient(app).simulate_get("/items/5").text
    [route] = inspect.inspect_app(app).routes
    found = {method.method: method.function_name for method in route.methods}
    assert ("/items/{number:int}", "on_get_one") == (route.path, found["GET"])


def test_wrapped_router() -> None:
    """Responders that are registered through a wrapped application are decorated."""
    errors, reported = make_errors()
    app = falcon.App()

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            raise UserMissing

    wrap_router(app, next=as_next(errors)).add_route("/", Resource())
    assert 404 == get(app).status_code
    assert ["UserMissing"] == names(reported)


def test_nothing_is_kept() -> None:
    """After a request the thread holds no request, and `next` knows of none."""
    errors, _reported = make_errors()
    get(wsgi_app(bug, errors))
    with pytest.raises(falcon.HTTPStatus):
        as_next(errors)(RuntimeError("secret"))


def test_refusals() -> None:
    """What is no application, or no error handler, is refused."""
    errors, _reported = make_errors()
    with pytest.raises(TypeError, match="a Falcon app first: got None"):
        install(None, errors)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="a Falcon app first: got <function"):
        install(bug, errors)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="second: got None"):
        install(falcon.App(), None)  # type: ignore[arg-type]


def test_rule_that_answers_head() -> None:
    """The answer to HEAD has no body, whatever a rule has made."""
    errors, _ = make_errors()

    @errors.on(KeyError)
    def answer(error: Exception, context: Any) -> Any:
        response = falcon.Response()
        response.text = "a body"
        return response

    class Resource:
        def on_head(self, req: Any, resp: Any) -> None:
            raise KeyError

    client = testing.TestClient(with_route(falcon.App(), Resource(), errors))
    assert b"" == client.simulate_head("/").content


def test_middleware_that_makes_an_answer_bodiless() -> None:
    """A status without a body stays without one."""
    errors, reported = make_errors()

    class Middleware:
        def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:  # noqa: FBT001
            resp.status = falcon.HTTP_304

    class Resource:
        def on_get(self, req: Any, resp: Any) -> None:
            raise RuntimeError("secret")

    app = with_route(falcon.App(middleware=[Middleware()]), Resource(), errors)
    begun: list[str] = []
    body = app(testing.create_environ("/"), lambda status, *_: begun.append(status))
    assert (["304 Not Modified"], []) == (begun, list(body))
    assert ["RuntimeError"] == names(reported)


@pytest.mark.parametrize("kind", [falcon.App, falcon_asgi.App])
def test_class_that_asks_its_subclasses(kind: Any) -> None:
    """An app whose class wants to know of its subclasses can be installed on, and is not told."""
    known: list[Any] = []

    class App(kind):  # type: ignore[misc]
        def __init_subclass__(cls, *, name: str) -> None:
            known.append(name)

    errors, _ = make_errors()
    app: Any = App()
    assert App in type(install(app, errors)).__mro__
    assert [] == known
