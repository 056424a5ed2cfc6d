"""The stand-in: the handler to whoever looks, and its failures at `next` to whoever calls."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import pickle
import sys
import types
import typing
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from catchasync import catch_async, exempt, unwrap, wrap_handler
from catchasync.testing import RecordingNext
from tests.support import CALLS, KINDS, Boom, handler_of, raiser, run


def answer(error: BaseException) -> str:
    """Be a `next` that can be imported."""
    return f"answer to {type(error).__name__}"


wrap: Callable[[Any], Any] = functools.partial(wrap_handler, next=answer)


def show(request: int, *, flag: bool = False) -> str:
    """Fail."""
    raise Boom


async def show_async(request: int) -> str:
    """Fail, asynchronously."""
    raise Boom


def stream(request: int) -> Iterator[int]:
    """Yield, and fail."""
    yield request
    raise Boom


async def stream_async(request: int) -> AsyncIterator[int]:
    """Yield, and fail, asynchronously."""
    yield request
    raise Boom


class View:
    """A class of handlers."""

    def __init__(self, name: str = "view") -> None:
        self.name = name
        self.tags = [name]

    def __call__(self, request: int) -> str:
        """Fail."""
        raise Boom

    def method(self, request: int) -> str:
        """Fail."""
        raise Boom

    @classmethod
    def of_class(cls, request: int) -> str:
        """Fail."""
        raise Boom

    @staticmethod
    def static(request: int) -> str:
        """Fail."""
        raise Boom


class AsyncView:
    """A callable object whose call is async."""

    async def __call__(self, request: int) -> str:
        """Fail."""
        raise Boom


@functools.lru_cache
def cached(request: int) -> str:
    """Fail."""
    raise Boom


def registered(request: int) -> str:
    """Fail; this module's name for it is the stand-in, as after a verb decorator."""
    raise Boom


registered = wrap(registered)

HANDLERS = {
    "function": show,
    "coroutine function": show_async,
    "generator function": stream,
    "async generator function": stream_async,
    "lambda": lambda request: 1 / 0,
    "bound method": View().method,
    "class method": View.of_class,
    "static method": View.static,
    "partial": functools.partial(show, 1),
    "partial of a coroutine function": functools.partial(show_async, 1),
    "object": View(),
    "async object": AsyncView(),
    "cached": cached,
    "builtin": len,
    "method of a builtin": [].append,
}

every_handler = pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)


class TestItIsTheHandler:
    """To whoever looks."""

    @every_handler
    def test_equality_and_hash(self, handler: Any) -> None:
        """It equals the handler, from both sides, and finds it in a dict; so do two of them."""
        stand_in = wrap(handler)
        assert stand_in is not handler
        assert stand_in == handler
        assert handler == stand_in
        assert not stand_in != handler  # noqa: SIM202 - the operator is the point
        assert hash(handler) == hash(stand_in)
        assert wrap(handler) == stand_in
        assert "docs" == {handler: "docs"}[stand_in] == {stand_in: "docs"}[handler]
        assert stand_in != show_of_another_name

    @every_handler
    def test_repr_and_class_name(self, handler: Any) -> None:
        """Its `repr` and the names of its class are the handler's."""
        stand_in = wrap(handler)
        real, made = type(handler), type(stand_in)
        assert (repr(handler), str(handler)) == (repr(stand_in), str(stand_in))
        assert (real.__name__, real.__qualname__, real.__module__) == (
            made.__name__,
            made.__qualname__,
            made.__module__,
        )
        assert handler.__class__ is stand_in.__class__

    @every_handler
    def test_isinstance(self, handler: Any) -> None:
        """It is an instance of what the handler is, as `isinstance` and `inspect` tell."""
        stand_in = wrap(handler)
        assert isinstance(stand_in, type(handler))
        for ask in (
            callable,
            inspect.isfunction,
            inspect.ismethod,
            inspect.isbuiltin,
            inspect.isroutine,
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
            inspect.ismodule,
            inspect.isclass,
        ):
            assert ask(handler) == ask(stand_in), ask

    @every_handler
    def test_signatures(self, handler: Any) -> None:
        """`signature`, and `getfullargspec`, which follows no ``__wrapped__``, answer alike."""
        stand_in = wrap(handler)
        assert inspect.signature(handler) == inspect.signature(stand_in)
        if handler is not cached:  # which has no full specification
            assert inspect.getfullargspec(handler) == inspect.getfullargspec(stand_in)

    @every_handler
    def test_names_and_attributes(self, handler: Any) -> None:
        """It has the attributes that the handler has, and lacks those that the handler lacks."""
        stand_in = wrap(handler)
        names = ("__name__", "__qualname__", "__module__", "__doc__", "__self__", "func", "args")
        for name in (*names, "__defaults__", "__kwdefaults__", "__code__", "__globals__"):
            assert getattr(handler, name, None) == getattr(stand_in, name, None), name
            assert hasattr(handler, name) == hasattr(stand_in, name), name
        assert dir(handler) == dir(stand_in)

    @pytest.mark.parametrize("handler", [show, show_async, stream, View.static])
    def test_source_and_type_hints(self, handler: Any) -> None:
        """Its source, file, module and type hints are the handler's."""
        stand_in = wrap(handler)
        assert __file__ == inspect.getsourcefile(stand_in)
        assert inspect.getsource(handler) == inspect.getsource(stand_in)
        assert inspect.getmodule(handler) is inspect.getmodule(stand_in)
        assert typing.get_type_hints(handler) == typing.get_type_hints(stand_in)

    @pytest.mark.parametrize("view", [View(), AsyncView()])
    def test_the_call_of_an_object(self, view: Any) -> None:
        """``__call__`` of an object is a bound method of its kind, with its source."""
        call = wrap(view).__call__
        assert inspect.ismethod(call)
        assert inspect.iscoroutinefunction(view.__call__) == inspect.iscoroutinefunction(call)
        assert inspect.getfullargspec(view.__call__) == inspect.getfullargspec(call)
        assert __file__ == inspect.getsourcefile(call)
        assert view.__call__ == call

    @pytest.mark.parametrize("view", [View(), AsyncView()])
    def test_the_class_of_an_object(self, view: Any) -> None:
        """Its class has the source and the ``__call__`` of the handler's."""
        made = type(wrap(view))
        assert inspect.findsource(type(view)) == inspect.findsource(made)
        assert __file__ == inspect.getsourcefile(made)
        assert type(view).__call__ is made.__call__

    def test_objects_of_one_class_share_one(self) -> None:
        """Two stand-ins for objects of one class are of one class."""
        assert type(wrap(View())) is type(wrap(View()))
        assert type(wrap(View())) is not type(wrap(AsyncView()))

    def test_a_class_is_not_kept(self) -> None:
        """The class of a stand-in keeps no class of handlers alive."""

        class Passing:
            def __call__(self) -> None: ...

        wrap(Passing())()
        kept = weakref.ref(Passing)
        del Passing
        while kept() is not None and __import__("gc").collect():
            pass
        assert kept() is None

    @pytest.mark.parametrize("make", [lambda: lambda: None, View, lambda: View().method])
    def test_nothing_is_kept(self, make: Any) -> None:
        """A stand-in that nobody holds is freed at once, and the object inside with it."""
        stand_in = wrap(make())
        inside = getattr(stand_in, "__self__", stand_in)
        kept = [weakref.ref(stand_in), weakref.ref(inside)]
        del stand_in, inside
        assert [None, None] == [reference() for reference in kept]

    def test_special_methods(self) -> None:
        """An object is iterable, or not, as it was."""

        class Many(View):
            def __iter__(self) -> Iterator[int]:
                return iter([1, 2])

            def __len__(self) -> int:
                return 2

        assert [1, 2] == list(wrap(Many()))
        assert 2 == len(wrap(Many()))
        with pytest.raises(TypeError, match=r"not (iterable|subscriptable)"):
            list(wrap(View()))

    def test_writes_reach_the_handler(self) -> None:
        """A flag that a framework or a decorator sets on it is set on the handler, and back."""
        view = View()
        stand_in = wrap(view)
        stand_in.csrf_exempt = True
        view.is_stream = True  # type: ignore[attr-defined]
        assert [True, True] == [view.csrf_exempt, stand_in.is_stream]  # type: ignore[attr-defined]
        del stand_in.csrf_exempt
        assert not hasattr(view, "csrf_exempt")

    def test_update_wrapper(self) -> None:
        """What is dressed as it is dressed as the handler."""

        def passing(request: int) -> None: ...

        passing.tag = "tag"  # type: ignore[attr-defined]
        dressed = functools.update_wrapper(lambda: None, wrap(passing))
        assert ("passing", "tag") == (dressed.__name__, dressed.tag)  # type: ignore[attr-defined]

    def test_unwrap(self) -> None:
        """`unwrap` and `inspect.unwrap` give back the handler itself."""
        assert unwrap(wrap(show)) is show
        assert inspect.unwrap(wrap(show)) is show

    def test_mocks(self) -> None:
        """A mock stands for a handler, also an async one."""
        next = RecordingNext("caught")
        assert "caught" == wrap_handler(mock.Mock(side_effect=Boom), next=next)(1)
        coroutine = wrap_handler(mock.AsyncMock(side_effect=Boom), next=next)
        assert inspect.iscoroutinefunction(coroutine)
        assert "caught" == asyncio.run(coroutine(1))
        assert 2 == len(next.errors)


def show_of_another_name() -> None:
    """Be another handler."""


class TestCallsAreCaught:
    """To whoever calls."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind(self, kind: str) -> None:
        """The failure of every kind of function reaches `next` once."""
        next = RecordingNext("caught")
        stand_in = wrap_handler(handler_of(kind, raiser(Boom())), next=next)
        if kind in CALLS:
            assert "caught" == run(kind, stand_in, 1)
        else:
            with pytest.raises(Boom):
                run(kind, stand_in, 1)
        assert [Boom] == [type(error) for error in next.errors]

    @pytest.mark.parametrize(
        "handler",
        [View().method, View.of_class, View.static, View(), functools.partial(show), cached],
    )
    def test_every_binding(self, handler: Any) -> None:
        """So does that of a method of any binding, of an object and of a partial."""
        assert "answer to Boom" == wrap(handler)(1)
        assert "answer to Boom" == wrap(handler).__call__(1)

    def test_a_partial_of_a_stream(self) -> None:
        """A partial is of the kind of its function: the stream that it gives is guarded."""
        next = RecordingNext()
        with pytest.raises(Boom):
            list(wrap_handler(functools.partial(stream, 1), next=next)())
        assert 1 == len(next.errors)

    def test_an_async_object(self) -> None:
        """And that of an object whose call is async."""
        assert "answer to Boom" == asyncio.run(wrap(AsyncView())(1))

    def test_a_result_is_the_handlers(self) -> None:
        """What does not fail is returned as it is, keywords and all."""

        def add(one: int, *, two: int) -> int:
            return one + two

        assert 3 == wrap(add)(1, two=2)
        assert 2 == wrap(len)([1, 2])

    def test_a_function_becomes_a_method(self) -> None:
        """In a class it binds as a function does, also to another object."""

        class Late:
            show = wrap(lambda self, request: 1 / 0)

        assert inspect.ismethod(Late().show)
        assert "answer to ZeroDivisionError" == Late().show(1)
        assert "answer to ZeroDivisionError" == Late.show(Late(), 1)

    def test_a_method_that_is_bound_anew(self) -> None:
        """Whoever takes the function out of a bound method gets a stand-in for it."""
        stand_in = wrap(View().method)
        again = types.MethodType(stand_in.__func__, View("other"))
        assert View.method == stand_in.__func__
        assert stand_in.__func__ is stand_in.__func__
        assert "answer to Boom" == again(1)

    def test_what_is_in_a_class_is_wrapped_already(self) -> None:
        """A bound method of a stand-in is left alone."""

        class Late:
            show = wrap(lambda self, request: 1 / 0)

        method = Late().show
        assert wrap(method) is method

    def test_a_builtin_does_not_become_a_method(self) -> None:
        """Functions of C do not bind, nor do their stand-ins."""

        class Late:
            size = wrap(len)

        assert 1 == Late().size([0])

    def test_options(self) -> None:
        """The options of `catch_async` apply."""
        next, late = RecordingNext("caught"), RecordingNext()

        def handler(error: Exception, next: Any) -> None:
            next(error)
            raise error

        caught: Any = wrap_handler(handler, next="next", catch=KeyError, late=late)
        caught(KeyError(), next)
        with pytest.raises(Boom):
            caught(Boom(), RecordingNext())
        passing: Any = wrap_handler(show, next=next, pass_through=Boom)
        with pytest.raises(Boom):
            passing(1)
        assert 1 == len(next.errors)


class TestCopies:
    """Copied and pickled as it is."""

    @pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
    @pytest.mark.parametrize("handler", [show, show_async, stream, View.static])
    def test_a_function_is_its_own_copy(self, copier: Any, handler: Any) -> None:
        """As functions are."""
        stand_in = wrap(handler)
        assert copier(stand_in) is stand_in

    def test_a_copied_object(self) -> None:
        """The copy of an object is a stand-in for a copy: shallow or deep, and caught."""
        view = View("copied")
        shallow, deep = copy.copy(wrap(view)), copy.deepcopy(wrap(view))
        assert view not in {shallow, deep}
        assert shallow.tags is view.tags
        assert (view.tags, True) == (deep.tags, deep.tags is not view.tags)
        assert ["answer to Boom"] * 2 == [shallow(1), deep(1)]

    def test_a_copied_method(self) -> None:
        """The deep copy of a bound method is bound to a deep copy, and caught."""
        view = View("copied")
        shallow, deep = copy.copy(wrap(view.method)), copy.deepcopy(wrap(view.method))
        assert shallow == view.method
        assert deep.__self__ is not view
        assert ["answer to Boom"] * 2 == [shallow(1), deep(1)]

    def test_deep_copies_know_each_other(self) -> None:
        """What is met twice in one deep copy is copied once."""
        stand_in = wrap(View())
        one, two = copy.deepcopy([stand_in, stand_in])
        assert one is two

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    @pytest.mark.parametrize(
        "name",
        ["function", "coroutine function", "class method", "static method", "partial", "builtin"],
    )
    def test_a_pickle_is_a_stand_in_again(self, name: str, protocol: int) -> None:
        """What a handler's name brings back is wrapped again."""
        handler: Any = HANDLERS[name]
        loaded = pickle.loads(pickle.dumps(wrap(handler), protocol))  # noqa: S301 - ours
        assert unwrap(loaded) is not loaded
        assert repr(handler).partition(" at ")[0] == repr(loaded).partition(" at ")[0]

    def test_a_pickled_object(self) -> None:
        """An object comes back caught, with what it holds; so does a bound method."""
        view, method = pickle.loads(  # noqa: S301 - ours
            pickle.dumps([wrap(View("pickled")), wrap(View("bound").method)])
        )
        assert ["pickled", "bound"] == [view.name, method.__self__.name]
        assert ["answer to Boom"] * 2 == [view(1), method(1)]

    def test_a_name_that_is_the_stand_in(self) -> None:
        """A handler registered by decorator pickles by its name, which is the stand-in's."""
        assert pickle.loads(pickle.dumps(registered)) is registered  # noqa: S301 - ours

    def test_what_does_not_pickle(self) -> None:
        """A local function does not pickle, wrapped or not."""
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(wrap(lambda: None))

    def test_a_module_that_is_gone(self) -> None:
        """A handler whose module is not known is pickled as what it is."""
        view = View()
        view.__module__ = "gone"
        view.__qualname__ = "View.gone"  # type: ignore[attr-defined]
        assert "gone" not in sys.modules
        assert "answer to Boom" == pickle.loads(pickle.dumps(wrap(view)))(1)  # noqa: S301


class TestNeverTwice:
    """A handler is never wrapped twice."""

    @every_handler
    def test_a_stand_in_is_left_alone(self, handler: Any) -> None:
        """It keeps its one stand-in, whichever `next` comes later."""
        stand_in = wrap(handler)
        assert wrap_handler(stand_in, next=RecordingNext()) is stand_in

    @every_handler
    def test_what_catch_async_decorated(self, handler: Any) -> None:
        """A decorated handler has a `next` of its own, and is left alone."""
        decorated = catch_async(next=answer)(handler)
        assert wrap(decorated) is decorated

    def test_a_partial_of_a_stand_in(self) -> None:
        """Arguments added to what is wrapped wrap nothing anew."""
        partial = functools.partial(wrap(show), 1)
        assert wrap(partial) is partial
        assert "answer to Boom" == partial()

    def test_an_object_whose_call_is_decorated(self) -> None:
        """An object with a decorated ``__call__`` is decorated."""

        class Decorated:
            @catch_async(next=answer)
            def __call__(self) -> str:
                raise Boom

        view = Decorated()
        assert wrap(view) is view


class TestLeftAlone:
    """What is no handler, or not to be wrapped, is returned as it is."""

    def test_exempt(self) -> None:
        """Exempt functions, methods, classes, their objects and partials are left alone."""

        @exempt
        def function() -> None: ...

        class Part:
            @exempt
            def method(self) -> None: ...

        @exempt
        class Whole(View): ...

        call = Whole.__call__
        whole, bound = Whole(), Part().method
        for handler in (function, bound, Whole, whole, functools.partial(function)):
            assert wrap(handler) is handler
        assert Whole.__call__ is call

    @pytest.mark.parametrize("thing", [None, 5, "show", b"", (), {}, {"get": 1}, [show], object()])
    def test_what_is_no_callable(self, thing: Any) -> None:
        """It goes through untouched, for the router's own message."""
        assert wrap(thing) is thing

    def test_applications(self) -> None:
        """An ASGI or WSGI application is mounted, not called with requests."""

        def wsgi(environ: Any, start_response: Any) -> None: ...
        async def asgi(scope: Any, receive: Any, send: Any) -> None: ...

        class App:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

        class Router(View):
            def add_route(self) -> None: ...

        call = App.__call__
        for app in (wsgi, asgi, App, App(), App().__call__, Router()):
            assert wrap(app) is app
        assert App.__call__ is call

    def test_error_handlers(self) -> None:
        """Four required parameters named for an error handler make one."""

        def by_error(err: Any, ctx: Any, response: Any, go: Any) -> None: ...
        def by_long_name(_user_error: Any, a: Any, b: Any, c: Any) -> None: ...
        def by_place(x: Any, _req: Any, _res: Any, _next: Any) -> None: ...
        def by_string(x: ValueError, a: Any, b: Any, c: Any) -> None: ...
        def by_type(x: Any, a: Any, b: Any, c: Any) -> None: ...

        by_type.__annotations__["x"] = KeyError

        class Errors:
            def method(self, error: Any, req: Any, res: Any, next: Any) -> None: ...
            def __call__(self, error: Any, req: Any, res: Any, next: Any) -> None: ...

        handlers = (by_error, by_long_name, by_place, by_string, by_type)
        for handler in (*handlers, Errors().method, Errors()):
            assert wrap(handler) is handler, handler

    def test_four_parameters_alone_make_no_error_handler(self) -> None:
        """A view of four path parameters is a handler like any other, or its failure were lost."""

        def path(year: int, month: int, day: int, slug: str) -> None: ...
        def login(name: str, password: str, remember: bool, next: str) -> None: ...  # noqa: FBT001
        def more(error: Any, req: Any, res: Any, next: Any, extra: Any) -> None: ...
        def optional(error: Any, req: Any, res: Any, next: Any = None) -> None: ...
        def keyword(error: Any, req: Any, res: Any, *, next: Any) -> None: ...
        def typed(x: int, a: Any, b: Any, c: Any) -> None: ...

        for handler in (path, login, more, optional, keyword, typed, dict.fromkeys):
            assert wrap(handler) is not handler, handler


class TestViewClasses:
    """View classes are wrapped by method, and stay the classes they are."""

    def test_methods(self) -> None:
        """Verb methods of every binding are wrapped in place, with stand-ins; others are not."""

        class Verbs:
            def get(self) -> str:
                raise Boom

            async def post(self) -> str:
                raise Boom

            @classmethod
            def put(cls) -> str:
                raise Boom

            @staticmethod
            def patch() -> str:
                raise Boom

            def _delete(self, *_: object) -> str:
                raise Boom

            delete = functools.partialmethod(_delete, 1)

            def helper(self) -> str:
                raise Boom

        raw_get, helper = Verbs.get, Verbs.helper
        assert wrap(Verbs) is Verbs
        view = Verbs()
        answers = [view.get(), asyncio.run(view.post()), view.put(), view.patch(), view.delete()]
        assert ["answer to Boom"] * 5 == answers
        assert raw_get == Verbs.get
        assert Verbs.helper is helper

    def test_twice(self) -> None:
        """A class that is wrapped again stays as it is: the first `next` keeps its methods."""

        class Verbs:
            def get(self) -> str:
                raise Boom

            @classmethod
            def put(cls) -> str:
                raise Boom

            delete = functools.partialmethod(put)

        before = dict(vars(wrap(Verbs)))
        assert before == dict(vars(wrap_handler(Verbs, next=RecordingNext())))
        for name, method in before.items():
            assert vars(Verbs)[name] is method

    def test_inherited_methods(self) -> None:
        """An inherited verb method is wrapped in the class, never in its base."""

        class Base:
            def get(self) -> str:
                raise Boom

        class Derived(Base):
            def get(self) -> str:
                return super().get()

        class Bare(Base): ...

        assert ["answer to Boom"] * 2 == [wrap(Derived)().get(), wrap(Bare)().get()]
        with pytest.raises(Boom):
            Base().get()

    def test_exempt_methods(self) -> None:
        """An exempt method of a view class is left alone, as is an exempt class."""

        class Verbs:
            @exempt
            def get(self) -> str:
                raise Boom

        before = Verbs.get
        assert wrap(Verbs).get is before

    def test_a_class_that_is_called(self) -> None:
        """A class without verbs whose objects are called is wrapped in its ``__call__``."""

        class Middleware:
            def __call__(self, request: int) -> str:
                raise Boom

        assert "answer to Boom" == wrap(Middleware)()(1)

    @pytest.mark.parametrize("cls", [int, dict, object, Exception])
    def test_classes_that_are_no_views(self, cls: type) -> None:
        """A class without such methods, or one of C, is left alone."""
        before = dict(vars(cls))
        assert wrap(cls) is cls
        assert before == dict(vars(cls))

    def test_fillers_of_a_framework(self) -> None:
        """What a foreign base class answers for every verb is not the view's to fail."""

        def refuse(self: Any) -> None:
            raise Boom

        def post(self: Any) -> None:
            raise Boom

        methods = {"get": refuse, "put": refuse, "post": post}
        framework = type("Base", (), {**methods, "__module__": "framework.web"})
        view: Any = type("View", (framework,), {"get": lambda self: 1 / 0})
        wrap(view)
        assert "answer to ZeroDivisionError" == view().get()
        assert "answer to Boom" == view().post()
        with pytest.raises(Boom):
            view().put()


class TestResources:
    """An object that is called by ``on_get`` and the like is wrapped by method."""

    def test_a_resource(self) -> None:
        """It is itself in all but its responders."""

        class Resource:
            def __init__(self) -> None:
                self.on_get_count = 0

            def on_get(self, req: Any) -> str:
                raise Boom

            def other(self) -> None:
                raise Boom

        resource = Resource()
        wrapped = wrap(resource)
        assert wrapped == resource
        assert isinstance(wrapped, Resource)
        assert "answer to Boom" == wrapped.on_get(1)
        assert (resource.on_get, 0) == (wrapped.on_get, wrapped.on_get_count)
        assert wrap(wrapped) is wrapped
        with pytest.raises(Boom):
            wrapped.other()

    def test_an_exempt_resource(self) -> None:
        """A resource of an exempt class is left alone, and an object with other hooks."""

        @exempt
        class Resource:
            def on_get(self) -> None: ...

        class Client:
            def on_connect(self) -> None: ...
            def on_message(self) -> None: ...

        for thing in (Resource(), Client()):
            assert wrap(thing) is thing


def test_an_unknown_option() -> None:
    """It is refused by name, with the options that there are."""
    untyped: Any = wrap_handler
    with pytest.raises(TypeError, match=r"wrap_handler\(\) takes the options next, catch.*cach="):
        untyped(show, next=answer, cach=Boom)
