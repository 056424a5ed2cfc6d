"""Callable objects, partials, methods and view classes: the same kind of thing comes out."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import operator
import pickle
import weakref
from typing import Any
from unittest import mock

import pytest

from catchasync import catch_async, unwrap
from catchasync._kinds import name_of
from catchasync.testing import RecordingNext
from tests.support import Boom


def answer(_error: BaseException) -> str:
    """Be a `next` that can be pickled."""
    return "answer"


class Greeter:
    """A callable object."""

    def __init__(self, greeting: str = "hello") -> None:
        self.greeting = greeting

    def __call__(self, name: str) -> str:
        """Greet."""
        if not name:
            raise Boom
        return f"{self.greeting} {name}"


class AsyncGreeter(Greeter):
    """One that is awaited."""

    async def __call__(self, name: str) -> str:  # type: ignore[override]
        """Greet, asynchronously."""
        return super().__call__(name)


class TestCallableObjects:
    """A decorated callable object is that object in all but what is written on it."""

    def decorated(self, make: Any = Greeter) -> tuple[Any, Any, RecordingNext]:
        """Return an object, the decorated one, and `next`."""
        raw, next_ = make(), RecordingNext("answer")
        return raw, catch_async(next=next_)(raw), next_

    def test_its_failure_reaches_next(self) -> None:
        """Calling it calls the object."""
        _, greeter, next_ = self.decorated()
        assert ("hello you", "answer") == (greeter("you"), greeter(""))
        assert 1 == len(next_.errors)

    def test_an_async_call(self) -> None:
        """`__call__` is asynchronous if the object's was."""
        raw, greeter, next_ = self.decorated(AsyncGreeter)
        assert inspect.iscoroutinefunction(greeter.__call__)
        assert inspect.iscoroutinefunction(raw) == inspect.iscoroutinefunction(greeter)
        assert "answer" == asyncio.run(greeter(""))
        assert 1 == len(next_.errors)

    def test_it_is_what_it_was(self) -> None:
        """Class, attributes and signature are the object's, and it has a name."""
        raw, greeter, _ = self.decorated()
        assert "hello" == greeter.greeting
        assert inspect.signature(raw) == inspect.signature(greeter)
        assert ("Greeter", "Greeter") == (greeter.__name__, greeter.__qualname__)
        assert raw.__module__ == greeter.__module__
        assert raw.__doc__ == greeter.__doc__
        assert isinstance(greeter, Greeter)

    def test_it_is_a_thing_of_its_own(self) -> None:
        """Unequal to the object, itself only, and hashable."""
        raw, greeter, _ = self.decorated()
        assert raw != greeter
        assert greeter != raw
        assert greeter == greeter  # noqa: PLR0124 - the point
        assert 2 == len({raw, greeter})

    def test_what_is_written_on_it_stays_on_it(self) -> None:
        """The object does not change; what was never written cannot be deleted."""
        raw, greeter, _ = self.decorated()
        greeter.greeting = "goodbye"
        greeter.__doc__ = "Mine."
        assert ("hello", "goodbye") == (raw.greeting, greeter.greeting)
        assert ("A callable object.", "Mine.") == (raw.__doc__, greeter.__doc__)
        del greeter.greeting
        assert "hello" == greeter.greeting
        with pytest.raises(AttributeError, match="'greeting' is not set on the decorated"):
            del greeter.greeting

    def test_copies(self) -> None:
        """A copy is decorated and holds a copy of the object."""
        raw, greeter, next_ = self.decorated()
        for again in (copy.copy(greeter), copy.deepcopy(greeter)):
            assert "answer" == again("")
            assert unwrap(again) is not raw
            assert "hello" == again.greeting
        assert 2 == len(next_.errors)

    def test_pickling(self) -> None:
        """It arrives decorated where it is loaded."""
        greeter = pickle.loads(pickle.dumps(catch_async(next=answer)(Greeter())))  # noqa: S301
        assert "answer" == greeter("")

    def test_decorated_twice(self) -> None:
        """A decorated object can be decorated again, and unwrapped to the object."""
        raw, greeter, inner = self.decorated()
        outer = RecordingNext()
        again = catch_async(next=outer)(greeter)
        assert "answer" == again("")
        assert (1, 0) == (len(inner.errors), len(outer.errors))
        assert raw is unwrap(again)

    def test_as_a_method(self) -> None:
        """Its bound `__call__` is a method: weakly referenced as one."""
        raw, greeter, _ = self.decorated()
        method = weakref.WeakMethod(greeter.__call__)()
        assert method is not None
        assert "hello you" == method("you")
        del raw

    def test_objects_of_c_and_mocks(self) -> None:
        """Anything that can be called."""
        next_ = RecordingNext("answer")
        options = catch_async(next=next_)
        assert 2 == options(operator.itemgetter(1))([1, 2])
        assert "answer" == options(operator.itemgetter(1))([])
        assert "answer" == options(mock.Mock(side_effect=Boom))()
        assert "answer" == asyncio.run(options(mock.AsyncMock(side_effect=Boom))())
        assert 3 == len(next_.errors)


class TestPartials:
    """A decorated `functools.partial` is one, and it has a name."""

    def test_it_is_a_partial_of_the_decorated_function(self) -> None:
        """Its arguments and signature are the partial's."""
        next_ = RecordingNext("answer")

        def divide(by: int, number: int = 1) -> float:
            """Divide."""
            return number / by

        raw = functools.partial(divide, number=4)
        partial: Any = catch_async(next=next_)(raw)
        assert (2, "answer") == (partial(2), partial(0))
        assert inspect.signature(raw) == inspect.signature(partial)
        assert ("divide", raw.__doc__) == (partial.__name__, partial.__doc__)
        assert raw is unwrap(partial)
        assert isinstance(partial, functools.partial)

    def test_the_kind_of_the_function_inside(self) -> None:
        """A partial of an async function is one."""
        next_ = RecordingNext("answer")
        partial = catch_async(next=next_)(functools.partial(AsyncGreeter.__call__, AsyncGreeter()))
        assert inspect.iscoroutinefunction(partial)
        assert "answer" == asyncio.run(partial(""))

    def test_copies_and_pickles(self) -> None:
        """Each is decorated as it was."""
        partial = catch_async(next=answer)(functools.partial(operator.truediv, 1))
        for again in (
            copy.copy(partial),
            copy.deepcopy(partial),
            pickle.loads(pickle.dumps(partial)),  # noqa: S301 - ours
        ):
            call: Any = again
            assert (0.5, "answer") == (call(2), call(0))
        assert "lambda" in name_of(functools.partial(lambda: None))

    def test_partial_of_a_decorated_function(self) -> None:
        """A decorated function survives `functools.partial`."""
        assert "answer" == functools.partial(catch_async(next=answer)(operator.truediv), 1)(0)

    def test_partialmethod(self) -> None:
        """A `partialmethod` stays one."""

        class Plain:
            def divide(self, number: int, by: int) -> float:
                return number / by

            one = catch_async(next=answer)(functools.partialmethod(divide, 1))

        plain: Any = Plain()
        assert (0.5, "answer") == (plain.one(2), plain.one(0))


class TestMethods:
    """Bound as they were, whichever way round the decorators stand."""

    def test_each_binding(self) -> None:
        """Instance, class and static methods."""
        next_ = RecordingNext("answer")
        options = catch_async(next=next_)

        class View:
            @options
            def method(self) -> Any:
                raise Boom(self)

            @options
            @classmethod
            def outside(cls) -> Any:
                raise Boom(cls)

            @classmethod
            @options
            def inside(cls) -> Any:
                raise Boom(cls)

            @options
            @staticmethod
            def static_outside() -> Any:
                raise Boom

            @staticmethod
            @options
            def static_inside() -> Any:
                raise Boom

        view = View()
        assert {"answer"} == {
            view.method(), View.method(view), View.outside(), view.outside(), View.inside(),
            view.inside(), View.static_outside(), view.static_inside(),
        }  # fmt: skip
        assert [(view,)] * 2 + [(View,)] * 4 + [()] * 2 == [e.args for e in next_.errors]
        bound: Any = options(view.method)
        assert view is bound.__self__
        assert "answer" == bound()

    def test_routines_of_c(self) -> None:
        """`lru_cache` keeps what it has beside being called, and binds as a method."""
        next_ = RecordingNext("answer")

        @catch_async(next=next_)
        @functools.lru_cache
        def divide(by: int) -> float:
            return 1 / by

        cached: Any = divide
        assert (0.5, 0.5, "answer") == (cached(2), cached(2), cached(0))
        assert 1 == cached.cache_info().hits
        assert "divide" == cached.__name__
        assert "answer" == catch_async(next=answer)([].pop)()

    def test_a_routine_without_a_name(self) -> None:
        """A decorated handler always has a name."""

        class Nameless:
            def __get__(self, instance: object, owner: type) -> Any:
                return self

            def __call__(self) -> None:
                raise Boom

        handler: Any = catch_async(next=answer)(Nameless())
        assert "Nameless" in handler.__name__
        assert "answer" == handler()


class TestViewClasses:
    """A decorated view class is still that class, its verb methods the handlers."""

    def test_its_verbs(self) -> None:
        """Own and inherited, sync and async; the base is left alone."""
        next_ = RecordingNext("answer")

        class Base:
            def delete(self) -> Any:
                raise Boom

            def helper(self) -> Any:
                raise Boom

        class View(Base):
            def get(self) -> Any:
                raise Boom

            async def post(self) -> Any:
                raise Boom

            @classmethod
            def head(cls) -> Any:
                raise Boom(cls)

            def on_get_item(self) -> Any:
                raise Boom

            put = None

        decorated = catch_async(next=next_)(View)
        assert decorated is View
        view = View()
        answers = [view.get(), asyncio.run(view.post()), view.head(), view.on_get_item()]
        assert ["answer"] * 5 == [*answers, view.delete()]
        for method in (view.helper, Base().delete):
            with pytest.raises(Boom):
                method()
        assert 5 == len(next_.errors)

    @pytest.mark.parametrize("name", ["__call__", "dispatch_request"])
    def test_a_class_with_one_entry(self, name: str) -> None:
        """Without verbs, the one method that frameworks call."""

        def entry(_self: object) -> Any:
            raise Boom

        view = catch_async(next=answer)(type("View", (), {name: entry}))
        assert "answer" == getattr(view(), name)()


def test_nothing_written_reaches_the_raw_function() -> None:
    """Attributes, defaults, annotations, doc: a function of its own."""

    def show(req: int, *, flag: bool = False) -> None:
        """Show."""

    show.tag = "raw"  # type: ignore[attr-defined]
    decorated: Any = catch_async(next=answer)(show)
    assert "raw" == decorated.tag
    decorated.tag = decorated.__doc__ = decorated.__name__ = "mine"
    decorated.csrf_exempt = True
    decorated.__annotations__["req"] = str
    decorated.__kwdefaults__["flag"] = True
    raw: Any = show
    assert ("raw", "Show.", "show") == (raw.tag, raw.__doc__, raw.__name__)
    assert not hasattr(raw, "csrf_exempt")
    assert {"flag": False} == raw.__kwdefaults__
    assert "int" == raw.__annotations__["req"]
    assert decorated != raw
