"""How to run a chain to its end, on each loop and on none, and layers that write down they ran."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

from catchasync import Chain
from catchasync._runtimes import here
from catchasync._trio import TrioHome

LOOPS = ("asyncio", "uvloop", "trio")
RUNNERS = (*LOOPS, "run")


every_runner = pytest.mark.parametrize("runner", RUNNERS)
every_loop = pytest.mark.parametrize("runner", LOOPS)
KINDS = [(runner, is_async) for runner in LOOPS for is_async in (True, False)] + [("run", False)]
every_kind = pytest.mark.parametrize(("runner", "is_async"), KINDS)


def on(runner: str, main: Callable[..., Any], *args: Any) -> Any:
    """Run an async function to its end on a loop."""
    if runner == "trio":
        return trio.run(main, *args)
    factory = pytest.importorskip("uvloop").new_event_loop if runner == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as loop:
        return loop.run(main(*args))


def go(runner: str, chain: Chain, next: Any = None, req: Any = "req", res: Any = "res") -> Any:
    """Run a chain to its end."""
    if runner == "run":
        return chain.run(req, res, next)
    return on(runner, chain, req, res, next)


class Log(list[str]):
    """What ran, in its order; makes layers that note it."""

    def layer(self, name: str, act: Callable[..., Any] | None = None, *, is_async: bool) -> Any:
        """Make a layer that notes its name, then acts as ``act(next)``; default: goes on."""

        def sync(_req: Any, _res: Any, next: Any) -> Any:
            self.append(name)
            return (act or (lambda go_on: go_on()))(next)

        async def coroutine(_req: Any, _res: Any, next: Any) -> Any:
            result = sync(_req, _res, next)
            return await result if hasattr(result, "__await__") else result

        return coroutine if is_async else sync

    def error_layer(
        self, name: str, act: Callable[..., Any] | None = None, *, is_async: bool
    ) -> Any:
        """Make an error layer that notes its name, then acts as ``act(error, next)``."""

        def sync(error: Any, _req: Any, _res: Any, next: Any) -> Any:
            self.append(name)
            return (act or (lambda error, go_on: go_on(error)))(error, next)

        async def coroutine(error: Any, _req: Any, _res: Any, next: Any) -> Any:
            result = sync(error, _req, _res, next)
            return await result if hasattr(result, "__await__") else result

        return coroutine if is_async else sync


async def pause() -> None:
    """Let others run, on whichever loop this is."""
    if isinstance(here(), TrioHome):
        await trio.lowlevel.checkpoint()
    else:
        await asyncio.sleep(0)


def in_thread(function: Callable[..., Any], *args: Any) -> threading.Thread:
    """Call a function in a thread of its own."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


class Response:
    """A response whose `send` sends."""

    def send(self) -> str:
        """Send."""
        return "sent"


class Other(Exception):
    """A failure besides `Boom`."""


def answer(_req: Any, _res: Any) -> str:
    """Be the last layer."""
    return "answer"
