"""What type checkers must accept of `Chain`, and what they must refuse. Never run."""

from collections.abc import Callable
from typing import Any, assert_type

from catchasync import SKIP_ROUTE, SKIP_ROUTER, Chain, ResponseTracker
from catchasync.testing import RecordingNext

Go = Callable[..., Any]


def sync(req: str, res: list[str], next: Go) -> object:
    return next(SKIP_ROUTE)


async def coroutine(req: str, res: list[str], next: Go) -> None:
    await next(SKIP_ROUTER)


def short(req: str) -> str:
    return req


def on_error(error: ValueError, req: str, res: list[str], next: Go) -> object:
    return next(error)


class View:
    async def __call__(self, req: str, res: list[str], next: Go) -> None: ...

    def method(self, req: str, res: list[str]) -> None: ...


def check_building() -> None:
    chain = Chain(sync, [coroutine, (short, [View()])], View().method)
    assert_type(chain, Chain)
    assert_type(chain.use(sync, on_error), Chain)
    assert_type(chain.use_error(on_error, ValueError, KeyError), Chain)
    assert_type(chain.use_error([on_error]), Chain)
    assert_type(chain.route(sync, Chain(short)), Chain)
    Chain(track_response=True, late=RecordingNext())
    Chain(sync, track_response=ResponseTracker())

    Chain(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chain.use([sync, 5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    chain.use_error(on_error, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chain.use_error(on_error, int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chain.use_error()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Chain(late=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def check_running(chain: Chain) -> None:
    assert_type(await chain("req", ["res"]), Any)
    assert_type(await chain("req", ["res"], RecordingNext()), Any)
    assert_type(chain.run("req", ["res"], next=RecordingNext()), Any)
    await chain("req")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    chain.run(1, 2, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
