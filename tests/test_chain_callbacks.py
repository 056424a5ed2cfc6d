"""A chain's `next` as a callback, and made into one by `wrap_callback` (R02)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import CallbackError, CallbackNeverCalled, Chain, callbackify, promisify
from catchasync import wrap_callback as wrap
from catchasync.testing import RecordingNext
from tests.chain_support import LOOPS, answer, every_loop, every_runner, go, in_thread
from tests.support import Boom

Callback = Callable[..., Any]

MOMENTS: dict[str, Callable[..., object]] = {
    "at once": lambda callback, *args: callback(*args),
    "thread": lambda callback, *args: in_thread(callback, *args),
}
every_moment = pytest.mark.parametrize("moment", MOMENTS)


def legacy(moment: str, *outcome: Any) -> Callable[[Callback], None]:
    """Make a library's function that calls back at that moment."""

    def write_file(callback: Callback) -> None:
        MOMENTS[moment](callback, *outcome)

    return write_file


@every_runner
@every_moment
def test_a_bare_next_goes_on(runner: str, moment: str) -> None:
    """``write_file(path, data, next)``: success goes on, the values are dropped."""

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        legacy(moment, None, "data")(next)

    assert go(runner, Chain(layer, answer)) == "answer"


@every_runner
@every_moment
def test_a_bare_next_fails(runner: str, moment: str) -> None:
    """``write_file(path, data, next)``: an error goes to the error layer, also one that is none."""

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        legacy(moment, "ENOENT")(next)

    chain = Chain(layer, answer).use_error(lambda error: ("caught", error.value))
    assert go(runner, chain) == ("caught", "ENOENT")


@every_runner
@every_moment
def test_a_wrapped_next_goes_on(runner: str, moment: str) -> None:
    """``write_file(path, data, wrap_callback(next))`` goes on as well."""

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        legacy(moment, None, "data")(wrap(next))

    assert go(runner, Chain(layer, answer)) == "answer"


@every_runner
@every_moment
@pytest.mark.parametrize("outcome", [(Boom("handed"),), (None, "data")])
def test_a_failure_of_a_callback_or_of_on_success_reaches_the_error_layer(
    runner: str, moment: str, outcome: tuple[Any, ...]
) -> None:
    """Once, whoever failed."""
    error = Boom("in on_success")

    def use(_value: str) -> None:
        raise error

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        legacy(moment, *outcome)(wrap(next, use))

    late = RecordingNext()
    chain = Chain(layer, answer, late=late).use_error(lambda error: ("caught", error))
    assert go(runner, chain) == ("caught", outcome[0] or error)
    assert [] == late.errors


@every_runner
def test_a_callback_that_is_dropped_is_a_failure(runner: str) -> None:
    """The chain does not wait for ever: the error layer gets `CallbackNeverCalled`."""

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        kept = [wrap(next)]
        in_thread(kept.clear)

    chain = Chain(layer, answer).use_error(lambda error: type(error))
    assert go(runner, chain) is CallbackNeverCalled


@every_runner
def test_a_second_call_of_the_callback_is_late(runner: str) -> None:
    """The first completion decides."""
    late, second = RecordingNext(), Boom("second")

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        callback = wrap(next, late=late)
        callback(None)
        callback(second)

    assert go(runner, Chain(layer, answer)) == "answer"
    assert [second] == late.errors


@every_loop
@pytest.mark.parametrize("is_async", [True, False])
def test_promisified_and_callbackified_functions_in_layers(runner: str, *, is_async: bool) -> None:
    """A layer awaits a legacy function; another hands its `next` to a callbackified one."""

    async def load(_req: Any, _res: Any, next: Callback) -> Any:
        assert await promisify(legacy("thread", None, "data"))() == "data"
        return await next()

    async def store() -> str:
        return "stored"

    def plain(_req: Any, _res: Any, next: Callback) -> None:
        callbackify(store)(next)

    async def coroutine(_req: Any, _res: Any, next: Callback) -> None:
        callbackify(store)(next)

    assert runner in LOOPS
    assert go(runner, Chain(load, coroutine if is_async else plain, answer)) == "answer"


@every_runner
def test_an_error_that_is_no_exception_is_told_by_its_value(runner: str) -> None:
    """Without an error layer it is raised, with the original as ``.value``."""

    def layer(_req: Any, _res: Any, next: Callback) -> None:
        threading.Thread(target=wrap(next), args=(11,)).start()

    with pytest.raises(CallbackError) as caught:
        go(runner, Chain(layer, answer))
    assert caught.value.value == 11
