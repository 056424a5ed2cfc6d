"""`create_routes` and `apply_routes`: routes as data, errors at the line that declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import Route, apply_routes, catch_async, create_routes, wrap_router
from catchasync.testing import RecordingNext
from tests.support import Boom

untyped_create_routes: Any = create_routes
untyped_apply_routes: Any = apply_routes

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace", "connect", "query")


def answer(error: BaseException) -> str:
    """Answer a failure."""
    return "caught"


def show(req: Any = None) -> str:
    """Fail."""
    raise Boom


def declared(**changes: Any) -> dict[str, dict[str, Any]]:
    """Declare a good route, and one with changes; ``...`` leaves a key out."""
    good = {"method": "get", "path": "/users", "handler": show}
    bad = {key: value for key, value in (good | changes).items() if value is not ...}
    return {"list": good, "users.show": bad}


class Router:
    """A router that takes handlers after the path."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def get(self, path: str, *handlers: Any) -> None:
        """Take handlers."""
        self.taken.append(("get", path, *handlers))

    def post(self, path: str, handler: Any = None) -> None:
        """Take one handler."""
        self.taken.append(("post", path, handler))

    def put(self, path: str, act: Any) -> None:
        """Take one handler under another name."""
        self.taken.append(("put", path, act))

    def delete(self, path: str, name: str = "") -> Callable[[Any], Any]:
        """Decorate a handler."""
        return lambda handler: self.taken.append(("delete", path, handler))


class TestCreateRoutes:
    """Declarations in, routes out."""

    def test_routes(self) -> None:
        """A route has a method, a path, and a stand-in for its handler, under its name."""
        routes = create_routes(declared(), next=answer)
        route = routes["list"]
        assert ["list", "users.show"] == list(routes)
        assert Route("GET", "/users", show) == route
        assert ("GET", "/users", show) == (route.method, route.path, route.handler)
        assert "caught" == route.handler()
        assert "Route(method='GET', path='/users', handler=<function show" in repr(route)

    @pytest.mark.parametrize("verb", VERBS)
    def test_methods_in_any_case(self, verb: str) -> None:
        """Every HTTP method is taken, in any case."""
        for method in (verb, verb.upper(), verb.title()):
            route = create_routes(declared(method=method))["users.show"]
            assert verb.upper() == route.method

    def test_catch_options(self) -> None:
        """The options of `catch_async` apply to each handler."""
        route = create_routes(declared(), next=answer, pass_through=Boom)["list"]
        with pytest.raises(Boom):
            route.handler()

    def test_handlers_are_wrapped_once(self) -> None:
        """A handler that is decorated already is left as it is."""
        decorated = catch_async(next=RecordingNext())(show)
        routes = create_routes(declared(handler=decorated), next=answer)
        assert routes["users.show"].handler is decorated

    def test_declarations_are_not_changed(self) -> None:
        """What was declared is as it was."""
        declarations = declared()
        create_routes(declarations, next=answer)
        assert declarations["list"]["handler"] is show
        assert declared() == declarations


class TestErrorsOfDeclarations:
    """Each names the route, and is raised where the routes are declared."""

    @pytest.mark.parametrize("key", ["method", "path", "handler"])
    def test_a_missing_key(self, key: str) -> None:
        """A key that is missing is named with its route, and what there was."""
        with pytest.raises(ValueError, match=rf"route 'users\.show' has no '{key}': got \{{"):
            create_routes(declared(**{key: ...}), next=answer)

    def test_an_unknown_key(self) -> None:
        """A key that nobody reads is refused: what it says would be lost."""
        with pytest.raises(ValueError, match=r"route 'users\.show' takes .*got 'middleware'"):
            create_routes(declared(middleware=show), next=answer)

    @pytest.mark.parametrize("method", ["fetch", "", None, 5])
    def test_an_unknown_method(self, method: Any) -> None:
        """A method that HTTP has not is refused, with those that there are."""
        with pytest.raises(
            ValueError, match=rf"route 'users\.show' takes an HTTP method \(get, .*got {method!r}"
        ):
            create_routes(declared(method=method), next=answer)

    @pytest.mark.parametrize("handler", [None, "show", [show]])
    def test_no_callable(self, handler: Any) -> None:
        """A handler that is no callable is refused."""
        with pytest.raises(TypeError, match=r"'users\.show' takes a callable as handler: got"):
            create_routes(declared(handler=handler), next=answer)

    def test_no_mapping(self) -> None:
        """So is a declaration that is no mapping."""
        with pytest.raises(TypeError, match=r"route 'list' takes a mapping .* got 5"):
            untyped_create_routes({"list": 5}, next=answer)

    def test_an_unknown_option(self) -> None:
        """And an option that there is not."""
        with pytest.raises(TypeError, match=r"create_routes\(\) takes the options.*got cach="):
            untyped_create_routes(declared(), cach=Boom)

    def test_the_line(self) -> None:
        """The traceback ends in the declaring line's call, not in a registration."""
        with pytest.raises(ValueError, match="has no 'path'") as raised:
            create_routes(declared(path=...))
        assert inspect.currentframe().f_code.co_name == raised.traceback[0].name  # type: ignore[union-attr]
        assert {"create_routes", "_check", "_refuse"} == {e.name for e in raised.traceback[1:]}

    def test_nothing_is_wrapped_before_all_are_checked(self) -> None:
        """An error in the last declaration leaves the first as it was: view classes too."""

        class View:
            def get(self) -> None: ...

        before = View.get
        with pytest.raises(ValueError, match="has no 'path'"):
            create_routes(
                {
                    "view": {"method": "get", "path": "/", "handler": View},
                    "bad": {"method": "get", "handler": show},
                },
                next=answer,
            )
        assert View.get is before


class TestApplyRoutes:
    """Routes in, registered on whatever router."""

    def test_by_verb(self) -> None:
        """A verb method that takes the handler is called, one that decorates decorates."""
        router = Router()
        routes = create_routes(
            {
                verb: {"method": verb, "path": f"/{verb}", "handler": show}
                for verb in ("get", "post", "put", "delete")
            },
            next=answer,
        )
        assert apply_routes(router, routes) is router
        assert [(verb, f"/{verb}", show) for verb in routes] == router.taken
        assert ["caught"] * 4 == [handler() for _, _, handler in router.taken]

    def test_a_wrapped_router(self) -> None:
        """The handlers keep their stand-ins, and the wrapped router is returned."""
        router = Router()
        wrapped = wrap_router(router, next=RecordingNext())
        routes = create_routes(declared(), next=answer)
        assert apply_routes(wrapped, routes) is wrapped
        assert router.taken[0][2] is routes["list"].handler

    def test_add_verb_before_verb(self) -> None:
        """``add_get`` is taken before ``get``, which may be a lookup."""

        class Both(Router):
            def add_get(self, path: str, handler: Any) -> None:
                self.taken.append(("add_get", path, handler))

        assert "add_get" == apply_routes(Both(), create_routes(declared())).taken[0][0]

    def test_add_route(self) -> None:
        """Without them `add_route`, with the method first or the methods last."""

        class First:
            def __init__(self) -> None:
                self.taken: list[Any] = []

            def add_route(self, method: str, path: str, handler: Any) -> None:
                self.taken.append((method, path, handler))

        class Last(First):
            def add_route(  # type: ignore[override]
                self, path: str, endpoint: Any, methods: Any = None
            ) -> None:
                self.taken.append((methods, path, endpoint))

        routes = create_routes(declared())
        assert ("GET", "/users", show) == apply_routes(First(), routes).taken[0]
        assert (["GET"], "/users", show) == apply_routes(Last(), routes).taken[0]

    def test_a_method_without_signature(self) -> None:
        """A method whose parameters cannot be read is given the path and the handler."""

        def get(path: str, *rest: Any) -> None:
            taken.append((path, *rest))

        taken: list[Any] = []
        get.__signature__ = "get(path, ...)"  # type: ignore[attr-defined]
        router = Router()
        router.get = get  # type: ignore[method-assign]
        apply_routes(router, create_routes(declared()))
        assert ("/users", show) == taken[0]

    def test_a_router_without_the_method(self) -> None:
        """A router that cannot take one of them is refused before any is registered."""
        router = Router()
        with pytest.raises(TypeError, match=r"route 'users\.show' .* Router has no method patch"):
            apply_routes(router, create_routes(declared(method="patch")))
        assert [] == router.taken

    def test_declarations_are_no_routes(self) -> None:
        """What `create_routes` has not made is refused by name."""
        with pytest.raises(TypeError, match=r"route 'list' is no Route, make it by create_routes"):
            untyped_apply_routes(Router(), declared())
