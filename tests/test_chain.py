"""`Chain`: each sentence of its contract, on asyncio, uvloop and trio, and without a loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import functools
import gc
import inspect
import threading
import traceback
import warnings
import weakref
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import trio
from twisted.internet.defer import Deferred

from catchasync import (
    SKIP_ROUTE,
    SKIP_ROUTER,
    CallbackError,
    Chain,
    HandlerIncomplete,
    NextCalledTwice,
    ResponseTracker,
    _waiters,
    catch_async,
)
from catchasync.testing import RecordingNext
from tests.chain_support import LOOPS, RUNNERS, Log, go, in_thread, pause
from tests.support import Boom, raiser, step

every_runner = pytest.mark.parametrize("runner", RUNNERS)
every_loop = pytest.mark.parametrize("runner", LOOPS)
KINDS = [(runner, is_async) for runner in LOOPS for is_async in (True, False)] + [("run", False)]
every_kind = pytest.mark.parametrize(("runner", "is_async"), KINDS)


class Other(Exception):
    """A failure besides `Boom`."""


def answer(_req: Any, _res: Any) -> str:
    """Be the last layer."""
    return "answer"


@pytest.fixture
def is_waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Tell when a chain has left a layer, and waits for its `next`."""
    event = threading.Event()

    class Told(_waiters.Wake):
        def __init__(self, *, is_blocking: bool) -> None:
            super().__init__(is_blocking=is_blocking)
            event.set()

    monkeypatch.setattr(_waiters, "Wake", Told)
    return event


# Layers, and what they are called with.


@every_runner
def test_req_and_res_are_opaque(runner: str) -> None:
    """Each layer is handed the very objects that the chain was called with."""
    req, res = object(), object()
    seen: list[Any] = []

    def layer(*args: Any) -> Any:
        seen.extend(args[:2])
        return args[2]()

    go(runner, Chain(layer, layer), None, req, res)

    assert [req, res, req, res] == seen


@every_kind
def test_next_goes_on(runner: str, *, is_async: bool) -> None:
    """Layers run in their order, each after the one before it called `next`."""
    log = Log()
    layers = [log.layer(name, is_async=is_async) for name in "abc"]

    assert "answer" == go(runner, Chain(*layers, answer))
    assert ["a", "b", "c"] == log


@every_kind
def test_a_layer_that_returns_has_answered(runner: str, *, is_async: bool) -> None:
    """A layer that neither calls `next` nor raises ends the chain with its result."""
    log = Log()
    layers = [
        log.layer("a", is_async=is_async),
        log.layer("b", lambda _next: "of b", is_async=is_async),
        log.layer("c", is_async=is_async),
    ]

    assert "of b" == go(runner, Chain(*layers))
    assert ["a", "b"] == log


@every_kind
def test_a_layer_that_returns_none_has_answered_none(runner: str, *, is_async: bool) -> None:
    """``None`` is an answer where nothing holds `next` any more."""
    log = Log()
    layers = [log.layer("a", lambda _next: None, is_async=is_async), answer]

    assert None is go(runner, Chain(*layers))


@every_runner
def test_layers_may_be_shorter(runner: str) -> None:
    """A layer is handed as many of (req, res, next) as it takes; an error layer likewise."""
    seen: list[Any] = []
    next_outside = RecordingNext("outside")

    def note(what: Any, answer: Any) -> Any:
        seen.append(what)
        return answer

    chain = Chain(
        lambda req, res, next: note((req, res), next()),
        lambda req, *, next: note(req, next()),
        lambda req, next: note(req, next()),
        lambda req, res=None, next=None: note((req, res), next()),
        lambda *args: note(len(args), args[2](Boom())),
    )
    chain.use_error(lambda error, req, next: note((type(error), req), next(error)))
    chain.use_error(lambda error, req, res, next: next(error))
    chain.use_error(lambda *args: note(len(args), args[3](args[0])))
    chain.use_error(lambda error: note(type(error), "short"))

    assert "short" == go(runner, chain, next_outside)
    expected = [("req", "res"), "req", "req", ("req", "res"), 3, (Boom, "req"), 4, Boom]
    assert expected == seen
    assert [] == next_outside.arrivals
    assert "none" == go(runner, Chain(lambda: "none"))


@every_runner
def test_a_layer_without_a_signature_is_handed_all(runner: str) -> None:
    """Functions of C may have none."""
    assert 5 == go(runner, Chain(getattr), None, 5, "real")


@every_loop
def test_layers_of_every_kind(runner: str) -> None:
    """Methods, partials, objects, their async kinds, and what returns a future are layers."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    log = Log()

    class Object:
        def method(self, _req: Any, _res: Any, next: Any) -> Any:
            log.append("method")
            return next()

        async def coroutine_method(self, _req: Any, _res: Any, next: Any) -> Any:
            log.append("async method")
            return await next()

        async def __call__(self, _req: Any, _res: Any, next: Any) -> Any:
            log.append("object")
            return await next()

    async def coroutine(req: Any, _res: Any, next: Any) -> Any:
        log.append("coroutine")
        return await next()

    def named(name: str, _req: Any, _res: Any, next: Any) -> Any:
        log.append(name)
        return next()

    layers: list[Any] = [
        Object().method,
        Object().coroutine_method,
        Object(),
        functools.partial(named, "partial"),
        lambda req, res, next: coroutine(req, res, next),
        lambda: pool.submit(lambda: "of a future"),
    ]

    assert "of a future" == go(runner, Chain(*layers))
    assert ["method", "async method", "object", "partial", "coroutine"] == log
    pool.shutdown()


def test_a_future_is_waited_for_without_a_loop() -> None:
    """`run` waits for a future of `concurrent.futures`, and takes its failure."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert 1 == Chain(lambda: pool.submit(lambda: 1)).run(1, 2)
        failing = Chain(lambda: pool.submit(raiser(Boom())))
        assert Boom is failing.use_error(lambda error: type(error)).run(1, 2)


@every_loop
def test_a_rejected_future_has_called_next(runner: str) -> None:
    """The failure of a future that a layer returned goes to the next error layer."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    future.set_exception(Boom())
    chain = Chain(lambda: future).use_error(lambda error: type(error))

    assert Boom is go(runner, chain)


@every_loop
def test_a_deferred_is_waited_for(runner: str) -> None:
    """A `Deferred` of Twisted gives its result or its failure, on any loop."""
    fired: Deferred[str] = Deferred()
    fired.callback("fired")
    failed: Deferred[str] = Deferred()
    failed.errback(Boom())  # type: ignore[no-untyped-call]

    assert "fired" == go(runner, Chain(lambda: fired))
    assert Boom is go(runner, Chain(lambda: failed).use_error(lambda error: type(error)))


@every_runner
def test_a_stream_is_an_answer(runner: str) -> None:
    """A generator function is a layer that answers with the stream."""

    def stream(_req: Any, _res: Any) -> Iterator[str]:
        yield "item"

    assert ["item"] == list(go(runner, Chain(stream)))


# Errors.


@every_kind
def test_next_with_an_error_goes_to_the_next_error_layer(runner: str, *, is_async: bool) -> None:
    """Normal layers are passed over, so are error layers before it."""
    log = Log()
    error = Boom()
    chain = Chain(
        log.error_layer("before", is_async=is_async),
        log.layer("a", lambda next: next(error), is_async=is_async),
        log.layer("b", is_async=is_async),
        log.error_layer("first", is_async=is_async),
        log.error_layer("second", lambda error, _next: error, is_async=is_async),
        log.error_layer("third", is_async=is_async),
    )

    assert error is go(runner, chain)
    assert ["a", "first", "second"] == log


@every_kind
def test_a_layer_that_raises_has_called_next(runner: str, *, is_async: bool) -> None:
    """What it raised goes to the next error layer."""
    log = Log()
    error = Boom()
    chain = Chain(
        log.layer("a", raiser(error), is_async=is_async),
        log.error_layer("handler", lambda error, _next: error, is_async=is_async),
    )

    assert error is go(runner, chain)


@every_runner
@pytest.mark.parametrize("value", [0, "", False, "boom", 5])
def test_a_falsy_rejection_is_an_error(runner: str, value: object) -> None:
    """Only ``None`` means no error; what is no exception is wrapped."""
    seen: list[Any] = []
    chain = Chain(lambda req, res, next: next(value)).use_error(seen.append)

    go(runner, chain)

    assert [CallbackError] == [type(error) for error in seen]
    assert value is seen[0].value


@every_kind
def test_an_error_layer_that_raises_replaces_the_error(runner: str, *, is_async: bool) -> None:
    """The next error layer sees the new one, whose context is the first."""
    log = Log()
    first, second = Boom(), Other()
    chain = Chain(
        log.layer("a", raiser(first), is_async=is_async),
        log.error_layer("b", raiser(second), is_async=is_async),
        log.error_layer("c", lambda error, _next: error, is_async=is_async),
    )

    assert second is go(runner, chain)
    assert first is second.__context__


@every_runner
def test_the_first_error_is_kept_behind_what_the_new_one_has(runner: str) -> None:
    """A context that the new error came with stays; a circle is never made."""
    first = Boom("first")

    def with_context(_error: Any) -> None:
        try:
            raise KeyError
        except KeyError:
            raise Other from None

    def the_root(error: Any) -> None:
        raise error.__context__.__context__

    chain = Chain(raiser(first)).use_error(with_context).use_error(the_root)
    chain.use_error(lambda error: error)

    assert first is go(runner, chain)
    assert None is first.__context__


@every_kind
def test_an_error_layer_that_goes_on_has_recovered(runner: str, *, is_async: bool) -> None:
    """After its ``next()`` normal layers go on, error layers are passed over."""
    log = Log()
    chain = Chain(
        log.layer("a", raiser(Boom()), is_async=is_async),
        log.error_layer("b", lambda _error, next: next(), is_async=is_async),
        log.error_layer("c", is_async=is_async),
        log.layer("d", is_async=is_async),
        answer,
    )

    assert "answer" == go(runner, chain)
    assert ["a", "b", "d"] == log


@every_runner
def test_error_layers_of_types(runner: str) -> None:
    """An error layer for some types sees no others; subclasses count."""
    chain = Chain(raiser(Boom()))
    chain.use_error(lambda error: "other", Other, KeyError)
    chain.use_error(lambda error: "boom", Exception)

    assert "boom" == go(runner, chain)


def test_four_required_parameters_make_an_error_layer() -> None:
    """A fourth parameter with a default does not, nor does ``*args``."""
    chain = Chain(raiser(Boom()), lambda error, req, res, next: "handled")
    assert "handled" == chain.run(1, 2)

    chain = Chain(lambda req, res, next, flag="normal": flag)
    assert "normal" == chain.run(1, 2)


@every_runner
def test_cancellation_reaches_no_layer(runner: str) -> None:
    """It goes to the caller, and no error layer sees it."""
    seen: list[Any] = []
    cancelled = concurrent.futures.CancelledError()

    with pytest.raises(concurrent.futures.CancelledError):
        go(runner, Chain(raiser(cancelled)).use_error(seen.append), seen.append)
    with pytest.raises(KeyboardInterrupt):
        go(runner, Chain(raiser(KeyboardInterrupt())).use_error(seen.append), seen.append)

    assert [] == seen


@every_runner
def test_a_layer_that_is_cancelled_loses_no_error(runner: str) -> None:
    """What it had handed to `next`, and what is handed to it later, is late."""
    late, kept = RecordingNext(), []
    error = Boom()

    def layer(_req: Any, _res: Any, next: Any) -> None:
        kept.append(next)
        next(error)
        raise concurrent.futures.CancelledError

    with pytest.raises(concurrent.futures.CancelledError):
        go(runner, Chain(layer, late=late))
    kept.pop()(Other())

    assert [error, Other] == [late.errors[0], type(late.errors[1])]


# The end of the chain.


@every_runner
def test_the_outer_next_gets_the_error_or_nothing(runner: str) -> None:
    """At the end of the chain the outer `next` is called, and answers."""
    outer = RecordingNext("outer")
    error = Boom()

    assert "outer" == go(runner, Chain(lambda req, res, next: next()), outer)
    assert "outer" == go(runner, Chain(raiser(error)), outer)
    assert [None, error] == [arrival.error for arrival in outer.arrivals]
    assert "outer" == go(runner, Chain(), outer)


@every_runner
def test_the_outer_next_may_be_async(runner: str) -> None:
    """What it returns is awaited; without a loop it is run to its end."""

    async def outer(error: Any = None) -> Any:
        if runner != "run":
            await pause()
        return error

    error = Boom()

    assert error is go(runner, Chain(raiser(error)), outer)


@every_runner
def test_without_an_outer_next_an_error_is_raised(runner: str) -> None:
    """The caller gets the very error; without an error, ``None``."""
    error = Boom()

    with pytest.raises(Boom) as caught:
        go(runner, Chain(raiser(error)))

    assert error is caught.value
    assert None is go(runner, Chain(lambda req, res, next: next()))


@every_runner
def test_what_the_outer_next_raises_goes_to_the_caller(runner: str) -> None:
    """It reaches no error layer, and not the same `next` again, however decorated."""
    outer = RecordingNext(Other())
    chain = Chain(raiser(Boom()))
    decorated = catch_async(next=outer)(lambda: go(runner, chain, outer))

    with pytest.raises(Other):
        decorated()

    assert 1 == len(outer.arrivals)


# Groups.


@every_kind
def test_skip_route_leaves_the_group(runner: str, *, is_async: bool) -> None:
    """The first layer after the group is next; one group does not leave the other."""
    log = Log()
    chain = Chain()
    skip = log.layer("skip", lambda next: next(SKIP_ROUTE), is_async=is_async)
    chain.route(log.layer("a", is_async=is_async), skip, log.layer("b", is_async=is_async))
    chain.route(log.layer("c", is_async=is_async)).use(answer)

    assert "answer" == go(runner, chain)
    assert ["a", "skip", "c"] == log


@every_runner
def test_skip_route_outside_a_group_goes_on(runner: str) -> None:
    """As in Express, it is then a plain ``next()``."""
    assert "answer" == go(runner, Chain(lambda req, res, next: next(SKIP_ROUTE), answer))


@every_kind
def test_skip_router_leaves_the_chain(runner: str, *, is_async: bool) -> None:
    """The outer `next` is called without an error."""
    log = Log()
    outer = RecordingNext("outer")
    skip = log.layer("skip", lambda next: next(SKIP_ROUTER), is_async=is_async)

    assert "outer" == go(runner, Chain().route(skip, answer).use(answer), outer)
    assert [None] == [arrival.error for arrival in outer.arrivals]


@every_runner
def test_no_error_is_taken_for_a_sentinel(runner: str) -> None:
    """The words of Express, and the sentinels' values, are errors like others."""
    for word in ("route", "router", SKIP_ROUTE.value):
        chain = Chain().route(lambda req, res, next, word=word: next(word), answer)
        chain.use_error(lambda error: error.value)
        assert word == go(runner, chain)


@every_runner
def test_a_sentinel_passes_a_decorated_layer(runner: str) -> None:
    """A `next` guarded by `catch_async` lets the sentinels through."""

    @catch_async
    def skip(req: Any, res: Any, next: Any) -> Any:
        return next(SKIP_ROUTE)

    assert "answer" == go(runner, Chain().route(skip, raiser(Boom())).use(answer))


@every_kind
def test_a_group_does_not_see_an_error_from_before(runner: str, *, is_async: bool) -> None:
    """Its error layers are for its own layers."""
    log = Log()
    chain = Chain(log.layer("a", raiser(Boom()), is_async=is_async))
    chain.route(log.error_layer("of the group", is_async=is_async))
    chain.use_error(log.error_layer("after", lambda error, _next: "done", is_async=is_async))

    assert "done" == go(runner, chain)
    assert ["a", "after"] == log


@every_runner
def test_a_group_sees_its_own_errors(runner: str) -> None:
    """An error layer of the group takes them, and may go on inside the group."""
    chain = Chain().route(raiser(Boom()), lambda error, req, res, next: next(), answer)

    assert "answer" == go(runner, chain)


@every_runner
def test_an_error_leaves_a_group_for_good(runner: str) -> None:
    """What a group did not take goes past the next group to the error layers of the chain."""
    log = Log()
    chain = Chain().route(raiser(Boom())).route(log.error_layer("foreign", is_async=False))
    chain.use_error(lambda error: "done")

    assert "done" == go(runner, chain)
    assert [] == log


def test_the_sentinels_say_what_they_are() -> None:
    """Their repr is their name."""
    assert "[SKIP_ROUTE, SKIP_ROUTER]" == repr([SKIP_ROUTE, SKIP_ROUTER])


# Chains in chains.


@every_kind
def test_a_chain_is_a_layer(runner: str, *, is_async: bool) -> None:
    """Its end is the `next` of the outer chain."""
    log = Log()
    inner = Chain(log.layer("b", is_async=is_async))
    chain = Chain(log.layer("a", is_async=is_async), inner, log.layer("c", is_async=is_async))

    assert "answer" == go(runner, chain.use(answer))
    assert ["a", "b", "c"] == log


@every_runner
def test_an_error_leaves_the_inner_chain(runner: str) -> None:
    """What no error layer of it takes goes to those of the outer one."""
    chain = Chain(Chain(raiser(Boom()))).use_error(lambda error: type(error))

    assert Boom is go(runner, chain)


@every_runner
def test_skip_router_leaves_the_inner_chain_only(runner: str) -> None:
    """The outer chain goes on."""
    inner = Chain(lambda req, res, next: next(SKIP_ROUTER), raiser(Boom()))

    assert "answer" == go(runner, Chain(inner, answer))


def test_a_chain_is_no_layer_of_itself() -> None:
    """It would never end, also where another chain is between."""
    chain = Chain()
    with pytest.raises(ValueError, match="cannot be a layer of itself"):
        chain.use(chain)
    with pytest.raises(ValueError, match="cannot be a layer of itself"):
        chain.use(Chain(answer, Chain(Chain(answer), chain)))


def test_a_chain_is_no_error_layer() -> None:
    """It would be called without the error."""
    with pytest.raises(TypeError, match="cannot be an error layer"):
        Chain().use_error(Chain())


@every_loop
def test_ten_thousand_chains_side_by_side(runner: str) -> None:
    """Each goes on to the next one without recursion."""
    chain = Chain(*(Chain(lambda req, res, next: next()) for _ in range(10_000)), answer)

    assert "answer" == go(runner, chain)


# When and where `next` is called.


@every_loop
def test_next_may_be_awaited(runner: str) -> None:
    """It gives the answer of what comes after."""
    seen: list[Any] = []

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        seen.append(await next())
        return seen[0] + "!"

    assert "answer!" == go(runner, Chain(layer, answer))
    assert ["answer"] == seen


@every_loop
def test_an_awaited_answer_need_not_be_returned(runner: str) -> None:
    """A layer that awaited `next` and returns ``None`` leaves the answer as it is."""

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        await next()

    async def return_it(_req: Any, _res: Any, next: Any) -> Any:
        awaited = next()
        await awaited
        return awaited

    async def not_awaited(_req: Any, _res: Any, next: Any) -> Any:
        return next()

    assert "answer" == go(runner, Chain(layer, return_it, not_awaited, answer))


@every_kind
def test_a_layer_that_went_on_may_replace_the_answer(runner: str, *, is_async: bool) -> None:
    """What the first of them returns is the answer."""
    log = Log()
    first = log.layer("a", lambda next: (next(), "first")[1], is_async=is_async)
    second = log.layer("b", lambda next: (next(), "second")[1], is_async=is_async)

    assert "first" == go(runner, Chain(first, second, answer))


@every_loop
def test_a_layer_may_handle_what_next_raises(runner: str) -> None:
    """One that catches what ``await next()`` raises has handled it."""
    late = RecordingNext()

    async def layer(_req: Any, _res: Any, next: Any) -> str:
        try:
            await next()
        except Boom:
            return "handled"
        return "not reached"

    async def swallow(_req: Any, _res: Any, next: Any) -> None:
        with contextlib.suppress(Boom):
            await next()

    assert "handled" == go(runner, Chain(layer, raiser(Boom()), late=late))
    assert None is go(runner, Chain(swallow, raiser(Boom()), late=late))
    assert [] == late.errors


@every_loop
def test_what_next_raised_may_go_up(runner: str) -> None:
    """A layer that lets it pass, or raises another in its place, is no second failure."""
    late = RecordingNext()

    async def let_pass(_req: Any, _res: Any, next: Any) -> None:
        await next()

    async def another(_req: Any, _res: Any, next: Any) -> None:
        try:
            await next()
        except Boom as error:
            raise Other from error

    with pytest.raises(Other):
        go(runner, Chain(let_pass, another, let_pass, raiser(Boom()), late=late))
    assert [] == late.errors


@every_loop
def test_a_failure_after_next_is_late(runner: str) -> None:
    """The decision was to go on: the answer stays, the failure is told."""
    late = RecordingNext()
    error = Boom()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        await next()
        raise error

    assert "answer" == go(runner, Chain(layer, answer, late=late))
    assert [error] == late.errors


@every_kind
def test_a_failure_after_a_next_that_was_not_awaited_is_late(
    runner: str, *, is_async: bool
) -> None:
    """The layers after it run; what was itself handed to `next` is no news."""
    late = RecordingNext()
    log = Log()
    error = Boom()

    def act(next: Any) -> None:
        next()
        raise error

    def same(next: Any) -> None:
        next(error)
        raise error

    chain = Chain(log.layer("a", act, is_async=is_async), answer, late=late)
    assert "answer" == go(runner, chain)
    chain = Chain(log.layer("a", same, is_async=is_async), late=late)
    assert "handled" == go(runner, chain.use_error(lambda error: "handled"))
    assert [error] == late.errors


@every_kind
def test_a_second_call_is_late(runner: str, *, is_async: bool) -> None:
    """An error is told as it is, a ``next()`` as `NextCalledTwice`, which names the layer."""
    late = RecordingNext()
    log = Log()
    error = Boom()

    def act(next: Any) -> Any:
        next()
        next(error)
        next(SKIP_ROUTE)
        return next()

    layers = [log.layer("a", act, is_async=is_async), log.layer("b", is_async=is_async), answer]
    chain = Chain(layers, late=late)

    assert "answer" == go(runner, chain)
    assert ["a", "b"] == log
    assert [error] == late.errors[:1]
    assert [NextCalledTwice] * 2 == [type(each) for each in late.errors[1:]]
    assert "called next() after its outcome was decided" in str(late.errors[1])
    assert str(late.errors[1]).startswith("Log.layer")


@every_loop
def test_the_second_next_may_be_awaited(runner: str) -> None:
    """It gives ``None``: there is nothing to wait for."""
    late = RecordingNext()

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        return [await next(), await next()]

    assert ["answer", None] == go(runner, Chain(layer, answer, late=late))


@every_runner
def test_next_may_be_called_later_from_another_thread(
    runner: str, is_waiting: threading.Event
) -> None:
    """A layer that returned ``None`` is waited for while something holds its `next`."""
    given: list[Any] = []

    def later(next: Any) -> None:
        is_waiting.wait()
        given.append(next(None, "data"))

    def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(later, next)

    assert "answer" == go(runner, Chain(layer, answer))
    assert [None] == given


@every_runner
def test_an_error_may_come_later(runner: str, is_waiting: threading.Event) -> None:
    """``next(error)`` as an error-first callback reaches the error layers."""

    def later(next: Any) -> None:
        is_waiting.wait()
        next(Boom(), "data")

    def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(later, next)

    assert Boom is go(runner, Chain(layer, answer).use_error(lambda error: type(error)))


@every_loop
def test_an_async_layer_is_waited_for_likewise(runner: str, is_waiting: threading.Event) -> None:
    """It may return before its `next` is called, too."""

    def later(next: Any) -> None:
        is_waiting.wait()
        next()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(later, next)

    assert "answer" == go(runner, Chain(layer, answer))


@every_runner
@pytest.mark.parametrize("is_tracked", [False, True])
def test_a_dropped_next_ends_the_chain(
    runner: str, is_waiting: threading.Event, *, is_tracked: bool
) -> None:
    """When nothing holds it any more, the layer has answered ``None``; tracked, it is reported."""
    late = RecordingNext()

    def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(drop_later, [next])

    def drop_later(held: list[Any]) -> None:
        is_waiting.wait()
        held.clear()

    chain = Chain(layer, answer, track_response=is_tracked, late=late)

    assert None is go(runner, chain, res=Response())
    assert [HandlerIncomplete] * is_tracked == [type(error) for error in late.errors]


@every_runner
def test_a_response_sent_before_next_was_dropped_is_complete(
    runner: str, is_waiting: threading.Event
) -> None:
    """A callback-style function that answers by itself lets go of `next`, and nothing is wrong."""
    late = RecordingNext()

    def layer(_req: Any, res: Any, next: Any) -> None:
        in_thread(answer_later, [next], res)

    def answer_later(held: list[Any], res: Any) -> None:
        is_waiting.wait()
        res.send()
        held.clear()

    chain = Chain(layer, answer, track_response=True, late=late)

    assert None is go(runner, chain, res=Response())
    assert [] == late.errors


def test_a_next_that_is_called_while_a_wait_begins_is_not_missed() -> None:
    """Between the question and the wait another thread may have called it."""
    turn = FakeTurn()
    turn.is_decided = True
    waiter = _waiters.Waiter(turn)

    assert waiter.wake.is_set
    assert turn is waiter.outcome()
    assert None is waiter.outcome()


def test_a_next_that_is_called_while_a_wait_is_left_is_told() -> None:
    """Between the end of the wait and the call, nobody acts on it; nor on one that is gone."""
    turn = FakeTurn()
    waiter = _waiters.Waiter(turn)
    waiter.leave()
    waiter.called(turn)
    assert 2 == turn.left

    reference = weakref.ref(turn)
    del turn
    assert None is reference()
    waiter.leave()


class FakeTurn:
    """What a waiter asks of a turn."""

    is_blocking: ClassVar[bool] = True
    is_decided = False
    left = 0

    def attach(self, waiter: _waiters.Waiter[FakeTurn] | None) -> None:
        """Take no note, so that there is no cycle."""

    def leave(self) -> None:
        """Count."""
        self.left += 1


@every_loop
def test_next_may_be_called_later_on_the_loop(runner: str) -> None:
    """A callback of the loop's own may call it; what the loop runs meanwhile goes on."""

    def layer(_req: Any, _res: Any, next: Any) -> None:
        if runner == "trio":
            trio.lowlevel.current_trio_token().run_sync_soon(next)
        else:
            asyncio.get_running_loop().call_soon(next)

    assert "answer" == go(runner, Chain(layer, answer))


def test_next_may_be_awaited_later_by_another_task() -> None:
    """Whoever awaits it first runs the rest; the chain waits for it, and gives its answer."""

    async def main() -> Any:
        tasks = []

        async def work(next: Any) -> Any:
            await asyncio.sleep(0)
            return await next()

        def layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.ensure_future(work(next)))

        return await Chain(layer, answer)(1, 2), await tasks[0]

    assert ("answer", "answer") == asyncio.run(main())


def test_a_task_of_next_is_waited_for() -> None:
    """A layer may start what comes next as a task and leave it: chain and task agree."""

    async def slow(_req: Any, _res: Any) -> str:
        await asyncio.sleep(0)
        return "slow"

    async def failing(_req: Any, _res: Any) -> str:
        await asyncio.sleep(0)
        raise Boom

    async def main() -> Any:
        tasks = []

        async def layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.create_task(next()))
            await asyncio.sleep(0)

        def sync_layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.create_task(next()))

        answers = [await Chain(each, layer, slow)(1, 2) for each in (layer, sync_layer)]
        with pytest.raises(Boom):
            await Chain(layer, failing)(1, 2)
        return answers, await asyncio.gather(*tasks, return_exceptions=True)

    answers, results = asyncio.run(main())

    assert ["slow", "slow"] == answers
    assert [*["slow"] * 4, Boom] == [*results[:4], type(results[4])]


def test_a_task_of_next_may_be_cancelled() -> None:
    """What comes next is cancelled with it, and so is the chain that waits for it."""
    log = Log()

    async def wait(_req: Any, _res: Any) -> None:
        try:
            await asyncio.Future()
        finally:
            log.append("cancelled")

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        task = asyncio.create_task(next())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(task.cancel)

    async def main() -> None:
        for track_response in (False, True):
            with pytest.raises(asyncio.CancelledError):
                await Chain(layer, wait, track_response=track_response)(1, Response())

    asyncio.run(main())
    assert ["cancelled"] * 2 == log


def test_a_failure_in_another_task_is_the_chains() -> None:
    """Where somebody else awaits a `next` that was held, its failure is raised here as well."""

    async def main() -> Any:
        tasks = []

        async def work(next: Any) -> None:
            await asyncio.sleep(0)
            await next()

        def layer(_req: Any, _res: Any, next: Any) -> None:
            tasks.append(asyncio.ensure_future(work(next)))

        with pytest.raises(Boom):
            await Chain(layer, raiser(Boom()))(1, 2)
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [Boom] == [type(result) for result in asyncio.run(main())]


def test_what_next_returned_may_be_awaited_late() -> None:
    """Also when the chain has run it itself, and when it is awaited again, after a failure."""
    kept: list[Any] = []

    async def main() -> Any:
        def layer(_req: Any, _res: Any, next: Any) -> None:
            kept.append(next())

        await Chain(layer, answer)(1, 2)
        with pytest.raises(Boom):
            await Chain(layer, raiser(Boom()))(1, 2)
        return [await each for each in kept]

    assert ["answer", None] == asyncio.run(main())


def test_whoever_awaits_next_beside_the_chain_gets_its_outcome() -> None:
    """A task that awaits what the chain runs itself waits with it."""
    tasks: list[Any] = []

    async def pass_time(_req: Any, _res: Any) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        return "slow"

    async def fail(_req: Any, _res: Any) -> None:
        await pass_time(1, 2)
        raise Boom

    def layer(_req: Any, _res: Any, next: Any) -> None:
        rest = next()

        async def work() -> Any:
            return await rest

        asyncio.get_running_loop().call_soon(lambda: tasks.append(asyncio.ensure_future(work())))

    async def main() -> Any:
        chain = Chain(layer, pass_time)
        with pytest.raises(Boom):
            await Chain(layer, fail)(1, 2)
        return await chain(1, 2), await asyncio.gather(*tasks, return_exceptions=True)

    verdict, results = asyncio.run(main())
    assert "slow" == verdict
    assert [Boom, "slow"] == [type(results[0]), results[1]]


def test_next_under_a_timeout_or_in_a_group() -> None:
    """What wraps an awaitable in a task of its own may wrap ``next()``, at any depth."""

    async def limit(_req: Any, _res: Any, next: Any) -> Any:
        return await asyncio.wait_for(next(), 10)

    async def gather(_req: Any, _res: Any, next: Any) -> Any:
        return (await asyncio.gather(next(), asyncio.sleep(0)))[0]

    async def task(_req: Any, _res: Any, next: Any) -> Any:
        return await asyncio.create_task(next())

    layers = [limit, gather, task] * 100

    assert "answer" == asyncio.run(Chain(*layers, answer)(1, 2))


def test_next_in_a_nursery() -> None:
    """A nursery starts what ``next()`` gives."""
    seen: list[str] = []

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(next)

    def sync_layer(_req: Any, _res: Any, next: Any) -> Any:
        return next()

    trio.run(Chain(layer, sync_layer, layer, lambda: seen.append("ran")), 1, 2)

    assert ["ran"] == seen


@every_loop
def test_a_layer_that_works_on_is_waited_for(runner: str) -> None:
    """The chain is over when every layer is, also one that called `next` without awaiting it."""
    log = Log()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        next()
        for _ in range(3):
            await pause()
        log.append("over")

    assert "answer" == go(runner, Chain(layer, answer))
    assert ["over"] == log


@every_loop
def test_a_callback_style_function_with_a_guarded_next(runner: str) -> None:
    """A decorated layer may hand its own `next` to another thread, while it waits for that."""
    late = RecordingNext()

    @catch_async(late=late)
    def layer(req: Any, res: Any, next: Any) -> None:
        thread = in_thread(next, Boom())
        thread.join()

    assert Boom is go(runner, Chain(layer, late=late).use_error(lambda error: type(error)))
    assert [] == late.errors


@every_loop
def test_an_async_layer_may_have_next_called_in_a_thread(runner: str) -> None:
    """Off its own thread ``next()`` gives nothing to await: the chain itself goes on."""
    given: list[Any] = []

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        in_thread(lambda: given.extend([next(), next()])).join()

    late = RecordingNext()
    assert "answer" == go(runner, Chain(layer, answer, late=late))
    assert [None, None] == given
    assert [NextCalledTwice] == [type(error) for error in late.errors]


def test_a_cancelled_wait_makes_next_late() -> None:
    """Where the chain is cancelled while it waits for a held `next`, its call is late."""
    late, held = RecordingNext(), []
    error = Boom()

    async def main() -> None:
        chain = Chain(lambda req, res, next: held.append(next), late=late)
        task = asyncio.ensure_future(chain(1, 2))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    held.pop()(error)

    assert [error] == late.errors


def test_a_next_called_while_the_wait_is_cancelled_is_late() -> None:
    """The decision came, but nobody acts on it any more: its error is told."""
    late, held = RecordingNext(), []
    error = Boom()

    async def main() -> None:
        chain = Chain(lambda req, res, next: held.append(next), late=late)
        task = asyncio.ensure_future(chain(1, 2))
        await asyncio.sleep(0)
        held.pop()(error)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert [error] == late.errors


def test_a_next_dropped_after_its_loop_is_over_harms_nobody() -> None:
    """The finaliser has nobody left to wake."""
    held: list[Any] = []

    async def main() -> None:
        task = asyncio.ensure_future(Chain(lambda req, res, next: held.append(next))(1, 2))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    held.clear()


# Context variables.


@every_loop
def test_context_variables_go_down_and_come_up(runner: str) -> None:
    """What a layer sets later layers see; what they set is there after ``await next()``."""
    variable = contextvars.ContextVar("variable", default="nothing")
    seen: list[str] = []

    async def outer(_req: Any, _res: Any, next: Any) -> None:
        variable.set("outer")
        await next()
        seen.append(variable.get())

    async def inner(_req: Any, _res: Any, next: Any) -> None:
        seen.append(variable.get())
        variable.set("inner")
        await next()

    go(runner, Chain(outer, *[inner] * 100, answer))

    assert ["outer", *["inner"] * 100] == seen


def test_cancel_scopes_reach_over_next() -> None:
    """A scope of trio around ``await next()`` cancels what comes next, however far down."""
    seen: list[bool] = []

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await next()
        seen.append(scope.cancelled_caught)

    async def pass_on(_req: Any, _res: Any, next: Any) -> None:
        await next()

    trio.run(Chain(layer, *[pass_on] * 100, trio.lowlevel.checkpoint), 1, 2)

    assert [True] == seen


# Depth.


@every_kind
def test_ten_thousand_layers(runner: str, *, is_async: bool) -> None:
    """They run without recursion."""

    def sync(_req: Any, _res: Any, next: Any) -> Any:
        return next()

    async def coroutine(_req: Any, _res: Any, next: Any) -> Any:
        return await next()

    layers = [coroutine if is_async else sync] * 10_000

    assert "answer" == go(runner, Chain(*layers, answer))


@every_loop
def test_an_error_under_ten_thousand_layers(runner: str) -> None:
    """It goes up through all that await, and down to all error layers."""

    async def coroutine(_req: Any, _res: Any, next: Any) -> Any:
        await next()

    async def handler(error: Any, _req: Any, _res: Any, next: Any) -> Any:
        await next(error)

    layers = [coroutine] * 5_000
    handlers = [handler] * 5_000

    with pytest.raises(Boom):
        go(runner, Chain(*layers, raiser(Boom()), *handlers))


@every_loop
def test_ten_thousand_layers_that_wait(runner: str) -> None:
    """Each may suspend, before and after ``await next()``."""

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        await pause()
        result = await next()
        await pause()
        return result

    assert "answer" == go(runner, Chain(*[layer] * 10_000, answer))


def test_a_deep_chain_may_be_closed() -> None:
    """A coroutine of a chain that is closed midway closes every layer's, innermost first."""
    log = Log()

    async def layer(_req: Any, _res: Any, next: Any) -> None:
        try:
            await next()
        finally:
            log.append("closed")

    async def wait(_req: Any, _res: Any) -> None:
        await asyncio.Future()

    async def main() -> None:
        coroutine = Chain(*[layer] * 100, wait)(1, 2)
        coroutine.send(None)
        coroutine.close()

    asyncio.run(main())

    assert 100 == len(log)


# `run`.


def test_run_refuses_an_async_layer() -> None:
    """It names the layer, before any layer has run; also one in a chain inside."""
    log = Log()

    async def coroutine(_req: Any, _res: Any) -> None: ...

    for layer in (coroutine, Chain(coroutine)):
        with pytest.raises(TypeError, match=r"sync layers only, and .*coroutine is async"):
            Chain(log.layer("a", is_async=False), layer).run(1, 2)
    assert [] == log


def test_run_leaves_no_coroutine_behind() -> None:
    """A layer that turns out async is named, its coroutine closed: no warning is given."""

    async def coroutine() -> None: ...

    def layer(_req: Any, _res: Any, next: Any) -> Any:
        next()
        return coroutine()

    with pytest.raises(TypeError, match=r"layer returned <coroutine"):
        Chain(layer, answer).use_error(lambda error: "not asked").run(1, 2)

    async def awaited() -> None:
        with pytest.raises(TypeError, match=r"<Future pending>"):
            Chain(lambda: asyncio.get_running_loop().create_future()).run(1, 2)

    asyncio.run(awaited())
    gc.collect()


def test_run_works_on_a_thread_with_a_loop() -> None:
    """It blocks that thread, and needs no loop."""

    async def main() -> Any:
        return Chain(start_thread, answer).run(1, 2)

    def start_thread(_req: Any, _res: Any, next: Any) -> None:
        in_thread(next)

    assert "answer" == asyncio.run(main())


def test_a_chain_needs_no_loop_to_be_awaited() -> None:
    """Layers that wait for nothing can be stepped by hand; a held `next` blocks the thread."""

    async def layer(_req: Any, _res: Any, next: Any) -> Any:
        return await next()

    def legacy(_req: Any, _res: Any, next: Any) -> None:
        in_thread(next)

    assert "answer" == step(Chain(*[layer] * 100, legacy, answer)(1, 2))


# Tracking.


class Response:
    """A response whose `send` sends."""

    def send(self) -> str:
        """Send."""
        return "sent"


@every_runner
def test_an_incomplete_layer_is_reported(runner: str) -> None:
    """One that neither answered nor called `next` is named, and what it may lack."""
    late = RecordingNext()

    def forgetful(_req: Any, _res: Any, next: Any) -> None: ...

    chain = Chain(forgetful, answer, track_response=True, late=late)

    assert None is go(runner, chain, res=Response())
    assert [HandlerIncomplete] == [type(error) for error in late.errors]
    assert "forgetful returned None" in str(late.errors[0])
    assert "forget to call next(), to `return` its answer, or to `await`" in str(late.errors[0])


@every_runner
def test_a_response_that_was_sent_is_not_waited_for(runner: str) -> None:
    """The layer has answered, whoever holds its `next`; a call of it is late, with a note."""
    late, held = RecordingNext(), []

    def sender(_req: Any, res: Any, next: Any) -> None:
        held.append(next)
        res.send()

    chain = Chain(sender, answer, track_response=ResponseTracker(methods=("send",)), late=late)

    assert None is go(runner, chain, res=Response())
    held.pop()(Boom())
    assert [Boom] == [type(error) for error in late.errors]
    assert "The response had been sent by" in late.errors[0].__notes__[0]
    assert "sender" in late.errors[0].__notes__[0]


@every_runner
def test_a_failure_after_the_response_names_the_sender(runner: str) -> None:
    """It reaches no error layer; it is late, with a note of which layer sent first."""
    late = RecordingNext()
    seen: list[BaseException] = []

    def sender(_req: Any, res: Any, next: Any) -> Any:
        res.send()
        raise Boom

    chain = Chain(sender, track_response=True, late=late).use_error(seen.append)

    assert None is go(runner, chain, res=Response())
    assert [] == seen
    assert "sender" in late.errors[0].__notes__[0]


@every_loop
def test_the_layer_that_sent_first_is_named(runner: str) -> None:
    """A failure of one layer says that another one sent."""
    late = RecordingNext()

    async def outer(_req: Any, _res: Any, next: Any) -> None:
        await next()
        raise Boom

    async def sender(_req: Any, res: Any) -> str:
        return res.send()  # type: ignore[no-any-return]

    chain = Chain(outer, sender, track_response=True, late=late)

    assert "sent" == go(runner, chain, res=Response())
    assert "sender" in late.errors[0].__notes__[0]
    assert "outer" not in late.errors[0].__notes__[0]


@every_runner
def test_tracked_layers_go_on(runner: str) -> None:
    """Until the response begins, a tracked chain is like any other."""
    late = RecordingNext()
    chain = Chain(
        lambda req, res, next: next(),
        lambda req, res, next: next(Boom()),
        lambda error, req, res, next: next(),
        lambda req, res: res.send(),
        track_response=True,
        late=late,
    )

    assert "sent" == go(runner, chain, res=Response())
    assert [] == late.errors


# Building.


def test_use_route_and_use_error_return_the_chain() -> None:
    """So calls can follow each other."""
    chain = Chain()

    assert chain is chain.use(answer) is chain.route(answer) is chain.use_error(answer)


@every_runner
def test_lists_of_layers_are_flattened(runner: str) -> None:
    """However deep, lists and tuples, for layers, groups and error layers."""
    log = Log()
    a, b, c = (log.layer(name, is_async=False) for name in "abc")
    failing = log.layer("d", raiser(Boom()), is_async=False)
    chain = Chain([a, [b, (c,)]]).route([[failing]])
    chain.use_error([lambda error, req, res, next: next(error), [lambda error: "done"]])

    assert "done" == go(runner, chain)
    assert ["a", "b", "c", "d"] == log


new: Any = Chain  # what follows is not for type checkers


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: new(5), r"got 5 of type int at Chain\[0\]"),
        (lambda: new().use(answer, [answer, "x"]), r"got 'x' of type str at Chain.use\[1\]\[1\]"),
        (lambda: new().route(None), r"got None of type NoneType at Chain.route\[0\]"),
        (lambda: new().use_error(5), r"got 5 of type int at Chain.use_error\[0\]"),
        (lambda: new().use(), r"Chain.use\(\) takes at least one layer"),
        (lambda: new().route([]), r"Chain.route\(\) takes at least one layer"),
        (lambda: new().use_error(answer, 5), "takes exception types: got 5"),
        (lambda: new().use_error(answer, int), "takes exception types: got <class 'int'>"),
        (lambda: new(late=5), r"Chain\(late=...\) takes a callable .* got 5"),
        (lambda: new(track_response=5), "track_response"),
        (lambda: new(lambda a, b, c, d, e: 1), r"requires \(a, b, c, d, e\)"),
        (lambda: new().run(1, 2, 5), "callable `next`, or none: got 5"),
    ],
)
def test_what_cannot_be_a_layer_is_refused(build: Any, message: str) -> None:
    """The message says what came, and where."""
    with pytest.raises(TypeError, match=message):
        build()


def test_a_layer_added_while_a_chain_runs_does_not_run() -> None:
    """A run has the layers that the chain had when it was called; the next run has the new one."""
    log = Log()
    chain = Chain()

    def add(_req: Any, _res: Any, next: Any) -> Any:
        chain.use(log.layer("added", is_async=False))
        return next()

    chain.use(add)
    chain.run(1, 2)
    assert [] == log
    chain.run(1, 2)
    assert ["added"] == log


def test_a_chain_looks_like_an_async_handler() -> None:
    """Its call is a coroutine function of (req, res, next); its repr counts the layers."""
    chain = Chain(answer, answer)

    assert inspect.iscoroutinefunction(chain.__call__)
    assert ["req", "res", "next"] == list(inspect.signature(chain).parameters)
    assert "<Chain of 2 layers>" == repr(chain)


def test_a_next_says_whose_it_is() -> None:
    """Its repr names the layer and how far it is."""
    seen: list[str] = []

    def layer(_req: Any, _res: Any, next: Any) -> None:
        seen.append(repr(next))
        next()
        seen.append(repr(next))

    Chain(layer).run(1, 2)

    name = layer.__qualname__
    assert [f"<next of {name}: open>", f"<next of {name}: called>"] == seen


def test_a_late_failure_is_logged_by_default(caplog: pytest.LogCaptureFixture) -> None:
    """The logger `catchasync` names the layer."""

    def layer(_req: Any, _res: Any, next: Any) -> None:
        next()
        raise Boom

    Chain(layer).run(1, 2)

    assert ["catchasync"] == [record.name for record in caplog.records]
    assert "layer" in caplog.text


# Nothing kept.


class Held:
    """Something whose life can be watched."""


def nothing_kept(runner: str, chain: Chain, next: Any = None) -> list[str]:
    """Name what is alive after a run, without the collector."""
    gc.collect()
    gc.disable()
    try:
        req, res = Held(), Held()
        watched: dict[str, weakref.ref[Any]] = {"req": weakref.ref(req), "res": weakref.ref(res)}
        try:
            step(chain(req, res, next)) if runner == "step" else chain.run(req, res, next)
        except Boom as error:
            watched["error"] = weakref.ref(error)
        del req, res
        return [name for name, reference in watched.items() if reference() is not None]
    finally:
        gc.enable()


def raise_boom(_req: Any, _res: Any, next: Any) -> None:
    """Fail with an error of its own."""
    raise Boom


def catch_and_hand_over(_req: Any, _res: Any, next: Any) -> Any:
    """Hand over an error whose traceback leads here."""
    try:
        raise Boom
    except Boom as error:
        return next(error)


async def catch_and_await(_req: Any, _res: Any, next: Any) -> None:
    """Hand over an error whose traceback leads here, and wait."""
    try:
        raise Boom
    except Boom as error:
        await next(error)


async def await_next(_req: Any, _res: Any, next: Any) -> Any:
    """Go on."""
    return await next()


async def call_next(_req: Any, _res: Any, next: Any) -> Any:
    """Go on, and wait for nothing."""
    next()


def recover(_error: Any, _req: Any, _res: Any, next: Any) -> Any:
    """Go on."""
    return next()


def raise_another(_error: Any, _req: Any, _res: Any, next: Any) -> Any:
    """Replace the error."""
    raise Boom


def once_raised(_error: Any = None) -> None:
    """Be a `next` that raises."""
    raise Boom


LIVES: dict[str, Any] = {
    "raises": [raise_boom],
    "replaces": [raise_boom, raise_another],
    "recovers": [raise_boom, recover, answer],
    "hands over": [catch_and_hand_over],
    "hands over, recovers": [catch_and_hand_over, recover, answer],
}
ASYNC_LIVES: dict[str, Any] = {
    "awaits": [await_next, call_next, answer],
    "awaits a failure": [await_next, call_next, await_next, raise_boom],
    "hands over": [catch_and_await],
    "hands over, recovers": [catch_and_await, recover, answer],
    "goes deep": [*[await_next] * 100, raise_boom],
}


@pytest.mark.parametrize("runner", ["step", "run"])  # a loop keeps what its task raised
@pytest.mark.parametrize("life", LIVES)
def test_a_run_leaves_nothing_behind(runner: str, life: str) -> None:
    """No reference cycle keeps the error, the request or the response."""
    assert [] == nothing_kept(runner, Chain(LIVES[life]))
    assert [] == nothing_kept(runner, Chain(LIVES[life]), lambda _error=None: "outside")
    assert [] == nothing_kept(runner, Chain(LIVES[life]), once_raised)


@pytest.mark.parametrize("life", ASYNC_LIVES)
def test_an_async_run_leaves_nothing_behind(life: str) -> None:
    """No reference cycle keeps the error, the request or the response."""
    assert [] == nothing_kept("step", Chain(ASYNC_LIVES[life]))
    assert [] == nothing_kept("step", Chain(ASYNC_LIVES[life]), once_raised)


@every_runner
def test_the_error_does_not_keep_the_request(runner: str) -> None:
    """No frame of ours in its traceback refers to what the chain was called with."""
    req = Held()
    reference = weakref.ref(req)
    layers: Any = [] if runner == "run" else [await_next, call_next] * 50

    with pytest.raises(Boom) as caught:
        go(runner, Chain(layers, raiser(Boom())), None, req)
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    frames = [frame for frame, _line in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if "catchasync" in frame.f_globals["__name__"].split(".")]

    assert {"run_rest", "run_here"} & set(names)
    assert [] == [frame for frame in ours if reference() in frame.f_locals.values()]


def test_nothing_warns_of_what_was_not_awaited() -> None:
    """A ``next()`` that is left alone is no coroutine that was never awaited."""

    async def main() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await Chain(call_next, call_next, answer)(1, 2)
            with pytest.raises(concurrent.futures.CancelledError):
                await Chain(cancelled_after_next)(1, 2)
            gc.collect()

    async def cancelled_after_next(_req: Any, _res: Any, next: Any) -> None:
        next()
        raise concurrent.futures.CancelledError

    asyncio.run(main())
