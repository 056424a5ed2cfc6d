"""What is special to Tornado: handler classes, ``write_error``, ``Finish``, websockets, streams."""

from __future__ import annotations

import abc
import asyncio
import logging
from collections.abc import Generator
from typing import Any, ClassVar

import pytest

tornado: Any = pytest.importorskip("tornado")

from tornado import gen, web, websocket
from tornado.iostream import StreamClosedError

from catchasync import ErrorHandler, ErrorResponse, catch_async
from catchasync.integrations.tornado import as_next, install, wrap_router
from tests.integrations.contract import Answer, Report, Teapot, UserMissing, ask, make_errors

Handler = web.RequestHandler


def app_of(handler: type[Handler], errors: ErrorHandler, **settings: Any) -> web.Application:
    """Return an app with one handler."""
    return install(web.Application([web.url("/", handler, name="home")], **settings), errors)


def ask_once(app: web.Application, path: str = "/", **options: Any) -> Answer:
    """Serve an app for one request."""
    from tests.integrations.apps.tornado import serve  # noqa: PLC0415 - Tornado may not be here

    with serve(app) as url:
        return ask(url, path, **options)


def names(reported: list[Report]) -> list[tuple[str, str | None]]:
    """Return what was reported, and from where."""
    return [(report.name, report.source) for report in reported]


MISSING = [("UserMissing", "route")]


class Missing(Handler):
    """A handler that fails as expected."""

    def get(self) -> None:
        """Fail."""
        raise UserMissing


def test_rollback_first() -> None:
    """`log_exception`, and what a handler overrides of it, sees the failure before the answer."""
    errors, reported = make_errors()
    seen: list[Any] = []

    class Logging(Missing):
        def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
            seen.append((typ, len(reported)))

    assert 404 == ask_once(app_of(Logging, errors)).status
    assert [(UserMissing, 0)] == seen
    assert MISSING == names(reported)


def test_prepare_that_fails() -> None:
    """What `prepare` raises is answered, and reported."""
    errors, reported = make_errors()

    class Preparing(Handler):
        async def prepare(self) -> None:
            raise UserMissing

    assert 404 == ask_once(app_of(Preparing, errors)).status
    assert MISSING == names(reported)


def test_initialize_that_fails() -> None:
    """What fails as a handler is made is reported; Tornado closes the connection, as without us."""
    errors, reported = make_errors()

    class Initializing(Handler):
        def initialize(self) -> None:
            raise UserMissing

    with pytest.raises(ConnectionError):
        ask_once(app_of(Initializing, errors))
    assert MISSING == names(reported)


class Listing(type):
    """A metaclass that keeps a list of its classes, which have one base."""

    made: ClassVar[list[str]] = []

    def __new__(cls, name: str, bases: Any, body: Any, **options: Any) -> Any:
        """Make a class."""
        assert 1 == len(bases)
        cls.made.append(name)
        return super().__new__(cls, name, bases, body, **options)


def test_classes_that_watch_their_subclasses() -> None:
    """Neither a metaclass nor an ``__init_subclass__`` of a handler is asked about ours."""
    errors, _reported = make_errors()
    routes: list[str] = []

    class Base(Handler, metaclass=Listing):
        def __init_subclass__(cls, *, route: str) -> None:
            routes.append(route)

    class Routed(Base, route="/"):
        def get(self) -> None:
            raise UserMissing

    assert 404 == ask_once(app_of(Routed, errors)).status
    assert (["Base", "Routed"], ["/"]) == (Listing.made, routes)


def test_abstract_classes() -> None:
    """A class made by `abc` may have subclasses of its own, registered ones too."""
    errors, _reported = make_errors()
    seen: list[bool] = []

    class Abstract(Handler, abc.ABC):
        @abc.abstractmethod
        def get(self) -> None: ...

    class Concrete(Abstract):
        def get(self) -> None:
            type(self).register(Missing)
            seen.extend(issubclass(Missing, kind) for kind in (type(self), Concrete, Abstract))
            raise UserMissing

    assert 404 == ask_once(app_of(Concrete, errors)).status
    assert [True, True, True] == seen


def test_install_twice() -> None:
    """Where it is installed twice, the second answers, once."""
    errors, reported = make_errors()
    others, nothing = make_errors()
    app = install(app_of(Missing, others), errors)
    assert 404 == ask_once(app).status
    assert (MISSING, []) == (names(reported), nothing)


def test_own_prepare_runs() -> None:
    """What a handler prepares is there, async too."""
    errors, reported = make_errors()

    class Preparing(Handler):
        async def prepare(self) -> None:
            await asyncio.sleep(0)
            self.prepared = "ok"

        def get(self) -> None:
            self.write(self.prepared)

    assert b"ok" == ask_once(app_of(Preparing, errors)).body
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
def test_finish_is_no_failure(*, is_decorated: bool) -> None:
    """``Finish`` ends a request with what was written."""
    errors, reported = make_errors()

    class Finishing(Handler):
        def get(self) -> None:
            self.set_status(202)
            self.write("enough")
            raise web.Finish

    if is_decorated:
        vars_of(Finishing, catch_async(next=as_next(errors))(Finishing.get))
    answer = ask_once(app_of(Finishing, errors))
    assert (202, b"enough") == (answer.status, answer.body)
    assert [] == reported


def vars_of(handler: Any, get: Any) -> None:
    """Give a handler class another method."""
    handler.get = get


def test_coroutines_of_tornado() -> None:
    """A handler of Tornado's own kind of coroutine is covered."""
    errors, reported = make_errors()

    class Old(Handler):
        @gen.coroutine
        def get(self) -> Generator[Any, Any, None]:
            yield gen.moment
            raise UserMissing

    assert 404 == ask_once(app_of(Old, errors)).status
    assert MISSING == names(reported)


def test_send_error() -> None:
    """``self.send_error`` is rendered, with the reason that it gives for the log."""
    errors, reported = make_errors()
    seen: list[Any] = []
    errors.on(web.HTTPError)(lambda error, context: seen.append(error.reason))

    class Sending(Handler):
        def get(self) -> None:
            self.set_header("X-Seen", "1")
            self.send_error(409, reason="Too late")

    answer = ask_once(app_of(Sending, errors))
    assert (409, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert "x-seen" not in answer.headers
    assert [("HTTPError", "route")] == names(reported)
    assert ["Too late"] == seen


def test_default_handler() -> None:
    """A default handler of the application's own answers what is not found, as without us."""
    errors, reported = make_errors()

    class Nothing(Handler):
        async def prepare(self) -> None:
            self.set_status(404)
            await self.finish("nothing here")

    answer = ask_once(app_of(Missing, errors, default_handler_class=Nothing), "/nowhere")
    assert (404, b"nothing here") == (answer.status, answer.body)
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
def test_async_rules(*, is_decorated: bool) -> None:
    """A rule may be async, and change the rendered answer."""
    errors, _reported = make_errors()

    @errors.on(Teapot)
    async def _(error: Exception, context: Any) -> ErrorResponse:
        await asyncio.sleep(0)
        body = f"{context.request.path} {type(context.handler).__name__} {context.method}".encode()
        return ErrorResponse(418, {"x-seen": "1"}, body)

    class Brewing(Handler):
        async def get(self) -> None:
            self.write("dropped")
            raise Teapot

    if is_decorated:
        vars_of(Brewing, catch_async(next=as_next(errors))(Brewing.get))
    answer = ask_once(app_of(Brewing, errors))
    assert (418, b"/ Brewing GET", "1") == (answer.status, answer.body, answer.headers["x-seen"])


@pytest.mark.parametrize("is_async", [False, True])
def test_rule_that_answers_what_is_no_response(*, is_async: bool) -> None:
    """It is a defect of the rule: reported, and answered with a plain 500."""
    errors, reported = make_errors()

    async def later(error: Exception, context: Any) -> str:
        return "short and stout"

    errors.on(UserMissing)(later if is_async else lambda error, context: "short and stout")
    assert 500 == ask_once(app_of(Missing, errors)).status
    assert [*MISSING, ("TypeError", "route")] == names(reported)


def test_next_without_install() -> None:
    """Where it cannot know the request, `next` reports, and Tornado answers."""
    errors, reported = make_errors()

    class Decorated(Handler):
        @catch_async(next=as_next(errors))
        def get(self) -> None:
            raise UserMissing

        def log_exception(self, typ: Any, value: Any, tb: Any) -> None: ...

    assert 500 == ask_once(web.Application([("/", Decorated)])).status
    assert MISSING == names(reported)


def test_next_in_the_middle_of_a_response() -> None:
    """A decorated handler that has sent something is broken off, and reported once."""
    errors, reported = make_errors()

    class Decorated(Handler):
        @catch_async(next=as_next(errors))
        async def get(self) -> None:
            self.write(b"begun")
            await self.flush()
            raise UserMissing

    answer = ask_once(app_of(Decorated, errors))
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert MISSING == names(reported)


def test_failure_after_the_end() -> None:
    """What a handler raises after `finish` is reported once, and the response stands."""
    errors, reported = make_errors()

    class Finished(Handler):
        async def get(self) -> None:
            await self.finish("ok")
            raise UserMissing

    answer = ask_once(app_of(Finished, errors))
    assert (200, b"ok", True) == (answer.status, answer.body, answer.is_whole)
    assert MISSING == names(reported)


@pytest.mark.parametrize("is_finished", [False, True])
def test_client_that_goes_away(*, is_finished: bool) -> None:
    """That a client has gone away is no failure."""
    errors, reported = make_errors()

    class Leaving(Handler):
        async def get(self) -> None:
            if is_finished:
                await self.finish("ok")
            else:
                self.write("begun")
                await self.flush()
                self.request.connection.close()  # type: ignore[union-attr]
            raise StreamClosedError

    assert 200 == ask_once(app_of(Leaving, errors)).status
    assert [] == reported


@pytest.mark.skipif(tornado.version_info < (6, 6), reason="a cancelled handler has no answer")
def test_cancellation_is_no_failure() -> None:
    """A handler that is cancelled is answered by Tornado, and not reported."""
    errors, reported = make_errors()

    class Cancelled(Handler):
        async def get(self) -> None:
            raise asyncio.CancelledError

        def log_exception(self, typ: Any, value: Any, tb: Any) -> None: ...

    assert 500 == ask_once(app_of(Cancelled, errors)).status
    assert [] == reported


class Echo(websocket.WebSocketHandler):
    """A websocket that fails at the first message."""

    def on_message(self, message: str | bytes) -> None:
        """Fail."""
        raise UserMissing


class Refusing(websocket.WebSocketHandler):
    """A websocket that fails before it is open."""

    def prepare(self) -> None:
        """Fail."""
        raise UserMissing


class Leaving(websocket.WebSocketHandler):
    """A websocket whose client has gone."""

    def on_message(self, message: str | bytes) -> None:
        """Write to it."""
        raise websocket.WebSocketClosedError


async def connected(url: str) -> Any:
    """Connect, send a message, and return what comes: ``None``, the end."""
    connection = await websocket.websocket_connect(url.replace("http", "ws", 1))
    await connection.write_message("hello")
    try:
        return await connection.read_message()
    finally:
        connection.close()


@pytest.mark.parametrize(("handler", "expected"), [(Echo, ["UserMissing"]), (Leaving, [])])
def test_websocket_that_fails(handler: Any, expected: list[str]) -> None:
    """A websocket's failure is reported once, and ends it; that its client has gone is none."""
    from tests.integrations.apps.tornado import serve  # noqa: PLC0415 - Tornado may not be here

    errors, reported = make_errors()
    with serve(app_of(handler, errors)) as url:
        assert None is asyncio.run(connected(url))
    assert [(name, "websocket") for name in expected] == names(reported)


def test_websocket_that_fails_early() -> None:
    """A websocket that is not open yet is answered."""
    errors, reported = make_errors()
    assert 404 == ask_once(app_of(Refusing, errors)).status
    assert [("UserMissing", "websocket")] == names(reported)


def test_logging_is_as_without_us(caplog: pytest.LogCaptureFixture) -> None:
    """Tornado logs a failure as ever, once."""
    errors, _reported = make_errors()
    with caplog.at_level(logging.ERROR, "tornado.application"):
        ask_once(app_of(Missing, errors))
    logged = [record for record in caplog.records if record.name == "tornado.application"]
    assert [UserMissing] == [record.exc_info and record.exc_info[0] for record in logged]


def test_handlers_are_as_they_were() -> None:
    """A handler has the name, the arguments and the URLs that it had, and is of its class."""
    errors, _reported = make_errors()

    class Showing(Handler):
        """Shows."""

        def initialize(self, prefix: str) -> None:
            self.prefix = prefix

        def get(self, number: str) -> None:
            kind = type(self)
            self.write(f"{self.prefix}{number} {kind.__name__} {kind.__doc__} ")
            self.write(f"{kind.__module__ == __name__} {self.reverse_url('show', 7)}")

    url = web.url("/([0-9]+)", Showing, {"prefix": "#"}, name="show")
    answer = ask_once(install(web.Application([url]), errors), "/5")
    assert b"#5 Showing Shows. True /7" == answer.body


def test_wrapped_router() -> None:
    """Handlers that are registered through a wrapped application are caught."""
    errors, reported = make_errors()
    app = install(web.Application(), errors)
    wrap_router(app, next=as_next(errors)).add_handlers(".*", [("/", Missing)])
    assert 404 == ask_once(app).status
    assert MISSING == names(reported)


@pytest.mark.parametrize("what", [None, Missing, lambda request: None])
def test_what_is_no_app(what: Any) -> None:
    """What is no application of Tornado's is refused by name."""
    with pytest.raises(TypeError, match=r"takes a Tornado web\.Application first: got"):
        install(what, make_errors()[0])


def test_what_is_no_error_handler() -> None:
    """What is no `ErrorHandler` is refused."""
    with pytest.raises(TypeError, match=r"takes a catchasync\.ErrorHandler second: got None"):
        install(web.Application(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_what_is_no_error_handler_of_next() -> None:
    """`as_next` refuses what is no `ErrorHandler` when it is called."""
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
