"""What frameworks and the standard library do with handlers, done with decorated ones.

Each row once broke a wrapper: a closure, a raw proxy, or both. The frameworks are the real ones.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import functools
import inspect
import multiprocessing
import pickle
import sys
import threading
import types
import typing
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest import mock

import httpx
import pytest

from catchasync import catch_async
from catchasync.testing import RecordingNext
from tests.support import Boom


def answer(error: BaseException) -> str:
    """Be a `next` that can be imported."""
    return f"answer to {type(error).__name__}"


@catch_async(next=answer)
def divide(by: int) -> float | str:
    """Divide; this module's name for it is the decorated one."""
    return 1 / by


class View:
    """A class with decorated methods."""

    @catch_async(next=answer)
    def show(self, *_args: object, **_kwargs: object) -> object:
        """Fail."""
        raise Boom

    @catch_async(next=answer)
    async def show_async(self) -> object:
        """Fail, asynchronously."""
        raise Boom


async def get(app: Any, path: str = "/") -> httpx.Response:
    """Ask an ASGI application."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)


class TestTheStandardLibrary:
    """Copies, pickles, weak references, mocks."""

    def test_a_module_level_function_pickles(self) -> None:
        """It is found by its name."""
        assert pickle.loads(pickle.dumps(divide)) is divide  # noqa: S301 - ours

    @pytest.mark.parametrize("method", ["spawn", "forkserver"])
    def test_it_runs_in_another_process(self, method: str) -> None:
        """A decorated function is submitted to a process pool, and delivers there."""
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            answers = list(pool.map(divide, [2, 0]))
        assert [0.5, "answer to ZeroDivisionError"] == answers

    def test_copies(self) -> None:
        """A copied function is the function."""
        assert copy.copy(divide) is divide
        assert copy.deepcopy(divide) is divide

    def test_a_deep_copy_of_what_holds_a_bound_method(self) -> None:
        """The copy's method is bound to the copy."""
        view: Any = View()
        view.handler = view.show
        again = copy.deepcopy(view)
        assert again is again.handler.__self__
        assert "answer to Boom" == again.handler()

    def test_a_weak_method(self) -> None:
        """It lives as long as its object, and can be called."""
        view = View()
        reference = weakref.WeakMethod(view.show)
        method = reference()
        assert method is not None
        assert "answer to Boom" == method()
        del method, view
        assert reference() is None

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="markcoroutinefunction is of 3.12")
    def test_marking_it_async_does_not_mark_the_raw_one(self) -> None:
        """`inspect.markcoroutinefunction` marks what it is given."""

        def show() -> None:
            """Do nothing."""

        mark: Any = inspect.__dict__["markcoroutinefunction"]
        mark(catch_async(next=answer)(show))
        assert not inspect.iscoroutinefunction(show)

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="markcoroutinefunction is of 3.12")
    def test_one_that_was_marked_async(self) -> None:
        """It is one, and its failure is delivered where it is awaited."""

        async def fail() -> None:
            raise Boom

        mark: Any = inspect.__dict__["markcoroutinefunction"]
        handler = catch_async(next=answer)(mark(lambda: fail()))
        assert inspect.iscoroutinefunction(handler)
        assert "answer to Boom" == asyncio.run(handler())

    def test_a_function_is_a_function(self) -> None:
        """`type` says so, not only `isinstance`."""
        assert type(divide) is types.FunctionType

    def test_it_is_not_the_raw_one(self) -> None:
        """Unequal, so that caches by handler keep them apart."""

        def show() -> None:
            """Do nothing."""

        decorated = catch_async(next=answer)(show)
        assert decorated != show
        assert 2 == len({decorated, show})

    def test_signature_and_hints_are_exact(self) -> None:
        """As `inspect` and `typing` show them, and as `getfullargspec` reads the function."""

        def show(a: int, /, b: str = "x", *c: bytes, d: "View", e: int = 1, **f: float) -> None:  # noqa: UP037
            """Do nothing."""

        decorated = catch_async(next=answer)(show)
        assert inspect.signature(show) == inspect.signature(decorated)
        assert typing.get_type_hints(show) == typing.get_type_hints(decorated)
        assert inspect.getfullargspec(show) == inspect.getfullargspec(decorated)
        assert inspect.getsource(show) == inspect.getsource(decorated)
        assert inspect.unwrap(decorated) is show

    def test_an_autospec(self) -> None:
        """A mock made from it has its signature."""
        spec: Any = mock.create_autospec(divide, return_value=3)
        assert 3 == spec(1)
        with pytest.raises(TypeError, match="too many positional arguments"):
            spec(1, 2)

    def test_a_partial_has_a_name(self) -> None:
        """What is registered by name can be."""
        partial: Any = catch_async(next=answer)(functools.partial(divide, 0))
        assert "divide" == partial.__name__

    def test_an_async_method(self) -> None:
        """Its failure reaches `next`."""
        assert "answer to Boom" == asyncio.run(View().show_async())


class TestSignals:
    """Receivers that are weakly referenced methods."""

    def test_blinker(self) -> None:
        """A bound method that is connected is called."""
        blinker = pytest.importorskip("blinker")
        view, signal = View(), blinker.Signal()
        signal.connect(view.show)
        assert ["answer to Boom"] == [result for _, result in signal.send(1)]

    def test_django(self) -> None:
        """Likewise with Django's signals."""
        dispatch = pytest.importorskip("django.dispatch")
        view, signal = View(), dispatch.Signal()
        signal.connect(view.show)
        assert ["answer to Boom"] == [result for _, result in signal.send(1)]


class TestFastAPI:
    """Signatures, kinds and identities are what FastAPI reads."""

    @pytest.fixture(autouse=True)
    def fastapi(self) -> None:
        """Skip without it."""
        pytest.importorskip("fastapi")

    def test_path_query_and_docs(self) -> None:
        """Parameters are bound, and the description is that of the handler."""
        from fastapi import FastAPI  # noqa: PLC0415

        app, next_ = FastAPI(), RecordingNext({"failed": True})

        @app.get("/items/{number}")
        @catch_async(next=next_)
        async def show_item(number: int, by: int = 1) -> dict[str, object]:
            """Show an item."""
            return {"number": number // by}

        assert {"number": 2} == asyncio.run(get(app, "/items/4?by=2")).json()
        assert {"failed": True} == asyncio.run(get(app, "/items/4?by=0")).json()
        assert 422 == asyncio.run(get(app, "/items/x")).status_code
        operation = app.openapi()["paths"]["/items/{number}"]["get"]
        assert "Show an item." == operation["description"]
        assert ["number", "by"] == [parameter["name"] for parameter in operation["parameters"]]
        assert 1 == len(next_.errors)

    def test_the_raw_and_the_decorated_dependency_both_run(self) -> None:
        """They are two dependencies, not one that is cached."""
        from fastapi import Depends, FastAPI  # noqa: PLC0415

        app, ran = FastAPI(), list[str]()

        def dependency() -> str:
            ran.append("ran")
            return "value"

        raw, decorated = Depends(dependency), Depends(catch_async(next=answer)(dependency))

        @app.get("/")
        def show(first: str = raw, second: str = decorated) -> str:
            return first + second

        assert "valuevalue" == asyncio.run(get(app)).json()
        assert ["ran", "ran"] == ran

    def test_an_override_names_what_was_declared(self) -> None:
        """The excepted row: an override of the raw dependency does not reach the decorated one."""
        from fastapi import Depends, FastAPI  # noqa: PLC0415

        app = FastAPI()

        def dependency() -> str:
            return "real"

        decorated = catch_async(next=answer)(dependency)

        @app.get("/")
        def show(value: str = Depends(decorated)) -> str:  # noqa: FAST002 - `decorated` is local
            return value

        app.dependency_overrides[dependency] = lambda: "fake"
        assert "real" == asyncio.run(get(app)).json()
        app.dependency_overrides[decorated] = lambda: "fake"
        assert "fake" == asyncio.run(get(app)).json()

    def test_a_sync_handler_stays_in_the_thread_pool(self) -> None:
        """An async `next` does not bring it onto the loop."""
        from fastapi import FastAPI  # noqa: PLC0415

        app, threads = FastAPI(), list[threading.Thread]()

        async def next_(_error: BaseException) -> str:
            return "answer"

        @app.get("/")
        @catch_async(next=next_)
        def show() -> str:
            threads.append(threading.current_thread())
            raise Boom

        assert "answer" == asyncio.run(get(app)).json()
        assert threading.main_thread() not in threads

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_a_dependency_that_yields(self, kind: str) -> None:
        """It is set up, torn down, and told of what failed in between."""
        from fastapi import Depends, FastAPI  # noqa: PLC0415

        app, steps, next_ = FastAPI(), list[str](), RecordingNext()

        @catch_async(next=next_)
        def resource() -> Iterator[str]:
            steps.append("open")
            try:
                yield "resource"
            finally:
                steps.append("close")

        @catch_async(next=next_)
        async def resource_async() -> AsyncIterator[str]:
            steps.append("open")
            try:
                yield "resource"
            finally:
                steps.append("close")

        depends: Any = Depends(resource if kind == "sync" else resource_async)

        @app.get("/")
        def show(fail: bool, value: str = depends) -> str:  # noqa: FBT001
            if fail:
                raise Boom
            return value

        assert "resource" == asyncio.run(get(app, "/?fail=0")).json()
        with pytest.raises(Boom):
            asyncio.run(get(app, "/?fail=1"))
        assert ["open", "close"] * 2 == steps
        assert 1 == len(next_.errors)

    def test_its_control_flow_passes_through(self) -> None:
        """With `pass_through`, the framework answers its own errors."""
        from fastapi import FastAPI, HTTPException  # noqa: PLC0415

        app, next_ = FastAPI(), RecordingNext()

        @app.get("/")
        @catch_async(next=next_, pass_through=HTTPException)
        async def show() -> None:
            raise HTTPException(418)

        assert 418 == asyncio.run(get(app)).status_code
        assert [] == next_.arrivals


class TestStarlette:
    """Functions are endpoints, callable objects are ASGI applications."""

    def test_a_callable_object(self) -> None:
        """A decorated ASGI application is one: it answers, and its failure reaches `next`."""
        routing = pytest.importorskip("starlette.routing")
        from starlette.applications import Starlette  # noqa: PLC0415
        from starlette.responses import PlainTextResponse  # noqa: PLC0415

        class Endpoint:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await PlainTextResponse("hello")(scope, receive, send)
                raise Boom

        next_ = RecordingNext()
        app = Starlette(routes=[routing.Route("/", catch_async(next=next_)(Endpoint()))])
        assert "hello" == asyncio.run(get(app)).text
        assert 1 == len(next_.errors)

    def test_a_bound_call_of_an_object(self) -> None:
        """Its `__call__` is a method, so it is an endpoint that takes a request."""
        routing = pytest.importorskip("starlette.routing")
        from starlette.applications import Starlette  # noqa: PLC0415
        from starlette.responses import PlainTextResponse  # noqa: PLC0415

        class Endpoint:
            async def __call__(self, request: Any) -> Any:
                raise Boom(request)

        next_ = RecordingNext(PlainTextResponse("answer"))
        endpoint = catch_async(next=next_)(Endpoint())
        app = Starlette(routes=[routing.Route("/", endpoint.__call__)])
        assert "answer" == asyncio.run(get(app)).text
        assert 1 == len(next_.errors)

    @pytest.mark.parametrize("kind", ["sync", "async", "partial", "class"])
    def test_endpoints_of_each_kind(self, kind: str) -> None:
        """Functions, partials and classes."""
        routing = pytest.importorskip("starlette.routing")
        from starlette.applications import Starlette  # noqa: PLC0415
        from starlette.endpoints import HTTPEndpoint  # noqa: PLC0415
        from starlette.responses import PlainTextResponse  # noqa: PLC0415

        def show(request: Any) -> Any:
            raise Boom(request)

        async def show_async(request: Any) -> Any:
            raise Boom(request)

        class Endpoint(HTTPEndpoint):
            async def get(self, request: Any) -> Any:
                raise Boom(request)

        next_ = RecordingNext(PlainTextResponse("answer"))
        handlers: dict[str, Any] = {
            "sync": show,
            "async": show_async,
            "partial": functools.partial(show_async),
            "class": Endpoint,
        }
        endpoint = catch_async(next=next_)(handlers[kind])
        app = Starlette(routes=[routing.Route("/", endpoint)])
        assert "answer" == asyncio.run(get(app)).text
        assert 1 == len(next_.errors)


class TestFlask:
    """Flask registers views by their name."""

    @pytest.mark.parametrize("kind", ["function", "object", "partial", "async", "class"])
    def test_views_of_each_kind(self, kind: str) -> None:
        """Each is registered, and its failure reaches `next`."""
        flask = pytest.importorskip("flask")
        views = pytest.importorskip("flask.views")

        class Greeter:
            def __call__(self) -> str:
                raise Boom

        class Method(views.MethodView):  # type: ignore[misc, name-defined]
            def get(self) -> str:
                raise Boom

        def show(_name: str = "") -> str:
            raise Boom

        async def show_async() -> str:
            raise Boom

        handlers: dict[str, Any] = {
            "function": show,
            "object": Greeter(),
            "partial": functools.partial(show, "x"),
            "async": show_async,
            "class": Method,
        }
        if kind == "async":
            pytest.importorskip("asgiref", reason="Flask runs async views by asgiref")
        next_ = RecordingNext("answer")
        view = catch_async(next=next_)(handlers[kind])
        app = flask.Flask(__name__)
        app.add_url_rule("/", view_func=view.as_view("view") if kind == "class" else view)
        assert "answer" == app.test_client().get("/").text
        assert 1 == len(next_.errors)


class TestDjango:
    """Flags set on a decorated view stay there."""

    def test_csrf_exempt_does_not_leak(self) -> None:
        """Exempting the decorated view leaves the raw one protected."""
        csrf = pytest.importorskip("django.views.decorators.csrf")

        def view(_request: object) -> None:
            """Do nothing."""

        decorated = catch_async(next=answer)(view)
        decorated.csrf_exempt = True  # type: ignore[attr-defined]
        assert not hasattr(view, "csrf_exempt")
        exempted = csrf.csrf_exempt(decorated)
        assert exempted.csrf_exempt

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_class_based_views(self, kind: str) -> None:
        """`as_view` and its flag for async views work on a decorated class."""
        settings = pytest.importorskip("django.conf").settings
        http = pytest.importorskip("django.http")
        views = pytest.importorskip("django.views")
        if not settings.configured:
            settings.configure()
        test = pytest.importorskip("django.test")

        def fail(_self: object, _request: object) -> Any:
            raise Boom

        async def fail_async(_self: object, _request: object) -> Any:
            raise Boom

        methods = {"get": fail if kind == "sync" else fail_async}
        next_ = RecordingNext(http.HttpResponse("answer"))
        failing: Any = type("Failing", (views.View,), methods)
        view = catch_async(next=next_)(failing).as_view()
        request = test.RequestFactory().get("/")
        assert inspect.iscoroutinefunction(view) == (kind == "async") or sys.version_info < (3, 12)
        response = view(request)
        response = asyncio.run(response) if inspect.iscoroutine(response) else response
        assert b"answer" == response.content
        assert 1 == len(next_.errors)


class TestLitestar:
    """Litestar reads annotations, and copies its handlers deeply."""

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    @pytest.mark.parametrize("where", ["function", "controller", "object"])
    def test_handlers(self, where: str) -> None:
        """A plain handler, a controller's method, a dependency that is a callable object."""
        litestar = pytest.importorskip("litestar")
        from litestar.di import Provide  # noqa: PLC0415

        next_ = RecordingNext("answer")

        @litestar.get("/", sync_to_thread=False, media_type="text/plain")  # type: ignore[untyped-decorator]
        @catch_async(next=next_)
        def show() -> str:
            raise Boom

        class Controller(litestar.Controller):  # type: ignore[misc, name-defined]
            path = "/"

            @litestar.get(media_type="text/plain")  # type: ignore[untyped-decorator]
            @catch_async(next=next_)
            async def show(self) -> str:
                raise Boom

        class Provider:
            async def __call__(self) -> str:
                raise Boom

        @litestar.get("/", media_type="text/plain")  # type: ignore[untyped-decorator]
        async def provided(value: str) -> str:
            return value

        dependency = Provide(catch_async(next=next_)(Provider()).__call__)
        handler = {"function": show, "controller": Controller, "object": provided}[where]
        dependencies = {"value": dependency} if where == "object" else {}
        app = litestar.Litestar([handler], dependencies=dependencies, openapi_config=None)
        assert "answer" == asyncio.run(get(app)).text
        assert 1 == len(next_.errors)
