"""What is special to Pyramid: tweens, exception views, routes, streams, its threadlocal request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyramid")

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPGone
from pyramid.request import Request
from pyramid.response import FileResponse, Response

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.pyramid import as_next, install, tween_factory, wrap_router
from tests.integrations.contract import Answer, Report, Teapot, UserMissing, ask, make_errors
from tests.integrations.servers import serve_wsgi


def bug(request: Any) -> Response:
    """Fail."""
    raise RuntimeError("secret")


def missing(request: Any) -> Response:
    """Fail as expected."""
    raise UserMissing


def app_of(
    view: Any, errors: ErrorHandler, more: Callable[[Any], Any] = id, settings: Any = None
) -> Any:
    """Return an app with one view, and what a function adds to its configurator."""
    with Configurator(settings=settings) as config:
        config.add_route("home", "/")
        config.add_view(view, route_name="home")
        more(config)
        return install(config, errors).make_wsgi_app()


def ask_once(app: Any, path: str = "/", **options: Any) -> Answer:
    """Serve an app for one request."""
    with serve_wsgi(app) as url:
        return ask(url, path, **options)


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


def noting_tween(handler: Any, registry: Any) -> Any:
    """Return a tween, as of a transaction, that notes what it sees."""

    def tween(request: Any) -> Any:
        try:
            return handler(request)
        except Exception as error:
            registry.settings["seen"].append((type(error), len(registry.settings["reported"])))
            raise

    return tween


@pytest.mark.parametrize("view", [bug, missing])
def test_rollback_first(view: Any) -> None:
    """A tween sees the failure before it is reported, and before it is answered."""
    errors, reported = make_errors()
    seen: list[Any] = []

    def more(config: Any) -> None:
        config.add_tween(f"{__name__}.noting_tween")

    ask_once(app_of(view, errors, more, {"seen": seen, "reported": reported}))
    assert [({bug: RuntimeError, missing: UserMissing}[view], 0)] == seen
    assert 1 == len(reported)


def failing_tween(handler: Any, registry: Any) -> Any:
    """Return a tween that fails."""
    return missing


def test_tween_that_fails() -> None:
    """What a tween raises is answered and reported as any failure."""
    errors, reported = make_errors()
    app = app_of(bug, errors, lambda config: config.add_tween(f"{__name__}.failing_tween"))
    assert 404 == ask_once(app).status
    assert ["UserMissing"] == names(reported)


def redirecting_tween(handler: Any, registry: Any) -> Any:
    """Return a tween that redirects."""

    def tween(request: Any) -> Any:
        raise HTTPFound("/there")

    return tween


def test_tween_that_redirects() -> None:
    """A redirect that a tween raises is no failure."""
    errors, reported = make_errors()

    def more(config: Any) -> None:
        config.add_tween(f"{__name__}.redirecting_tween")

    assert 302 == ask_once(app_of(bug, errors, more)).status
    assert [] == reported


def test_tweens_that_the_settings_list() -> None:
    """Where the settings list the tweens, ours stands there."""
    errors, reported = make_errors()
    tweens = f"{tween_factory.__module__}.tween_factory\n{__name__}.failing_tween"
    assert 404 == ask_once(app_of(bug, errors, settings={"pyramid.tweens": tweens})).status
    assert ["UserMissing"] == names(reported)


def test_exception_views_of_the_app() -> None:
    """An exception view that the application has for a class of its own still answers that."""
    errors, reported = make_errors()

    def view(error: Exception, request: Any) -> Response:
        return Response("mine", 499)

    app = app_of(missing, errors, lambda config: config.add_view(view, context=UserMissing))
    answer = ask_once(app)
    assert (499, b"mine") == (answer.status, answer.body)
    assert [] == reported


def test_exception_view_that_fails() -> None:
    """What an exception view raises is what is answered."""
    errors, reported = make_errors()

    def view(error: Exception, request: Any) -> Response:
        raise UserMissing

    app = app_of(bug, errors, lambda config: config.add_view(view, context=RuntimeError))
    assert 404 == ask_once(app).status
    assert ["UserMissing"] == names(reported)


def test_not_found_view_of_the_app() -> None:
    """A view for what is not found answers as without us."""
    errors, reported = make_errors()

    def view(request: Any) -> Response:
        return Response("nothing here", 404)

    answer = ask_once(app_of(bug, errors, lambda config: config.add_notfound_view(view)), "/none")
    assert (404, b"nothing here") == (answer.status, answer.body)
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
@pytest.mark.parametrize("is_raised", [False, True])
def test_errors_and_redirects_of_pyramid(*, is_raised: bool, is_decorated: bool) -> None:
    """An error of Pyramid's is rendered, returned or raised; a redirect passes."""
    errors, reported = make_errors()

    def view(request: Any) -> Any:
        made = HTTPGone("secret") if "gone" in request.GET else HTTPFound("/there")
        if is_raised:
            raise made
        return made

    app = app_of(catch_async(next=as_next(errors))(view) if is_decorated else view, errors)
    found = ask_once(app)
    assert (302, True) == (found.status, found.headers["location"].endswith("/there"))
    assert [] == reported
    gone = ask_once(app, "/?gone")
    assert (410, "application/problem+json") == (gone.status, gone.headers["content-type"])
    assert ["HTTPGone"] == names(reported)


@pytest.mark.parametrize("is_decorated", [False, True])
@pytest.mark.parametrize("is_raised", [False, True])
def test_errors_whose_body_is_written(*, is_raised: bool, is_decorated: bool) -> None:
    """An error of Pyramid's that has a body of its own is as without us, returned or raised."""
    errors, reported = make_errors()

    def view(request: Any) -> Any:
        made = HTTPGone(json_body={"errors": ["name"]})
        if is_raised:
            raise made
        return made

    app = app_of(catch_async(next=as_next(errors))(view) if is_decorated else view, errors)
    answer = ask_once(app)
    assert (410, b'{"errors":["name"]}') == (answer.status, answer.body.replace(b" ", b""))
    assert [] == reported


def test_next_lets_redirects_by() -> None:
    """`next` raises a redirect that it is handed."""
    errors, reported = make_errors()
    found = HTTPFound("/there")
    with pytest.raises(HTTPFound) as caught:
        as_next(errors)(found)
    assert found is caught.value
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
def test_async_rules(*, is_decorated: bool) -> None:
    """A rule may be async, and may return a response of Pyramid's."""
    errors, _reported = make_errors()

    @errors.on(Teapot)
    async def _(error: Exception, context: Any) -> Any:
        return Response(f"{context.request.path} {context.handler.__name__} {context.method}", 418)

    def view(request: Any) -> Response:
        raise Teapot

    decorated = catch_async(next=as_next(errors))(view) if is_decorated else view
    answer = ask_once(app_of(decorated, errors))
    assert (418, b"/ view GET") == (answer.status, answer.body)


def test_next_outside_of_a_request() -> None:
    """`next` answers a failure of which it does not know the request."""
    errors, reported = make_errors()
    assert 404 == as_next(errors)(UserMissing()).status_code
    assert [("UserMissing", "route")] == [(report.name, report.source) for report in reported]


def test_streams_that_do_not_fail() -> None:
    """A stream comes as it is, with its length."""
    errors, reported = make_errors()

    def view(request: Any) -> Response:
        return Response(app_iter=iter([b"o", b"k"]), content_length=2)

    answer = ask_once(app_of(view, errors))
    assert (b"ok", "2") == (answer.body, answer.headers["content-length"])
    assert [] == reported


@pytest.mark.parametrize("is_decorated", [False, True])
def test_stream_that_fails_is_reported_once(*, is_decorated: bool) -> None:
    """A stream that fails in the middle is broken off, and reported once."""
    errors, reported = make_errors()

    def view(request: Any) -> Response:
        def body() -> Iterator[bytes]:
            yield b"begun"
            raise UserMissing

        return Response(app_iter=body())

    app = app_of(catch_async(next=as_next(errors))(view) if is_decorated else view, errors)
    answer = ask_once(app)
    assert (b"begun", False) == (answer.body, answer.is_whole)
    assert ["UserMissing"] == names(reported)


def test_files_are_left_to_the_server() -> None:
    """A file is not watched: the server may have a way of its own to send it."""
    errors, _reported = make_errors()
    seen: list[Any] = []

    def view(request: Any) -> Response:
        response = FileResponse(Path(__file__), request)
        seen.append(response.app_iter)
        return response

    with serve_wsgi(noting_body(app_of(view, errors), seen)) as url:
        assert Path(__file__).read_bytes() == ask(url, "/").body
    assert seen[0] is seen[1]


def noting_body(app: Any, seen: list[Any]) -> Any:
    """Return an app whose bodies are noted."""

    def noting(environ: Any, start_response: Any) -> Any:
        seen.append(app(environ, start_response))
        return seen[-1]

    return noting


def test_wrapped_router() -> None:
    """Views that are registered through a wrapped configurator are decorated."""
    errors, reported = make_errors()
    config = Configurator()
    config.add_route("home", "/")
    wrap_router(config, next=as_next(errors)).add_view(missing, route_name="home")
    assert 404 == ask_once(config.make_wsgi_app()).status
    assert ["UserMissing"] == names(reported)


def test_urls_and_introspection_are_unchanged() -> None:
    """Routes have the names and views that they had; views know how they are called."""
    errors, _reported = make_errors()

    @catch_async(next=as_next(errors))
    def view(context: Any, request: Any) -> Response:
        return Response(f"{request.route_path('home')} {type(context).__name__}")

    introspected: list[Any] = []

    def more(config: Any) -> None:
        config.commit()
        found = config.introspector.get_category("views")
        introspected.extend(each["introspectable"]["callable"] for each in found)

    assert b"/ DefaultRootFactory" == ask_once(app_of(view, errors, more)).body
    assert view in introspected


@pytest.mark.parametrize("what", [None, "config", lambda environ, start_response: []])
def test_what_is_no_configurator(what: Any) -> None:
    """What is no configurator is refused by name."""
    with pytest.raises(TypeError, match="takes a Pyramid Configurator first: got"):
        install(what, make_errors()[0])


def test_what_is_no_error_handler() -> None:
    """What is no `ErrorHandler` is refused."""
    with pytest.raises(TypeError, match=r"takes a catchasync\.ErrorHandler second: got None"):
        install(Configurator(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_cancellations_go_on() -> None:
    """A cancellation, which is no failure, passes the tween."""
    errors, reported = make_errors()

    def view(request: Any) -> Response:
        raise CancelledError

    app = app_of(view, errors)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "", "SERVER_PORT": "80"}
    with pytest.raises(CancelledError):
        app({**environ, "wsgi.url_scheme": "http"}, None)
    assert [] == reported


@pytest.mark.parametrize("kind", ["response", "finished"])
def test_callbacks(kind: str) -> None:
    """What fails in a callback of the request, outside of all tweens, is answered and reported."""

    def view(request: Any) -> Response:
        getattr(request, f"add_{kind}_callback")(bug_after)
        return Response("ok")

    def bug_after(*_arguments: Any) -> None:
        raise RuntimeError("secret")

    errors, reported = make_errors()
    assert 500 == ask_once(app_of(view, errors)).status
    assert ["RuntimeError"] == names(reported)


def test_callback_that_redirects() -> None:
    """A redirect that is raised outside of all tweens goes to the server, as without us."""

    def view(request: Any) -> Response:
        request.add_response_callback(redirect)
        return Response("ok")

    def redirect(*_arguments: Any) -> None:
        raise HTTPFound("/elsewhere")

    errors, reported = make_errors()
    app = app_of(view, errors)
    with pytest.raises(HTTPFound):
        Request.blank("/").get_response(app)
    assert [] == reported
