"""`wrap_controller`: one method of a controller, or all of them."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import pickle
import types
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from catchasync import catch_async, exempt, unwrap, wrap_controller, wrap_handler, wrap_router
from catchasync.testing import RecordingNext
from tests.support import KINDS, Boom, run_async


def answer(error: BaseException) -> str:
    """Be a `next` that can be imported."""
    return f"answer to {type(error).__name__}"


CAUGHT = "answer to Boom"

untyped_wrap_controller: Any = wrap_controller


class Users:
    """A controller with methods of every kind."""

    looked_up = 0

    def __init__(self, name: str = "users") -> None:
        self.name = name

    def sync(self, req: Any) -> str:
        """Fail."""
        raise Boom(self.name)

    async def coroutine(self, req: Any) -> str:
        """Fail."""
        raise Boom(self.name)

    def generator(self, req: Any) -> Iterator[Any]:
        """Yield, and fail."""
        yield req
        raise Boom(self.name)

    async def async_generator(self, req: Any) -> AsyncIterator[Any]:
        """Yield, and fail."""
        yield req
        raise Boom(self.name)

    @classmethod
    def of_class(cls, req: Any) -> str:
        """Fail."""
        raise Boom

    @staticmethod
    def static(req: Any) -> str:
        """Fail."""
        raise Boom

    @exempt
    def left_alone(self) -> None:
        """Fail, and be left alone."""
        raise Boom

    @catch_async(next=RecordingNext("own"))
    def decorated(self) -> Any:
        """Fail, with a `next` of its own."""
        raise Boom

    def on_error(self, error: Any, req: Any, res: Any, next: Any) -> str:
        """Fail, with the parameters of an error handler."""
        raise Boom

    def _private(self) -> None:
        raise Boom

    def through(self, req: Any) -> str:
        """Call another method."""
        return self.sync(req)

    @property
    def computed(self) -> Any:
        """Count how often it is looked up; it gives a function."""
        type(self).looked_up += 1
        return lambda: None


class TestOneMethod:
    """`wrap_controller(controller, "method")`."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.asyncio
    async def test_every_kind(self, kind: str) -> None:
        """A method of every kind delivers, bound to its controller, and stays of its kind."""
        next = RecordingNext("caught")
        users = Users("bound")
        handler = wrap_controller(users, kind, next=next)
        for ask in (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.ismethod):
            assert ask(getattr(users, kind)) == ask(handler)
        if kind in {"sync", "coroutine"}:
            assert "caught" == await run_async(kind, handler, 1)
        else:
            with pytest.raises(Boom):
                await run_async(kind, handler, 1)
        assert ["bound"] == [str(error) for error in next.errors]

    @pytest.mark.parametrize("name", ["of_class", "static"])
    def test_other_bindings(self, name: str) -> None:
        """So do class methods and static methods, of an object or of a class."""
        assert CAUGHT == wrap_controller(Users(), name, next=answer)(1)
        assert CAUGHT == wrap_controller(Users, name, next=answer)(1)

    def test_it_is_looked_up_at_each_call(self) -> None:
        """A method that is replaced later is the one that runs."""
        users: Any = Users()
        handler = wrap_controller(users, "sync", next=answer)
        before = handler(1)
        users.sync = lambda req: f"replaced {req}"
        assert (CAUGHT, "replaced 1") == (before, handler(1))
        users.sync = lambda req: 1 / 0
        assert "answer to ZeroDivisionError" == handler(1)
        del users.sync
        assert CAUGHT == handler(1)

    @pytest.mark.parametrize("replacement", [Users().decorated, Users().left_alone])
    def test_what_replaces_it_is_wrapped_once(self, replacement: Any) -> None:
        """A replacement that is decorated or exempt is called as it is."""
        users: Any = Users()
        next = RecordingNext("caught")
        handler = wrap_controller(users, "sync", next=next)
        users.sync = replacement
        try:
            assert "own" == handler()
        except Boom:
            assert "left_alone" == replacement.__name__
        assert [] == next.errors

    def test_it_is_decorated_once(self) -> None:
        """While the method stays the same it is not decorated anew."""
        handler: Any = wrap_controller(Users(), "sync", next=answer)
        assert handler.__call__ is handler.__call__

    def test_it_is_a_stand_in(self) -> None:
        """It equals the method, from both sides, and reads as it does."""
        users = Users()
        handler: Any = wrap_controller(users, "sync", next=answer)
        assert handler == users.sync
        assert users.sync == handler
        assert "docs" == {users.sync: "docs"}[handler]
        assert (repr(users.sync), "sync") == (repr(handler), handler.__name__)
        assert inspect.getfullargspec(users.sync) == inspect.getfullargspec(handler)
        assert users.sync == unwrap(handler)
        assert wrap_handler(handler, next=RecordingNext()) is handler
        assert CAUGHT == types.MethodType(handler.__func__, Users())(1)
        decorated: Any = wrap_controller(users, "decorated", next=answer)
        assert decorated.__func__ is Users.decorated

    def test_an_object_as_method(self) -> None:
        """What is called may be a callable object that the controller holds."""

        class Action:
            async def __call__(self, req: Any) -> str:
                raise Boom

        users: Any = Users()
        users.action = Action()
        handler: Any = wrap_controller(users, "action", next=answer)
        assert inspect.iscoroutinefunction(handler.__call__)
        assert inspect.getfullargspec(users.action) == inspect.getfullargspec(handler)
        assert CAUGHT == asyncio.run(handler(1))

    def test_copies(self) -> None:
        """A deep copy is bound to a copied controller; a pickled one to what is loaded."""
        users = Users("copied")
        handler = wrap_controller(users, "sync", next=answer)
        deep: Any = copy.deepcopy(handler)
        loaded: Any = pickle.loads(pickle.dumps(handler))  # noqa: S301 - ours
        assert copy.copy(handler) is handler
        for copied in (deep, loaded):
            assert copied.__self__ is not users
            assert "copied" == copied.__self__.name
            assert CAUGHT == copied(1)

    def test_next_of_the_caller(self) -> None:
        """Without `next` the method's own one, or one more argument, brings it."""
        next = RecordingNext("theirs")
        assert "theirs" == wrap_controller(Users(), "sync")(1, next)

    def test_error_handlers_are_wrapped(self) -> None:
        """Named outright, a method of four parameters is wrapped like any other."""
        assert CAUGHT == wrap_controller(Users(), "on_error", next=answer)(1, 2, 3, 4)

    def test_a_missing_method(self) -> None:
        """A name that the controller has not is refused where it is written."""
        with pytest.raises(AttributeError, match=r"Users, 'shwo'\): Users has no method 'shwo'"):
            wrap_controller(Users(), "shwo", next=answer)

    def test_no_method(self) -> None:
        """So is what is no callable."""
        with pytest.raises(TypeError, match=r"'name' is no method, got 'users'"):
            wrap_controller(Users(), "name", next=answer)

    def test_no_name(self) -> None:
        """So is what is no name: the method itself, for one."""
        with pytest.raises(TypeError, match="takes the name of a method: got <function"):
            untyped_wrap_controller(Users(), Users.sync, next=answer)

    def test_an_unknown_option(self) -> None:
        """An option that there is not is refused by name."""
        with pytest.raises(TypeError, match=r"wrap_controller\(\) takes the options.*got cach="):
            untyped_wrap_controller(Users(), "sync", cach=Boom)


class TestAllMethods:
    """`wrap_controller(controller)`."""

    def test_every_public_method(self) -> None:
        """Each public method of whatever binding is wrapped, and none is with an underscore."""
        wrapped = wrap_controller(Users(), next=answer)
        methods = (wrapped.sync, wrapped.of_class, wrapped.static)
        assert [CAUGHT] * 3 == [method(1) for method in methods]
        assert CAUGHT == asyncio.run(wrapped.coroutine(1))
        assert CAUGHT == wrapped.on_error(1, 2, 3, 4)
        with pytest.raises(Boom):
            wrapped._private()

    def test_settled_methods(self) -> None:
        """Exempt and decorated methods are left alone."""
        wrapped = wrap_controller(Users(), next=answer)
        assert "own" == wrapped.decorated()
        with pytest.raises(Boom):
            wrapped.left_alone()

    def test_they_are_looked_up_at_each_call(self) -> None:
        """A method that is replaced later is the one that runs, also of a kind of its own."""
        users: Any = Users()
        wrapped = wrap_controller(users, next=answer)
        kept = wrapped.sync
        assert wrapped.sync is kept
        users.sync = lambda req: f"replaced {req}"
        assert ["replaced 1"] * 2 == [kept(1), wrapped.sync(1)]
        users.sync = users.coroutine
        assert inspect.iscoroutinefunction(wrapped.sync)

    def test_a_method_calls_another(self) -> None:
        """What methods call among themselves is not wrapped: one failure, one delivery."""
        next = RecordingNext("caught")
        assert "caught" == wrap_controller(Users(), next=next).through(1)
        assert 1 == len(next.errors)

    def test_it_is_the_controller(self) -> None:
        """In all but its methods: `isinstance`, equality, attributes, writes, class name."""
        users = Users()
        wrapped: Any = wrap_controller(users, next=answer)
        assert isinstance(wrapped, Users)
        assert users == wrapped
        assert ("Users", repr(users)) == (type(wrapped).__name__, repr(wrapped))
        wrapped.name = "written"
        assert ("written", "written") == (users.name, wrapped.name)
        with pytest.raises(AttributeError, match="absent"):
            getattr(wrapped, "absent")  # noqa: B009 - the type is known not to have it

    def test_properties(self) -> None:
        """A property is no method: looked up once a look, and what it gives is left alone."""
        users = Users()
        wrapped = wrap_controller(users, next=answer)
        before = Users.looked_up
        given = wrapped.computed
        assert before + 1 == Users.looked_up
        assert unwrap(given) is given

    def test_methods_that_are_made_up(self) -> None:
        """A method that ``__getattr__`` makes is wrapped too; a value that it makes is not."""

        class Dynamic(Users):
            def __getattr__(self, name: str) -> Any:
                return functools.partial(self.sync, 1).func if name == "made" else name

        wrapped: Any = wrap_controller(Dynamic(), next=answer)
        assert CAUGHT == wrapped.made(1)
        assert "other" == wrapped.other

    def test_a_module(self) -> None:
        """A module of handlers is a controller."""
        module = types.ModuleType("handlers")

        def show(req: Any) -> str:
            raise Boom

        module.show = show  # type: ignore[attr-defined]
        assert CAUGHT == wrap_controller(module, next=answer).show(1)

    def test_a_controller_that_is_called(self) -> None:
        """A callable controller is called as it was; a class makes its objects."""

        class Called(Users):
            def __call__(self) -> str:
                return "called"

        assert "called" == wrap_controller(Called(), next=answer)()
        made = wrap_controller(Called, next=answer)()
        assert type(made) is Called
        assert not callable(wrap_controller(Users(), next=answer))

    def test_its_methods_in_a_router(self) -> None:
        """They pass a wrapped router as they are."""

        class Router:
            def get(self, path: str, handler: Any) -> Any:
                return handler

        method = wrap_controller(Users(), next=answer).sync
        assert wrap_router(Router(), next=RecordingNext()).get("/", method) is method

    def test_copies(self) -> None:
        """A copied or pickled controller is wrapped too."""
        wrapped = wrap_controller(Users("copied"), next=answer)
        loaded = pickle.loads(pickle.dumps(wrapped))  # noqa: S301 - ours
        for copied in (copy.copy(wrapped), copy.deepcopy(wrapped), loaded):
            assert copied is not wrapped
            assert ("copied", CAUGHT) == (copied.name, copied.sync(1))

    @pytest.mark.parametrize("thing", [None, object()])
    def test_no_public_methods(self, thing: Any) -> None:
        """What has none is refused, rather than returned unwrapped."""
        with pytest.raises(TypeError, match="an object with public methods: got"):
            wrap_controller(thing, next=answer)
