"""pycares: result-first with an errno; its own C thread; sometimes it calls back and raises."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import pytest

from catchasync import CallbackError, promisify, wrap_callback
from catchasync.conventions import result_first
from tests.libraries.conftest import require
from tests.libraries.support import WaitedNext, Wrap, awaited, check_thread_survives

pycares: Final = require("pycares")
A: Final = pycares.QUERY_TYPE_A
NUMBERS: Final = itertools.count()


def new_name() -> str:
    """Return a name that is known and was not asked yet: a cached answer comes on our thread."""
    return f"host-{next(NUMBERS)}.known.test"


@pytest.fixture
def channel(dns: str) -> Iterator[Any]:
    """Return a channel that asks our server alone."""
    channel = pycares.Channel(servers=[dns], timeout=10, tries=1)
    yield channel
    channel.close()


def as_error(errno: int) -> Exception:
    """Make the library's own exception of its errno."""
    return pycares.AresError(errno, pycares.errno.strerror(errno))  # type: ignore[no-any-return]


@awaited
async def test_query_is_awaited(channel: Any) -> None:
    """A promisified query gives the answer."""
    query = promisify(channel.query, convention=result_first, callback="callback")

    result = await query(new_name(), A)

    assert ["192.0.2.7"] == [record.data.addr for record in result.answer]


@awaited
async def test_cached_answer_comes_before_the_call_returns(channel: Any) -> None:
    """An answer that is in the library's cache is awaited like any other."""
    query = promisify(channel.query, convention=result_first, callback="callback")
    name = new_name()

    first, second = await query(name, A), await query(name, A)

    assert first == second


@awaited
async def test_errno_fails_the_await(channel: Any) -> None:
    """An errno is a `CallbackError` with the errno as its value; ``error=`` makes another of it."""
    query = promisify(channel.query, convention=result_first, callback="callback")
    with pytest.raises(CallbackError) as caught:
        await query("unknown.test", A)
    assert pycares.errno.ARES_ENOTFOUND == caught.value.value

    query = promisify(channel.query, convention=result_first, callback="callback", error=as_error)
    with pytest.raises(pycares.AresError, match="not found"):
        await query("unknown.test", A)


@awaited
async def test_call_that_calls_back_and_raises_fails_once(channel: Any) -> None:
    """A bad name is reported twice by the library: once it fails the await, once it is late."""
    late = WaitedNext()
    query = promisify(channel.query, convention=result_first, callback="callback", late=late)

    with pytest.raises(CallbackError) as caught:
        await query("x" * 64 + ".test", A)

    assert pycares.errno.ARES_EBADNAME == caught.value.value
    assert [pycares.AresError] == [type(error) for error in late.errors]


@awaited
async def test_library_that_gives_up_fails_the_await(dns: str) -> None:
    """A channel that is cancelled calls back before the answer, and the await has that errno."""
    channel = pycares.Channel(servers=[dns])
    query = promisify(
        lambda name, callback: (channel.query(name, A, callback=callback), channel.cancel()),
        convention=result_first,
    )

    with pytest.raises(CallbackError) as caught:
        await query("any.silent.test")

    assert pycares.errno.ARES_ECANCELLED == caught.value.value
    channel.close()


def test_errno_reaches_next_once(channel: Any) -> None:
    """A wrapped callback hands an errno to `next`, once."""
    failures = WaitedNext()

    channel.query("unknown.test", A, callback=wrap_callback(failures, convention=result_first))

    error = failures.wait()
    assert isinstance(error, CallbackError)
    assert pycares.errno.ARES_ENOTFOUND == error.value
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_callback(channel: Any) -> None:
    """What `on_success` raises on the library's thread reaches `next`; the thread goes on."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=result_first)
        channel.query(new_name(), A, callback=callback)

    check_thread_survives(call)
