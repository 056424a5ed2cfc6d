"""Pyramid's search for exception views: what is seen of it, and what of the views themselves."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

pytest.importorskip("pyramid")

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError
from pyramid.request import Request
from pyramid.response import Response

from catchasync import ErrorHandler
from catchasync.integrations.pyramid import install


class Oops(Exception):
    """A failure."""


def bug(request: Any) -> Response:
    """Fail."""
    raise Oops


class Views:
    """A class of views."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def fail(self) -> Response:
        """Fail."""
        raise Oops


Told = list[tuple[BaseException, Any]]


def reporting() -> tuple[ErrorHandler, Told]:
    """Return an error handler, and what it reports."""
    told: Told = []
    return ErrorHandler(reporters=[lambda *report: told.append(report)]), told


def app_of(configure: Callable[[Any], Any], errors: ErrorHandler) -> Any:
    """Return an app, as a function configures it."""
    with Configurator() as config:
        config.add_route("home", "/")
        install(config, errors)
        configure(config)
        return config.make_wsgi_app()


def status_of(app: Any, path: str = "/", **options: Any) -> int:
    """Ask an app once."""
    response = Request.blank(path, **options).get_response(app)
    assert response.body is not None
    status: int = response.status_code
    return status


def one_view(config: Any) -> None:
    """Add a view that fails."""
    config.add_view(bug, route_name="home")


def two_views(config: Any) -> None:
    """Add views for two methods."""
    config.add_view(bug, route_name="home", request_method="GET")
    config.add_view(lambda request: Response("ok"), route_name="home", request_method="POST")


def view_of_a_class(config: Any) -> None:
    """Add a method of a class."""
    config.add_view(Views, attr="fail", route_name="home")


def named_view(config: Any) -> None:
    """Add a view without a route, which is found by its name."""
    config.add_view(bug, name="found")


@pytest.mark.parametrize(
    ("configure", "path", "expected"),
    [
        (one_view, "/", bug),
        (two_views, "/", bug),
        (view_of_a_class, "/", Views),
        (named_view, "/found", bug),
        (one_view, "/none", None),
    ],
    ids=["function", "several", "class", "traversal", "none"],
)
def test_the_context_has_the_view(configure: Any, path: str, expected: Any) -> None:
    """The handler of a context is the view, as it was written; where there is none, `None`."""
    errors, told = reporting()
    status_of(app_of(configure, errors), path)
    assert [expected] == [context.handler for _, context in told]


def test_no_view_of_several() -> None:
    """Where no view's predicates are met, the handler is what Pyramid has found of them."""
    errors, told = reporting()
    assert 404 == status_of(app_of(two_views, errors), method="PUT")
    assert ["MultiView"] == [type(context.handler).__name__ for _, context in told]


def test_failure_before_any_view() -> None:
    """A failure before the route is known is answered."""
    errors, told = reporting()

    def tween(handler: Any, registry: Any) -> Any:
        return bug

    def configure(config: Any) -> None:
        config.add_tween(f"{__name__}.failing_tween")

    failing_tweens.append(tween)
    assert 500 == status_of(app_of(configure, errors))
    assert [None] == [context.handler for _, context in told]


failing_tweens: list[Any] = []


def failing_tween(handler: Any, registry: Any) -> Any:
    """Return a tween that fails."""
    return failing_tweens.pop()(handler, registry)


def test_execution_policies_see_the_failure() -> None:
    """A policy that tries requests again finds their failures at the request, as Pyramid's do."""
    errors, _told = reporting()
    tries: list[Any] = []

    def policy(environ: Any, router: Any) -> Any:
        with router.request_context(environ) as request:
            response = router.invoke_request(request)
            tries.append((request.exception, request.exc_info[1]))
            if len(tries) < 3:
                return policy(environ, router)
            return response

    def configure(config: Any) -> None:
        one_view(config)
        config.set_execution_policy(policy)

    assert 500 == status_of(app_of(configure, errors))
    assert [(Oops, Oops)] * 3 == [tuple(map(type, pair)) for pair in tries]


def test_what_a_failure_says_of_itself() -> None:
    """Frames and a 404 of Pyramid's search for a view are not in the traceback of a failure."""
    errors, told = reporting()

    def view(request: Any) -> Response:
        try:
            return Response(request.params["a"])
        except KeyError:
            raise Oops from None

    def configure(config: Any) -> None:
        config.add_view(view, route_name="home")

    status_of(app_of(configure, errors))
    ((error, _),) = told
    assert isinstance(error.__context__, KeyError)
    traceback, names = error.__traceback__, []
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "view" == names[-1]
    assert not {"_error_handler", "invoke_exception_view", "reraise"} & set(names)


def test_nothing_is_kept() -> None:
    """A failure that has been answered goes, without the garbage collector."""
    freed: list[Any] = []
    errors = ErrorHandler(
        reporters=[lambda error, context: freed.append(weakref.ref(error, freed.append))]
    )
    app = app_of(one_view, errors)
    environ = Request.blank("/").environ
    gc.disable()
    try:
        app(environ, lambda status, headers: None)
        assert 2 == len(freed), "the weak reference, and the call at its end"
    finally:
        gc.enable()


def answer(error: Any, request: Any) -> Response:
    """Answer an error."""
    return Response("mine", 499)


@pytest.mark.parametrize(
    "options", [{}, {"request_method": "GET"}, {"route_name": "home"}, {"accept": "text/html"}]
)
def test_exception_view_for_all(options: Any) -> None:
    """An exception view for `Exception`, added with `install` or later, answers as without us."""
    errors, told = reporting()

    def configure(config: Any) -> None:
        one_view(config)
        config.add_exception_view(answer, context=Exception, **options)

    app = app_of(configure, errors)
    assert 499 == status_of(app, accept="text/html")
    assert 499 == status_of(later(options, errors), accept="text/html")
    assert [] == told


def later(options: Any, errors: ErrorHandler) -> Any:
    """Return an app whose exception view is added when `install` has done its part."""
    config = Configurator()
    config.add_route("home", "/")
    one_view(config)
    install(config, errors)
    config.commit()
    config.add_exception_view(answer, context=Exception, **options)
    return config.make_wsgi_app()


def test_exception_view_that_is_not_for_it() -> None:
    """Where the predicates of an exception view are not met, a failure is answered by us."""
    errors, told = reporting()

    def configure(config: Any) -> None:
        one_view(config)
        config.add_exception_view(answer, context=Exception, request_method="POST")

    assert [500, 500] == [
        status_of(app_of(configure, errors)),
        status_of(later({"request_method": "POST"}, errors)),
    ]
    assert ["Oops", "Oops"] == [type(error).__name__ for error, _ in told]


def test_install_twice() -> None:
    """A second `install` is a conflict, as Pyramid says it of anything that is there twice."""
    errors, _told = reporting()
    with pytest.raises(ConfigurationConflictError, match="tween_factory"):
        app_of(lambda config: install(config, errors), errors)


def test_two_applications() -> None:
    """Each application of a process has its own error handler."""
    handlers = [reporting(), reporting()]
    apps = [app_of(one_view, errors) for errors, _ in handlers]
    assert [500, 500, 500] == [status_of(app) for app in (apps[0], apps[1], apps[1])]
    assert [1, 2] == [len(told) for _, told in handlers]


def test_several_exception_views_for_all() -> None:
    """Several exception views for `Exception`, by their predicates, answer as without us."""
    errors, told = reporting()

    def configure(config: Any) -> None:
        one_view(config)
        config.add_exception_view(answer, request_method="GET")
        config.add_exception_view(answer, request_method="PUT")

    app = app_of(configure, errors)
    assert [499, 500] == [status_of(app, method=method) for method in ("GET", "POST")]
    assert 1 == len(told)


def test_stream_that_nobody_asks_for() -> None:
    """With HEAD a stream is not begun: nothing in it can fail."""
    errors, told = reporting()

    def view(request: Any) -> Response:
        return Response(app_iter=(bytes(1 // 0) for _ in "ab"), content_length=2)

    app = app_of(lambda config: config.add_view(view, route_name="home"), errors)
    assert 200 == status_of(app, method="HEAD")
    assert [] == told


def test_stream_that_is_cancelled() -> None:
    """The cancellation of a thread's future is no failure in a stream either."""
    errors, told = reporting()

    def parts() -> Iterator[bytes]:
        yield b"part"
        raise CancelledError

    def configure(config: Any) -> None:
        config.add_view(lambda request: Response(app_iter=parts()), route_name="home")

    with pytest.raises(CancelledError):
        status_of(app_of(configure, errors))
    assert [] == told
