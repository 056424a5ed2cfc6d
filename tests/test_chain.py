"""`Chain`: its layers, their errors, groups and chains in chains; and how it is built."""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from catchasync import (
    SKIP_ROUTE,
    SKIP_ROUTER,
    CallbackError,
    Chain,
    catch_async,
)
from catchasync.testing import RecordingNext
from tests.chain_support import (
    Log,
    Other,
    answer,
    every_kind,
    every_loop,
    every_runner,
    go,
    pause,
)
from tests.support import Boom, raiser

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

    def optional(req: Any, res: Any = None, next: Any = None) -> Any:
        return note((req, res), next())

    chain = Chain(
        lambda req, res, next: note((req, res), next()),
        lambda req, *, next: note(req, next()),
        lambda req, next: note(req, next()),
        optional,
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
    failed: Any = Deferred()
    failed.errback(Boom())

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
            raise KeyError  # noqa: TRY301
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

    @catch_async(next=outer)
    def run_it() -> Any:
        return go(runner, chain, outer)

    with pytest.raises(Other):
        run_it()

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


@every_runner
def test_a_chain_runs_again_and_again(runner: str) -> None:
    """Each call is a run of its own."""
    chain = Chain(lambda req, res, next: next(), answer)

    assert ["answer"] * 3 == [go(runner, chain) for _ in range(3)]


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
