"""grpcio: calls are futures of a kind of their own, whose error is the call itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from catchasync import as_awaitable, promisify, wrap_callback
from catchasync.conventions import future
from tests.libraries.conftest import require
from tests.libraries.support import WaitedNext, Wrap, awaited, check_thread_survives

grpc: Final = require("grpc")


@pytest.fixture
def channel(echo: Any) -> Iterator[Any]:
    """Return a channel to the server."""
    address, _server = echo
    with grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def say(channel: Any) -> Any:
    """Return the stub of the method that answers, or fails."""
    return channel.unary_unary("/Echo/Say")


@pytest.fixture
def held(channel: Any, echo: Any) -> Iterator[Any]:
    """Return a call that is not answered while the test runs."""
    _address, server = echo
    server.release.clear()
    held = channel.unary_unary("/Echo/Hold").future(b"held")
    yield held
    server.release.set()
    assert held.cancelled() or b"held" == held.result()


@awaited
async def test_call_is_awaited(say: Any) -> None:
    """A promisified call gives the answer."""
    assert b"HELLO" == await promisify(say.future, convention=future)(b"hello")
    assert b"HELLO" == await as_awaitable(say.future(b"hello"))


@awaited
async def test_failed_call_fails_the_await(say: Any) -> None:
    """A status of the server fails the await with the library's own exception."""
    with pytest.raises(grpc.RpcError) as caught:
        await promisify(say.future, convention=future)(b"nobody")

    assert grpc.StatusCode.NOT_FOUND == caught.value.code()


@awaited
async def test_timed_out_call_is_cancelled(held: Any) -> None:
    """A call that is not answered in time is cancelled on the wire as well."""
    with pytest.raises(TimeoutError):
        await promisify(lambda: held, convention=future, timeout=0.01)()

    assert held.cancelled()


def test_failed_call_reaches_next_once(say: Any) -> None:
    """A wrapped callback hands the failure of a call to `next`, once."""
    failures = WaitedNext()

    say.future(b"nobody").add_done_callback(wrap_callback(failures, convention=future))

    error: Any = failures.wait()
    assert isinstance(error, grpc.RpcError)
    assert grpc.StatusCode.NOT_FOUND == error.code()
    assert 1 == len(failures.arrivals)


@pytest.mark.usefixtures("held")  # the channel's thread lives while there are calls
def test_thread_survives_a_failing_callback(say: Any) -> None:
    """What `on_success` raises on the channel's thread reaches `next`, and the thread goes on."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=future)
        say.future(b"hello").add_done_callback(callback)

    check_thread_survives(call)
