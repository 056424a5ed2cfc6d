"""What is special in Quart: teardown, signals, websockets, background tasks, the lifespan."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, TypeAlias

import pytest

pytest.importorskip("quart")

import quart
from quart.signals import (
    got_background_exception,
    got_request_exception,
    got_websocket_exception,
)
from werkzeug.exceptions import HTTPException, TooManyRequests

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.quart import as_next, install, ungrouped
from tests.integrations.contract import SECRET, Report, UserMissing, make_errors

Made: TypeAlias = tuple[ErrorHandler, list[Report]]


@pytest.fixture
def made() -> Made:
    """Return an error handler, and what it reports."""
    return make_errors()


@pytest.fixture
def app(made: Made) -> quart.Quart:
    """Return an app with the handler installed."""
    app = install(quart.Quart("special"), made[0])
    app.add_url_rule("/bug", "bug", raiser(lambda: RuntimeError(SECRET)))
    app.add_url_rule("/missing", "missing", raiser(UserMissing))
    return app


def raiser(make: Callable[[], Exception]) -> Callable[[], Any]:
    """Return a view that raises."""

    async def view() -> Any:
        raise make()

    return view


class NotModified(HTTPException):
    """No error."""

    code = 304


@pytest.mark.parametrize("path", ["/", "/decorated"])
@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda: TooManyRequests(response=quart.Response("slow down", 429)), 429),
        (lambda: HTTPException(response=quart.Response("mine", 499)), 499),
        (NotModified, 304),
    ],
)
def test_abort_with_a_response(
    app: quart.Quart, made: Made, make: Callable[[], Exception], status: int, path: str
) -> None:
    """What a view hands to ``abort`` is as without us, also where the view is decorated."""
    view = raiser(make)
    app.add_url_rule("/", "view", view)
    app.add_url_rule("/decorated", "decorated", catch_async(next=as_next(made[0]))(view))

    assert status == get(app, path).status_code
    assert [] == names(made)


def get(app: quart.Quart, path: str) -> Any:
    """Ask an app, in this process."""
    return asyncio.run(app.test_client().get(path))


def names(made: Made) -> list[tuple[str, str | None]]:
    """Return what was reported, and where it came from."""
    return [(report.name, report.source) for report in made[1]]


def test_teardown_rolls_back_before_the_answer(app: quart.Quart) -> None:
    """A session that teardown closes is rolled back for an error, and committed without one."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE notes (number)")

    @app.before_request
    async def begin() -> None:
        database.execute("BEGIN")
        database.execute("INSERT INTO notes VALUES (1)")

    @app.teardown_request
    async def end(error: BaseException | None) -> None:
        database.execute("COMMIT" if error is None else "ROLLBACK")

    app.add_url_rule("/ok", "ok", lambda: "ok")
    assert [404, 500, 200] == [get(app, path).status_code for path in ("/missing", "/bug", "/ok")]
    assert [(1,)] == database.execute("SELECT * FROM notes").fetchall()
    database.close()


def test_teardown_failure_is_reported(app: quart.Quart, made: Made) -> None:
    """What a teardown raises reaches the guard, and is answered."""

    @app.teardown_appcontext
    async def end(error: BaseException | None) -> None:
        raise RuntimeError(SECRET)

    app.add_url_rule("/ok", "ok", lambda: "ok")
    assert 500 == get(app, "/ok").status_code
    assert ("RuntimeError", "route") == names(made)[0]


def test_bug_is_signalled(app: quart.Quart) -> None:
    """Observers of got_request_exception see bugs, and no expected errors."""
    seen: list[Any] = []

    def receiver(sender: Any, exception: Exception) -> None:
        seen.append(exception)

    with got_request_exception.connected_to(receiver, app):
        assert [404, 500] == [get(app, path).status_code for path in ("/missing", "/bug")]
    assert [RuntimeError] == [type(error) for error in seen]


def test_own_error_handlers_come_first(made: Made) -> None:
    """An app's error handlers are called as without us, one for all HTTP errors too."""
    app = quart.Quart("own")

    @app.errorhandler(HTTPException)
    async def own(error: HTTPException) -> tuple[str, int]:
        return "own", 404

    install(app, made[0])
    assert b"own" == asyncio.run(get(app, "/nowhere").get_data())
    assert [] == made[1]


def test_own_handler_of_all(app: quart.Quart, made: Made) -> None:
    """An app's error handler for `Exception` answers all that it would answer without us."""

    @app.errorhandler(Exception)
    def own(error: Exception) -> tuple[str, int]:
        return "own", 418

    assert [418] * 3 == [get(app, path).status_code for path in ("/nowhere", "/missing", "/bug")]
    assert [] == made[1]


def test_after_request_sees_the_answer(app: quart.Quart) -> None:
    """Hooks can add their headers to the answer."""

    @app.after_request
    async def add_header(response: Any) -> Any:
        response.headers["x-request-id"] = "7"
        return response

    assert "7" == get(app, "/bug").headers["x-request-id"]


def test_async_rule_answers(app: quart.Quart, made: Made) -> None:
    """A rule may be async, and return what a view returns; so for a view decorated alone."""

    @made[0].on(UserMissing)
    async def _(error: Exception, context: Any) -> tuple[str, int]:
        await asyncio.sleep(0)
        return context.request.path, 410

    decorate: Any = catch_async(next=as_next(made[0]))
    app.add_url_rule("/decorated", "decorated", decorate(raiser(UserMissing)))
    for path in ("/missing", "/decorated"):
        answer = get(app, path)
        assert (410, path) == (answer.status_code, asyncio.run(answer.get_data()).decode())
    assert [("UserMissing", "route")] * 2 == names(made)


def test_websocket_failure_is_reported(app: quart.Quart, made: Made) -> None:
    """A websocket's failure is reported once and signalled; Quart closes the connection."""
    seen: list[Any] = []

    def receiver(sender: Any, exception: Exception) -> None:
        seen.append(exception)

    @app.websocket("/ws")
    async def talk() -> None:
        await quart.websocket.send("hello")
        raise RuntimeError(SECRET)

    async def listen() -> Any:
        async with app.test_client().websocket("/ws") as websocket:
            return await websocket.receive()

    with got_websocket_exception.connected_to(receiver, app):
        assert "hello" == asyncio.run(listen())
    assert [("RuntimeError", "websocket")] == names(made)
    assert [RuntimeError] == [type(error) for error in seen]


def test_background_failure_is_reported(app: quart.Quart, made: Made) -> None:
    """A background task's failure is reported once, and signalled."""
    seen: list[Any] = []

    def receiver(sender: Any, exception: Exception) -> None:
        seen.append(exception)

    async def task() -> None:
        raise RuntimeError(SECRET)

    async def run() -> None:
        async with app.test_app():
            app.add_background_task(task)

    with got_background_exception.connected_to(receiver, app):
        asyncio.run(run())
    assert [("RuntimeError", "task")] == names(made)
    assert [RuntimeError] == [type(error) for error in seen]


def test_failing_start_is_reported(app: quart.Quart, made: Made) -> None:
    """What fails before serving is reported, and still keeps the app from serving."""

    @app.before_serving
    async def start() -> None:
        raise RuntimeError(SECRET)

    with pytest.raises(RuntimeError, match=SECRET):
        asyncio.run(app.startup())
    assert [("RuntimeError", "lifespan")] == names(made)


def test_urls_are_as_without_us(app: quart.Quart) -> None:
    """Endpoints keep their names, and url_for finds them."""

    async def url() -> str:
        async with app.test_request_context("/"):
            return quart.url_for("missing")

    assert "/missing" == asyncio.run(url())


def test_install_refuses_other_apps(made: Made) -> None:
    """Only a Quart app is one."""
    with pytest.raises(TypeError, match="takes a Quart app first"):
        install(lambda: None, made[0])  # type: ignore[type-var]


def test_groups_of_quarts_tasks() -> None:
    """A failure that comes in the group of Quart's own tasks is raised as itself."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ExceptionGroup("tasks", [UserMissing()])

    async def run() -> None:
        await ungrouped(app)(None, None, None)

    with pytest.raises(UserMissing):
        asyncio.run(run())


def test_hook_that_fails_with_an_answer(app: quart.Quart, made: Made) -> None:
    """What an ``after_request`` function raises while a failure is answered is reported too."""

    @app.after_request
    async def fail(_response: Any) -> Any:
        raise LookupError

    assert [404, 500] == [get(app, path).status_code for path in ("/missing", "/bug")]
    expected = ["UserMissing", "LookupError", "RuntimeError", "LookupError"]
    assert [(name, "route") for name in expected] == names(made)


def test_websocket_hook_that_fails(app: quart.Quart, made: Made) -> None:
    """What an ``after_websocket`` function raises while a failure is answered is reported too."""

    @app.websocket("/ws")
    async def talk() -> None:
        await quart.websocket.accept()
        raise UserMissing

    @app.after_websocket
    async def fail(_response: Any) -> Any:
        raise LookupError

    async def listen() -> None:
        async with app.test_client().websocket("/ws"):
            pass

    asyncio.run(listen())
    assert [("UserMissing", "websocket"), ("LookupError", "websocket")] == names(made)


def test_rule_answers_as_a_view(app: quart.Quart, made: Made) -> None:
    """A rule may return what a view may return."""

    @made[0].on(RuntimeError)
    def _(error: Exception, context: Any) -> Any:
        return "mine", 418

    response = get(app, "/bug")
    assert (418, b"mine") == (response.status_code, asyncio.run(response.get_data()))


@pytest.mark.parametrize("where", ["view", "hook"])
def test_cancellation_of_a_future(app: quart.Quart, made: Made, where: str) -> None:
    """The cancellation of a thread's future passes as it is: it is no failure."""
    app.add_url_rule("/cancelled", "cancelled", raiser(CancelledError))
    if where == "hook":
        app.after_request(raise_cancelled)
    with pytest.raises(CancelledError):
        get(app, "/cancelled" if where == "view" else "/bug")
    assert ([] if where == "view" else [("RuntimeError", "route")]) == names(made)


async def raise_cancelled(_response: Any) -> Any:
    """Fail as a future that was cancelled."""
    raise CancelledError


def test_install_twice(app: quart.Quart, made: Made) -> None:
    """What is installed last answers, and alone: failures of views, starts, and streams."""
    last = make_errors()
    install(app, last[0])

    @app.before_serving
    async def start() -> None:
        raise RuntimeError(SECRET)

    assert [404, 500] == [get(app, path).status_code for path in ("/nowhere", "/bug")]
    app.teardown_request(fail_at_the_end)
    assert 500 == get(app, "/bug").status_code
    with pytest.raises(RuntimeError):
        asyncio.run(app.startup())
    expected = ["NotFound", "RuntimeError", "RuntimeError", "LookupError", "RuntimeError"]
    assert ([], expected) == (names(made), [name for name, _ in names(last)])


async def fail_at_the_end(_error: Any) -> None:
    """Fail."""
    raise LookupError


def test_cancellation_of_a_future_in_a_websocket(app: quart.Quart, made: Made) -> None:
    """The cancellation of a thread's future ends a websocket as it is: it is no failure."""
    app.add_websocket("/ws", "ws", raiser(CancelledError))

    async def listen() -> None:
        async with app.test_client().websocket("/ws"):
            pass

    with pytest.raises(CancelledError):
        asyncio.run(listen())
    assert [] == names(made)


def test_cancellation_of_a_future_in_the_background(app: quart.Quart, made: Made) -> None:
    """The cancellation of a thread's future is no failure in a background task either."""
    view = raiser(CancelledError)

    @app.route("/start")
    async def start() -> str:
        app.add_background_task(view)
        return "ok"

    async def ask() -> None:
        async with app.test_app() as running:
            await running.test_client().get("/start")

    asyncio.run(ask())
    assert [] == names(made)


def test_hook_that_always_fails(app: quart.Quart, made: Made) -> None:
    """A hook that fails with a response, and again with the answer to that, is reported once."""
    app.add_url_rule("/ok", "ok", lambda: "ok")

    @app.after_request
    async def fail(_response: Any) -> Any:
        raise LookupError

    assert 500 == get(app, "/ok").status_code
    assert [("LookupError", "route")] == names(made)
