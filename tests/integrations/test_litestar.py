"""What is special in Litestar: dependencies, the schema, hooks, websockets, the lifespan."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from typing import Any, TypeAlias

import pytest

pytest.importorskip("litestar")

from litestar import Litestar, MediaType, Response, WebSocket, get, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.di import Provide
from litestar.exceptions import HTTPException, LitestarException, WebSocketException
from litestar.response import Stream
from litestar.testing import TestClient

from catchasync import ErrorHandler, catch_async
from catchasync.errors import NotFound
from catchasync.integrations.litestar import as_next, install, original
from tests.integrations.contract import SECRET, Report, UserMissing, make_errors

Made: TypeAlias = tuple[ErrorHandler, list[Report]]

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*[iI]nferred:DeprecationWarning"  # newer versions want each parameter marked
)


@pytest.fixture
def made() -> Made:
    """Return an error handler, and what it reports."""
    return make_errors()


def names(made: Made) -> list[tuple[str, str | None]]:
    """Return what was reported, and where it came from."""
    return [(report.name, report.source) for report in made[1]]


@get("/missing")
async def missing() -> str:
    """Fail."""
    raise UserMissing


@get("/bug")
async def bug() -> str:
    """Fail."""
    raise RuntimeError(SECRET)


def app_of(errors: ErrorHandler, *handlers: Any, **options: Any) -> Litestar:
    """Return an app with the handler installed."""
    app = Litestar([missing, bug, *handlers], logging_config=None, **options)
    return install(app, errors)


def ask(app: Litestar, path: str, **options: Any) -> Any:
    """Ask an app, in this process."""
    with TestClient(app, raise_server_exceptions=False) as client:
        return client.get(path, **options)


def test_dependencies_see_the_error_before_the_answer(made: Made) -> None:
    """A generator that gives a session can roll back, by the time that a rule is asked."""
    seen: list[str] = []

    def session() -> Generator[str, None, None]:
        try:
            yield "session"
        except UserMissing:
            seen.append("rolled back")
            raise

    @made[0].on(UserMissing, status=404)
    def _(error: Exception, context: Any) -> None:
        seen.append("answered")

    @get("/session", dependencies={"session": Provide(session)})
    async def use(session: str) -> str:
        raise UserMissing

    assert 404 == ask(app_of(made[0], use), "/session").status_code
    assert ["rolled back", "answered"] == seen


def test_validation_is_answered(made: Made) -> None:
    """What Litestar refuses is expected."""

    @get("/users")
    async def show(page: int) -> str:
        return ""

    assert 400 == ask(app_of(made[0], show), "/users?page=x").status_code
    assert [True] == [report.expected for report in made[1]]


def test_own_exception_handlers_come_first(made: Made) -> None:
    """The app's exception handlers, by class or by status, are called as without us."""

    def own(request: Any, error: Exception) -> Response[str]:
        return Response("own", status_code=418)

    app = app_of(made[0], exception_handlers={UserMissing: own, 404: own})
    assert [418, 418] == [ask(app, path).status_code for path in ("/missing", "/nowhere")]
    assert [] == made[1]


def own(request: Any, error: Exception) -> Response[str]:
    """Answer, as an app does by itself."""
    return Response("own", status_code=418)


def not_found(request: Any, error: Exception) -> Response[str]:
    """Answer what is not found."""
    return Response("none", status_code=404)


def test_own_handler_for_everything(made: Made) -> None:
    """What an app's own handler for `Exception` answers is reported; what others take is not."""

    @get("/refused")
    async def refuse() -> str:
        raise HTTPException(status_code=409)

    handlers: Any = {Exception: own, UserMissing: not_found, 404: not_found}
    app = app_of(made[0], refuse, exception_handlers=handlers)
    paths = {"/bug": 418, "/refused": 418, "/missing": 404, "/nowhere": 404}
    assert paths == {path: ask(app, path).status_code for path in paths}
    assert [("RuntimeError", "route"), ("HTTPException", "route")] == names(made)


def test_own_handler_of_a_route(made: Made) -> None:
    """Same where a single route has it."""

    @get("/owned", exception_handlers={Exception: own})
    async def owned() -> str:
        raise RuntimeError(SECRET)

    app = app_of(made[0], owned)
    assert [418, 500] == [ask(app, path).status_code for path in ("/owned", "/bug")]
    assert [("RuntimeError", "route")] * 2 == names(made)


def test_own_handler_that_fails(made: Made) -> None:
    """What the app's own handler raises is reported, and answered."""

    def broken(request: Any, error: Exception) -> Response[str]:
        raise LookupError(SECRET)

    app = app_of(made[0], exception_handlers={UserMissing: broken})
    assert 500 == ask(app, "/missing").status_code
    assert [("LookupError", "route")] == names(made)


def test_cookie_of_the_answer_of_next(made: Made) -> None:
    """A cookie is added to the answer where nothing else is."""

    async def after(response: Response[Any]) -> Response[Any]:
        response.set_cookie("seen", "yes")
        return response

    @get("/after", after_request=after)
    @catch_async(next=as_next(made[0]))
    async def fail() -> str:
        raise NotFound

    assert "yes" == ask(app_of(made[0], fail), "/after").cookies["seen"]


def test_what_is_added_to_the_answer_of_next(made: Made) -> None:
    """A hook may add headers, cookies and tasks to the answer of a decorated handler."""
    ran: list[int | None] = []

    async def after(response: Response[Any]) -> Response[Any]:
        response.headers["X-Seen"] = "1"
        response.headers["Content-Type"] = "text/csv"
        response.set_cookie("seen", "yes")
        response.background = BackgroundTask(ran.append, response.status_code)
        return response

    @get("/after", after_request=after)
    @catch_async(next=as_next(made[0]))
    async def fail() -> str:
        raise NotFound

    answer = ask(app_of(made[0], fail), "/after")
    assert (404, "1", "yes") == (
        answer.status_code,
        answer.headers["x-seen"],
        answer.cookies["seen"],
    )
    assert ("application/problem+json", [404]) == (answer.headers["content-type"], ran)


def test_response_of_next(made: Made) -> None:
    """The response of `as_next` has what responses have, and nothing else."""
    response = as_next(made[0])(NotFound())
    assert (404, None) == (response.status_code, response.media_type)
    with pytest.raises(AttributeError, match="'ErrorAnswer' object has no attribute 'stream'"):
        getattr(response, "stream")  # noqa: B009 - by name, past the type checkers


def test_hooks_are_called(made: Made) -> None:
    """The hooks of after_exception see what they saw; before_send sees the answer."""
    seen: list[Any] = []

    async def after_exception(error: Exception, scope: Any) -> None:
        seen.append(type(error))

    async def before_send(message: Any, scope: Any) -> None:
        seen.append(message.get("status"))

    hooks: dict[str, Any] = {"after_exception": [after_exception], "before_send": [before_send]}
    ask(app_of(made[0], **hooks), "/missing")
    assert [UserMissing, 404, None] == seen


def test_schema_is_as_without_us(made: Made) -> None:
    """The documentation, names and URLs of routes do not change, also of decorated handlers."""

    async def show(page: int = 1) -> str:
        """Show."""
        return ""

    decorated = catch_async(next=as_next(made[0]))(show)
    plain = Litestar([get("/users", name="show")(show)])
    ours = install(Litestar([get("/users", name="show")(decorated)]), made[0])
    assert plain.openapi_schema.to_schema() == ours.openapi_schema.to_schema()
    assert "/users" == ours.route_reverse("show")


def test_decorated_handler_answers(made: Made) -> None:
    """A decorated handler's answer has its own status, whatever that of its route."""

    @post("/made")
    @catch_async(next=as_next(made[0]))
    async def make() -> str:
        raise UserMissing

    with TestClient(app_of(made[0], make)) as client:
        answer = client.post("/made", headers={"accept": "text/plain"})
    assert (404, "404 Not Found\n") == (answer.status_code, answer.text)
    assert [("UserMissing", "route")] == names(made)


def test_async_rule_answers(made: Made) -> None:
    """A rule may be async, and return a response of Litestar's."""

    @made[0].on(UserMissing)
    async def _(error: Exception, context: Any) -> Response[str]:
        await asyncio.sleep(0)
        return Response(context.request.url.path, status_code=410, media_type=MediaType.TEXT)

    answer = ask(app_of(made[0]), "/missing")
    assert (410, "/missing") == (answer.status_code, answer.text)


def test_outer_application_is_guarded(made: Made) -> None:
    """What fails outside of Litestar's own handling is answered by the guard, by rules too."""
    errors = made[0]

    @errors.on(UserMissing)
    def _(error: Exception, context: Any) -> Response[str]:
        return Response(type(context.request).__name__, status_code=410)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise UserMissing

    app = Litestar([], logging_config=None)
    app.asgi_handler = broken
    assert 410 == ask(install(app, errors), "/").status_code


def test_background_failure_is_reported(made: Made) -> None:
    """A background task's failure comes after the answer, and is reported alone."""

    async def fail() -> None:
        raise RuntimeError(SECRET)

    @get("/later")
    async def later() -> Response[str]:
        return Response("ok", background=BackgroundTask(fail))

    assert 200 == ask(app_of(made[0], later), "/later").status_code
    assert [("RuntimeError", "route")] == names(made)


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (RuntimeError(SECRET), [("RuntimeError", "websocket")]),
        (HTTPException(status_code=403), [("HTTPException", "websocket")]),
        (WebSocketException(detail=SECRET), []),
    ],
)
def test_websocket_failure_is_reported(made: Made, error: Exception, reported: Any) -> None:
    """A websocket's failure is reported; a close that the handler asks for is none."""

    @websocket("/ws")
    async def talk(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text("hello")
        raise error

    app = app_of(made[0], talk)
    with TestClient(app) as client, client.websocket_connect("/ws") as connection:
        assert "hello" == connection.receive_text()
    assert reported == names(made)


def test_failing_start_is_reported(made: Made) -> None:
    """What fails before serving is reported, and still keeps the app from serving."""

    async def start() -> None:
        raise RuntimeError(SECRET)

    async def run() -> None:
        async with app_of(made[0], on_startup=[start]).lifespan():
            served.append(True)

    served: list[bool] = []
    with contextlib.suppress(RuntimeError, ExceptionGroup):  # a group, by way of a task group
        asyncio.run(run())
    assert [] == served
    assert [("RuntimeError", "lifespan")] == names(made)


def test_failing_end_is_reported(made: Made) -> None:
    """So is what fails in a hook of the shutdown, sync or async, which may take the app."""

    async def stop() -> None:
        raise RuntimeError(SECRET)

    def stop_app(app: Litestar) -> None:
        stopped.append(app)

    stopped: list[Litestar] = []
    app = app_of(made[0], on_shutdown=[stop_app, stop])

    async def run() -> None:
        async with app.lifespan():
            pass

    with contextlib.suppress(RuntimeError, ExceptionGroup):
        asyncio.run(run())
    assert ([app], [("RuntimeError", "lifespan")]) == (stopped, names(made))


def test_install_twice(made: Made) -> None:
    """Where it is installed twice, the second answers, once."""
    others, nothing = make_errors()
    app = install(app_of(others), made[0])
    assert 404 == ask(app, "/missing").status_code
    assert ([("UserMissing", "route")], []) == (names(made), nothing)


def test_stream_that_fails(made: Made) -> None:
    """What fails in a stream is reported itself, not the group that holds it."""

    async def body() -> AsyncGenerator[bytes, None]:
        yield b"begun"
        raise RuntimeError(SECRET)

    @get("/stream")
    async def stream() -> Stream:
        return Stream(body())

    ask(app_of(made[0], stream), "/stream")
    assert [("RuntimeError", "route")] == names(made)


@pytest.mark.parametrize("is_installed", [False, True])
def test_next_in_a_websocket(made: Made, *, is_installed: bool) -> None:
    """A websocket drops what its handler returns: the failure is reported all the same, once."""

    @websocket("/ws")
    @catch_async(next=as_next(made[0]))
    async def talk(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()
        raise RuntimeError(SECRET)

    app = app_of(made[0], talk) if is_installed else Litestar([talk], logging_config=None)
    with TestClient(app) as client, client.websocket_connect("/ws") as connection:
        assert "hello" == connection.receive_text()
    assert [("RuntimeError", "websocket" if is_installed else "route")] == names(made)


def test_install_refuses_other_apps(made: Made) -> None:
    """Only a Litestar app is one."""
    with pytest.raises(TypeError, match="takes a Litestar app first"):
        install(lambda: None, made[0])  # type: ignore[type-var]


def test_cause_of_itself() -> None:
    """An error of Litestar's that is its own cause is answered: nothing goes round in circles."""
    error = LitestarException()
    error.__cause__ = error
    assert error is original(error)


def test_what_is_no_error_handler_of_next() -> None:
    """`as_next` refuses what is no `ErrorHandler` when it is called."""
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_stream_under_two_guards(made: Made) -> None:
    """What fails midway is raised out of its group, and is the same failure still."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"part"
        raise RuntimeError(SECRET)

    @get("/stream")
    async def view() -> Stream:
        return Stream(parts())

    app = install(app_of(made[0], view), made[0])
    with pytest.raises(RuntimeError), TestClient(app) as client:
        client.get("/stream")
    assert [("RuntimeError", "route")] == names(made)
