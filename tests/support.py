"""Handlers of each kind made from one body, and how to run them to their end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

KINDS = ("sync", "coroutine", "generator", "async_generator")
STREAMS = ("generator", "async_generator")
CALLS = ("sync", "coroutine")


class Boom(Exception):
    """The failure of most tests."""


def handler_of(kind: str, body: Callable[..., Any]) -> Any:
    """Make a handler of a kind that calls the body; a stream yields one item before."""

    def sync(*args: Any) -> Any:
        return body(*args)

    async def coroutine(*args: Any) -> Any:
        return body(*args)

    def generator(*args: Any) -> Any:
        yield "item"
        return body(*args)

    async def async_generator(*args: Any) -> Any:
        yield "item"
        body(*args)

    return {
        "sync": sync,
        "coroutine": coroutine,
        "generator": generator,
        "async_generator": async_generator,
    }[kind]


async def run_async(kind: str, handler: Callable[..., Any], *args: Any) -> Any:
    """Run a handler to its end: its result, or the items of its stream."""
    if kind == "sync":
        return handler(*args)
    if kind == "coroutine":
        return await handler(*args)
    if kind == "generator":
        return list(handler(*args))
    return [item async for item in handler(*args)]


def run(kind: str, handler: Callable[..., Any], *args: Any) -> Any:
    """Same as `run_async`, without a loop for the sync kinds."""
    if kind == "sync":
        return handler(*args)
    if kind == "generator":
        return list(handler(*args))
    return asyncio.run(run_async(kind, handler, *args))


def raiser(error: BaseException) -> Callable[..., Any]:
    """Make a body that raises."""

    def body(*_args: Any) -> Any:
        raise error

    return body


def once(error: BaseException) -> Callable[..., Any]:
    """Make a body that raises an error, and forgets it by raising it."""
    errors = [error]

    def body(*_args: Any) -> Any:
        raise errors.pop()

    return body


def step(coroutine: Any) -> Any:
    """Run an awaitable to its end without a loop, which would keep what it raises."""
    steps = coroutine.__await__()
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def drive(kind: str, handler: Callable[..., Any], *args: Any) -> Any:
    """Same as `run`, without a loop for any kind: async code may yield to it, nothing more."""
    return step(run_async(kind, handler, *args))


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
