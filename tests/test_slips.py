"""What newcomers get wrong: a message names the slip and the remedy, and no failure is lost."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from catchasync import (
    SKIP_ROUTE,
    SKIP_ROUTER,
    Chain,
    ErrorHandler,
    HttpError,
    apply_routes,
    callbackify,
    catch_async,
    create_routes,
    promisify,
    spawn,
    wrap_callback,
)
from catchasync.conventions import two_callbacks
from catchasync.testing import CallsBack, RecordingNext
from tests.support import Boom


class Users:
    """A class whose handlers are hidden in descriptors."""

    @property
    def show(self) -> None:
        """Be a property."""

    @functools.cached_property
    def index(self) -> None:
        """Be a cached one."""


@pytest.mark.parametrize("name", ["show", "index"])
def test_a_property_is_decorated_inside(name: str) -> None:
    """Whoever decorates a property is told in which order it works."""
    with pytest.raises(TypeError, match=r"put @catch_async below the other decorator\.$"):
        catch_async(vars(Users)[name])


def test_what_is_no_handler_at_all() -> None:
    """Of anything else it is said that options go by keyword."""
    with pytest.raises(TypeError, match=r"got 'show'\. Options go by keyword"):
        catch_async("show")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def return_next(_req: Any, _res: Any, next: Callable[..., Any]) -> Any:
    """Forget the parentheses."""
    return next


async def return_next_async(_req: Any, _res: Any, next: Callable[..., Any]) -> Any:
    """Forget them in an async layer."""
    return next


class TestAChainThatIsNotCalled:
    """A layer that returns what it should have called."""

    @pytest.mark.parametrize("layer", [return_next, return_next_async])
    @pytest.mark.parametrize("track_response", [False, True])
    def test_next(self, layer: Any, track_response: bool) -> None:  # noqa: FBT001
        """It has failed: an error layer gets a message that names it and the remedy."""
        told = RecordingNext("sorry")
        chain = Chain(layer, RecordingNext("not reached"), track_response=track_response)
        chain.use_error(lambda error: told(error))

        assert "sorry" == asyncio.run(chain({}, SimpleNamespace()))
        expected = f"{layer.__name__} returned next, which does nothing: write `return next()`."
        assert expected == str(told.expect_one(TypeError))

    @pytest.mark.parametrize("track_response", [False, True])
    def test_next_without_a_loop(self, track_response: bool) -> None:  # noqa: FBT001
        """The same, in a thread without a loop."""
        chain = Chain(return_next, track_response=track_response)

        with pytest.raises(TypeError, match=r"^return_next returned next, which does nothing"):
            chain.run({}, SimpleNamespace())

    @pytest.mark.parametrize("skip", [SKIP_ROUTE, SKIP_ROUTER])
    def test_a_sentinel(self, skip: Any) -> None:
        """A sentinel that is returned skips nothing, and is no answer."""
        chain = Chain().route(lambda _req, _res: skip)
        expected = rf"returned SKIP_{skip.name}, .* write `return next\(SKIP_{skip.name}\)`\.$"

        with pytest.raises(TypeError, match=expected):
            asyncio.run(chain({}, None))
        with pytest.raises(TypeError, match=expected):
            chain.run({}, None)

    def test_a_sentinel_after_the_call(self) -> None:
        """Whoever has called `next` and returns a sentinel besides has failed late."""
        late = RecordingNext()

        def check(_req: Any, _res: Any, next: Callable[..., Any]) -> Any:
            next()
            return SKIP_ROUTE

        chain = Chain(check, lambda: "answer", late=late)

        assert "answer" == chain.run({}, None)
        assert "returned SKIP_ROUTE" in str(late.expect_one(TypeError))

    def test_what_next_returned_may_be_returned(self) -> None:
        """`return next()` is as it always was."""
        chain = Chain(lambda _req, _res, next: next(), lambda: "answer")

        assert "answer" == chain.run({}, None)
        assert "answer" == asyncio.run(chain({}, None))


class TestCallbacks:
    """Callbacks and futures."""

    def test_a_convention_that_is_not_called(self) -> None:
        """`two_callbacks` has options, and is called; the others are not."""
        with pytest.raises(TypeError, match=r"what two_callbacks\(\) returns: got the function"):
            promisify(print, convention=two_callbacks)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(TypeError, match=r"what two_callbacks\(\) returns: got the function"):
            wrap_callback(print, convention=two_callbacks)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]

    def test_a_task_that_is_not_called(self) -> None:
        """`spawn(work)` is told to call it; what cannot be called, is not."""

        async def work() -> None: ...

        async def main(thing: Any) -> None:
            spawn(thing, next=print)

        with pytest.raises(TypeError, match=r"\. Call it: .*work\(\)\.$"):
            asyncio.run(main(work))
        with pytest.raises(TypeError, match=r"got 7\.$"):
            asyncio.run(main(7))

    def test_a_next_that_wants_its_error(self) -> None:
        """Success without `on_success` calls `next()`: one that cannot be called so is told why."""
        late = RecordingNext()

        def failed(error: BaseException) -> None: ...

        CallsBack((None, "content"))(wrap_callback(failed, late=late))

        [note] = late.expect_one(TypeError).__notes__
        assert "without on_success calls next() on success" in note

    def test_a_next_that_fails_itself(self) -> None:
        """A `TypeError` out of a `next` that was rightly called, or tells nothing, has no note."""
        late = RecordingNext()

        def failed(error: object = None) -> None:
            raise TypeError

        CallsBack((None, "content"))(wrap_callback(failed, late=late))
        CallsBack((None, "content"))(wrap_callback(range, late=late))

        assert [[], []] == [getattr(error, "__notes__", []) for error in late.errors]

    def test_the_thread_of_callbackify_has_a_name(self) -> None:
        """The thread that serves an async function without a loop is named for it."""
        names: list[str] = []
        done = threading.Event()

        async def fetch() -> None: ...

        def called(_error: object) -> None:
            names.append(threading.current_thread().name)
            done.set()

        callbackify(fetch)(called)
        assert done.wait(10)

        assert ["catchasync-fetch"] == [name.replace(fetch.__qualname__, "fetch") for name in names]


class TestErrors:
    """Errors, handlers and routes."""

    @pytest.mark.parametrize("reporters", [print, None, "log"])
    def test_reporters_that_are_no_list(self, reporters: Any) -> None:
        """A single reporter, none, and a name are told to be a list."""
        with pytest.raises(TypeError, match=r"reporters=\.\.\.\) takes a list of callables: got "):
            ErrorHandler(reporters=reporters)

    @pytest.mark.parametrize("headers", ["Retry-After: 30", ["Retry-After"], 30])
    def test_headers_that_are_no_mapping(self, headers: Any) -> None:
        """Headers that are no pairs are shown, in the place where the error is made."""
        with pytest.raises(
            TypeError, match=r"headers=\.\.\. of an error takes a mapping, or pairs"
        ):
            HttpError(503, headers=headers)

    def test_routes_that_have_no_names(self) -> None:
        """A list of routes, and router and routes in the wrong order, are told so."""
        router = SimpleNamespace(get=print)
        with pytest.raises(TypeError, match=r"create_routes\(\) takes declarations by name, a map"):
            create_routes([print])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(
            TypeError, match=r"apply_routes\(\) takes routes by name, a mapping: got"
        ):
            apply_routes({}, router)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_an_option_of_a_chain(self) -> None:
        """The message about `track_response` names no function that was not called."""
        with pytest.raises(TypeError, match=r"^track_response=\.\.\. takes True, False or"):
            Chain(track_response="res")

    def test_types_come_after_the_layer(self) -> None:
        """Types and layer in the wrong order: the message has the right one."""
        with pytest.raises(TypeError, match=r"^Chain\.use_error\(layer, \*types\) takes exception"):
            Chain().use_error(Boom, print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
