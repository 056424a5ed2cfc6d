"""What a layer of a chain costs beside nested awaits written by hand, Starlette's, aiohttp's."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from benchmarks._harness import Case, Run, calls
from catchasync import Chain

COUNTS = (1, 10, 100, 1000)
CALLS = 30_000  # of layers, a round

Handler = Callable[[Any, Any], Any]


async def layer(_req: Any, _res: Any, next: Any) -> Any:
    """Go on."""
    return await next()


async def last(_req: Any, _res: Any, _next: Any) -> str:
    """Answer."""
    return "answer"


def sync_layer(_req: Any, _res: Any, next: Any) -> Any:
    """Go on."""
    return next()


def sync_last(_req: Any, _res: Any, _next: Any) -> str:
    """Answer."""
    return "answer"


def cases() -> Iterator[Case]:
    """Give all cases of this file; a call is a run of so many layers."""
    sys.setrecursionlimit(20_000)  # nested by hand, a thousand layers need it; a chain does not
    for count in COUNTS:
        yield Case(
            f"chain of {count} async layers",
            {
                "nested by hand": awaits(nested([layer] * (count - 1) + [last])),
                "by hand, next once, caught": awaits(careful([layer] * (count - 1) + [last])),
                "Starlette's pure ASGI": awaits(pure_asgi(count)),
                "aiohttp's middlewares": awaits(aiohttp_handler(count)),
                "catchasync": awaits(Chain([layer] * (count - 1), last)),
                "catchasync, sync layers": awaits(Chain([sync_layer] * (count - 1), sync_last)),
            },
            target=1.5,
            calls=max(CALLS // count, 1),
            rounds=9,
        )
        yield Case(
            f"chain of {count} sync layers, without a loop",
            {
                "nested by hand": calls(nested([sync_layer] * (count - 1) + [sync_last]), 1, 2),
                "catchasync": calls(Chain([sync_layer] * (count - 1), sync_last).run, 1, 2),
            },
            calls=max(CALLS // count, 1),
            rounds=9,
        )


def nested(layers: list[Callable[..., Any]]) -> Handler:
    """Nest layers: each is handed a closure that calls the next."""

    def handler(req: Any, res: Any) -> Any:
        def at(index: int) -> Any:
            def next() -> Any:
                return layers[index](req, res, at(index + 1))

            return next

        return at(0)()

    return handler


def careful(layers: list[Callable[..., Any]]) -> Handler:
    """Nest layers with what a chain is for: `next` works once, and a failure is caught."""

    def handler(req: Any, res: Any) -> Any:
        async def at(index: int) -> Any:
            is_called = False

            async def next() -> Any:
                nonlocal is_called
                if is_called:
                    raise RuntimeError
                is_called = True
                return await at(index + 1)

            try:
                return await layers[index](req, res, next)
            except Exception as error:  # noqa: BLE001
                return error

        return at(0)

    return handler


def pure_asgi(count: int) -> Handler:
    """Stack middlewares of pure ASGI as Starlette's `build_middleware_stack` does."""

    class Middleware:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return
            await self.app(scope, receive, send)

    async def app(_scope: Any, _receive: Any, _send: Any) -> None: ...

    stack: Any = app
    for _ in range(count - 1):
        stack = Middleware(stack)
    return lambda _req, _res: stack({"type": "http"}, None, None)


def aiohttp_handler(count: int) -> Handler:
    """Close middlewares over each other as aiohttp's `_build_middlewares` does."""

    async def middleware(request: Any, handler: Any) -> Any:
        return await handler(request)

    async def handler(_request: Any) -> Any:
        return "answer"

    closed: Any = handler
    for _ in range(count - 1):
        closed = functools.update_wrapper(functools.partial(middleware, handler=closed), closed)
    return lambda req, _res: closed(req)


def awaits(handler: Callable[[Any, Any], Any]) -> Run:
    """Await a handler again and again, in one task of a running loop."""

    async def main(count: int) -> float:
        start = time.process_time()
        for _ in range(count):
            await handler(SimpleNamespace, None)
        return time.process_time() - start

    return lambda count: asyncio.run(main(count))
