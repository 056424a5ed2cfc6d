"""What is special to aiohttp: middlewares, prepared responses, payloads, websockets, sub-apps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

web: Any = pytest.importorskip("aiohttp.web")

from aiohttp import payload, test_utils

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.aiohttp import as_next, install, wrap_router
from tests.integrations.apps.aiohttp import serve
from tests.integrations.contract import Answer, Report, Teapot, UserMissing, ask, make_errors


def app_of(handler: Any, errors: ErrorHandler) -> Any:
    """Return an app with one handler."""
    app = web.Application()
    app.router.add_get("/", handler, name="home")
    return install(app, errors)


def ask_once(app: Any, path: str = "/") -> Answer:
    """Serve an app for one request."""
    with serve(app) as url:
        return ask(url, path)


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


async def ok(request: Any) -> Any:
    """Answer."""
    return web.Response(text="ok")


async def bug(request: Any) -> Any:
    """Fail."""
    raise RuntimeError("secret")


def test_rollback_first() -> None:
    """A middleware of the app's own sees the failure before it is answered."""
    errors, reported = make_errors()
    seen: list[tuple[str, int]] = []

    @web.middleware  # type: ignore[untyped-decorator]
    async def transaction(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except RuntimeError as error:
            seen.append((str(error), len(reported)))
            raise

    app = web.Application(middlewares=[transaction])
    app.router.add_get("/", bug)
    assert 500 == ask_once(install(app, errors)).status
    assert [("secret", 0)] == seen


@pytest.mark.parametrize("is_set", [True, False])
def test_cookie_of_an_error(*, is_set: bool) -> None:
    """A cookie that a middleware sets on an error of aiohttp's goes out with the answer."""
    errors, _ = make_errors()

    @web.middleware  # type: ignore[untyped-decorator]
    async def session(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if is_set:
                error.set_cookie("session", "7")
            raise

    app = web.Application(middlewares=[session])
    answer = ask_once(install(app, errors))
    assert (404, is_set) == (answer.status, "session=7" in answer.headers.get("set-cookie", ""))


@pytest.mark.parametrize("kind", [web.StreamResponse, lambda: web.Response(text="ok")])
@pytest.mark.parametrize("error", [RuntimeError("secret"), web.HTTPConflict(), web.HTTPFound("/")])
def test_prepared_response_that_fails(error: Exception, kind: Any) -> None:
    """Nothing is written after a response that was prepared, also where no byte is out yet."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        await kind().prepare(request)
        raise error

    with serve(app_of(handler, errors)) as url:
        try:
            answer = ask(url, "/")
        except ConnectionError:
            answer = Answer(200, {}, b"", is_whole=False)
    assert (200, b"", False) == (answer.status, answer.body, answer.is_whole)
    assert [type(error).__name__] == names(reported)


def test_decorated_handler_that_fails_in_the_middle() -> None:
    """`next` answers nothing where the response has begun; the failure is reported once."""
    errors, reported = make_errors()

    @catch_async(next=as_next(errors))
    async def handler(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        raise UserMissing

    answer = ask_once(app_of(handler, errors))
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert ["UserMissing"] == names(reported)


def test_client_that_is_gone_is_no_failure() -> None:
    """What a handler meets when its client has gone is not reported."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        request.transport.close()
        raise ConnectionResetError

    with serve(app_of(handler, errors)) as url, pytest.raises(ConnectionError):
        ask(url, "/")
    assert [] == reported


def test_client_that_goes_in_the_middle_is_no_failure() -> None:
    """Nor where it has got a part of the response."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        request.transport.close()
        raise ConnectionResetError

    assert not ask_once(app_of(handler, errors)).is_whole
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
def test_redirect_of_a_decorated_handler(is_decorated: bool) -> None:  # noqa: FBT001 - a parameter
    """A redirect that is raised passes `next` by."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        raise web.HTTPFound("/there")

    decorated = catch_async(next=as_next(errors))(handler) if is_decorated else handler
    assert "/there" == ask_once(app_of(decorated, errors)).headers["location"]
    assert [] == reported


def test_next_without_install() -> None:
    """A decorated handler is answered in an app that knows nothing of us."""
    errors, reported = make_errors()
    app = web.Application()
    app.router.add_get("/", catch_async(next=as_next(errors))(bug))
    assert 500 == ask_once(app).status
    assert ["RuntimeError"] == names(reported)


def test_wrapped_router() -> None:
    """Handlers that are registered through a wrapped router are decorated."""
    errors, reported = make_errors()
    app = web.Application()
    wrap_router(app.router, next=as_next(errors)).add_get("/", bug)
    assert 500 == ask_once(app).status
    assert ["RuntimeError"] == names(reported)


@pytest.mark.parametrize("with_length", [False, True])
def test_body_that_does_not_fail(with_length: bool) -> None:  # noqa: FBT001 - a parameter
    """A body that is made piece by piece comes as it is, with the length that it was given."""
    errors, reported = make_errors()

    async def body() -> AsyncIterator[bytes]:
        yield b"o"
        yield b"k"

    async def handler(request: Any) -> Any:
        return web.Response(body=body(), headers={"Content-Length": "2"} if with_length else {})

    answer = ask_once(app_of(handler, errors))
    assert (b"ok", True) == (answer.body, answer.is_whole)
    assert with_length == ("content-length" in answer.headers)
    assert [] == reported


class RecordingWriter:
    """What a body is written to."""

    def __init__(self, written: list[str]) -> None:
        self.written = written

    async def write(self, chunk: bytes) -> None:
        """Note a chunk."""
        self.written.append(chunk.decode())


def test_middleware_before_ours() -> None:
    """What stands before our middleware still changes responses."""
    errors, _reported = make_errors()

    @web.middleware  # type: ignore[untyped-decorator]
    async def marking(request: Any, handler: Any) -> Any:
        response = await handler(request)
        response.headers["X-Seen"] = "1"
        return response

    app = app_of(ok, errors)
    app.middlewares.insert(0, marking)
    assert "1" == ask_once(app).headers["x-seen"]


def test_response_that_is_prepared_in_a_way_of_its_own() -> None:
    """It is prepared by aiohttp, once."""
    errors, _reported = make_errors()
    prepared: list[str] = []

    class Slow(web.Response):  # type: ignore[misc]
        async def prepare(self, request: Any) -> Any:
            prepared.append(request.path)
            return await super().prepare(request)

    async def handler(request: Any) -> Any:
        return Slow(text="ok")

    assert b"ok" == ask_once(app_of(handler, errors)).body
    assert ["/"] == prepared


def test_file(tmp_path: Path) -> None:
    """A file is sent once."""
    errors, reported = make_errors()
    (tmp_path / "file").write_text("ok")

    async def handler(request: Any) -> Any:
        return web.FileResponse(tmp_path / "file")

    answer = ask_once(app_of(handler, errors))
    assert (b"ok", True) == (answer.body, answer.is_whole)
    assert [] == names(reported)


def test_stream_that_does_not_fail() -> None:
    """A response that the handler has sent by itself comes as it is."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"ok")
        return response

    answer = ask_once(app_of(handler, errors))
    assert (b"ok", True) == (answer.body, answer.is_whole)
    assert [] == names(reported)


def test_response_without_a_body() -> None:
    """There is nothing to watch in a response that has no body."""
    errors, reported = make_errors()

    async def nothing(request: Any) -> Any:
        return web.Response(status=204)

    assert 204 == ask_once(app_of(nothing, errors)).status
    assert [] == names(reported)


@pytest.mark.skipif(
    not hasattr(payload.Payload, "write_with_length"),
    reason="aiohttp before 3.12 reads a body once",
)
def test_body_with_a_size() -> None:
    """The size, the text and the type of a body are the framework's to ask for."""
    errors, _reported = make_errors()
    io = pytest.importorskip("io")
    seen: list[str] = []

    async def handler(request: Any) -> Any:
        return web.Response(body=io.BytesIO(b"ok"))

    @web.middleware  # type: ignore[untyped-decorator]
    async def outside(request: Any, handler: Any) -> Any:
        response = await handler(request)
        seen.append(f"{response.body.decode()} {response.body.size}")
        await response.body.write(RecordingWriter(seen))  # as aiohttp before 3.12 does
        return response

    app = app_of(handler, errors)
    app.middlewares.insert(0, outside)
    answer = ask_once(app)
    assert (b"ok", "2", "application/octet-stream") == (
        answer.body,
        answer.headers["content-length"],
        answer.headers["content-type"],
    )
    assert ["ok 2", "ok"] == seen


@pytest.mark.parametrize("mount", ["/sub"])
def test_sub_application(mount: str) -> None:
    """The innermost answers; what has begun has begun for both, and is reported once."""
    errors, reported = make_errors()

    async def stream(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        raise RuntimeError

    sub, app = app_of(bug, errors), app_of(ok, errors)
    sub.router.add_get("/stream", stream)
    app.add_subapp(mount, sub)
    with serve(app) as url:
        assert 500 == ask(url, f"{mount}/").status
        answer = ask(url, f"{mount}/stream")
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert ["RuntimeError", "RuntimeError"] == names(reported)


@web.middleware  # type: ignore[untyped-decorator]
async def passing(request: Any, handler: Any) -> Any:
    """Change nothing."""
    return await handler(request)


def answer_of(handler: Any, errors: ErrorHandler, *middlewares: Any, **signals: Any) -> Answer:
    """Serve an app with these middlewares and functions of its signals, for one request."""
    app = web.Application(middlewares=middlewares)
    app.router.add_get("/", handler)
    for name, function in signals.items():
        getattr(app, name).append(function)
    return ask_once(install(app, errors))


with_and_without = pytest.mark.parametrize("middlewares", [(), (passing,)])


class OwnResponse(web.Response):  # type: ignore[misc]
    """A response of the app's own."""


@with_and_without
@pytest.mark.parametrize("kind", [web.Response, OwnResponse, web.StreamResponse])
def test_header_that_cannot_be_sent(middlewares: Any, kind: Any) -> None:
    """What fails while a response is prepared is answered, and reported once."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        return kind(headers={"X-Bad": "a\r\nb"})

    answer = answer_of(handler, errors, *middlewares)
    assert (500, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert ["ValueError"] == names(reported)


@with_and_without
@pytest.mark.parametrize("always", [False, True])
def test_signal_that_fails(middlewares: Any, always: bool) -> None:  # noqa: FBT001 - a parameter
    """So is a function of ``on_response_prepare``; nothing can be answered where all fail in it."""
    errors, reported = make_errors()

    async def fail(request: Any, response: Any) -> None:
        if always or response.status == 200:
            raise RuntimeError

    if always:
        with pytest.raises(ConnectionError):
            answer_of(ok, errors, *middlewares, on_response_prepare=fail)
    else:
        assert 500 == answer_of(ok, errors, *middlewares, on_response_prepare=fail).status
    assert ["RuntimeError"] == names(reported)


def test_client_that_goes_before_the_response_is_prepared() -> None:
    """That a connection is gone while a response is prepared is no failure, and no news."""
    errors, reported = make_errors()

    async def fail(request: Any, response: Any) -> None:
        request.transport.close()
        raise ConnectionResetError

    with pytest.raises(ConnectionError):
        answer_of(ok, errors, on_response_prepare=fail)
    assert [] == names(reported)


def test_router_that_fails() -> None:
    """What fails before there is a handler is answered, and reported."""
    errors, reported = make_errors()

    class Resource(web.PlainResource):  # type: ignore[misc]
        async def resolve(self, request: Any) -> Any:
            raise RuntimeError

    app = web.Application()
    app.router.register_resource(Resource("/"))
    assert 500 == ask_once(install(app, errors)).status
    assert ["RuntimeError"] == names(reported)


def test_sub_application_alone() -> None:
    """A sub-application with `install` answers in one without; outer middlewares may go on."""
    errors, reported = make_errors()

    @web.middleware  # type: ignore[untyped-decorator]
    async def marking(request: Any, handler: Any) -> Any:
        response = await handler(request)
        response.headers["X-Seen"] = "1"
        return response

    app = web.Application(middlewares=[marking])
    sub = app_of(bug, errors)
    sub.router.add_get("/ok", ok)
    app.add_subapp("/sub", sub)
    with serve(app) as url:
        answers = [ask(url, path) for path in ("/sub/", "/sub/ok")]
    assert [(500, "1"), (200, "1")] == [(each.status, each.headers["x-seen"]) for each in answers]
    assert ["RuntimeError"] == names(reported)


def test_patched_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has patched the application to watch it sees the answer, as a middleware's."""
    errors, _reported = make_errors()
    seen: list[int] = []
    handle = web.Application._handle

    async def watching(self: Any, request: Any) -> Any:
        response = await handle(self, request)
        seen.append(response.status)
        return response

    monkeypatch.setattr(web.Application, "_handle", watching)
    assert 500 == ask_once(app_of(bug, errors)).status
    assert [500] == seen


def test_two_handlers() -> None:
    """Where it is installed again, the last one answers."""
    errors, reported = make_errors()
    others, others_reported = make_errors()
    app = install(install(app_of(bug, errors), others), others)
    assert 500 == ask_once(app).status
    assert ([], ["RuntimeError"]) == (names(reported), names(others_reported))


@pytest.mark.asyncio
async def test_nothing_is_kept() -> None:
    """After a request the task of its connection holds it no more."""
    errors, _reported = make_errors()
    seen: list[Any] = []

    async def handler(request: Any) -> Any:
        seen.append(await as_next(errors)(UserMissing()))
        return web.Response()

    writer: Any = SimpleNamespace(output_size=0)
    headers = {"Accept": "text/plain"}
    request = test_utils.make_mocked_request("GET", "/", headers, writer=writer)
    [middleware] = app_of(ok, errors).middlewares
    await middleware(request, handler)
    await handler(request)
    assert ["text/plain; charset=utf-8", "application/problem+json"] == [
        response.headers["content-type"] for response in seen
    ]


def test_websocket_that_fails() -> None:
    """A websocket's failure is reported, and the connection broken off."""
    errors, reported = make_errors()
    aiohttp = pytest.importorskip("aiohttp")

    async def handler(request: Any) -> Any:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        raise RuntimeError("secret")

    async def talk(url: str) -> Any:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await socket.send_str("go")
            return (await socket.receive()).type

    asyncio = pytest.importorskip("asyncio")
    with serve(app_of(handler, errors)) as url:
        assert aiohttp.WSMsgType.TEXT != asyncio.run(talk(url))
    assert ["RuntimeError"] == names(reported)


def test_rules_that_answer() -> None:
    """A rule may return a response of aiohttp's, and be async."""
    errors, _reported = make_errors()

    @errors.on(Teapot)
    async def _(error: Exception, context: Any) -> Any:
        return web.Response(text=f"{context.request.path} {context.handler.__name__}", status=418)

    async def handler(request: Any) -> Any:
        raise Teapot

    answer = ask_once(app_of(handler, errors))
    assert (418, b"/ handler") == (answer.status, answer.body)


def test_rule_that_answers_what_is_no_response() -> None:
    """It is a defect of the rule: reported, and answered with a plain 500."""
    errors, reported = make_errors()
    errors.on(Teapot)(lambda error, context: "short and stout")

    async def handler(request: Any) -> Any:
        raise Teapot

    assert 500 == ask_once(app_of(handler, errors)).status
    assert ["Teapot", "TypeError"] == names(reported)


def test_urls_are_unchanged() -> None:
    """Routes have the names and handlers that they had."""
    app = app_of(ok, make_errors()[0])
    assert "/" == str(app.router["home"].url_for())
    assert ok in {route.handler for route in app.router.routes()}


def test_cancelled_future_is_no_failure() -> None:
    """A cancellation passes, in whatever spelling."""
    errors, reported = make_errors()
    futures = pytest.importorskip("concurrent.futures")

    async def handler(request: Any) -> Any:
        raise futures.CancelledError

    assert 500 == ask_once(app_of(handler, errors)).status
    assert [] == reported


def test_refusals() -> None:
    """What is no application, or no error handler, is refused."""
    errors, _reported = make_errors()
    with pytest.raises(TypeError, match=r"an aiohttp web\.Application first: got None"):
        install(None, errors)  # type: ignore[type-var]
    with pytest.raises(TypeError, match=r"a catchasync\.ErrorHandler second: got None"):
        install(web.Application(), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("returned", [None, "text"])
def test_handler_that_returns_no_response(returned: object) -> None:
    """A forgotten ``return``, and what is no response, is a bug: it is answered and reported."""
    errors, reported = make_errors()

    async def handler(request: Any) -> Any:
        return returned

    answer = ask_once(install(app_of(handler, errors), errors))
    assert (500, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert ["TypeError"] == names(reported)
