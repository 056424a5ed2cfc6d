"""`wrap_router` on hand-made routers of each style."""

from __future__ import annotations

import asyncio
import collections
import copy
import functools
import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from unittest import mock

import pytest

from catchasync import catch_async, exempt, wrap_handler, wrap_router
from catchasync.testing import RecordingNext
from tests.support import Boom

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
USUAL = (*VERBS, "all", "use", "route", "add_route", "add_url_rule", "add_api_route")


def answer(error: BaseException) -> str:
    """Be a `next` that can be imported."""
    return f"answer to {type(error).__name__}"


def show(req: Any = None) -> str:
    """Fail."""
    raise Boom


def edit(req: Any = None) -> str:
    """Fail too."""
    raise Boom


class Router:
    """A router in the manner of Express: handlers by position, in lists; it returns itself."""

    prefix = "/api"

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.fallback: Any = None

    def _take(self, *args: Any, **kwargs: Any) -> Router:
        self.taken += [*args, *kwargs.values()]
        return self

    get = post = put = patch = delete = head = options = all = use = _take
    add_route = add_url_rule = add_api_route = param = on_message = _take

    def route(self, path: str) -> Route:
        """Give what takes the handlers of one path."""
        return Route(self, path)

    def describe(self) -> str:
        """Be no registration method."""
        return self.prefix

    def with_prefix(self, prefix: str) -> Router:
        """Be none either, and return the router."""
        self.prefix = prefix
        return self


class Route:
    """What a router gives for one path."""

    def __init__(self, router: Router, path: str) -> None:
        self.router = router
        self.path = path

    def get(self, *handlers: Any) -> Route:
        """Take handlers, and return itself."""
        self.router.taken += handlers
        return self

    post = get

    def end(self) -> Router:
        """Give the router again."""
        return self.router


class Pair(NamedTuple):
    """A path and its handler."""

    path: str
    handler: Any


class DecoratorRouter:
    """A router in the manner of Flask: handlers by decorator, or under a keyword."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def route(self, path: str, *middleware: Any, **options: Any) -> Callable[[Any], Any]:
        """Decorate a handler."""
        self.taken += middleware

        def decorator(handler: Any) -> Any:
            self.taken.append(handler)
            return handler

        return decorator

    get = route

    def add_url_rule(self, path: str, name: str | None = None, serve: Any = None) -> None:
        """Take a handler under a keyword of its own."""
        self.taken.append(serve)


def calls(handlers: list[Any]) -> list[Any]:
    """Call what was registered."""
    return [handler() for handler in handlers]


CAUGHT = "answer to Boom"

untyped_wrap_router: Any = wrap_router


class TestEveryStyle:
    """Handlers are found wherever routers take them."""

    @pytest.mark.parametrize("method", USUAL)
    def test_the_usual_methods(self, method: str) -> None:
        """Each of the usual names registers a wrapped handler."""
        router = Router()
        if method == "route":
            wrap_router(router, next=answer).route("/").get(show)
        else:
            getattr(wrap_router(router, next=answer), method)(show)
        assert [CAUGHT] == calls(router.taken)

    def test_positional(self) -> None:
        """A handler after the path is wrapped, the path is not."""
        router = Router()
        wrap_router(router, next=answer).get("/", show)
        assert "/" == router.taken[0]
        assert [CAUGHT] == calls(router.taken[1:])

    def test_several(self) -> None:
        """So is each of several handlers of a route."""
        router = Router()
        wrap_router(router, next=answer).get("/", show, edit)
        assert [show, edit] == router.taken[1:]
        assert [CAUGHT, CAUGHT] == calls(router.taken[1:])

    def test_nested_lists(self) -> None:
        """And those in lists and tuples of whatever depth, which stay of their kind."""
        router = Router()
        paths = ["/a", "/b"]
        given = [show, (edit, [show])]
        wrap_router(router, next=answer).get(paths, given, Pair("/", show))
        took_paths, took, took_pair = router.taken
        assert (paths, given, Pair("/", show)) == (took_paths, took, took_pair)
        assert took_paths is paths, "what holds no handler is the same object"
        assert given[0] is show, "the list that was given is as it was"
        assert isinstance(took[1], tuple)
        assert type(took_pair) is Pair
        assert [CAUGHT] * 4 == calls([took[0], took[1][0], took[1][1][0], took_pair.handler])

    def test_a_sequence_that_is_no_list(self) -> None:
        """A table of handlers is registered as a list of their stand-ins."""
        router = Router()
        wrap_router(router, next=answer).use(collections.UserList([show]))
        assert [CAUGHT] == calls(router.taken[0])

    def test_four_in_a_list(self) -> None:
        """A list of exactly four handlers is no error handler."""
        router = Router()
        wrap_router(router, next=answer).use([show] * 4)
        assert [CAUGHT] * 4 == calls(router.taken[0])

    @pytest.mark.parametrize("keyword", ["handler", "callback", "endpoint", "view_func", "to"])
    def test_keywords(self, keyword: str) -> None:
        """A handler under a usual keyword is wrapped, or a list of them."""
        router = Router()
        wrapped = wrap_router(router, next=answer)
        wrapped.get("/", **{keyword: show})
        wrapped.get("/", **{keyword: [edit]})
        assert [CAUGHT, CAUGHT] == calls([router.taken[1], router.taken[3][0]])

    def test_a_keyword_that_is_a_position_too(self) -> None:
        """What the method takes by position is wrapped under whatever keyword it has."""
        router = DecoratorRouter()
        wrap_router(router, next=answer).add_url_rule("/", serve=show)
        assert [CAUGHT] == calls(router.taken)

    def test_other_keywords_are_options(self) -> None:
        """A callable under any other keyword is an option, and left alone."""
        router = Router()
        wrap_router(router, next=answer).get("/", handler=show, key=edit, apply=edit)
        assert router.taken[2] is edit
        assert router.taken[3] is edit

    def test_decorators(self) -> None:
        """A decorator wraps, and returns what it registered."""
        router = DecoratorRouter()
        wrapped = wrap_router(router, next=answer)

        @wrapped.get("/")
        def handler() -> str:
            raise Boom

        assert handler is router.taken[0]
        assert CAUGHT == handler()

    def test_stacked_decorators(self) -> None:
        """A handler of two routes has one stand-in."""
        router = DecoratorRouter()
        wrapped = wrap_router(router, next=answer)
        handler = wrapped.get("/a")(wrapped.route("/b")(show))
        assert router.taken[0] is router.taken[1] is handler

    def test_a_decorator_after_other_handlers(self) -> None:
        """Those given to the method are wrapped, and the one decorated."""
        router = DecoratorRouter()
        wrap_router(router, next=answer).get("/", show)(edit)
        assert [CAUGHT, CAUGHT] == calls(router.taken)

    def test_a_bare_decorator(self) -> None:
        """A method that takes nothing but the handler decorates by itself."""

        class Bare:
            def use(self, handler: Any) -> Any:
                return handler

        wrapped = wrap_router(Bare(), next=answer)

        @wrapped.use
        def handler() -> str:
            raise Boom

        assert CAUGHT == handler()

    def test_a_decorator_that_returns_something_else(self) -> None:
        """What a decorator returns of its own goes through."""

        class Odd:
            def get(self, path: str) -> Any:
                return lambda handler: (path, handler)

        path, handler = wrap_router(Odd(), next=answer).get("/")(show)
        assert ("/", CAUGHT) == (path, handler())

    def test_route_chains(self) -> None:
        """Chained calls stay wrapped, on what `route` gives too."""
        router = Router()
        route = wrap_router(router, next=answer).route("/").get(show).post(edit)
        assert "/" == route.path
        assert isinstance(route, Route)
        assert [CAUGHT, CAUGHT] == calls(router.taken)

    def test_a_chain_that_comes_back(self) -> None:
        """And after a chain has come back to the router, it is the wrapped one."""
        router = Router()
        wrapped = wrap_router(router, next=answer)
        assert wrapped.route("/").get(show).end() is wrapped
        assert wrapped.with_prefix("/v2").use(edit) is wrapped
        assert ("/v2", [CAUGHT, CAUGHT]) == (wrapped.describe(), calls(router.taken))

    def test_a_chain_that_decorates(self) -> None:
        """What can be called and has methods too wraps in both ways."""

        class Both(Route):
            def __call__(self, handler: Any) -> Any:
                self.router.taken.append(handler)
                return handler

        class Giving(Router):
            def route(self, path: str) -> Both:
                return Both(self, path)

        router = Giving()
        route = wrap_router(router, next=answer).route("/")
        route.get(show)
        assert route(edit) is router.taken[1]
        assert [CAUGHT, CAUGHT] == calls(router.taken)

    def test_returned_self(self) -> None:
        """A method that returns the router returns the wrapped one."""
        router = Router()
        wrapped = wrap_router(router, next=answer)
        assert wrapped.get("/", show).post("/", edit) is wrapped

    def test_route_definitions(self) -> None:
        """A definition that holds a handler is copied with its stand-in."""

        class Definition:
            def __init__(self, handler: Any) -> None:
                self.handler = handler

        router = Router()
        definition, empty = Definition(show), Definition(None)
        wrap_router(router, next=answer).use([definition, empty])
        assert [CAUGHT] == calls([router.taken[0][0].handler])
        assert definition.handler is show
        assert router.taken[0][1] is empty

    def test_async_registration(self) -> None:
        """An async registration method stays one."""

        class Later:
            async def use(self, handler: Any) -> Any:
                return handler

        assert CAUGHT == asyncio.run(wrap_router(Later(), next=answer).use(show))()

    def test_a_result_of_another_kind(self) -> None:
        """A class, a value, or an object without such methods is returned as it is."""
        result: Any = None

        class Returning:
            def get(self, *_: object) -> Any:
                return result

        wrapped = wrap_router(Returning(), next=answer)
        for result in (Router, 5, None, object(), wrap_handler(show, next=answer)):
            assert wrapped.get(edit) is result

    def test_a_result_that_was_handed_over(self) -> None:
        """What was registered as it is comes back as it is."""

        def on_error(error: Any, req: Any, res: Any, next: Any) -> None: ...

        class Giving:
            def use(self, handler: Any) -> Any:
                return handler

        assert wrap_router(Giving(), next=answer).use(on_error) is on_error

    def test_a_mock(self) -> None:
        """A mock is a router of every method."""
        router = mock.Mock()
        wrap_router(router, next=answer).get("/", show)
        assert CAUGHT == router.get.call_args.args[1]()


class TestWhatIsLeftAlone:
    """Not everything that passes is a handler to be wrapped."""

    def test_error_handlers(self) -> None:
        """Error handlers of four parameters are left alone, in lists too."""

        def on_error(error: Any, req: Any, res: Any, next: Any) -> None: ...

        router = Router()
        wrap_router(router, next=answer).use(on_error, [on_error, show])
        assert router.taken[0] is on_error
        assert router.taken[1][0] is on_error
        assert [CAUGHT] == calls(router.taken[1][1:])

    def test_param_callbacks(self) -> None:
        """A callback of `param` takes four, and is no error handler."""

        def load(req: Any, res: Any, next: Any, number: Any) -> str:
            raise Boom

        def odd(error: Any, res: Any, next: Any, number: Any) -> str:
            raise Boom

        router = Router()
        wrapped = wrap_router(router, next=answer)
        wrapped.param("id", load)
        wrapped.param("id", odd)
        for handler in (router.taken[1], router.taken[3]):
            assert CAUGHT == handler(1, 2, 3, 4)

    def test_exempt_and_decorated(self) -> None:
        """So are exempt handlers, and those that `catch_async` has decorated."""
        left = exempt(lambda: None)
        decorated = catch_async(next=answer)(show)
        router = Router()
        wrap_router(router, next=RecordingNext()).get("/", left, decorated)
        assert router.taken[1] is left
        assert router.taken[2] is decorated

    @pytest.mark.parametrize("thing", [None, 5, "show", {"get": show}, range(10**12), b"x"])
    def test_no_callables(self, thing: Any) -> None:
        """What is no callable goes through, and the router's own message is what the user sees."""

        class Strict:
            def get(self, path: str, handler: Any) -> None:
                assert handler is thing
                raise TypeError("Route.get() requires a callback function")

        with pytest.raises(TypeError, match="requires a callback function"):
            wrap_router(Strict(), next=answer).get("/", thing)

    def test_mounted_routers(self) -> None:
        """A router or application that is mounted is left alone, wrapped or not."""

        class Mounted(Router):
            def __call__(self, req: Any) -> None: ...

        router, inner = Router(), Mounted()
        wrapped_inner = wrap_router(inner, next=answer)
        wrap_router(router, next=answer).use("/a", inner).use("/b", wrapped_inner)
        assert router.taken[1] is inner
        assert router.taken[3] is wrapped_inner

    def test_sentinels(self) -> None:
        """An attribute that a framework compares by identity is written as it is."""
        router = Router()
        wrapped = wrap_router(router, next=answer)
        wrapped.fallback = show
        assert router.fallback is show
        assert wrapped.fallback is show

    def test_other_methods(self) -> None:
        """A method that registers nothing takes its arguments as they are."""

        class Events(Router):
            def subscribe(self, handler: Any) -> Any:
                return handler

        wrapped = wrap_router(Events(), next=answer)
        assert wrapped.subscribe(show) is show
        assert "/api" == wrapped.describe()

    def test_lookups_of_a_mapping(self) -> None:
        """The ``get`` of a router that is a mapping looks up, unless `methods` names it."""

        class Named(Router, Mapping[str, Any]):
            def __getitem__(self, key: str) -> Any:
                return show

            def __iter__(self) -> Iterator[str]:
                return iter(["a"])

            def __len__(self) -> int:
                return 1

            def get(self, key: str, default: Any = None) -> Any:
                return default

        assert wrap_router(Named(), next=answer).get("a", show) is show
        named = wrap_router(Named(), next=answer, methods=("get",))
        assert CAUGHT == named.get("a", show)()


class TestTheRouterIsItself:
    """In all but its registration methods."""

    def test_isinstance_and_equality(self) -> None:
        """It is an instance of its class, equal to the router, with its `repr` and class name."""
        router = Router()
        wrapped = wrap_router(router, next=answer)
        assert isinstance(wrapped, Router)
        assert router == wrapped
        assert (hash(router), repr(router)) == (hash(wrapped), repr(wrapped))
        assert "Router" == type(wrapped).__name__

    def test_attributes(self) -> None:
        """Other attributes are read through; what is missing is missing."""
        wrapped: Any = wrap_router(Router(), next=answer)
        assert "/api" == wrapped.prefix
        assert Router.describe == wrapped.describe.__func__
        with pytest.raises(AttributeError, match="no attribute 'absent'"):
            _ = wrapped.absent

    def test_writes(self) -> None:
        """Writes to the wrapped router reach the router, and so do deletions."""
        router = Router()
        wrapped = wrap_router(router, next=answer)
        wrapped.prefix = "/v2"
        assert "/v2" == router.prefix
        del wrapped.prefix
        assert "/api" == router.prefix

    def test_the_router_is_not_changed(self) -> None:
        """What is registered on the router itself is not wrapped."""
        router = Router()
        wrap_router(router, next=answer)
        router.get(show)
        assert router.taken[0] is show

    def test_signatures(self) -> None:
        """Registration methods have their names and signatures."""
        wrapped = wrap_router(DecoratorRouter(), next=answer)
        assert "route" == wrapped.get.__name__
        assert inspect.signature(DecoratorRouter().get) == inspect.signature(wrapped.get)

    def test_a_router_that_is_an_application(self) -> None:
        """A call of the wrapped router is a call of the router, of the same kind."""

        class App(Router):
            async def __call__(self, scope: Any) -> Any:
                return scope

        wrapped = wrap_router(App(), next=answer)
        assert inspect.iscoroutinefunction(wrapped.__call__)
        assert "scope" == asyncio.run(wrapped("scope"))
        assert not callable(wrap_router(Router(), next=answer))

    def test_an_inner_router(self) -> None:
        """The router that an application keeps as ``router`` is wrapped with it."""

        class App(Router):
            def __init__(self) -> None:
                super().__init__()
                self.router = Router()

        app = App()
        wrap_router(app, next=answer).router.get(show)
        assert [CAUGHT] == calls(app.router.taken)

    def test_copies_and_pickles(self) -> None:
        """A copied or pickled wrapped router wraps too."""
        wrapped = wrap_router(Router(), next=answer)
        copies = [
            copy.copy(wrapped),
            copy.deepcopy(wrapped),
            pickle.loads(pickle.dumps(wrapped)),  # noqa: S301 - ours
        ]
        for copied in copies:
            copied.taken = []
            copied.get(show)
            assert [CAUGHT] == calls(copied.taken)
        assert [] == wrapped.taken


class TestOptions:
    """`next`, `methods`, and those of `catch_async`."""

    def test_methods_adds_to_the_usual_names(self) -> None:
        """A name of the router's own is wrapped beside the others."""
        router = Router()
        wrapped = wrap_router(router, next=answer, methods=["on_message"])
        wrapped.on_message(show).get(edit)
        assert [CAUGHT, CAUGHT] == calls(router.taken)

    def test_methods_count_along_chains(self) -> None:
        """What such a method returns takes handlers by its own methods of these names."""
        taken: list[Any] = []

        class Group:
            def on(self, handler: Any) -> None:
                taken.append(handler)

        class Grouping(Group):
            def group(self) -> Group:
                return Group()

        wrap_router(Grouping(), next=answer, methods=("group", "on")).group().on(show)
        assert [CAUGHT] == calls(taken)

    def test_without_it_the_name_is_not_known(self) -> None:
        """A method of another name registers the handler itself."""
        router = Router()
        wrap_router(router, next=answer).on_message(show)
        assert router.taken[0] is show

    def test_next_from_the_router(self) -> None:
        """Without `next` the handler's own one is used, as the router passes it."""
        router = Router()

        def handler(req: Any, next: Any) -> None:
            raise Boom

        next = RecordingNext("theirs")
        wrap_router(router).get(handler)
        assert "theirs" == router.taken[0](1, next)
        assert 1 == len(next.errors)

    def test_catch_options(self) -> None:
        """The options of `catch_async` apply to every handler."""
        router = Router()
        wrap_router(router, next=answer, pass_through=Boom).get(show)
        with pytest.raises(Boom):
            router.taken[0]()

    def test_wrapped_twice(self) -> None:
        """A wrapped router that is wrapped again keeps its names; the later `next` counts."""
        router = Router()
        first = wrap_router(router, next=RecordingNext("first"), methods=("on_message",))
        second: Any = wrap_router(first, next=answer)
        assert second.on_message(show) is second
        assert second.__wrapped__ is router
        assert [CAUGHT] == calls(router.taken)

    def test_handlers_keep_their_stand_in(self) -> None:
        """A stand-in that passes another wrapped router is registered as it is."""
        router = Router()
        stand_in = wrap_handler(show, next=answer)
        wrap_router(router, next=RecordingNext("other")).get(stand_in)
        assert router.taken[0] is stand_in

    def test_no_router(self) -> None:
        """An object without registration methods is refused, with the remedy."""
        with pytest.raises(TypeError, match=r"takes a router.*got 5.*methods="):
            wrap_router(5, next=answer)

    def test_an_unknown_method(self) -> None:
        """A name in `methods` that the router has not is refused by name."""
        with pytest.raises(TypeError, match=r"Router has no method 'on_mesage'"):
            wrap_router(Router(), next=answer, methods=("on_mesage",))

    def test_methods_as_one_string(self) -> None:
        """A string would be taken letter by letter: it is refused."""
        with pytest.raises(TypeError, match=r"several names, such as \('use',\)"):
            wrap_router(Router(), next=answer, methods="use")

    def test_an_unknown_option(self) -> None:
        """An option that there is not is refused by name, where it is written."""
        with pytest.raises(TypeError, match=r"wrap_router\(\) takes the options next.*got cach="):
            untyped_wrap_router(Router(), cach=Boom)

    def test_a_bad_next(self) -> None:
        """A `next` that is no callable is refused there too."""
        with pytest.raises(TypeError, match=r"next=.*got 5"):
            untyped_wrap_router(Router(), next=5)

    def test_a_handler_without_that_next(self) -> None:
        """A handler that lacks the parameter named is refused at its registration."""
        wrapped = wrap_router(Router(), next="done")
        with pytest.raises(TypeError, match="has no parameter named done"):
            wrapped.get(functools.partial(show))
