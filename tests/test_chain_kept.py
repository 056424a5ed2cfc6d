"""`Chain`: what tracking reports, and that nothing is kept."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import traceback
import warnings
import weakref
from typing import Any

import pytest

from catchasync import (
    Chain,
    HandlerIncomplete,
    ResponseTracker,
)
from catchasync.testing import RecordingNext
from tests.chain_support import (
    Response,
    answer,
    every_loop,
    every_runner,
    go,
)
from tests.support import Boom, raiser, step

pytestmark = pytest.mark.usefixtures("frozen")

# Tracking.


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

    async def sender(_req: Any, res: Any) -> Any:
        return res.send()

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
        raise Boom  # noqa: TRY301
    except Boom as error:
        return next(error)


async def catch_and_await(_req: Any, _res: Any, next: Any) -> None:
    """Hand over an error whose traceback leads here, and wait."""
    try:
        raise Boom  # noqa: TRY301
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
def test_an_error_layer_sees_no_frame_of_ours(runner: str) -> None:
    """The traceback of the error that it is handed begins in the layer that raised."""
    names: list[str] = []

    def look(error: BaseException) -> None:
        names.extend(entry.name for entry in traceback.extract_tb(error.__traceback__))

    go(runner, Chain(raise_boom).use_error(look))

    assert ["raise_boom"] == names


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
