"""What the types of `catchasync.testing` promise."""

from typing import assert_type

from catchasync import ResponseTracker, catch_async, promisify, wrap_callback
from catchasync.testing import (
    AsyncRecordingNext,
    CallsBack,
    FakeResponse,
    Lost,
    LostFailures,
    RecordingNext,
)

next_ = RecordingNext("answer")
assert_type(next_.expect_one(), BaseException)
assert_type(next_.expect_one(KeyError), KeyError)
assert_type(next_.errors, list[BaseException])
next_.expect_one(7)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


@catch_async(next=next_, late=next_, track_response=ResponseTracker("res"))
def show(res: FakeResponse) -> FakeResponse:
    return res.status(201).set("a", "b").json({})


@catch_async(next=AsyncRecordingNext())
async def fetch() -> int:
    return 1


async def main() -> None:
    await next_.called(2, timeout=1)
    next_.called()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]


promisify(CallsBack((None, 1), (OSError(),), when="thread", callback="done"), callback="done")
CallsBack((), when="soon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
CallsBack("content")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
CallsBack((None,))(wrap_callback(next_))

with LostFailures() as lost:
    assert_type(lost.take(OSError), OSError)
    assert_type(lost.failures, list[Lost])
