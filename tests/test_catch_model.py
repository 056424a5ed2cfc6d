"""Invariant: each failure is seen exactly once by `next` or `late`, or passes to the caller.

Handlers of all kinds act out random scripts: hand errors to `next` (none to three times), go on,
respond, then return, raise something new, raise what `next` was given, or are cancelled; and call
`next` again when they are over, here or from another thread. A failing script prints its seed.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import os
import random
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio

from catchasync import NextCalledTwice, catch_async
from catchasync._runtimes import here
from catchasync._trio import TrioHome
from tests.support import KINDS, STREAMS, Boom

pytestmark = pytest.mark.usefixtures("frozen")

RUNS = 20_000 if os.environ.get("CATCHASYNC_FULL") else 2_000
RUNNERS = ("asyncio", "trio", "thread")


class Second(Exception):
    """What a `next` raises in place of what it was given."""


class Response:
    """What a script responds with."""

    def send(self) -> None:
        """Respond."""


@dataclass
class Script:
    """One random life of a handler."""

    seed: int
    kind: str
    runner: str
    steps: list[str]
    end: str
    after: list[str]
    mode: str
    next: str
    tracked: bool
    failures: list[Boom] = field(default_factory=list)  # each is to be seen once
    told: list[BaseException] = field(default_factory=list)
    late: list[BaseException] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)  # by `next`
    caller: list[BaseException] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    went_on: int = 0

    def new_failure(self) -> Boom:
        """Make an error that has to be seen."""
        self.failures.append(Boom(len(self.failures)))
        return self.failures[-1]

    def take(self, error: BaseException | None) -> Any:
        """Be `next`."""
        if error is None:
            self.went_on += 1
        else:
            self.told.append(error)
        if self.next.startswith("async"):
            return self.finish(error)
        return self.answer(error)

    async def finish(self, error: BaseException | None) -> Any:
        """Be the async part of `next`."""
        await checkpoint()
        return self.answer(error)

    def answer(self, error: BaseException | None) -> Any:
        """Return, raise the same, or raise another."""
        if self.next.endswith("returns") or error is None:
            return "answer"
        if self.next.endswith("again"):
            raise error
        self.raised.append(Second())
        raise self.raised[-1]


async def checkpoint() -> None:
    """Let others run, on whichever loop this is."""
    if isinstance(here(), TrioHome):
        await trio.lowlevel.checkpoint()
    else:
        await asyncio.sleep(0)


def make_script(seed: int) -> Script:
    """Draw a script."""
    draw = random.Random(seed)
    return Script(
        seed=seed,
        kind=draw.choice(KINDS),
        runner=draw.choice(RUNNERS),
        steps=draw.choices(
            ["fail", "fail and await", "go on", "send", "checkpoint"], k=draw.randrange(4)
        ),
        end=draw.choice(["return", "return None", "raise", "raise again", "cancel"]),
        after=draw.choices(["fail", "fail in thread"], k=draw.randrange(3)),
        mode=draw.choice(["fixed", "own", "extra"]),
        next=draw.choice(
            ["returns", "again", "other", "async returns", "async again", "async other"]
        ),
        tracked=draw.random() < 0.5,
    )


def act(script: Script, res: Any, next: Any) -> Any:
    """Act the script out; yield what has to be awaited."""
    last: Boom | None = None
    if next is not None:
        script.kept.append(next)
    for step in script.steps:
        if step == "checkpoint":
            yield checkpoint()
        elif step == "send":
            res.send()
        elif next is not None:
            last = None if step == "go on" else script.new_failure()
            result = next(last)
            if step == "fail and await" and inspect.isawaitable(result):
                yield result
    if script.end == "raise" or (script.end == "raise again" and last is None):
        raise script.new_failure()
    if script.end == "raise again":
        assert last is not None
        raise last
    if script.end == "cancel":
        raise asyncio.CancelledError
    return "result" if script.end == "return" else None


def sync_act(script: Script, res: Any, next: Any) -> Any:
    """Act it out where nothing can be awaited."""
    acting = act(script, res, next)
    while True:
        try:
            awaitable = acting.send(None)
        except StopIteration as stop:
            return stop.value
        if inspect.iscoroutine(awaitable):
            awaitable.close()


async def async_act(script: Script, res: Any, next: Any) -> Any:
    """Act it out where it can."""
    acting = act(script, res, next)
    try:
        awaitable = acting.send(None)
        while True:
            try:
                result = await awaitable
            except BaseException as error:  # noqa: BLE001 - into the script
                awaitable = acting.throw(error)
            else:
                awaitable = acting.send(result)
    except StopIteration as stop:
        return stop.value


def make_handler(script: Script) -> Any:
    """Make the handler of a script, `next` in its own place or not at all."""

    def sync(res: Any, next: Any = None) -> Any:
        return sync_act(script, res, next)

    async def coroutine(res: Any, next: Any = None) -> Any:
        return await async_act(script, res, next)

    def generator(res: Any, next: Any = None) -> Any:
        yield 1
        return sync_act(script, res, next)

    async def async_generator(res: Any, next: Any = None) -> Any:
        yield 1
        await async_act(script, res, next)

    handler: Any = {
        "sync": sync, "coroutine": coroutine, "generator": generator,
        "async_generator": async_generator,
    }[script.kind]  # fmt: skip
    if script.mode == "own":
        return handler
    return {
        "sync": lambda res: sync(res),
        "coroutine": _without_next(coroutine),
        "generator": _generator_without_next(generator),
        "async_generator": _async_generator_without_next(async_generator),
    }[script.kind]


def _without_next(coroutine: Any) -> Any:
    async def handler(res: Any) -> Any:
        return await coroutine(res)

    return handler


def _generator_without_next(generator: Any) -> Any:
    def handler(res: Any) -> Any:
        return (yield from generator(res))

    return handler


def _async_generator_without_next(async_generator: Any) -> Any:
    async def handler(res: Any) -> Any:
        async for item in async_generator(res):
            yield item

    return handler


async def perform(script: Script) -> None:
    """Call the decorated handler as its caller would, and what comes after it."""
    options = catch_async(
        next=script.take if script.mode == "fixed" else None,
        track_response=script.tracked,
        late=script.late.append,
    )
    decorated = options(make_handler(script))
    args = (Response(),) if script.mode == "fixed" else (Response(), script.take)
    try:
        if script.kind == "sync":
            result = decorated(*args)
            if inspect.isawaitable(result):
                await result
        elif script.kind == "coroutine":
            await decorated(*args)
        elif script.kind == "generator":
            list(decorated(*args))
        else:
            async for _ in decorated(*args):
                pass
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the caller sees it
        script.caller.append(error)
    await afterwards(script)


async def afterwards(script: Script) -> None:
    """Call the kept `next` again, here or in a thread; then let every kept task end."""
    for step, next_ in itertools.product(script.after, script.kept):
        failure = script.new_failure()
        if step == "fail in thread":
            thread = threading.Thread(target=quietly, args=(script, next_, failure))
            thread.start()
            thread.join()
        else:
            quietly(script, next_, failure)
    for _ in range(10):
        await checkpoint()


def quietly(script: Script, next_: Any, failure: Boom) -> None:
    """Call `next` as a library would, which drops what it returns and hides what it raises."""
    try:
        next_(failure)
    except (Boom, Second) as error:
        script.caller.append(error)


def play(script: Script) -> None:
    """Run a script where it belongs."""
    if script.runner == "trio":
        trio.run(perform, script)
    elif script.runner == "asyncio":
        asyncio.run(perform(script))
    else:
        thread = threading.Thread(target=lambda: asyncio.run(perform(script)))
        thread.start()
        thread.join()


def check(script: Script) -> None:
    """Hold the invariant."""
    late = [error for error in script.late if not isinstance(error, NextCalledTwice)]
    seen = [*script.told, *late]
    assert sorted(map(id, script.failures)) == sorted(map(id, seen))
    assert 1 >= len(script.told) + script.went_on
    calls = sum(step in {"fail", "fail and await", "go on"} for step in script.steps)
    had_sent = script.tracked and "send" in script.steps
    assert max(calls - (not had_sent), 0) >= len(script.late) - len(late)
    if script.end == "return" and script.kind not in STREAMS and not script.kept:
        assert [] == script.caller


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Collect what the scripts' own `next` raised where nobody awaited it: Python tells of that."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_type))
    yield told
    gc.collect()


def test_each_failure_is_seen_exactly_once(
    caplog: pytest.LogCaptureFixture, dropped: list[object]
) -> None:
    """Whatever the handler is made of, whatever it does, and wherever it runs."""
    base = int(os.environ.get("CATCHASYNC_SEED", "0"))
    for seed in range(base, base + RUNS):
        script = make_script(seed)
        try:
            play(script)
            check(script)
        except BaseException:
            print(f"CATCHASYNC_SEED={seed}", script)  # noqa: T201 - for whoever replays it
            raise
        caplog.clear()
    assert {Boom, Second} >= set(dropped)
