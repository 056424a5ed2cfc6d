"""What is special to Flask: teardown functions, hooks, signals, sessions, ``url_for``."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError
from pathlib import Path
from types import MethodType
from typing import Any

import pytest

pytest.importorskip("flask")

from flask import Blueprint, Flask, Response, abort, got_request_exception, send_file, url_for
from flask import request as current
from werkzeug.exceptions import HTTPException, TooManyRequests
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wsgi import ClosingIterator

from catchasync import ErrorHandler, ErrorResponse, catch_async, wrap_router
from catchasync.errors import NotFound
from catchasync.integrations.flask import as_next, install
from tests.integrations.contract import UserMissing, ask, make_errors
from tests.integrations.servers import serve_wsgi


def bug() -> str:
    """Fail."""
    raise RuntimeError("secret")


class NotModified(HTTPException):
    """No error."""

    code = 304


def app_of(view: Any, errors: ErrorHandler) -> Flask:
    """Return an app with one view."""
    app = Flask("test")
    app.add_url_rule("/", "view", view)
    return install(app, errors)


@pytest.mark.parametrize("error", [RuntimeError("secret"), NotFound(), UserMissing()])
def test_rollback_first(error: Exception) -> None:
    """A teardown function sees what the view raised, before anything is sent."""
    errors, _ = make_errors()
    seen: list[BaseException | None] = []

    def view() -> str:
        raise error

    app = app_of(view, errors)
    app.teardown_request(lambda error: seen.append(error))
    app.test_client().get("/")
    assert [error] == seen


def test_teardown_that_fails() -> None:
    """What a teardown function raises takes the place of the answer, and is reported."""
    errors, reported = make_errors()
    app = app_of(lambda: "ok", errors)

    @app.teardown_request
    def fail(error: BaseException | None) -> None:
        raise UserMissing

    with serve_wsgi(app) as url:
        assert 404 == ask(url, "/").status
    assert ["UserMissing"] == [report.name for report in reported]


def test_own_handler_of_all() -> None:
    """An app's error handler for `Exception` answers all that it would answer without us."""
    errors, reported = make_errors()
    app = app_of(bug, errors)

    @app.errorhandler(Exception)
    def own(error: Exception) -> tuple[str, int]:
        return "own", 418

    client = app.test_client()
    assert [418, 418] == [client.get(path).status_code for path in ("/nowhere", "/")]
    assert [] == reported


def test_hooks_see_the_answer() -> None:
    """Functions of ``after_request`` change the answer to a bug as any response."""
    errors, _ = make_errors()
    app = app_of(bug, errors)

    @app.after_request
    def add(response: Response) -> Response:
        response.headers["x-seen"] = str(response.status_code)
        return response

    assert "500" == app.test_client().get("/").headers["x-seen"]


@pytest.mark.parametrize(("error", "count"), [(RuntimeError("secret"), 1), (UserMissing(), 0)])
def test_signal(error: Exception, count: int) -> None:
    """``got_request_exception`` is sent for bugs, and not for what is expected."""
    errors, _ = make_errors()
    seen: list[BaseException] = []

    def view() -> str:
        raise error

    app = app_of(view, errors)

    def note(sender: Flask, exception: BaseException) -> None:
        seen.append(exception)

    with got_request_exception.connected_to(note, app):
        app.test_client().get("/")
    assert [error] * count == seen


def test_testing_and_debug() -> None:
    """Failures are answered also with ``TESTING`` and ``DEBUG`` on."""
    errors, reported = make_errors()
    app = app_of(bug, errors)
    app.testing = app.debug = True
    assert 500 == app.test_client().get("/").status_code
    assert 1 == len(reported)


def test_rule_answers_as_a_view() -> None:
    """A rule, async too, may return what a view may return, and sees Flask's request."""
    errors = ErrorHandler(reporters=())

    @errors.on(RuntimeError)
    async def _(error: Exception, context: Any) -> Any:
        return {"path": context.request.path, "view": context.handler is bug}, 418

    app = app_of(bug, errors)
    answer = app.test_client().get("/")
    assert (418, {"path": "/", "view": True}) == (answer.status_code, answer.json)


def test_rule_answers_with_our_response() -> None:
    """A rule may return an `ErrorResponse` of its own making, with few headers."""
    errors = ErrorHandler(reporters=())
    response = ErrorResponse(418, {"content-type": "text/tea"}, b"short")
    errors.on(RuntimeError)(lambda error, context: response)
    answer = app_of(bug, errors).test_client().get("/")
    assert (418, "text/tea", b"short") == (answer.status_code, answer.content_type, answer.data)


@pytest.mark.parametrize(("headers", "expected"), [({}, "3"), ({"content-length": "9"}, "9")])
def test_length_of_our_response(headers: dict[str, str], expected: str) -> None:
    """The length is that of an `ErrorResponse`, else of its body."""
    errors, _ = make_errors()

    @errors.on(KeyError)
    def answer(error: Exception, context: Any) -> ErrorResponse:
        return ErrorResponse(410, headers, b"old")

    def view() -> str:
        raise KeyError

    reply = app_of(view, errors).test_client().head("/")

    assert [expected] == reply.headers.getlist("content-length")


def test_abort_with_a_response() -> None:
    """``abort`` with a response, or a redirect, is as without us."""
    errors, reported = make_errors()
    app = app_of(lambda: abort(Response("mine", 499)), errors)

    def unchanged() -> str:
        raise NotModified

    def worded() -> str:
        raise TooManyRequests(response=Response("slow down", 429))

    app.add_url_rule("/moved", "moved", unchanged)
    app.add_url_rule("/folder/", "folder", lambda: "ok")
    app.add_url_rule("/worded", "worded", worded)
    client = app.test_client()
    paths = ("/", "/moved", "/folder", "/worded")
    assert [499, 304, 308, 429] == [client.get(path).status_code for path in paths]
    assert "slow down" == client.get("/worded").text
    assert [] == reported


@pytest.mark.parametrize(
    "error",
    [
        TooManyRequests(response=Response("slow down", 429)),
        HTTPException(response=Response("mine", 499)),
        NotModified(),
    ],
)
def test_abort_with_a_response_in_a_single_view(error: HTTPException) -> None:
    """What a decorated view hands to ``abort`` is as without us."""
    errors, reported = make_errors()
    app = Flask("test")

    @app.get("/")
    @catch_async(next=as_next(errors))
    def view() -> str:
        raise error

    expected = error.get_response({}).status_code
    assert expected == app.test_client().get("/").status_code
    assert [] == reported


@pytest.mark.parametrize("is_first", [True, False])
def test_extension_that_answers_errors(*, is_first: bool) -> None:
    """An extension that answers what views raise lets it pass, as Flask's setting tells it."""
    errors, reported = make_errors()
    app = Flask("test")
    app.add_url_rule("/", "view", bug)

    def extend() -> None:
        handle = app.handle_user_exception

        def handle_user_exception(error: Exception) -> Any:
            return handle(error) if app.config["PROPAGATE_EXCEPTIONS"] else ("extended", 500)

        vars(app)["handle_user_exception"] = handle_user_exception

    if is_first:
        extend()
    install(app, errors)
    if not is_first:
        extend()

    assert "extended" != app.test_client().get("/").text
    assert ["RuntimeError"] == [report.name for report in reported]


def test_handlers_of_the_app_come_first() -> None:
    """An error handler that the app has answers as without us."""
    errors, reported = make_errors()
    app = Flask("test")
    app.register_error_handler(HTTPException, lambda error: ("mine", 499))
    app.register_error_handler(RuntimeError, lambda error: ("mine too", 498))
    app.add_url_rule("/", "view", bug)
    client = install(app, errors).test_client()
    assert [498, 499] == [client.get(path).status_code for path in ("/", "/nowhere")]
    assert [] == reported


def test_session_before_a_view() -> None:
    """A bug before any view is answered: a hook's, where there is no endpoint."""
    errors, reported = make_errors()
    app = app_of(bug, errors)

    @app.before_request
    def fail() -> None:
        assert current.endpoint is None
        raise UserMissing

    assert 404 == app.test_client().get("/nowhere").status_code
    assert ["UserMissing"] == [report.name for report in reported]


def test_decorated_and_wrapped_views_keep_their_names() -> None:
    """``url_for`` finds decorated views, and those of a wrapped router, by their own names."""
    errors, _ = make_errors()
    app = Flask("test")

    def first() -> str:
        return url_for("second")

    def second() -> str:
        raise UserMissing

    app.route("/first")(catch_async(next=as_next(errors))(first))
    wrap_router(app, next=as_next(errors)).route("/second")(second)
    client = app.test_client()
    assert "/second" == client.get("/first").text
    assert 404 == client.get("/second").status_code


@pytest.mark.parametrize("app", [None, lambda environ, start_response: []])
def test_what_is_no_app(app: Any) -> None:
    """What is no Flask app is refused by name."""
    with pytest.raises(TypeError, match="takes a Flask app first: got"):
        install(app, ErrorHandler())


LENGTH = {"content-length": "4"}  # else werkzeug counts, and finds the fault before the head


def mixed() -> list[Any]:
    """Return a body of two kinds."""
    return [b"a", "\ud800"]


def fail_at_the_end() -> None:
    """Fail."""
    raise RuntimeError


class Closing(Response):
    """A response whose end fails."""

    def close(self) -> None:
        """Fail."""
        raise UserMissing


def closing_later() -> Response:
    """Return a response with something to do at its end, which fails."""
    response = Response("ok")
    response.call_on_close(bug)
    return response


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (closing_later, "RuntimeError"),
        (lambda: Closing("ok"), "UserMissing"),
        (lambda: Response(mixed(), headers=LENGTH), "UnicodeEncodeError"),
        (lambda: Response(["\ud800"], headers=LENGTH), "UnicodeEncodeError"),
        (lambda: Response(bug() for _ in "ab"), "RuntimeError"),
    ],
    ids=["call_on_close", "close", "parts", "text", "stream"],
)
def test_body_that_fails(view: Any, expected: str) -> None:
    """What fails in sending a response, or at its end, is reported, with the view."""
    told: list[Any] = []
    errors = ErrorHandler(reporters=[lambda *all_of_it: told.append(all_of_it)])
    with contextlib.suppress(RuntimeError, UserMissing, UnicodeEncodeError):
        get(app_of(view, errors))
    ((error, context),) = told
    assert expected == type(error).__name__
    assert view is context.handler
    assert "/" == context.request.path


def test_responses_of_a_class_of_the_app() -> None:
    """The end of a response is watched also where the app has a class of responses of its own."""
    errors, reported = make_errors()
    app = Flask("test")
    app.response_class = Closing
    app.add_url_rule("/", "view", lambda: "ok")
    with pytest.raises(UserMissing):
        get(install(app, errors))
    assert ["UserMissing"] == [report.name for report in reported]


def test_application_inside_of_the_guard() -> None:
    """What an application put around Flask's fails with, before Flask is asked, is answered."""
    errors, reported = make_errors()
    app = Flask("test")

    def failing(_environ: Any, _start_response: Any) -> Any:
        raise UserMissing

    vars(app)["wsgi_app"] = failing
    body, status, _ = get(install(app, errors))
    assert (404, ["UserMissing"]) == (status, [report.name for report in reported]), body


def get(app: Any, path: str = "/") -> tuple[bytes, int, Any]:
    """Ask for a path, as a server does, and return what came."""
    body, status, headers = run_wsgi_app(app, create_environ(path))
    try:
        return b"".join(body), int(status.split()[0]), headers
    finally:
        getattr(body, "close", bool)()


def test_file() -> None:
    """A file goes to the server as it is."""
    errors, reported = make_errors()
    body, status, _ = get(app_of(lambda: send_file(__file__), errors))
    assert (200, Path(__file__).read_bytes()) == (status, body)
    assert [] == reported


def test_exit() -> None:
    """What ends the process passes, as does a cancellation."""
    errors, reported = make_errors()

    def view() -> str:
        raise SystemExit

    with pytest.raises(SystemExit):
        get(app_of(view, errors))
    assert [] == reported


def test_teardown_that_is_cancelled() -> None:
    """A cancellation is no failure where it comes from."""
    errors, reported = make_errors()
    app = app_of(lambda: "ok", errors)

    @app.teardown_request
    def cancelled(_error: object) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        get(app)
    assert [] == reported


def test_teardown_where_there_is_no_view() -> None:
    """What fails after a 404 has no view."""
    told: list[Any] = []
    errors = ErrorHandler(reporters=[lambda *report: told.append(report)])
    app = app_of(lambda: "ok", errors)

    @app.teardown_request
    def fail(_error: object) -> None:
        bug()

    with pytest.raises(RuntimeError):
        get(app, "/none")
    assert [("NotFound", None), ("RuntimeError", None)] == [
        (type(error).__name__, context.handler) for error, context in told
    ]


@pytest.mark.parametrize("error", [RuntimeError("secret"), UserMissing()])
def test_hook_that_fails_with_an_answer(error: Exception) -> None:
    """What an ``after_request`` function raises while a failure is answered is reported too."""
    told: list[Any] = []

    def view() -> str:
        raise error

    errors = ErrorHandler(reporters=[lambda *report: told.append(report)])
    errors.on(UserMissing, status=404)
    app = app_of(view, errors)

    @app.after_request
    def fail(_response: Response) -> Response:
        raise LookupError

    _, status, _ = get(app)
    assert (404 if isinstance(error, UserMissing) else 500) == status
    assert [type(error), LookupError] == [type(error) for error, _ in told]
    assert [view, view] == [context.handler for _, context in told]


def test_rule_whose_answer_is_none() -> None:
    """A rule whose answer is nothing that a view may return is answered with 500, and reported."""
    errors, reported = make_errors()

    @errors.on(KeyError)
    def _(error: Exception, context: Any) -> Any:
        return object()

    def view() -> str:
        raise KeyError

    assert 500 == get(app_of(view, errors))[1]
    assert ["KeyError", "TypeError"] == [report.name for report in reported]


def test_cancellation() -> None:
    """A cancellation passes a view and a hook as it is: it is no failure, and has no answer."""
    errors, reported = make_errors()
    ended: list[Any] = []

    def view() -> str:
        raise CancelledError

    app = app_of(view, errors)
    app.teardown_request(ended.append)
    with pytest.raises(CancelledError):
        get(app)
    assert [CancelledError] == [type(error) for error in ended]

    other = app_of(bug, errors)

    @other.after_request
    def cancelled(_response: Response) -> Response:
        raise CancelledError

    with pytest.raises(CancelledError):
        get(other)
    assert ["RuntimeError"] == [report.name for report in reported]


class Coming(Flask):
    """Flask as 3.2 is: its methods are handed the context first."""

    def handle_exception(self, ctx: Any, error: Exception) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Have a failure answered."""
        raise NotImplementedError

    def finalize_request(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        ctx: Any,
        rv: Any,
        from_error_handler: bool = False,  # noqa: FBT001, FBT002 - as it is there
    ) -> Response:
        """Return the response, changed by hooks."""
        assert ctx.app is self
        return super().finalize_request(rv, from_error_handler)

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        """Answer a request, as Flask does."""
        with self.request_context(environ) as ctx:
            try:
                response = self.make_response(self.dispatch_request())
            except RuntimeError as error:
                response = vars(self)["handle_exception"](ctx, error)
            return response(environ, start_response)


def test_flask_to_come() -> None:
    """Where Flask hands its context to its methods, so do we."""
    errors, reported = make_errors()
    app = Coming("test")
    app.add_url_rule("/", "view", bug)
    app.add_url_rule("/ok", "ok", lambda: "ok")
    app.after_request(lambda response: response.headers.update({"x-hook": "1"}) or response)
    install(app, errors)
    _, status, headers = get(app)
    assert (500, "1") == (status, headers["x-hook"])
    assert b"ok" == get(app, "/ok")[0]
    assert ["RuntimeError"] == [report.name for report in reported]


def test_blueprints_and_two_apps() -> None:
    """Failures in blueprints, nested ones too, reach the error handler of their app alone."""
    child = Blueprint("child", "test", url_prefix="/child")
    child.add_url_rule("/bug", "bug", bug)
    parent = Blueprint("parent", "test", url_prefix="/parent")
    parent.register_blueprint(child)
    handlers = [make_errors(), make_errors()]
    for errors, reported in handlers:
        app = install(Flask("test"), errors)
        app.register_blueprint(parent)
        assert 500 == get(app, "/parent/child/bug")[1]
        assert ["RuntimeError"] == [report.name for report in reported]
    assert [1, 1] == [len(reported) for _, reported in handlers]


@pytest.mark.parametrize("kind", [Response, Closing], ids=["quick", "watched"])
def test_install_twice(kind: type[Response]) -> None:
    """What is installed last answers, and alone."""
    (first, told_first), (second, told_second) = make_errors(), make_errors()
    app = Flask("test")
    app.response_class = kind
    app.add_url_rule("/", "view", lambda: Closing("ok"))
    app.add_url_rule("/bug", "bug", bug)
    install(install(app, first), second)
    for path in ("/", "/bug", "/none"):
        with contextlib.suppress(UserMissing):
            get(app, path)
    expected = {"UserMissing", "RuntimeError", "NotFound"}
    assert ([], expected) == (told_first, {each.name for each in told_second})


def test_middleware_inside_of_the_guard() -> None:
    """A body that middleware has made is watched, whatever it is made of."""
    errors, reported = make_errors()
    app = Flask("test")
    inner = app.wsgi_app

    def middleware(environ: Any, start_response: Any) -> Any:
        return ClosingIterator(inner(environ, start_response), fail_at_the_end)

    vars(app)["wsgi_app"] = middleware
    app.add_url_rule("/", "view", lambda: "ok")
    with pytest.raises(RuntimeError):
        get(install(app, errors))
    assert ["RuntimeError"] == [report.name for report in reported]


def test_hook_that_always_fails() -> None:
    """A hook that fails with a response, and again with the answer to that, is reported once."""
    errors, reported = make_errors()
    app = app_of(lambda: "ok", errors)

    @app.after_request
    def fail(_response: Response) -> Response:
        raise LookupError

    assert 500 == get(app)[1]
    assert ["LookupError"] == [report.name for report in reported]


def test_hook_that_fails_in_two_ways() -> None:
    """Failures of two classes are two failures, also where they come from one line."""
    errors, reported = make_errors()
    app = app_of(lambda: "ok", errors)
    made = iter([LookupError, KeyError])

    @app.after_request
    def fail(_response: Response) -> Response:
        raise next(made)

    assert 500 == get(app)[1]
    assert ["LookupError", "KeyError"] == [report.name for report in reported]


@pytest.mark.parametrize("expected", [[], ["RuntimeError"]])
@pytest.mark.parametrize("is_bound", [True, False])
def test_close_of_a_hook(expected: list[str], is_bound: bool) -> None:  # noqa: FBT001
    """A response whose `close` a hook has replaced is sent, and what that raises is reported."""
    errors, reported = make_errors()
    app = app_of(lambda: "hello", errors)

    def close(*_self: object) -> None:
        if expected:
            raise RuntimeError("secret")

    @app.after_request
    def replace(response: Response) -> Response:
        vars(response)["close"] = MethodType(close, response) if is_bound else close
        return response

    with contextlib.suppress(RuntimeError):
        assert b"hello" == get(app)[0]
    assert expected == [report.name for report in reported]


def test_body_without_callbacks() -> None:
    """What closes nothing in the end is sent as it is."""
    errors, reported = make_errors()

    class Plain(Response):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            super().__call__(environ, start_response)
            return ClosingIterator([b"hello"])

    assert b"hello" == get(app_of(lambda: Plain("hello"), errors))[0]
    assert [] == reported
