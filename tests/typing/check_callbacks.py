"""What the types of callbacks, futures and awaitables promise."""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, assert_type

from catchasync import (
    as_awaitable,
    callbackify,
    drain,
    promisify,
    promisify_all,
    spawn,
    wrap_callback,
)
from catchasync.conventions import Outcome, TwoCallbacks, future, result_first, two_callbacks


def read(path: str, callback: Callable[..., None]) -> None: ...


async def work(number: int) -> str:
    return str(number)


def answer(error: BaseException) -> None: ...


def status_first(status: int, *values: Any) -> Outcome:
    return (None if status == 200 else status), values


read_async = promisify(read)
assert_type(read_async, Callable[..., Coroutine[Any, Any, Any]])
promisify(read, convention=status_first, callback="callback", error=OSError, timeout=1.5)
promisify(read, convention=two_callbacks(success="ok", error=1), on_cancel=print, late=answer)
promisify(read, timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
promisify(read, convention="error_first")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
promisify(read, callback=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
promisify_all(read, suffix="_later", select=lambda name, function: name != "x", timeout=1)
promisify_all(read, suffix=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

callback = wrap_callback(answer, print, convention=result_first, timeout=1)
assert_type(callback, Callable[..., Any])
pair = wrap_callback(answer, convention=two_callbacks())
assert_type(pair.success, Callable[..., Any])
assert_type(two_callbacks(), TwoCallbacks)
wrap_callback(5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
wrap_callback(answer, 5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
wrap_callback(answer, convention=future, late=answer)


@wrap_callback(answer)
def found(value: int) -> None: ...


callbackify(work)(1, print)
callbackify(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def main(done: Future[int]) -> None:
    assert_type(await as_awaitable(done), Any)
    spawn(work(1), next=answer, name="work")
    spawn(work(1))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await drain()
    await drain(timeout=1.5)
    await read_async("a")
