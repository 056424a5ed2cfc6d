"""What the tests of Express's router (pillarjs/router, `test/route.js`) ask for, by their names.

Each test is named as there; a comment says where ours differs on purpose.
"""

from __future__ import annotations

from typing import Any

import pytest

from catchasync import SKIP_ROUTE, SKIP_ROUTER, CallbackError, Chain
from catchasync.testing import RecordingNext
from tests.chain_support import every_kind, every_runner, go
from tests.support import Boom


class Res:
    """A response that notes which layers were hit, and what was sent."""

    def __init__(self) -> None:
        self.hits: list[int] = []
        self.body: str | None = None

    def end(self, body: str) -> None:
        """Send."""
        self.body = body


def hit(number: int) -> Any:
    """Make a layer that notes that it was hit, and goes on."""

    def layer(_req: Any, res: Res, next: Any) -> Any:
        res.hits.append(number)
        return next()

    return layer


def hit_error(number: int) -> Any:
    """Make an error layer that notes that it was hit, and goes on with the error."""

    def layer(error: Any, _req: Any, res: Res, next: Any) -> Any:
        res.hits.append(number)
        return next(error)

    return layer


def saw(_req: Any, res: Res) -> None:
    """Be the last layer."""
    res.end("saw")


def saw_error(error: Any, _req: Any, res: Res, _next: Any) -> None:
    """Be the last error layer."""
    res.end(f"saw {type(error).__name__}: {error}")


def a_layer(act: Any, *, is_async: bool) -> Any:
    """Make a layer that returns ``act(next)``."""

    def sync(_req: Any, _res: Any, next: Any) -> Any:
        return act(next)

    async def coroutine(_req: Any, _res: Any, next: Any) -> Any:
        return act(next)

    return coroutine if is_async else sync


def an_error_layer(act: Any, *, is_async: bool) -> Any:
    """Make an error layer that returns ``act(error, next)``."""

    def sync(error: Any, _req: Any, _res: Any, next: Any) -> Any:
        return act(error, next)

    async def coroutine(error: Any, _req: Any, _res: Any, next: Any) -> Any:
        return act(error, next)

    return coroutine if is_async else sync


def throw(error: BaseException) -> Any:
    """Raise, as an expression."""
    raise error


def answered(runner: str, chain: Chain) -> Res:
    """Run a chain with a response of its own."""
    res = Res()
    go(runner, chain, None, "req", res)
    return res


@pytest.mark.parametrize("method", ["use", "route"])
def test_should_reject_no_arguments(method: str) -> None:
    """There must be a layer."""
    with pytest.raises(TypeError, match="at least one layer"):
        getattr(Chain(), method)()


@pytest.mark.parametrize("method", ["use", "route", "use_error"])
def test_should_reject_empty_array(method: str) -> None:
    """A list without layers is no layer."""
    with pytest.raises(TypeError, match="at least one layer"):
        getattr(Chain(), method)([])


@pytest.mark.parametrize("method", ["use", "route", "use_error"])
@pytest.mark.parametrize("value", ["foo", 5, None, [["foo"]], {}])
def test_should_reject_invalid_fn(method: str, value: object) -> None:
    """A layer must be a callable."""
    with pytest.raises(TypeError, match="a layer is a callable"):
        getattr(Chain(), method)(value)


@every_runner
def test_should_accept_multiple_arguments(runner: str) -> None:
    """Several layers in one call."""
    assert [1, 2] == answered(runner, Chain().use(hit(1), hit(2), saw)).hits


@every_runner
def test_should_accept_single_array_of_handlers(runner: str) -> None:
    """Several layers in a list."""
    assert [1, 2] == answered(runner, Chain().use([hit(1), hit(2), saw])).hits


@every_runner
def test_should_accept_nested_arrays_of_handlers(runner: str) -> None:
    """Lists in lists."""
    chain = Chain().route([[hit(1), [hit(2)]], saw], hit(3))
    assert [1, 2] == answered(runner, chain).hits


@every_runner
def test_should_work_without_handlers(runner: str) -> None:
    """An empty chain goes on at once."""
    outer = RecordingNext("outer")
    assert "outer" == go(runner, Chain(), outer)


@every_runner
def test_should_stack(runner: str) -> None:
    """Layers run in the order in which they were added."""
    assert [1, 2, 3] == answered(runner, Chain().use(hit(1)).use(hit(2), hit(3)).use(saw)).hits


@every_kind
def test_should_not_overflow_with_a_large_sync_stack(runner: str, *, is_async: bool) -> None:
    """As many layers as one likes."""
    layers = [a_layer(lambda next: next(), is_async=is_async)] * 10_000
    assert "saw" == answered(runner, Chain(layers).use(saw)).body


@every_runner
def test_should_continue_to_next_route_when_next_is_called(runner: str) -> None:
    """One group after the other."""
    assert [1, 2] == answered(runner, Chain().route(hit(1)).route(hit(2), saw)).hits


# Errors handed to `next`.


@every_kind
def test_should_handle_errors_from_next_err(runner: str, *, is_async: bool) -> None:
    """They go to the error layers of the group."""
    chain = Chain().route(
        a_layer(lambda next: next(Boom("boom!")), is_async=is_async),
        hit(1),
        hit_error(2),
        saw_error,
    )
    res = answered(runner, chain)
    assert [2] == res.hits
    assert "saw Boom: boom!" == res.body


@every_kind
def test_should_handle_errors_thrown(runner: str, *, is_async: bool) -> None:
    """As if handed to `next`."""
    chain = Chain().route(
        a_layer(lambda _next: throw(Boom("boom!")), is_async=is_async),
        hit(1),
        hit_error(2),
        saw_error,
    )
    res = answered(runner, chain)
    assert [2] == res.hits
    assert "saw Boom: boom!" == res.body


@every_kind
def test_should_handle_errors_thrown_in_error_handlers(runner: str, *, is_async: bool) -> None:
    """They replace the error."""
    chain = Chain().route(
        a_layer(lambda _next: throw(Boom("boom!")), is_async=is_async),
        an_error_layer(lambda _error, _next: throw(Boom("oh, no!")), is_async=is_async),
        saw_error,
    )
    assert "saw Boom: oh, no!" == answered(runner, chain).body


@every_kind
def test_should_handle_single_error_handler(runner: str, *, is_async: bool) -> None:
    """Without an error it is passed over."""
    chain = Chain(an_error_layer(lambda _error, next: next(), is_async=is_async)).use(saw)
    assert "saw" == answered(runner, chain).body


@every_runner
def test_should_not_invoke_error_handlers_before(runner: str) -> None:
    """Only those after the layer that failed."""
    chain = Chain(hit_error(1), lambda req, res, next: next(Boom()), hit_error(2), saw_error)
    assert [2] == answered(runner, chain).hits


@every_runner
def test_should_forward_error_past_normal_handlers(runner: str) -> None:
    """Normal layers do not run until an error layer has recovered."""
    chain = Chain(lambda req, res, next: next(Boom()), hit(1), hit(2), saw_error)
    assert [] == answered(runner, chain).hits


@every_runner
def test_should_continue_after_an_error_handler_calls_next(runner: str) -> None:
    """The error is forgotten."""
    chain = Chain(lambda req, res, next: next(Boom()), lambda error, req, res, next: next())
    assert [1] == answered(runner, chain.use(hit_error(9), hit(1), saw)).hits


@every_runner
def test_should_pass_the_error_to_the_done_callback(runner: str) -> None:
    """At the end the outer `next` gets it."""
    outer = RecordingNext()
    error = Boom()
    go(runner, Chain(lambda req, res, next: next(error)), outer)
    assert [error] == outer.errors


# The two sentinels, which were strings there.


@every_kind
def test_next_route_should_invoke_next_handler(runner: str, *, is_async: bool) -> None:
    """The layer after the group."""
    skip = a_layer(lambda next: next(SKIP_ROUTE), is_async=is_async)
    assert [1] == answered(runner, Chain().route(skip, hit(9)).use(hit(1), saw)).hits


@every_kind
def test_next_router_should_exit_the_router(runner: str, *, is_async: bool) -> None:
    """The outer `next`, without an error."""
    outer = RecordingNext("done")
    skip = a_layer(lambda next: next(SKIP_ROUTER), is_async=is_async)
    res = Res()
    assert "done" == go(runner, Chain().route(skip, hit(1)).use(hit(2)), outer, "req", res)
    assert [] == res.hits
    assert [None] == [arrival.error for arrival in outer.arrivals]


@every_kind
def test_next_route_from_an_error_handler_should_recover(runner: str, *, is_async: bool) -> None:
    """The group is left, and the error forgotten."""
    skip = an_error_layer(lambda _error, next: next(SKIP_ROUTE), is_async=is_async)
    chain = Chain().route(lambda req, res, next: next(Boom()), skip, hit(9))
    assert [1] == answered(runner, chain.use(hit(1), saw)).hits


@every_runner
def test_should_not_run_a_route_with_a_pending_error(runner: str) -> None:
    """A pending error makes groups not match."""
    chain = Chain(lambda req, res, next: next(Boom())).route(hit_error(9), hit(9))
    assert [1] == answered(runner, chain.use(hit_error(1), saw_error)).hits


# promise support


@every_kind
def test_should_pass_rejected_promise_value(runner: str, *, is_async: bool) -> None:
    """What the future was rejected with."""
    chain = Chain(a_layer(lambda _next: throw(Boom("boom!")), is_async=is_async), saw_error)
    assert "saw Boom: boom!" == answered(runner, chain).body


@every_runner
def test_should_pass_rejected_promise_without_value(runner: str) -> None:
    """Where JavaScript has nothing, Python has a falsy error: it is one."""

    class Falsy(Exception):
        def __bool__(self) -> bool:
            return False

    chain = Chain(lambda: throw(Falsy("nothing")), hit(9), saw_error)
    res = answered(runner, chain)
    assert [] == res.hits
    assert "saw Falsy: nothing" == res.body


@every_runner
@pytest.mark.parametrize("value", [0, "", False])
def test_should_pass_a_falsy_error_of_next(runner: str, value: object) -> None:
    """`next` with anything but ``None`` hands over an error; Express loses falsy ones."""
    seen: list[Any] = []
    go(runner, Chain(lambda req, res, next: next(value)).use_error(seen.append))
    assert [value] == [error.value for error in seen if isinstance(error, CallbackError)]


@every_kind
def test_should_ignore_resolved_promise(runner: str, *, is_async: bool) -> None:
    """A result is no ``next()``: the layer has answered. It is the chain's result, unlike there."""
    chain = Chain(a_layer(lambda _next: "saw", is_async=is_async), hit(9))
    res = Res()
    assert "saw" == go(runner, chain, None, "req", res)
    assert [] == res.hits


@every_kind
def test_error_handling_should_pass_rejected_promise_value(runner: str, *, is_async: bool) -> None:
    """An error layer's failure goes to the next error layer."""
    chain = Chain(
        a_layer(lambda _next: throw(Boom("boom!")), is_async=is_async),
        an_error_layer(lambda error, _next: throw(Boom(f"caught: {error}")), is_async=is_async),
        saw_error,
    )
    assert "saw Boom: caught: boom!" == answered(runner, chain).body


@every_kind
def test_error_handling_should_ignore_resolved_promise(runner: str, *, is_async: bool) -> None:
    """An error layer that returns has answered."""
    chain = Chain(
        a_layer(lambda _next: throw(Boom("boom!")), is_async=is_async),
        an_error_layer(lambda _error, _next: "saw", is_async=is_async),
        hit_error(9),
    )
    res = Res()
    assert "saw" == go(runner, chain, None, "req", res)
    assert [] == res.hits


# Several error layers in order: log, answer some clients, catch all (the guide of Express).


@every_runner
@pytest.mark.parametrize(
    ("is_xhr", "body"), [(True, "something failed"), (False, "saw Boom: boom")]
)
def test_log_errors_client_error_handler_error_handler(
    runner: str, body: str, *, is_xhr: bool
) -> None:
    """Each either answers, or goes on with the error."""
    logged: list[str] = []

    def log_errors(error: Any, _req: Any, _res: Any, next: Any) -> Any:
        logged.append(str(error))
        return next(error)

    def client_error_handler(error: Any, _req: Any, res: Res, next: Any) -> Any:
        return res.end("something failed") if is_xhr else next(error)

    chain = Chain(lambda: throw(Boom("boom"))).use_error(log_errors)
    chain.use_error(client_error_handler).use_error(saw_error)

    assert body == answered(runner, chain).body
    assert ["boom"] == logged


@every_runner
def test_an_error_handler_that_does_neither_ends_the_chain(runner: str) -> None:
    """Where Express would hang, the chain is over; with tracking it is also reported."""
    chain = Chain(lambda: throw(Boom()), lambda error, req, res, next: None, hit_error(9))
    assert [] == answered(runner, chain).hits


@every_runner
def test_should_call_handler_once(runner: str) -> None:
    """A second ``next()`` runs nothing again; Express runs the rest twice."""
    late = RecordingNext()
    chain = Chain(lambda req, res, next: [next(), next()][0], hit(1), saw, late=late)
    assert [1] == answered(runner, chain).hits
    assert 1 == len(late.errors)
