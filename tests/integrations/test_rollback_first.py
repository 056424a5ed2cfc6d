"""Rollback first: a transaction has ended when its failure is answered; real ones, on SQLite.

Every app has a session of SQLAlchemy where its framework would have it: in a dependency, a
middleware, a plugin, a teardown function.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

sqlalchemy: Any = pytest.importorskip("sqlalchemy")

from sqlalchemy.orm import Session

from catchasync import ErrorHandler
from catchasync.errors import HttpError, NotFound
from tests.integrations.contract import SECRET, UserMissing, ask, make_errors
from tests.integrations.servers import serve_asgi, serve_wsgi

ERRORS = {"bug": RuntimeError(SECRET), "http": NotFound(), "domain": UserMissing()}


class Database:
    """A database in a file, with one table; and whether it was free when something happened."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.when: dict[str, bool] = {}
        self.engine = sqlalchemy.create_engine(
            f"sqlite:///{file}",
            poolclass=sqlalchemy.pool.NullPool,
            connect_args={"check_same_thread": False},  # a dependency may end in another thread
        )
        self.run("CREATE TABLE notes (number)")

    def run(self, statement: str) -> list[Any]:
        """Run a statement on a connection of its own, which waits for nobody."""
        with contextlib.closing(sqlite3.connect(self.file, timeout=0)) as connection, connection:
            return connection.execute(statement).fetchall()

    def note(self, event: str) -> None:
        """Note whether no transaction is open: SQLite lets one write at a time."""
        try:
            self.run("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self.when[event] = False
        else:
            self.when[event] = True

    @contextlib.contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Commit a session at the end of a block, or where that fails roll it back."""
        with Session(self.engine) as self.session, self.session.begin():
            yield

    def begin(self) -> None:
        """Begin a session, as where there is no block."""
        self.session = Session(self.engine)

    def end(self, *, is_failure: bool) -> None:
        """End that session."""
        with self.session:
            if not is_failure:
                self.session.commit()

    def write(self, query: str, *, execute: Any = None) -> str:
        """Do what all handlers do: write, and fail where the client says so."""
        statement = "INSERT INTO notes VALUES (1)"
        if execute is None:
            self.session.execute(sqlalchemy.text(statement))
        else:
            execute(statement)
        self.note("written")
        if query:
            raise ERRORS[query]
        return "ok"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty database."""
    database = Database(tmp_path / "notes.sqlite3")
    yield database
    database.engine.dispose()


@pytest.fixture
def errors(database: Database) -> ErrorHandler:
    """Return an error handler that notes whether the database is free when it answers."""
    errors, _reported = make_errors()
    errors.on(Exception)(lambda error, context: database.note("answered"))
    errors.on(HttpError)(lambda error, context: database.note("answered"))
    errors.on(UserMissing, status=404)(lambda error, context: database.note("answered"))
    return errors


def check(database: Database, serving: Any, *, is_first: bool = True) -> None:
    """Check that what failed is not in the database, and was not when it was answered.

    Args:
        database: Where the app writes.
        serving: Serves the app.
        is_first: Whether the rollback comes before the answer is made, not just before it is sent.
    """
    with serving as url:
        for query, status in {"bug": 500, "http": 404, "domain": 404}.items():
            database.when.clear()
            assert status == ask(url, f"/?{query}").status
            database.note("received")
            expected = {"written": False, "answered": is_first, "received": True}
            assert expected == database.when
            assert [] == database.run("SELECT * FROM notes")
        assert b"ok" == ask(url, "/").body
    assert [(1,)] == database.run("SELECT * FROM notes")


def test_flask(database: Database, errors: ErrorHandler) -> None:
    """A session that a teardown function of Flask ends."""
    flask: Any = pytest.importorskip("flask")
    from catchasync.integrations.flask import install

    app = flask.Flask("rollback")

    def view() -> str:
        database.begin()
        return database.write(flask.request.query_string.decode())

    def end(error: BaseException | None) -> None:
        database.end(is_failure=error is not None)

    app.add_url_rule("/", view_func=view)
    app.teardown_request(end)
    check(database, serve_wsgi(install(app, errors)), is_first=False)


def test_flask_block(database: Database, errors: ErrorHandler) -> None:
    """A session that a view of Flask has for itself is rolled back before the answer is made."""
    flask: Any = pytest.importorskip("flask")
    from catchasync.integrations.flask import install

    app = flask.Flask("rollback")

    def view() -> str:
        with database.transaction():
            return database.write(flask.request.query_string.decode())

    app.add_url_rule("/", view_func=view)
    check(database, serve_wsgi(install(app, errors)))


def test_quart(database: Database, errors: ErrorHandler) -> None:
    """A session that a teardown function of Quart ends."""
    quart: Any = pytest.importorskip("quart")
    from catchasync.integrations.quart import install

    app = quart.Quart("rollback")

    async def view() -> str:
        database.begin()
        return database.write(quart.request.query_string.decode())

    async def end(error: BaseException | None) -> None:
        database.end(is_failure=error is not None)

    app.add_url_rule("/", view_func=view)
    app.teardown_request(end)
    check(database, serve_asgi(install(app, errors)), is_first=False)


@pytest.mark.parametrize("is_async", [False, True])
def test_fastapi(database: Database, errors: ErrorHandler, *, is_async: bool) -> None:
    """A session in a dependency with ``yield``."""
    fastapi: Any = pytest.importorskip("fastapi")
    from catchasync.integrations.fastapi import install

    def in_thread() -> Iterator[None]:
        with database.transaction():
            yield None

    async def on_loop() -> AsyncIterator[None]:
        with database.transaction():
            yield None

    def endpoint(request: Any) -> Any:
        return fastapi.Response(database.write(request.url.query))

    endpoint.__annotations__ = {"request": fastapi.Request}
    app = fastapi.FastAPI()
    depends = fastapi.Depends(on_loop if is_async else in_thread)
    app.get("/", dependencies=[depends])(endpoint)
    check(database, serve_asgi(install(app, errors)))


def test_starlette_middleware(database: Database, errors: ErrorHandler) -> None:
    """A session in a middleware of ASGI, which sees the error of the handler."""
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    class Transaction:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await self.app(scope, receive, send)
                return
            with database.transaction():
                await self.app(scope, receive, send)

    app = Starlette(routes=[starlette_route(database)], middleware=[Middleware(Transaction)])
    check(database, serve_asgi(install_starlette(app, errors)))


def starlette_route(database: Database) -> Any:
    """Return the route of Starlette's apps."""
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def endpoint(request: Any) -> Any:
        return PlainTextResponse(database.write(request.url.query))

    return Route("/", endpoint)


def install_starlette(app: Any, errors: ErrorHandler) -> Any:
    """Install."""
    from catchasync.integrations.starlette import install

    return install(app, errors)


@pytest.mark.parametrize("is_after", [False, True])
def test_starlette_dispatch(database: Database, errors: ErrorHandler, *, is_after: bool) -> None:
    """A session in a `BaseHTTPMiddleware`, added before `install` or after."""
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.middleware.base import BaseHTTPMiddleware

    async def dispatch(request: Any, call_next: Any) -> Any:
        with database.transaction():
            return await call_next(request)

    app = Starlette(routes=[starlette_route(database)])
    if is_after:
        install_starlette(app, errors)
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    check(database, serve_asgi(app if is_after else install_starlette(app, errors)))


def test_litestar(database: Database, errors: ErrorHandler) -> None:
    """A session in a dependency of Litestar's, a generator."""
    litestar: Any = pytest.importorskip("litestar")
    from catchasync.integrations.litestar import install

    async def session() -> AsyncIterator[None]:
        with database.transaction():
            yield None

    async def show(request: Any, session: Any) -> str:
        return database.write(request.url.query)

    show.__annotations__ |= {
        "request": litestar.Request,
        "session": litestar.di.NamedDependency[Any],
    }
    app = litestar.Litestar(
        [litestar.get("/", media_type="text/plain")(show)],
        dependencies={"session": litestar.di.Provide(session)},
        logging_config=None,
    )
    check(database, serve_asgi(install(app, errors)))


def test_blacksheep(database: Database, errors: ErrorHandler) -> None:
    """A session in a middleware of BlackSheep's."""
    blacksheep: Any = pytest.importorskip("blacksheep")
    from catchasync.integrations.blacksheep import install

    app = blacksheep.Application(router=blacksheep.Router())

    async def transaction(request: Any, handler: Any) -> Any:
        with database.transaction():
            return await handler(request)

    async def show(request: Any) -> Any:
        return blacksheep.text(database.write((request.url.query or b"").decode()))

    app.middlewares.append(transaction)
    app.router.add_get("/", show)
    check(database, serve_asgi(install(app, errors)))


def test_aiohttp(database: Database, errors: ErrorHandler) -> None:
    """A session in a middleware of aiohttp's."""
    web: Any = pytest.importorskip("aiohttp.web")
    from catchasync.integrations.aiohttp import install
    from tests.integrations.apps.aiohttp import serve

    async def transaction(request: Any, handler: Any) -> Any:
        with database.transaction():
            return await handler(request)

    async def show(request: Any) -> Any:
        return web.Response(text=database.write(request.query_string))

    app = web.Application(middlewares=[web.middleware(transaction)])
    app.router.add_get("/", show)
    check(database, serve(install(app, errors)))


def test_tornado(database: Database, errors: ErrorHandler) -> None:
    """A session that a handler of Tornado's has for itself."""
    web: Any = pytest.importorskip("tornado.web")
    from catchasync.integrations.tornado import install
    from tests.integrations.apps.tornado import serve

    class Show(web.RequestHandler):  # type: ignore[misc]
        async def get(self) -> None:
            with database.transaction():
                self.write(database.write(self.request.query))

    check(database, serve(install(web.Application([("/", Show)]), errors)))


def test_sanic(database: Database, errors: ErrorHandler) -> None:
    """A session that a decorator of Sanic's handlers has."""
    sanic: Any = pytest.importorskip("sanic")
    from catchasync.integrations.sanic import install
    from tests.integrations.apps.sanic import numbers, serve

    sanic.Sanic.test_mode = True
    app = sanic.Sanic(f"rollback-{next(numbers)}", configure_logging=False)

    async def show(request: Any) -> Any:
        with database.transaction():
            return sanic.text(database.write(request.query_string))

    app.add_route(show, "/")
    check(database, serve(install(app, errors)))


def test_bottle(database: Database, errors: ErrorHandler) -> None:
    """A session in a plugin of Bottle's."""
    bottle: Any = pytest.importorskip("bottle")
    from catchasync.integrations.bottle import install

    app = bottle.Bottle()

    def transaction(callback: Any) -> Any:
        def run() -> Any:
            with database.transaction():
                return callback()

        return run

    app.install(transaction)
    app.get("/", callback=lambda: database.write(bottle.request.query_string))
    check(database, serve_wsgi(install(app, errors)))


def test_falcon(database: Database, errors: ErrorHandler) -> None:
    """A session in a middleware of Falcon's, which is told whether the request succeeded."""
    falcon: Any = pytest.importorskip("falcon")
    from catchasync.integrations.falcon import install

    class Transaction:
        def process_resource(self, *_args: Any) -> None:
            database.begin()

        def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: Any) -> None:
            database.end(is_failure=not req_succeeded)

    class Show:
        def on_get(self, req: Any, resp: Any) -> None:
            resp.text = database.write(req.query_string)

    app = falcon.App(middleware=[Transaction()])
    app.add_route("/", Show())
    check(database, serve_wsgi(install(app, errors)), is_first=False)


def test_pyramid(database: Database, errors: ErrorHandler) -> None:
    """A session in a tween of Pyramid's."""
    pytest.importorskip("pyramid")
    from pyramid.config import Configurator
    from pyramid.response import Response

    from catchasync.integrations.pyramid import install

    def show(request: Any) -> Any:
        return Response(database.write(request.query_string))

    with Configurator(settings={"database": database}) as config:
        config.add_tween(f"{__name__}.transaction_tween")
        config.add_route("show", "/")
        config.add_view(show, route_name="show")
        check(database, serve_wsgi(install(config, errors).make_wsgi_app()))


def transaction_tween(handler: Any, registry: Any) -> Any:
    """Return a tween with a session."""

    def tween(request: Any) -> Any:
        with registry.settings["database"].transaction():
            return handler(request)

    return tween


@pytest.mark.parametrize("is_async", [False, True])
def test_django(
    database: Database, errors: ErrorHandler, monkeypatch: pytest.MonkeyPatch, *, is_async: bool
) -> None:
    """``ATOMIC_REQUESTS`` of Django's, under WSGI and ASGI."""
    pytest.importorskip("django")
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection, connections
    from django.http import HttpResponse
    from django.test import override_settings
    from django.urls import path

    from catchasync.integrations.django import install
    from tests.integrations.apps import _django_project as project

    def show(request: Any) -> Any:
        with connection.cursor() as cursor:
            query = request.META["QUERY_STRING"]
            return HttpResponse(database.write(query, execute=cursor.execute).encode())

    class Urls:
        urlpatterns = (path("", show),)

    assert project.urlpatterns  # with it come the settings
    settings: Any = connections.settings
    for name, value in {"NAME": str(database.file), "ATOMIC_REQUESTS": True}.items():
        monkeypatch.setitem(settings["default"], name, value)
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[]):
        app: Any = install(ASGIHandler() if is_async else WSGIHandler(), errors)
        check(database, (serve_asgi if is_async else serve_wsgi)(app))
