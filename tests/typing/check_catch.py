"""What type checkers must accept of `catch_async`, and what they must refuse. Never run."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, assert_type

from catchasync import ResponseTracker, Sent, catch_async, exempt, unwrap
from catchasync.testing import RecordingNext


def answer(error: BaseException) -> str:
    return str(error)


async def answer_async(error: BaseException) -> str:
    return str(error)


# A decorated handler has the type of the handler, whatever its kind.


@catch_async(next=answer)
def sync(number: int, *, flag: bool = False) -> str:
    return str(number)


@catch_async(next=answer_async, late=answer_async)
async def coroutine(number: int) -> str:
    return str(number)


@catch_async(next=answer)
def generator(number: int) -> Iterator[int]:
    yield number


@catch_async(next=answer)
async def async_generator(number: int) -> AsyncIterator[int]:
    yield number


@catch_async
async def bare(req: object, res: object, next: Callable[..., Any]) -> None:
    next(ValueError())


async def check_functions() -> None:
    assert_type(sync(1, flag=True), str)
    started: Coroutine[Any, Any, str] = coroutine(1)
    assert_type(await started, str)
    assert_type(await coroutine(1), str)
    assert_type(generator(1), Iterator[int])
    assert_type(async_generator(1), AsyncIterator[int])
    await bare(1, 2, answer)
    sync("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await coroutine()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


# Methods of every binding.


class View:
    @catch_async(next=answer)
    def method(self, number: int) -> str:
        return str(number)

    @classmethod
    @catch_async(next=answer)
    def of_class(cls, number: int) -> str:
        return str(number)

    @staticmethod
    @catch_async(next=answer)
    async def static(number: int) -> str:
        return str(number)


async def check_methods(view: View) -> None:
    assert_type(view.method(1), str)
    assert_type(View.of_class(1), str)
    assert_type(await view.static(1), str)
    view.method("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@catch_async(next=answer)
class DecoratedView:
    def get(self) -> int:
        return 1


assert_type(DecoratedView().get(), int)

# The options.

catch_async(catch=KeyError, pass_through=(OSError, ValueError))
catch_async(pass_through=lambda error: isinstance(error, KeyError))
catch_async(next="done", track_response=ResponseTracker(argument="reply", methods=("send",)))
catch_async(next=RecordingNext(), late=RecordingNext(), track_response=True)
catch_async(next=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
catch_async(catch=int)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
catch_async(catch="KeyError")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
catch_async(late="log")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
catch_async(nxt=answer)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
catch_async(5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
exempt(5)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
ResponseTracker(argument=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# And the rest.

assert_type(exempt(answer)(ValueError()), str)
assert_type(bool(Sent.NO), bool)
assert_type(RecordingNext().errors, list[BaseException])
unwrap(sync)
