"""Rule 2: where `next` comes from, and what a call without one gets."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Any

import pytest

from catchasync import catch_async
from catchasync.testing import RecordingNext
from tests.support import Boom

Handler = Any


def fails(*_args: object) -> Any:
    """Fail, as the body of every handler here does."""
    raise Boom


def forms() -> dict[str, tuple[Handler, tuple[Any, ...], dict[str, Any]]]:
    """Handlers that are handed `next`, by the form of their parameters."""

    def last(req: Any, res: Any, next: Any) -> Any:
        fails()

    def first(next: Any, req: Any) -> Any:
        fails()

    def only(next: Any) -> Any:
        fails()

    def keyword(req: Any, *, next: Any) -> Any:
        fails()

    def defaulted(req: Any, next: Any = None) -> Any:
        fails()

    def positional_only(req: Any, next: Any, /) -> Any:
        fails()

    def with_stars(req: Any, next: Any, *args: Any, **kwargs: Any) -> Any:
        fails()

    def shadowing(type: Any, callable: Any, next: Any) -> Any:  # noqa: A002 - the point
        fails()

    @functools.wraps(last)
    def wrapping(*args: Any, **kwargs: Any) -> Any:
        return last(*args, **kwargs)

    return {
        "last": (last, (1, 2), {}),
        "only": (only, (), {}),
        "defaulted": (defaulted, (1,), {}),
        "positional_only": (positional_only, (1,), {}),
        "with_stars": (with_stars, (1,), {}),
        "shadowing": (shadowing, (1, 2), {}),
        "wrapping": (wrapping, (1, 2), {}),
        "keyword": (keyword, (1,), {"by": "keyword"}),
        "first": (first, (), {"req": 1, "by": "keyword"}),
    }


FORMS = forms()


def as_async(handler: Handler) -> Handler:
    """Give the async twin of a handler, with the same signature."""

    @functools.wraps(handler)
    async def twin(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs)

    return twin


def call(decorated: Any, args: tuple[Any, ...], kwargs: dict[str, Any], next_: Any) -> Any:
    """Call a handler with its `next` behind the other arguments, or by keyword."""
    kwargs = dict(kwargs)
    if kwargs.pop("by", None):
        result = decorated(*args, **kwargs, next=next_)
    else:
        result = decorated(*args, next_, **kwargs)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


class TestOwnParameter:
    """The argument for the handler's own parameter named `next`."""

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("make", [lambda handler: handler, as_async], ids=["sync", "async"])
    def test_it_gets_the_failure(self, form: str, make: Any) -> None:
        """Wherever it stands among the parameters."""
        handler, args, kwargs = FORMS[form]
        next_ = RecordingNext("answer")
        assert "answer" == call(catch_async(make(handler)), args, kwargs, next_)
        assert 1 == len(next_.errors)

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("make", [lambda handler: handler, as_async], ids=["sync", "async"])
    def test_a_call_without_one_is_refused(self, form: str, make: Any) -> None:
        """Before the handler runs, naming it, what came, and both remedies."""
        handler, args, kwargs = FORMS[form]
        match = f"{handler.__name__}.*without a callable `next`.*got 5.*next=.*keyword"
        with pytest.raises(TypeError, match=match):
            call(catch_async(make(handler)), args, kwargs, 5)

    @pytest.mark.parametrize("form", ["last", "only", "defaulted", "keyword", "wrapping"])
    def test_a_call_that_leaves_it_out_is_refused_likewise(self, form: str) -> None:
        """The same message, rather than Python's own."""
        handler, args, _ = FORMS[form]
        with pytest.raises(TypeError, match=r"without a callable `next` \(got None\)"):
            catch_async(handler)(*args)

    def test_it_is_looked_up_by_another_name(self) -> None:
        """`next="done"` names the handler's parameter."""

        def show(req: Any, done: Any) -> Any:
            done(Boom())

        next_ = RecordingNext("answer")
        assert "answer" == catch_async(next="done")(show)(1, next_)
        assert "answer" == catch_async(next="done")(show)(1, done=next_)
        assert 2 == len(next_.errors)

    def test_variable_arguments_are_no_parameter_of_that_name(self) -> None:
        """A `*next` does not bring `next`."""

        def show(*next: Any) -> Any:
            fails()

        next_ = RecordingNext()
        catch_async(show)(1, next_)
        assert 1 == len(next_.errors)

    def test_defaults_go_on_working(self) -> None:
        """The decorated handler has the defaults of the handler."""

        def show(req: Any, next: Any, flag: int = 7, *, key: int = 8) -> Any:
            return (req, flag, key)

        decorated: Any = catch_async(show)
        assert (1, 7, 8) == decorated(1, RecordingNext())
        assert (1, 2, 3) == decorated(1, RecordingNext(), 2, key=3)
        assert (1, 2, 8) == decorated(1, flag=2, next=RecordingNext())

    def test_a_fixed_next_leaves_a_parameter_of_that_name_alone(self) -> None:
        """With `next=` given to the decorator, an argument named `next` is one like any other."""

        def show(next: Any) -> Any:
            return next

        token = object()
        assert token is catch_async(next=RecordingNext())(show)(token)


class TestExtraArgument:
    """A handler without such a parameter is called without it."""

    @staticmethod
    def handlers() -> dict[str, Any]:
        """Return handlers by the form of their parameters."""

        def plain(req: Any, res: Any) -> Any:
            return (req, res)

        def defaulted(req: Any, res: Any = 2) -> Any:
            return (req, res)

        def stars(*args: Any) -> Any:
            return args

        def keywords(req: Any, **kwargs: Any) -> Any:
            return (req, kwargs.get("res", 2))

        return {"plain": plain, "defaulted": defaulted, "stars": stars, "keywords": keywords}

    @pytest.mark.parametrize("form", ["plain", "defaulted", "stars"])
    def test_it_is_taken_off(self, form: str) -> None:
        """One more trailing positional argument, or the keyword, never reaches the handler."""
        decorated = catch_async(self.handlers()[form])
        next_ = RecordingNext()
        assert (1, 2) == decorated(1, 2, next_)
        assert (1, 2) == decorated(1, 2, next=next_)
        assert [] == next_.arrivals

    def test_with_keywords(self) -> None:
        """A handler of keywords does not get it either."""
        decorated = catch_async(self.handlers()["keywords"])
        assert (1, 3) == decorated(1, res=3, next=RecordingNext())
        assert (1, 2) == decorated(1, RecordingNext())

    def test_no_parameters_at_all(self) -> None:
        """A handler that takes nothing is called with nothing."""
        next_ = RecordingNext("answer")
        assert "answer" == catch_async(lambda: fails())(next_)  # type: ignore[call-arg]

    @pytest.mark.parametrize("form", ["plain", "defaulted", "stars"])
    def test_a_call_without_one_is_refused(self, form: str) -> None:
        """Before the handler runs, naming it and both remedies."""
        decorated = catch_async(self.handlers()[form])
        with pytest.raises(TypeError, match=f"{form}.*without a callable `next`"):
            decorated(1, 2)

    def test_a_call_without_any_argument(self) -> None:
        """There is no last argument that could be it."""
        with pytest.raises(TypeError, match="got None"):
            catch_async(self.handlers()["stars"])()

    def test_methods(self) -> None:
        """A method is called with its self, and without `next`."""

        class View:
            @catch_async
            async def get(self, req: Any) -> Any:
                raise Boom(self, req)

        next_, view = RecordingNext("answer"), View()
        assert "answer" == asyncio.run(view.get(1, next_))  # type: ignore[call-arg]
        assert (view, 1) == next_.errors[0].args

    def test_the_handler_is_not_run_by_a_refused_call(self) -> None:
        """The `TypeError` comes before anything has happened."""
        ran = []
        with pytest.raises(TypeError, match="without a callable"):
            catch_async(lambda *args: ran.append(args))(1, 2)
        assert [] == ran

    def test_of_a_builtin(self) -> None:
        """A function of C is wrapped as well, whatever `inspect` knows of it."""
        next_ = RecordingNext("answer")
        assert "answer" == catch_async(len)(5, next_)  # type: ignore[arg-type, call-arg]
        largest: Any = max
        assert 2 == catch_async(largest)(1, 2, next_)
        assert 1 == len(next_.errors)
