"""`wrap_router` and its stand-ins in the real frameworks, asked over their own test clients."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from catchasync import apply_routes, catch_async, create_routes, exempt, unwrap, wrap_router
from catchasync.testing import RecordingNext
from tests.support import Boom


async def show(request: Any) -> Any:
    """Fail."""
    raise Boom


def show_sync(request: Any) -> Any:
    """Fail in a thread of the framework's."""
    raise Boom


def show_nothing() -> Any:
    """Fail without a request."""
    raise Boom


async def get(app: Any, path: str = "/", method: str = "GET") -> httpx.Response:
    """Ask an ASGI application."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path)


def wsgi_get(app: Any, path: str = "/") -> str:
    """Ask a WSGI application."""
    transport = httpx.WSGITransport(app)
    with httpx.Client(transport=transport, base_url="http://test") as client:
        return client.get(path).text


class TestStarlette:
    """Endpoints are functions, methods, or classes; anything else is an application."""

    @pytest.fixture
    def next(self) -> RecordingNext:
        """Answer as Starlette does."""
        responses = pytest.importorskip("starlette.responses")
        return RecordingNext(responses.PlainTextResponse("caught"))

    @pytest.fixture
    def app(self) -> Any:
        """Make an application."""
        return pytest.importorskip("starlette.applications").Starlette()

    @pytest.mark.asyncio
    @pytest.mark.parametrize("handler", [show, show_sync])
    async def test_add_route(
        self, app: Any, next: RecordingNext, handler: Callable[[Any], Any]
    ) -> None:
        """The failure of an async and of a sync endpoint reaches `next`, in its own thread."""
        wrap_router(app, next=next).add_route("/", handler)
        assert "caught" == (await get(app)).text
        assert [Boom] == [type(error) for error in next.errors]
        is_on_loop = next.arrivals[0].thread == "MainThread"
        assert inspect.iscoroutinefunction(handler) is is_on_loop

    @pytest.mark.asyncio
    async def test_a_bound_method(self, app: Any, next: RecordingNext) -> None:
        """A bound method is told from an application, as without us."""

        class Controller:
            async def show(self, request: Any) -> Any:
                raise Boom

        wrap_router(app, next=next).add_route("/", Controller().show)
        assert "caught" == (await get(app)).text

    @pytest.mark.asyncio
    async def test_a_view_class(self, app: Any, next: RecordingNext) -> None:
        """An `HTTPEndpoint` is wrapped by method, and stays the class it is."""
        endpoints = pytest.importorskip("starlette.endpoints")

        class View(endpoints.HTTPEndpoint):  # type: ignore[misc, name-defined]
            async def get(self, request: Any) -> Any:
                raise Boom

        wrap_router(app, next=next).add_route("/", View)
        assert app.routes[0].endpoint is View
        assert "caught" == (await get(app)).text
        assert 405 == (await get(app, method="PUT")).status_code
        assert [Boom] == [type(error) for error in next.errors]

    def test_routes_of_one_view_are_equal(self, app: Any, next: RecordingNext) -> None:
        """A route of the stand-in equals one of the handler: `Route` compares endpoints."""
        routing = pytest.importorskip("starlette.routing")
        wrap_router(app, next=next).add_route("/", show, methods=["GET"])
        assert app.routes == [routing.Route("/", show, methods=["GET"])]
        assert "/" == app.url_path_for("show")

    @pytest.mark.asyncio
    async def test_an_application_is_left_alone(self, app: Any, next: RecordingNext) -> None:
        """A callable object is an ASGI application to Starlette, and is not wrapped."""

        class App:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                raise Boom

        inner = App()
        wrap_router(app, next=next).add_route("/", inner)
        assert app.routes[0].endpoint is inner
        with pytest.raises(Boom):
            await get(app)
        assert [] == next.errors

    @pytest.mark.asyncio
    async def test_the_wrapped_app_serves(self, app: Any, next: RecordingNext) -> None:
        """The wrapped application is an ASGI application still."""
        wrapped: Any = wrap_router(app, next=next)
        wrapped.router.add_route("/", show)
        assert inspect.iscoroutinefunction(wrapped.__call__)
        assert "caught" == (await get(wrapped)).text

    @pytest.mark.asyncio
    async def test_declared_routes(self, app: Any, next: RecordingNext) -> None:
        """`apply_routes` finds `add_route`."""
        routes = create_routes({"show": {"method": "get", "path": "/", "handler": show}}, next=next)
        assert app is apply_routes(app, routes)
        assert "caught" == (await get(app)).text
        assert 405 == (await get(app, method="PUT")).status_code


class TestFastAPI:
    """Handlers are read by their signatures, and dependencies are keyed by them."""

    @pytest.fixture
    def next(self) -> RecordingNext:
        """Answer with what FastAPI serialises."""
        return RecordingNext("caught")

    @pytest.fixture
    def app(self) -> Any:
        """Make an application."""
        return pytest.importorskip("fastapi").FastAPI()

    @pytest.mark.asyncio
    async def test_a_decorator(self, app: Any, next: RecordingNext) -> None:
        """Parameters are bound as without us, and the decorator returns what it registered."""
        wrapped: Any = wrap_router(app, next=next)

        async def divide(by: int) -> Any:
            """Divide one."""
            return 1 / by

        registered = wrapped.get("/{by}")(divide)
        assert app.routes[-1].endpoint is registered
        assert [0.5, "caught"] == [(await get(app, path)).json() for path in ("/2", "/0")]
        assert 422 == (await get(app, "/x")).status_code
        operation = app.openapi()["paths"]["/{by}"]["get"]
        assert ("Divide", "Divide one.") == (operation["summary"], operation["description"])
        assert "divide_" in operation["operationId"]

    @pytest.mark.asyncio
    async def test_every_kind(self, app: Any, next: RecordingNext) -> None:
        """Sync handlers, streams and websockets register under their own kind."""
        wrapped: Any = wrap_router(app, next=next)
        wrapped.add_api_route("/sync", show_nothing)

        async def read() -> Any:
            raise Boom

        wrapped.get("/again")(wrapped.get("/async")(read))
        assert ["caught"] * 3 == [
            (await get(app, path)).json() for path in ("/sync", "/async", "/again")
        ]
        assert 3 == len(next.errors)
        assert app.routes[-1].endpoint is app.routes[-2].endpoint

    @pytest.mark.asyncio
    async def test_a_router_that_is_included(self, app: Any, next: RecordingNext) -> None:
        """The handler passes the router, the application and Starlette with one stand-in."""
        router = pytest.importorskip("fastapi").APIRouter()
        wrap_router(router, next=next).get("/")(show_nothing)
        wrapped = wrap_router(app, next=RecordingNext("wrong"))
        wrapped.include_router(router)
        wrapped.include_router(wrap_router(router, next=next), prefix="/again")
        assert ['"caught"'] * 2 == [(await get(app, path)).text for path in ("/", "/again/")]

    @pytest.mark.asyncio
    async def test_dependency_overrides(self, app: Any, next: RecordingNext) -> None:
        """A handler that serves as a dependency is overridden by itself or by its stand-in."""
        fastapi = pytest.importorskip("fastapi")
        wrapped: Any = wrap_router(app, next=next)

        def user() -> str:
            return "real"

        registered = wrapped.get("/user")(user)

        depends = fastapi.Depends(registered)

        def name(user: Any = depends) -> Any:
            return user

        wrapped.get("/name")(name)
        app.dependency_overrides[user] = lambda: "fake"
        assert "fake" == (await get(app, "/name")).json()
        app.dependency_overrides = {registered: lambda: "other"}
        assert "other" == (await get(app, "/name")).json()

    @pytest.mark.asyncio
    async def test_options_are_no_handlers(self, app: Any, next: RecordingNext) -> None:
        """Dependencies, response classes and name functions are left alone; four parameters too."""
        fastapi = pytest.importorskip("fastapi")
        responses = pytest.importorskip("fastapi.responses")

        def refuse() -> None:
            raise fastapi.HTTPException(401)

        async def four(a: int, b: int, c: int, d: int) -> Any:
            raise Boom

        wrap_router(app, next=next).get(
            "/{a}/{b}/{c}/{d}",
            dependencies=[fastapi.Depends(refuse)],
            response_class=responses.PlainTextResponse,
            generate_unique_id_function=lambda route: route.name,
        )(four)
        assert 401 == (await get(app, "/1/2/3/4")).status_code
        app.dependency_overrides[refuse] = lambda: None
        assert "caught" == (await get(app, "/1/2/3/4")).text

    @pytest.mark.asyncio
    async def test_declared_routes(self, app: Any, next: RecordingNext) -> None:
        """`apply_routes` finds the verb decorators."""
        routes = {"show": {"method": "GET", "path": "/", "handler": show_nothing}}
        apply_routes(app, create_routes(routes, next=next))
        assert "caught" == (await get(app)).json()


class TestFlask:
    """Endpoints are named for their functions, and a name is taken once."""

    @pytest.fixture
    def app(self) -> Any:
        """Make an application."""
        return pytest.importorskip("flask").Flask(__name__)

    def test_every_way_to_register(self, app: Any) -> None:
        """Decorators, `add_url_rule` and `endpoint` all wrap."""
        next = RecordingNext("caught")
        wrapped: Any = wrap_router(app, next=next)
        wrapped.route("/route")(show_nothing)
        wrapped.get("/get")(show_nothing)
        wrapped.add_url_rule("/rule", view_func=show_nothing)
        wrapped.add_url_rule("/named", endpoint="named")
        wrapped.endpoint("named")(show_nothing)
        for path in ("/route", "/get", "/rule", "/named"):
            assert "caught" == wsgi_get(app, path)
        assert 4 == len(next.errors)

    def test_a_view_is_registered_twice(self, app: Any) -> None:
        """The same view under one endpoint is no conflict; another view is."""
        wrapped = wrap_router(app, next=RecordingNext("caught"))
        app.add_url_rule("/raw", view_func=show_nothing)
        wrapped.add_url_rule("/", view_func=show_nothing)
        wrapped.add_url_rule("/again", view_func=show_nothing)
        with pytest.raises(AssertionError, match="overwriting"):
            wrapped.add_url_rule("/other", endpoint="show_nothing", view_func=lambda: "other")
        assert "caught" == wsgi_get(app, "/again")

    def test_an_async_view_and_a_method_view(self, app: Any) -> None:
        """An async view is run on Flask's loop, and `as_view` gives an ordinary handler."""
        views = pytest.importorskip("flask.views")

        class View(views.MethodView):  # type: ignore[misc, name-defined]
            def get(self) -> Any:
                raise Boom

        async def view() -> Any:
            raise Boom

        wrapped = wrap_router(app, next=RecordingNext("caught"))
        wrapped.add_url_rule("/async", view_func=view)
        wrapped.add_url_rule("/class", view_func=View.as_view("class"))
        assert ["caught", "caught"] == [wsgi_get(app, path) for path in ("/async", "/class")]
        with app.test_request_context():
            assert "/class" == pytest.importorskip("flask").url_for("class")

    def test_a_blueprint(self, app: Any) -> None:
        """A blueprint is a router too; what it recorded is registered with the application."""
        blueprint = pytest.importorskip("flask").Blueprint("shop", __name__)
        wrapped = wrap_router(blueprint, next=RecordingNext("caught"))
        wrapped.get("/")(show_nothing)
        app.register_blueprint(wrapped)
        assert "caught" == wsgi_get(app)
        assert app.blueprints["shop"] == blueprint

    def test_error_handlers_are_left_alone(self, app: Any) -> None:
        """`errorhandler` registers no route: what fails there is not caught."""
        wrapped = wrap_router(app, next=RecordingNext(Boom()))

        @wrapped.errorhandler(Boom)  # type: ignore[untyped-decorator, unused-ignore]
        def answer(error: Boom) -> str:
            return "answered"

        wrapped.get("/")(show_nothing)
        assert "answered" == wsgi_get(app)
        assert answer is unwrap(answer)

    def test_declared_routes(self, app: Any) -> None:
        """`apply_routes` finds `add_url_rule`; the routes' names are the endpoints."""
        routes = {
            name: {"method": "get", "path": f"/{name}", "handler": show_nothing}
            for name in ("one", "two")
        }
        apply_routes(app, create_routes(routes, next=RecordingNext("caught")))
        assert ["caught", "caught"] == [wsgi_get(app, path) for path in ("/one", "/two")]
        with app.test_request_context():
            assert "/two" == pytest.importorskip("flask").url_for("two")


class TestAiohttp:
    """Handlers are coroutine functions or `View` classes, in calls, lists and tables."""

    @pytest.fixture
    def web(self) -> Any:
        """Import aiohttp."""
        return pytest.importorskip("aiohttp.web")

    @staticmethod
    async def ask(app: Any, *paths: str, method: str = "GET") -> list[str]:
        """Ask an application through a real socket."""
        test_utils = pytest.importorskip("aiohttp.test_utils")
        async with test_utils.TestClient(test_utils.TestServer(unwrap(app))) as client:
            return [await (await client.request(method, path)).text() for path in paths]

    @pytest.mark.asyncio
    async def test_every_way_to_register(self, web: Any) -> None:
        """Methods of the router, resources, lists of definitions, and tables all wrap."""

        def answer(_error: BaseException) -> Any:
            return web.Response(text="caught")

        table = web.RouteTableDef()
        table.get("/table")(show)
        app = web.Application()
        wrapped = wrap_router(app, next=answer)
        wrapped.add_routes(table)
        wrapped.add_routes([web.get("/list", show), web.post("/list", show)])
        wrapped.router.add_get("/get", show)
        wrapped.router.add_route("GET", "/route", show)
        wrapped.router.add_resource("/resource").add_route("GET", show)
        paths = ("/table", "/list", "/get", "/route", "/resource")
        assert ["caught"] * 5 == await self.ask(app, *paths)
        assert table[0].handler is show, "the table is as it was"

    @pytest.mark.asyncio
    async def test_a_view_class(self, web: Any) -> None:
        """A `View` is wrapped by method, and stays a class."""

        class View(web.View):  # type: ignore[misc]
            async def get(self) -> Any:
                raise Boom

        def answer(_error: BaseException) -> Any:
            return web.Response(text="caught")

        app = web.Application()
        wrap_router(app.router, next=answer).add_view("/", View)
        assert ["caught"] == await self.ask(app, "/")

        app = web.Application()
        wrap_router(app.router, next=answer).add_view("/", View)
        assert ["405: Method Not Allowed"] == await self.ask(app, "/", method="PUT")

    def test_a_lookup_is_no_registration(self, web: Any) -> None:
        """The router and the application are mappings: their ``get`` looks up."""
        app = web.Application()
        factory = web.AppKey("factory", Callable)
        app[factory] = show
        wrapped = wrap_router(app, next=RecordingNext())
        assert wrapped.get(factory) is show
        resource = app.router.add_resource("/", name="home")
        assert wrapped.router.get("home") is resource
        assert "/" == str(wrapped.router["home"].url_for())

    @pytest.mark.asyncio
    async def test_a_sub_application(self, web: Any) -> None:
        """A wrapped application is mounted as the application that it is."""

        def answer(_error: BaseException) -> Any:
            return web.Response(text="caught")

        app, inner = web.Application(), wrap_router(web.Application(), next=answer)
        inner.router.add_get("/", show)
        app.add_subapp("/inner", inner)
        assert ["caught"] == await self.ask(app, "/inner/")

    @pytest.mark.asyncio
    async def test_declared_routes(self, web: Any) -> None:
        """`apply_routes` finds the router of an application."""

        def answer(_error: BaseException) -> Any:
            return web.Response(text="caught")

        app = web.Application()
        routes = {"show": {"method": "get", "path": "/", "handler": show}}
        apply_routes(app, create_routes(routes, next=answer))
        assert ["caught"] == await self.ask(app, "/")


class TestBottle:
    """Callbacks come by position, keyword or decorator; plugins are no handlers."""

    @pytest.fixture
    def app(self) -> Any:
        """Make an application."""
        return pytest.importorskip("bottle").Bottle()

    def test_every_way_to_register(self, app: Any) -> None:
        """Decorators and callbacks all wrap."""
        next = RecordingNext("caught")
        wrapped: Any = wrap_router(app, next=next)
        registered = wrapped.route("/route")(show_nothing)
        wrapped.get("/get", callback=show_nothing)
        wrapped.route("/position", "GET", show_nothing)
        for path in ("/route", "/get", "/position"):
            assert "caught" == wsgi_get(app, path)
        assert app.routes[0].callback is registered
        assert [show_nothing] * 3 == [route.callback for route in app.routes]

    def test_a_stream(self, app: Any) -> None:
        """A generator is guarded while Bottle iterates: it breaks off, and `next` knows."""
        next = RecordingNext()

        def stream() -> Iterator[str]:
            yield "begun"
            raise Boom

        wrap_router(app, next=next).get("/")(stream)
        with pytest.raises(Boom):
            wsgi_get(app)
        assert 1 == len(next.errors)

    def test_plugins_are_no_handlers(self, app: Any) -> None:
        """What is applied to a callback is left alone."""

        def plugin(callback: Any) -> Any:
            return lambda: f"plugged {callback()}"

        wrapped = wrap_router(app, next=RecordingNext("caught"))
        wrapped.get("/", apply=[plugin], callback=show_nothing)
        wrapped.route("/position", "GET", show_nothing, None, [plugin])
        assert ["plugged caught"] * 2 == [wsgi_get(app), wsgi_get(app, "/position")]
        assert app.routes[1].plugins[0] is plugin

    def test_declared_routes(self, app: Any) -> None:
        """`apply_routes` sees that the second argument of ``get`` is a method."""
        routes = {"show": {"method": "get", "path": "/", "handler": show_nothing}}
        apply_routes(app, create_routes(routes, next=RecordingNext("caught")))
        assert "caught" == wsgi_get(app)


class TestTornado:
    """Handlers are classes, in nested lists of tuples and definitions."""

    @pytest.mark.asyncio
    async def test_add_handlers(self) -> None:
        """Verb methods are wrapped; what Tornado says for the others is its own."""
        web = pytest.importorskip("tornado.web")
        next = RecordingNext()

        class Tuple(web.RequestHandler):  # type: ignore[misc, name-defined]
            async def get(self) -> None:
                self.write("written")
                raise Boom

        class Definition(web.RequestHandler):  # type: ignore[misc, name-defined]
            def get(self) -> None:
                self.write("written")
                raise Boom

        app = web.Application()
        wrap_router(app, next=next).add_handlers(
            ".*", [(r"/tuple", Tuple, {}), web.url(r"/url", Definition, name="definition")]
        )
        answers = [await self.ask(app, *how) for how in (("/tuple",), ("/url",), ("/url", "PUT"))]
        assert [(200, "written"), (200, "written")] == answers[:2]
        assert 405 == answers[2][0]
        assert [Boom, Boom] == [type(error) for error in next.errors]
        assert "/url" == app.reverse_url("definition")

    @staticmethod
    async def ask(app: Any, path: str, method: str = "GET") -> tuple[int, str]:
        """Ask an application through a real socket."""
        server = pytest.importorskip("tornado.httpserver").HTTPServer(app)
        sockets = pytest.importorskip("tornado.netutil").bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                response = await client.request(method, path)
                return response.status_code, response.text
        finally:
            server.stop()
            await server.close_all_connections()


class Resource:
    """A resource of Falcon's, with a responder that it inherits no kind from."""

    def on_get(self, req: Any, resp: Any) -> None:
        """Fail after writing."""
        resp.text = "written"
        raise Boom

    def on_get_item(self, req: Any, resp: Any) -> None:
        """Fail, for another route."""
        resp.text = "item"
        raise Boom

    def helper(self) -> None:
        """Be no responder."""
        raise Boom


class AsyncResource:
    """The same for ASGI."""

    async def on_get(self, req: Any, resp: Any) -> None:
        """Fail after writing."""
        resp.text = "written"
        raise Boom


class TestFalcon:
    """Handlers are the ``on_`` methods of an object."""

    @pytest.fixture
    def falcon(self) -> Any:
        """Import Falcon."""
        return pytest.importorskip("falcon")

    def test_a_resource(self, falcon: Any) -> None:
        """Responders are wrapped, with a suffix too; the object is itself in all else."""
        next = RecordingNext()
        app = falcon.App()
        resource = Resource()
        wrapped: Any = wrap_router(app, next=next)
        wrapped.add_route("/", resource)
        wrapped.add_route("/item", resource, suffix="item")
        assert ["written", "item"] == [wsgi_get(app), wsgi_get(app, "/item")]
        assert 2 == len(next.errors)
        registered = app._router.find("/")[0]
        assert resource == registered
        assert isinstance(registered, Resource)
        with pytest.raises(Boom):
            registered.helper()

    @pytest.mark.asyncio
    async def test_asgi(self) -> None:
        """Falcon's ASGI side demands coroutine functions, and gets them."""
        asgi = pytest.importorskip("falcon.asgi")
        next = RecordingNext()
        app = asgi.App()
        wrap_router(app, next=next).add_route("/", AsyncResource())
        assert "written" == (await get(app)).text
        assert 1 == len(next.errors)

    def test_a_sink(self, falcon: Any) -> None:
        """A sink is a handler."""
        next = RecordingNext()

        def sink(req: Any, resp: Any, **_groups: Any) -> None:
            resp.text = "sunk"
            raise Boom

        app = falcon.App()
        wrap_router(app, next=next).add_sink(sink, "/")
        assert "sunk" == wsgi_get(app)
        assert 1 == len(next.errors)

    def test_inspection(self, falcon: Any) -> None:
        """`falcon.inspect` names the user's class and file."""
        inspection = pytest.importorskip("falcon.inspect")
        app = falcon.App()
        app.add_route("/raw", Resource())
        wrap_router(app, next=RecordingNext()).add_route("/wrapped", Resource())
        raw, wrapped = inspection.inspect_app(app).routes
        assert (raw.class_name, raw.source_info) == (wrapped.class_name, wrapped.source_info)
        methods = [
            [(m.method, m.source_info, m.function_name, m.internal) for m in route.methods]
            for route in (raw, wrapped)
        ]
        assert methods[0] == methods[1]


class TestSanic:
    """Handlers are named functions; the application is pickled for its workers."""

    @pytest.fixture
    def sanic(self) -> Any:
        """Import Sanic, and forget its applications afterwards."""
        sanic = pytest.importorskip("sanic")
        pytest.importorskip("sanic_testing")
        return sanic

    def test_every_way_to_register(self, sanic: Any) -> None:
        """Decorators, `add_route` and class-based views all wrap."""
        views = pytest.importorskip("sanic.views")
        testing = pytest.importorskip("sanic_testing.testing")

        class View(views.HTTPMethodView):  # type: ignore[misc, name-defined]
            async def get(self, request: Any) -> Any:
                raise Boom

        def answer(_error: BaseException) -> Any:
            return sanic.text("caught")

        app = sanic.Sanic("wrapped")
        wrapped = wrap_router(app, next=answer)
        wrapped.get("/get")(show)
        wrapped.add_route(show_sync, "/add")
        wrapped.add_route(View.as_view(), "/class")
        client = testing.SanicASGITestClient(app)

        async def ask() -> list[str]:
            return [(await client.get(path))[1].text for path in ("/get", "/add", "/class")]

        assert ["caught"] * 3 == asyncio.run(ask())
        assert "/get" == app.url_for("show")

    def test_an_application_pickles(self, sanic: Any) -> None:
        """A handler of a module comes back as its stand-in."""
        app = sanic.Sanic("pickled")
        wrap_router(app, next=answer_by_name).get("/")(show)
        handler = next(iter(app.router.routes)).handler
        loaded = pickle.loads(pickle.dumps(handler))  # noqa: S301 - ours
        assert show == loaded
        assert "by name" == asyncio.run(loaded(None))


def answer_by_name(_error: BaseException) -> str:
    """Be a `next` that can be imported."""
    return "by name"


class TestDjango:
    """Views are reversed by themselves."""

    def test_path_and_reverse(self) -> None:
        """A module with `path` is a router, and the raw view reverses the wrapped one."""
        urls = pytest.importorskip("django.urls")
        settings = pytest.importorskip("django.conf").settings
        if not settings.configured:
            settings.configure(ROOT_URLCONF=())
        wrapped = wrap_router(urls, next=RecordingNext("caught"), methods=("path",))
        patterns = (wrapped.path("show/", show_sync), wrapped.path("late/<int:number>/", show))
        resolver = urls.URLResolver(urls.resolvers.RegexPattern(r"^/"), patterns)
        assert "show/" == resolver.reverse(show_sync)
        assert "late/3/" == resolver.reverse(patterns[1].callback, 3)
        assert "caught" == resolver.resolve("/show/").func(None)


class TestExemptAndDecorated:
    """What a user has settled stays settled in a framework."""

    @pytest.mark.asyncio
    async def test_both(self) -> None:
        """An exempt handler fails as it did, a decorated one keeps its own `next`."""
        app = pytest.importorskip("fastapi").FastAPI()
        next = RecordingNext("router's")
        wrapped: Any = wrap_router(app, next=next)

        @exempt
        def left_alone() -> None:
            raise Boom

        @catch_async(next=RecordingNext("own"))
        async def decorated() -> Any:
            raise Boom

        wrapped.get("/exempt")(left_alone)
        wrapped.get("/decorated")(decorated)
        with pytest.raises(Boom):
            await get(app, "/exempt")
        assert "own" == (await get(app, "/decorated")).json()
        assert [] == next.errors


@pytest.mark.asyncio
async def test_an_async_stream_in_starlette() -> None:
    """An async generator stays one under its stand-in."""
    responses = pytest.importorskip("starlette.responses")
    app = pytest.importorskip("fastapi").FastAPI()
    next = RecordingNext()

    async def lines() -> Any:
        yield "begun"
        raise Boom

    stream = wrap_router(app, next=next).get("/")(lines)
    assert inspect.isasyncgenfunction(stream)
    response = responses.StreamingResponse(stream())
    with pytest.raises(Boom):
        [chunk async for chunk in response.body_iterator]
    assert 1 == len(next.errors)
