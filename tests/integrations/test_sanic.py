"""What is special to Sanic: blueprints, middleware, its own error handlers, streams, websockets."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

import pytest

pytest.importorskip("sanic")

from sanic import Blueprint, Request, Sanic
from sanic.exceptions import NotFound, RequestCancelled, SanicException
from sanic.response import HTTPResponse, redirect, text
from sanic.views import stream as streamed

from catchasync import ErrorHandler, catch_async
from catchasync.errors import Gone
from catchasync.integrations.sanic import _break_off, as_next, install, wrap_router
from tests.integrations.contract import Answer, Report, Teapot, UserMissing, ask, make_errors

App = Any

untyped_stream: Any = streamed


def app_of(handler: Any, errors: ErrorHandler, **options: Any) -> App:
    """Return an app with one handler."""
    return install(with_route(handler, **options), errors)


def with_route(handler: Any, **options: Any) -> App:
    """Return an app with one handler, and nothing of ours."""
    from tests.integrations.apps.sanic import numbers  # noqa: PLC0415 - Sanic may not be here

    Sanic.test_mode = True
    app: App = Sanic(f"special-{next(numbers)}", configure_logging=False)
    app.add_route(handler, "/", name="home", **options)
    return app


def ask_once(app: App, path: str = "/", **options: Any) -> Answer:
    """Serve an app for one request."""
    from tests.integrations.apps.sanic import serve  # noqa: PLC0415 - Sanic may not be here

    with serve(app) as url:
        return ask(url, path, **options)


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


async def missing(request: Any) -> HTTPResponse:
    """Fail as expected."""
    raise UserMissing


async def ok(request: Any) -> HTTPResponse:
    """Answer."""
    return text("ok")


def test_middleware_that_fails() -> None:
    """What a middleware raises before the handler is answered, and reported as any failure."""
    errors, reported = make_errors()
    app = app_of(ok, errors)

    async def middleware(request: Any) -> None:
        raise UserMissing

    app.register_middleware(middleware, "request")
    assert (404, ["UserMissing"]) == (ask_once(app).status, names(reported))


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_of_blueprint", [False, True])
def test_response_middleware_that_fails(*, is_async: bool, is_of_blueprint: bool) -> None:
    """What one raises for a response is reported; Sanic logs it, and sends the response."""
    errors, reported = make_errors()
    app = app_of(missing, errors)
    blueprint: Any = Blueprint("sub", url_prefix="/sub")
    blueprint.add_route(ok, "/ok")

    async def fail_later(request: Any, response: Any) -> None:
        raise RuntimeError

    def fail(request: Any, response: Any) -> None:
        raise RuntimeError

    owner = blueprint if is_of_blueprint else app
    owner.middleware("response")(fail_later if is_async else fail)
    app.blueprint(blueprint)
    assert [200, 404] == [ask_path(app, path).status for path in ("/sub/ok", "/")]
    expected = ["RuntimeError"] if is_of_blueprint else ["RuntimeError"] * 2
    assert expected == [name for name in names(reported) if name == "RuntimeError"]


def test_response_middleware_that_works() -> None:
    """It may still replace the response; it keeps its name."""
    errors, reported = make_errors()
    app = app_of(ok, errors)

    async def replace(request: Any, response: Any) -> HTTPResponse:
        return text("other")

    app.register_middleware(replace, "response")
    assert (b"other", []) == (ask_once(app).body, reported)
    assert "replace" == app.response_middleware[0].func.__name__


def test_middleware_sees_the_answer() -> None:
    """A middleware for responses adds its headers to the answer to a failure."""
    errors, _reported = make_errors()
    app = app_of(missing, errors)

    def add(request: Any, response: Any) -> None:
        response.headers["x-seen"] = str(response.status)

    app.register_middleware(add, "response")
    assert "404" == ask_once(app).headers["x-seen"]


@pytest.mark.parametrize("is_before", [False, True])
def test_own_error_handlers(*, is_before: bool) -> None:
    """An exception handler that the app has for a class of its own still answers that."""
    errors, reported = make_errors()
    app = with_route(missing)

    def answer(request: Any, error: Exception) -> HTTPResponse:
        return text("mine", 499)

    for act in sorted([False, True], reverse=is_before):
        if act:
            app.exception(UserMissing, NotFound)(answer)
        else:
            install(app, errors)
    for path in ("/", "/nowhere"):
        assert (499, b"mine") == ((got := ask_path(app, path)).status, got.body)
    assert [] == reported


def ask_path(app: App, path: str) -> Answer:
    """Ask for a path, of an app that may be served several times."""
    app.router.reset()
    app.signal_router.reset()
    return ask_once(app, path)


@pytest.mark.parametrize("is_before", [False, True])
def test_own_error_handler_for_everything(*, is_before: bool) -> None:
    """What an exception handler for `Exception` answers is reported, not what others take."""
    errors, reported = make_errors()
    app = with_route(missing) if is_before else app_of(missing, errors)

    def answer(request: Any, error: Exception) -> HTTPResponse:
        return text("mine", 499)

    def not_found(request: Any, error: Exception) -> HTTPResponse:
        return text("none", 404)

    app.exception(Exception)(answer)
    app.exception(NotFound)(not_found)
    if is_before:
        install(app, errors)
    assert [499, 404] == [ask_path(app, path).status for path in ("/", "/nowhere")]
    assert ["UserMissing"] == names(reported)


def test_own_error_handler_of_a_blueprint() -> None:
    """Same where a blueprint has it: failures outside of that are answered by us."""
    errors, reported = make_errors()
    app = app_of(missing, errors)
    blueprint: Any = Blueprint("sub", url_prefix="/sub")
    blueprint.add_route(missing, "/missing")

    async def answer(request: Any, error: Exception) -> HTTPResponse:
        return text("mine", 499)

    blueprint.exception(Exception)(answer)
    app.blueprint(blueprint)
    assert [404, 499] == [ask_path(app, path).status for path in ("/", "/sub/missing")]
    assert ["UserMissing"] * 2 == names(reported)


def test_install_twice() -> None:
    """Where it is installed twice, the second answers, once."""
    errors, reported = make_errors()
    others, nothing = make_errors()
    app = install(app_of(missing, others), errors)
    assert 404 == ask_once(app).status
    assert (["UserMissing"], []) == (names(reported), nothing)


def test_own_error_handler_that_fails() -> None:
    """What an exception handler of the app raises is answered, and Sanic's own way is not taken."""
    errors, _reported = make_errors()
    app = app_of(missing, errors)

    def answer(request: Any, error: Exception) -> HTTPResponse:
        raise RuntimeError("secret")

    app.exception(UserMissing)(answer)
    got = ask_once(app)
    assert 500 == got.status
    assert b"secret" not in got.body


def test_blueprints() -> None:
    """Handlers of a blueprint are covered; its own exception handlers are called first."""
    errors, reported = make_errors()
    app = with_route(ok)
    blueprint: Any = Blueprint("sub", url_prefix="/sub")
    blueprint.add_route(missing, "/missing")

    async def teapot(request: Any) -> HTTPResponse:
        raise Teapot

    blueprint.add_route(teapot, "/teapot")
    blueprint.exception(Teapot)(lambda request, error: text("mine", 499))
    app.blueprint(blueprint)
    install(app, errors)
    assert 499 == ask_path(app, "/sub/teapot").status
    assert 404 == ask_path(app, "/sub/missing").status
    assert ["UserMissing"] == names(reported)


@pytest.mark.parametrize("is_decorated", [False, True])
def test_async_rules(*, is_decorated: bool) -> None:
    """A rule may be async, and may return a response of Sanic's."""
    errors, _reported = make_errors()

    @errors.on(Teapot)
    async def _(error: Exception, context: Any) -> HTTPResponse:
        await asyncio.sleep(0)
        name = context.handler.__name__
        return text(f"{context.request.path} {name} {context.method} {context.accept}", 418)

    async def brew(request: Any) -> HTTPResponse:
        raise Teapot

    handler = catch_async(next=as_next(errors))(brew) if is_decorated else brew
    answer = ask_once(app_of(handler, errors), accept="text/html")
    assert (418, b"/ brew GET text/html") == (answer.status, answer.body)


@pytest.mark.parametrize("is_decorated", [False, True])
def test_errors_and_redirects_of_sanic(*, is_decorated: bool) -> None:
    """An error of Sanic's is rendered with its headers; a redirect passes."""
    errors, reported = make_errors()

    async def handler(request: Any) -> HTTPResponse:
        if "late" in request.args:
            raise SanicException("Too late", status_code=409)
        return redirect("/there")

    app = app_of(catch_async(next=as_next(errors))(handler) if is_decorated else handler, errors)
    assert "/there" == ask_path(app, "/").headers["location"]
    assert [] == reported
    answer = ask_path(app, "/?late=1")
    assert (409, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert ["SanicException"] == names(reported)


def test_next_without_install() -> None:
    """A decorated handler is answered in an app that knows nothing of us."""
    errors, reported = make_errors()
    answer = ask_once(with_route(catch_async(next=as_next(errors))(missing)), accept="text/plain")
    assert (404, b"404 Not Found\n") == (answer.status, answer.body)
    assert ["UserMissing"] == names(reported)


def test_next_outside_of_a_request() -> None:
    """`next` answers a failure of which it does not know the request."""
    errors, reported = make_errors()
    assert 404 == as_next(errors)(UserMissing()).status
    assert [("UserMissing", "route")] == [(report.name, report.source) for report in reported]


@pytest.mark.parametrize("is_decorated", [False, True])
def test_response_that_is_sent_by_hand(*, is_decorated: bool) -> None:
    """A handler that has begun a response and fails is broken off, and reported once."""
    errors, reported = make_errors()

    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("begun")
        raise UserMissing

    app = app_of(catch_async(next=as_next(errors))(handler) if is_decorated else handler, errors)
    answer = ask_once(app)
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert ["UserMissing"] == names(reported)


def test_response_that_is_sent_by_hand_and_whole() -> None:
    """One that does not fail comes as it is."""
    errors, reported = make_errors()

    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("o")
        await response.send("k", end_stream=True)

    answer = ask_once(app_of(handler, errors))
    assert (b"ok", True) == (answer.body, answer.is_whole)
    assert [] == reported


def test_request_stream_handler() -> None:
    """A handler that reads its request as a stream is covered, and still is such a handler."""
    errors, reported = make_errors()

    async def handler(request: Any) -> HTTPResponse:
        assert request.stream is not None
        assert None is await request.stream.read()
        raise UserMissing

    decorated = catch_async(next=as_next(errors))(untyped_stream(handler))
    assert 404 == ask_once(app_of(decorated, errors, methods=["POST"]), method="POST").status
    assert ["UserMissing"] == names(reported)


def test_urls_and_injected_values_are_unchanged() -> None:
    """Routes have the names that they had; path parameters and injected values come as before."""
    errors, _reported = make_errors()

    @catch_async(next=as_next(errors))
    async def show(request: Any, number: int, unit: str) -> HTTPResponse:
        return text(f"{number} {unit} {request.app.url_for('show', number=7, unit='m')}")

    app = app_of(ok, errors)
    app.add_route(show, "/<number:int>/<unit:str>", name="show")
    assert b"5 km /7/m" == ask_once(app, "/5/km").body


def test_websocket_that_fails() -> None:
    """A websocket's failure is reported, once."""
    client: Any = pytest.importorskip("websockets.sync.client")
    exceptions: Any = pytest.importorskip("websockets.exceptions")
    from tests.integrations.apps.sanic import serve  # noqa: PLC0415 - Sanic may not be here

    errors, reported = make_errors()
    app = app_of(ok, errors)

    async def feed(request: Any, ws: Any) -> None:
        await ws.recv()
        raise UserMissing

    app.add_websocket_route(feed, "/feed")
    with serve(app) as url, client.connect(f"ws{url[4:]}/feed") as connection:
        connection.send("hello")
        with pytest.raises(exceptions.ConnectionClosed):
            connection.recv()
    assert [("UserMissing", "websocket")] == [(each.name, each.source) for each in reported]


def test_wrapped_router() -> None:
    """Handlers that are registered through a wrapped application are decorated."""
    errors, reported = make_errors()
    app = with_route(ok)
    wrap_router(app, next=as_next(errors)).get("/missing", name="missing")(missing)
    assert 404 == ask_once(app, "/missing").status
    assert ["UserMissing"] == names(reported)


@pytest.mark.parametrize("what", [None, Request, lambda request: None])
def test_what_is_no_app(what: Any) -> None:
    """What is no application of Sanic's is refused by name."""
    with pytest.raises(TypeError, match="takes a Sanic app first: got"):
        install(what, make_errors()[0])


def test_what_is_no_error_handler() -> None:
    """What is no `ErrorHandler` is refused, and the app is unchanged."""
    app = with_route(missing)
    with pytest.raises(TypeError, match=r"takes a catchasync\.ErrorHandler second: got None"):
        install(app, None)  # type: ignore[arg-type]
    assert 500 == ask_once(app).status


def test_what_is_no_error_handler_of_next() -> None:
    """`as_next` refuses what is no `ErrorHandler` when it is called."""
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def fail_later(request: Any, error: Exception) -> Any:
    """Fail as an exception handler of the app's own."""
    raise RuntimeError("secret")


def fail_at_once(request: Any, error: Exception) -> Any:
    """Same, not async."""
    raise RuntimeError("secret")


@pytest.mark.parametrize("handler", [fail_later, fail_at_once])
@pytest.mark.parametrize("is_before", [True, False])
def test_own_exception_handler_that_fails(handler: Any, is_before: bool) -> None:  # noqa: FBT001
    """Its failure is reported, and answered as any: Sanic would only log it."""
    errors, reported = make_errors()
    app = with_route(missing)
    if is_before:
        app.exception(UserMissing)(handler)
    install(app, errors)
    if not is_before:
        app.exception(UserMissing)(handler)
    answer = ask_once(app)
    assert (500, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert b"secret" not in answer.body
    assert ["RuntimeError"] == names(reported)


def test_own_exception_handler_whose_failure_has_an_async_rule() -> None:
    """It is awaited, as that of any failure."""
    errors, reported = make_errors()

    @errors.on(KeyError)
    async def rule(error: Exception, context: Any) -> Any:
        await asyncio.sleep(0)
        return Gone

    app = app_of(missing, errors)

    async def fail(request: Any, error: Exception) -> Any:
        raise KeyError

    app.exception(UserMissing)(fail)
    assert 410 == ask_once(app).status
    assert ["KeyError"] == names(reported)


@pytest.mark.parametrize("is_async", [True, False])
def test_own_exception_handler_that_is_cancelled(is_async: bool) -> None:  # noqa: FBT001
    """A cancellation out of it is no failure of it, and is not reported."""
    errors, reported = make_errors()
    app = app_of(missing, errors)

    def cancelled(request: Any, error: Exception) -> Any:
        raise concurrent.futures.CancelledError

    async def cancelled_later(request: Any, error: Exception) -> Any:
        raise concurrent.futures.CancelledError

    app.exception(UserMissing)(cancelled_later if is_async else cancelled)
    assert 500 == ask_once(app).status
    assert [] == reported


def test_cancelled_request() -> None:
    """Sanic tells of a request that is cancelled, too: that is no failure."""
    errors, reported = make_errors()
    asyncio.run(_break_off(errors)(None, asyncio.CancelledError()))
    assert [] == reported


def test_answer_to_a_cancelled_request() -> None:
    """What Sanic answers a client with that has gone is its own, and is not reported."""
    errors, reported = make_errors()
    answers: list[Any] = []

    async def cancelled(request: Any) -> HTTPResponse:
        handler: Any = request.app.error_handler
        answers.append(handler.response(request, RequestCancelled()))
        return text("ok")

    assert 200 == ask_once(app_of(cancelled, errors)).status
    assert [500] == [answer.status for answer in answers]
    assert [] == reported
