"""Extensions of Flask, made before we are installed and after: what they answer, and what we do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import pytest

pytest.importorskip("flask")

from flask import Flask, Response, abort
from flask.views import MethodView

from catchasync import ErrorHandler, catch_async
from catchasync.errors import NotFound
from catchasync.integrations.flask import as_next, install, wrap_router
from tests.integrations.contract import SECRET, Report, UserMissing, make_errors

Extend: TypeAlias = Callable[[Flask], None]
"""What gives an app the extension, and views that go through it."""

Seen: TypeAlias = tuple[int, str, bytes]
"""Status, content type and body."""

PROBLEM: Final = "application/problem+json"
ORDERS: Final = pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])


class Teasing(Exception):
    """An error for which an extension has a handler of its own."""


RAISED: Final[dict[str, Callable[[], Exception]]] = {
    "bug": lambda: RuntimeError(SECRET),
    "domain": UserMissing,
    "http": lambda: NotFound("no such user"),
    "teasing": Teasing,
    "zero": ZeroDivisionError,
}

OURS: Final = {
    "bug": (500, "RuntimeError"),
    "domain": (404, "UserMissing"),
    "http": (404, "NotFound"),
}
"""Failures that no extension has an answer to: what they are answered with, and reported as."""


def raiser(make: Callable[[], Exception]) -> Callable[..., Any]:
    """Return a view, or a method, that raises."""

    def view(*_self: object) -> Any:
        raise make()

    return view


def parts() -> Iterator[bytes]:
    """Give a part, and fail."""
    yield b"begun"
    raise RuntimeError(SECRET)


VIEWS: Final[dict[str, Callable[..., Any]]] = {
    "ok": lambda *_self: {"number": 1},
    "conflict": lambda *_self: abort(409),
    "stream": lambda *_self: Response(parts()),
    **{name: raiser(make) for name, make in RAISED.items()},
}


def app_of(extend: Extend, errors: ErrorHandler | None = None, *, is_first: bool = False) -> Flask:
    """Return an app with an extension, and where there are ``errors``, with us."""
    app = Flask("extended")
    app.register_error_handler(ZeroDivisionError, lambda error: ("the app's own", 422))
    if errors and is_first:
        install(app, errors)
    extend(app)
    if errors and not is_first:
        install(app, errors)
    return app


def ask(app: Flask, path: str, method: str = "GET") -> Seen:
    """Ask an app, in this process."""
    answer = app.test_client().open(path, method=method, headers={"Origin": "https://shop.test"})
    return answer.status_code, answer.content_type, answer.data


def names(reported: list[Report]) -> list[str]:
    """Return what was reported."""
    return [report.name for report in reported]


def check_ours(app: Flask, reported: list[Report]) -> None:
    """Check what becomes of failures that no extension has an answer to."""
    ended: list[BaseException | None] = []
    app.teardown_request(ended.append)
    for path, (status, name) in OURS.items():
        reported.clear()
        assert (status, PROBLEM) == ask(app, f"/{path}")[:2]
        assert [name] == names(reported)
        assert name == type(ended.pop()).__name__


def check_same(app: Flask, plain: Flask, reported: list[Report], *paths: str) -> None:
    """Check that what an extension answers is as without us, to the byte, and not reported."""
    reported.clear()
    for path in paths:
        assert ask(plain, path) == ask(app, path)
    assert ask(plain, "/ok", "POST") == ask(app, "/ok", "POST")
    assert [] == reported


def restx(app: Flask) -> None:
    """Extend by Flask-RESTX."""
    module = pytest.importorskip("flask_restx")
    api = module.Api(app)
    for name, view in VIEWS.items():
        kind = type(name, (module.Resource,), {"get": view})
        api.add_resource(kind, f"/{name}", endpoint=name)
    query = module.reqparse.RequestParser().add_argument("number", type=int, required=True)
    parsing = type("Parsed", (module.Resource,), {"get": lambda _self: query.parse_args()})
    api.add_resource(parsing, "/parsed")
    api.errorhandler(Teasing)(lambda error: ({"teased": True}, 418))


@ORDERS
def test_restx(*, is_first: bool) -> None:
    """Flask-RESTX answers what it has words for; the rest reaches us, and the app's handlers."""
    errors, reported = make_errors()
    app, plain = app_of(restx, errors, is_first=is_first), app_of(restx)
    check_ours(app, reported)
    check_same(
        app, plain, reported, "/ok", "/conflict", "/teasing", "/parsed", "/swagger.json", "/"
    )
    assert b"the app's own" == ask(app, "/zero")[2]
    assert [] == reported


def test_restx_namespace() -> None:
    """Resources of a wrapped namespace are wrapped, and described as without us."""
    module = pytest.importorskip("flask_restx")
    errors, reported = make_errors()
    app = Flask("extended")
    api, namespace = module.Api(app), module.Namespace("shop")

    @wrap_router(namespace, next=as_next(errors)).route("/user")
    class User(module.Resource):  # type: ignore[misc,name-defined]
        def get(self) -> Any:
            """Show a user."""
            raise UserMissing

    api.add_namespace(namespace)
    assert (404, PROBLEM) == ask(app, "/shop/user")[:2]
    assert ["UserMissing"] == names(reported)
    assert b"Show a user" in ask(app, "/swagger.json")[2]


def smorest(app: Flask) -> None:
    """Extend by Flask-Smorest."""
    module, marshmallow = pytest.importorskip("flask_smorest"), pytest.importorskip("marshmallow")
    query = marshmallow.Schema.from_dict({"number": marshmallow.fields.Int(required=True)})
    app.config.update(API_TITLE="shop", API_VERSION="1", OPENAPI_VERSION="3.0.3")
    api, blueprint = module.Api(app), module.Blueprint("shop", "shop")
    for name, view in VIEWS.items():
        blueprint.route(f"/{name}", endpoint=name)(view)

    @blueprint.route("/parsed")
    class Parsed(MethodView):
        @blueprint.arguments(query, location="query")
        def get(self, query: Any) -> Any:
            return query

    api.register_blueprint(blueprint)


@ORDERS
def test_smorest(*, is_first: bool) -> None:
    """Flask-Smorest words the errors of HTTP, with what is invalid; the rest reaches us."""
    errors, reported = make_errors()
    app, plain = app_of(smorest, errors, is_first=is_first), app_of(smorest)
    check_ours(app, reported)
    check_same(
        app, plain, reported, "/ok", "/conflict", "/parsed", "/parsed?number=1", "/nowhere", "/zero"
    )


def cors(app: Flask) -> None:
    """Extend by Flask-CORS."""
    pytest.importorskip("flask_cors").CORS(app)
    for name, view in VIEWS.items():
        app.add_url_rule(f"/{name}", name, view)


@ORDERS
def test_cors(*, is_first: bool) -> None:
    """Answers to failures have the headers that let a page of another origin read them."""
    errors, reported = make_errors()
    app = app_of(cors, errors, is_first=is_first)
    app.add_url_rule("/decorated", view_func=catch_async(next=as_next(errors))(VIEWS["domain"]))
    check_ours(app, reported)
    paths = [*VIEWS, "decorated", "nowhere"]
    paths.remove("stream")
    headers = {"Origin": "https://shop.test"}
    answers = [app.test_client().get(path, headers=headers).headers for path in paths]
    origins = {answer["Access-Control-Allow-Origin"] for answer in answers}
    assert 1 == len(origins)


def sqlalchemy(app: Flask) -> None:
    """Extend by Flask-SQLAlchemy."""
    module, columns = pytest.importorskip("flask_sqlalchemy"), pytest.importorskip("sqlalchemy")
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    database = module.SQLAlchemy(app)
    note = type(
        "Note", (database.Model,), {"number": columns.Column(columns.Integer, primary_key=True)}
    )
    with app.app_context():
        database.create_all()

    def noting(view: Callable[..., Any]) -> Callable[..., Any]:
        def noted() -> Any:
            database.session.add(note())
            database.session.flush()
            answer = view()
            database.session.commit()
            return answer

        return noted

    for name, view in VIEWS.items():
        app.add_url_rule(f"/{name}", name, noting(view))
    app.add_url_rule("/count", "count", lambda: str(database.session.query(note).count()))
    app.add_url_rule("/none", "none", lambda: database.get_or_404(note, 7))


@ORDERS
def test_sqlalchemy(*, is_first: bool) -> None:
    """What failing views wrote is not there for the next request; ``get_or_404`` is a 404."""
    errors, reported = make_errors()
    app = app_of(sqlalchemy, errors, is_first=is_first)
    check_ours(app, reported)
    assert b"0" == ask(app, "/count")[2]
    ask(app, "/ok")
    assert b"1" == ask(app, "/count")[2]
    assert (404, PROBLEM) == ask(app, "/none")[:2]
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.mark.parametrize("extend", [restx, smorest, cors])
def test_stream(extend: Extend) -> None:
    """A stream that fails behind an extension is reported once, and broken off."""
    errors, reported = make_errors()
    client = app_of(extend, errors).test_client()
    with pytest.raises(RuntimeError, match=SECRET):
        _ = client.get("/stream").data
    assert ["RuntimeError"] == names(reported)
