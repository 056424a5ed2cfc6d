"""Twisted: Deferreds with two callbacks and a `Failure`, which only the reactor's thread may touch.

The reactor is the real one, in a thread of its own. `docs/libraries.md` has a program on asyncio's
reactor, where there is one thread for all.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final

import pytest

from catchasync import as_awaitable, promisify, wrap_callback
from catchasync.conventions import Outcome, future, result_only, two_callbacks
from tests.libraries.conftest import require
from tests.libraries.support import (
    PATIENCE,
    Inbox,
    WaitedNext,
    Wrap,
    awaited,
    check_thread_survives,
)

defer: Final = require("twisted.internet.defer")
endpoints: Final = require("twisted.internet.endpoints")
protocol: Final = require("twisted.internet.protocol")
threads: Final = require("twisted.internet.threads")
Failure: Final = require("twisted.python.failure").Failure
reactor: Final = require("twisted.internet.reactor")


def settled(result: Any) -> Outcome:
    """Read a call of what `addBoth` was given."""
    return (result.value, ()) if isinstance(result, Failure) else (None, (result,))


@pytest.fixture(scope="module", autouse=True)
def reactor_thread() -> Iterator[int]:
    """Run the reactor, which can be run once in a process, and give its thread's id."""
    running: Inbox = Inbox()
    reactor.callWhenRunning(running)
    thread = threading.Thread(target=lambda: reactor.run(installSignalHandlers=False))
    thread.start()
    yield running.wait_for_thread()
    reactor.callFromThread(reactor.stop)
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture
def listening() -> Iterator[int]:
    """Return the port of a server of the reactor's."""
    made = Inbox()
    factory = protocol.Factory.forProtocol(protocol.Protocol)
    reactor.callFromThread(lambda: made(reactor.listenTCP(0, factory, interface="127.0.0.1")))
    [port] = made.wait()
    yield port.getHost().port
    threads.blockingCallFromThread(reactor, port.stopListening)


@pytest.fixture
def refusing() -> Iterator[int]:
    """Return a port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def connect(port: int) -> Any:
    """Connect, and disconnect; call it on the reactor's thread."""
    endpoint = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    connecting = endpoint.connect(protocol.Factory.forProtocol(protocol.Protocol))
    return connecting.addCallback(lambda made: made.transport.loseConnection() or "connected")


@awaited
async def test_deferred_of_the_reactors_thread_is_awaited(listening: int) -> None:
    """A function that calls back from the reactor's thread is awaited on asyncio's."""

    def connect_there(port: int, callback: Any) -> None:
        reactor.callFromThread(lambda: connect(port).addBoth(callback))

    assert "connected" == await promisify(connect_there, convention=settled)(listening)


@awaited
async def test_returned_deferred_is_awaited() -> None:
    """A Deferred that a function returned is watched in the reactor's thread."""
    defer_to_thread = promisify(threads.deferToThread, convention=future)

    assert 8 == await defer_to_thread(pow, 2, 3)
    assert 9 == await as_awaitable(threads.deferToThread(pow, 3, 2))


@awaited
async def test_failure_fails_the_await_with_the_error_in_it(refusing: int) -> None:
    """A `Failure` fails the await with its exception."""

    def connect_there(port: int, success: Any, error: Any) -> None:
        reactor.callFromThread(lambda: connect(port).addCallbacks(success, error))

    connecting = promisify(connect_there, convention=two_callbacks(), error=attrgetter("value"))
    with pytest.raises(require("twisted.internet.error").ConnectionRefusedError):
        await connecting(refusing)

    with pytest.raises(ZeroDivisionError):
        await as_awaitable(threads.deferToThread(divmod, 1, 0))


def test_failure_reaches_next_once(refusing: int) -> None:
    """A wrapped pair of callbacks hands the exception of a `Failure` to `next`, once."""
    failures, done = WaitedNext(), Inbox()
    callback, errback = wrap_callback(
        failures, done, convention=two_callbacks(), error=attrgetter("value")
    )

    reactor.callFromThread(lambda: connect(refusing).addCallbacks(callback, errback))

    assert isinstance(failures.wait(), require("twisted.internet.error").ConnectionRefusedError)
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_callback(listening: int) -> None:
    """What `on_success` raises in the reactor's thread reaches `next`, and no log of lost ones."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=settled)
        reactor.callFromThread(lambda: connect(listening).addBoth(callback))

    check_thread_survives(call)


def test_thread_survives_a_failing_timer(reactor_thread: int) -> None:
    """What a delayed call raises reaches `next`, and the reactor goes on."""

    def call(wrap: Wrap) -> None:
        reactor.callFromThread(reactor.callLater, 0, wrap(convention=result_only))

    assert reactor_thread == check_thread_survives(call)
