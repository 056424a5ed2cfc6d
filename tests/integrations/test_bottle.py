"""What is special to Bottle: plugins, hooks, its own error handlers, mounted apps."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

bottle: Any = pytest.importorskip("bottle")

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.bottle import as_next, install, wrap_router
from tests.integrations.contract import Answer, Report, Teapot, UserMissing, ask, make_errors
from tests.integrations.servers import serve_wsgi


def app_of(handler: Any, errors: ErrorHandler) -> Any:
    """Return an app with one handler."""
    app = bottle.Bottle()
    app.get("/", name="home", callback=handler)
    return install(app, errors)


def ask_once(app: Any, path: str = "/", **options: Any) -> Answer:
    """Serve an app for one request."""
    with serve_wsgi(app) as url:
        return ask(url, path, **options)


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


def bug() -> str:
    """Fail."""
    raise RuntimeError("secret")


def missing() -> str:
    """Fail as expected."""
    raise UserMissing


def test_rollback_first() -> None:
    """A plugin, as of a transaction, sees the failure before it is answered."""
    errors, reported = make_errors()
    seen: list[tuple[str, int]] = []

    def transaction(callback: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return callback(*args, **kwargs)
            except RuntimeError as error:
                seen.append((str(error), len(reported)))
                raise

        return run

    app = app_of(bug, errors)
    app.install(transaction)
    assert 500 == ask_once(app).status
    assert [("secret", 0)] == seen


@pytest.mark.parametrize("hook", ["before_request", "after_request"])
def test_hook_that_fails(hook: str) -> None:
    """What a hook raises is answered and reported as any failure."""
    errors, reported = make_errors()
    app = app_of(lambda: "ok", errors)
    app.add_hook(hook, missing)
    assert 404 == ask_once(app).status
    assert ["UserMissing"] == names(reported)


def test_error_handlers_of_the_app() -> None:
    """An error handler that the application has for a status of Bottle's own is still called."""
    errors, reported = make_errors()
    app = app_of(bug, errors)
    app.error(404)(lambda error: "nothing here")
    answer = ask_once(app, "/nowhere")
    assert (404, b"nothing here") == (answer.status, answer.body)
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
def test_responses_that_are_raised(is_decorated: bool) -> None:  # noqa: FBT001 - a parameter
    """A response that is no error is no failure, also where it is raised in a decorated handler."""
    errors, reported = make_errors()

    def handler() -> Any:
        raise bottle.HTTPResponse("made", 201, {"X-Seen": "1"})

    decorated = catch_async(next=as_next(errors))(handler) if is_decorated else handler
    answer = ask_once(app_of(decorated, errors))
    assert (201, b"made", "1") == (answer.status, answer.body, answer.headers["x-seen"])
    assert [] == reported


def test_headers_of_the_failed_handler_are_dropped() -> None:
    """What the handler had set on the response does not go out with the answer."""
    errors, _reported = make_errors()

    def handler() -> str:
        bottle.response.set_header("Content-Encoding", "gzip")
        raise UserMissing

    for each in (handler, catch_async(next=as_next(errors))(handler)):
        assert "content-encoding" not in ask_once(app_of(each, errors)).headers


def test_headers_of_hooks() -> None:
    """What a hook sets is on Bottle's own errors; a rule can put it on all others."""
    errors, _reported = make_errors()

    @errors.on(RuntimeError)
    def _(error: Exception, context: Any) -> Any:
        answer = context.default
        answer.headers["x-hook"] = "rule"
        return answer

    def handler() -> str:
        what = bottle.request.query.what
        if what == "abort":
            bottle.abort(409)
        return missing() if what == "missing" else bug()

    app = app_of(handler, errors)
    app.add_hook("after_request", lambda: bottle.response.set_header("x-hook", "hook"))
    with serve_wsgi(app) as url:
        answers = [ask(url, f"/?what={what}") for what in ("abort", "missing", "bug")]
    assert [409, 404, 500] == [answer.status for answer in answers]
    assert ["hook", None, "rule"] == [answer.headers.get("x-hook") for answer in answers]


def test_generator_that_fails_at_once() -> None:
    """A body that fails before its first piece is answered."""
    errors, reported = make_errors()

    def handler() -> Iterator[str]:
        raise UserMissing
        yield ""

    assert 404 == ask_once(app_of(handler, errors)).status
    assert ["UserMissing"] == names(reported)


def test_decorated_generator_is_reported_once() -> None:
    """A decorated generator that fails in the middle is broken off, and reported once."""
    errors, reported = make_errors()

    @catch_async(next=as_next(errors))
    def handler() -> Iterator[str]:
        yield "begun"
        raise UserMissing

    answer = ask_once(app_of(handler, errors))
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert ["UserMissing"] == names(reported)


@pytest.mark.parametrize("is_decorated", [False, True])
@pytest.mark.parametrize("body", ["short and stout", b"short and stout"])
def test_rules_that_answer(body: Any, is_decorated: bool) -> None:  # noqa: FBT001 - a parameter
    """A rule may return a response of Bottle's, and be async."""
    errors, _reported = make_errors()

    @errors.on(Teapot)
    async def _(error: Exception, context: Any) -> Any:
        return bottle.Response(body, 418, {"X-Seen": f"{context.request.path} {context.method}"})

    def handler() -> str:
        raise Teapot

    decorated = catch_async(next=as_next(errors))(handler) if is_decorated else handler
    answer = ask_once(app_of(decorated, errors))
    assert (418, b"short and stout", "/ GET") == (
        answer.status,
        answer.body,
        answer.headers["x-seen"],
    )


@pytest.mark.parametrize("is_decorated", [False, True])
def test_rule_that_answers_what_is_no_response(is_decorated: bool) -> None:  # noqa: FBT001 - a parameter
    """It is a defect of the rule: reported, and answered with a plain 500."""
    errors, reported = make_errors()
    errors.on(Teapot)(lambda error, context: "short and stout")

    def handler() -> str:
        raise Teapot

    decorated = catch_async(next=as_next(errors))(handler) if is_decorated else handler
    assert 500 == ask_once(app_of(decorated, errors)).status
    assert ["Teapot", "TypeError"] == names(reported)


def test_next_outside_of_a_request() -> None:
    """`next` answers a failure of which it does not know the request."""
    errors, reported = make_errors()
    next = as_next(errors)
    with ThreadPoolExecutor(1) as pool:
        assert 500 == pool.submit(next, RuntimeError("secret")).result().status_code
    assert 404 == next(UserMissing()).status_code
    assert ["RuntimeError", "UserMissing"] == names(reported)


def test_wrapped_router() -> None:
    """Handlers that are registered through a wrapped application are decorated."""
    errors, reported = make_errors()
    app = bottle.Bottle()
    wrap_router(app, next=as_next(errors)).get("/", callback=missing)
    assert 404 == ask_once(app).status
    assert ["UserMissing"] == names(reported)


def test_mounted_app() -> None:
    """The application around others answers for those that are mounted."""
    errors, reported = make_errors()
    app, inner = app_of(lambda: "ok", errors), bottle.Bottle()
    inner.get("/", callback=missing)
    app.mount("/sub/", inner)
    assert 404 == ask_once(app, "/sub/").status
    assert ["UserMissing"] == names(reported)


def test_handler_with_a_closure() -> None:
    """The context names the handler, also one that closes over what is no function."""
    errors, _reported = make_errors()
    seen: list[Any] = []
    errors.on(Teapot)(lambda error, context: seen.append(context.handler))

    def handler() -> str:
        assert seen == []
        raise Teapot

    assert 500 == ask_once(app_of(handler, errors)).status
    assert [handler] == seen


def test_urls_are_unchanged() -> None:
    """Routes have the names and callbacks that they had."""
    app = app_of(bug, make_errors()[0])
    assert "/" == app.get_url("home")
    assert bug is app.routes[0].callback


def test_cancellation_passes() -> None:
    """A cancellation is no failure, in whatever spelling."""
    errors, reported = make_errors()

    def handler() -> str:
        raise CancelledError

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    with pytest.raises(CancelledError):
        app_of(handler, errors)(environ, print)
    assert [] == names(reported)


def test_files_are_left_to_the_server() -> None:
    """A file is handed to the server as it is, so that it may be sent by the system."""
    errors, _reported = make_errors()
    environ: dict[str, Any] = {"wsgi.file_wrapper": FileWrapper}
    setup_testing_defaults(environ)
    body = app_of(lambda: io.BytesIO(b"ok"), errors)(environ, lambda *_: None)
    assert FileWrapper is type(body)


def test_request_of_a_failure() -> None:
    """The request that rules are told of stays what it is, and makes no circle with Bottle's."""
    errors, _reported = make_errors()
    seen: list[Any] = []
    errors.on(UserMissing)(lambda error, context: seen.append(context.request))
    with serve_wsgi(app_of(missing, errors)) as url:
        ask(url, "/?n=1")
        ask(url, "/?n=2")
    assert ["1", "2"] == [request.query["n"] for request in seen]
    assert all(request.environ["bottle.request"] is not request for request in seen)


def test_twice() -> None:
    """Bottle refuses a second installation."""
    errors, _reported = make_errors()
    with pytest.raises(AttributeError, match="already defined"):
        install(app_of(bug, errors), errors)


def test_refusals() -> None:
    """What is no application, or no error handler, is refused."""
    errors, _reported = make_errors()
    with pytest.raises(TypeError, match="a Bottle app first: got None"):
        install(None, errors)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="second: got None"):
        install(bottle.Bottle(), None)  # type: ignore[arg-type]
