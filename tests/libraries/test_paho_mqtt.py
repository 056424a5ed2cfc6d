"""paho-mqtt: callbacks are attributes, or belong to a topic; one that raises kills its thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from catchasync import CallbackError, catch_async, promisify, wrap_callback
from catchasync.conventions import Outcome
from tests.libraries.conftest import require
from tests.libraries.support import Inbox, WaitedNext, Wrap, awaited, check_thread_survives
from tests.support import Boom

paho: Final = require("paho.mqtt.client")


def connack(_client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> Outcome:
    """Read a call of `on_connect`."""
    return (reason if reason.is_failure else None), (flags,)


def suback(_client: Any, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> Outcome:
    """Read a call of `on_subscribe`."""
    failed = [reason for reason in reasons if reason.is_failure]
    return (failed[0] if failed else None), tuple(reasons)


def message(_client: Any, _data: Any, message: Any) -> Outcome:
    """Read a call of `on_message`."""
    return None, (message.payload,)


def connect(client: Any, port: int, callback: Any) -> None:
    """Connect, and call back with the broker's answer."""
    client.on_connect = callback
    client.connect_async("127.0.0.1", port)
    client.loop_start()


def subscribe(client: Any, topic: str, callback: Any) -> None:
    """Subscribe, and call back with the broker's answer."""
    client.on_subscribe = callback
    client.subscribe(topic, qos=1)


@pytest.fixture
def client() -> Iterator[Any]:
    """Return a client that is not connected yet."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set("user", "password")
    yield client
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def subscribed(client: Any, mqtt: int) -> Any:
    """Return a client that gets what is published below ``news``."""
    failures, done = WaitedNext(), Inbox()
    connect(client, mqtt, wrap_callback(failures, done, convention=connack))
    done.wait()
    subscribe(client, "news/#", wrap_callback(failures, done, convention=suback))
    done.wait()
    return client


@awaited
async def test_connection_and_message_are_awaited(client: Any, mqtt: int) -> None:
    """Attributes and a topic's callback are promisified: answers and message are awaited."""
    await promisify(connect, convention=connack)(client, mqtt)
    granted = await promisify(subscribe, convention=suback)(client, "news/#")
    first_message = promisify(client.message_callback_add, convention=message)

    client.publish("news/today", b"rain", qos=1)

    assert 1 == granted.value
    assert b"rain" == await first_message("news/today")


@awaited
async def test_refused_connection_fails_the_await(client: Any, mqtt: int) -> None:
    """A reason code of the broker, which is no exception, fails the await with it as the value."""
    client.username_pw_set(None)

    with pytest.raises(CallbackError) as caught:
        await promisify(connect, convention=connack)(client, mqtt)

    reason: Any = caught.value.value
    assert "Not authorized" == reason.getName()


def test_refused_connection_reaches_next_once(client: Any, mqtt: int) -> None:
    """A wrapped callback hands the broker's refusal to `next`, once."""
    failures = WaitedNext()
    client.username_pw_set(None)

    connect(client, mqtt, wrap_callback(failures, convention=connack))

    assert isinstance(failures.wait(), CallbackError)
    client.loop_stop()
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_callback(subscribed: Any) -> None:
    """What `on_success` raises on the network thread reaches `next`, and the thread goes on."""

    def call(wrap: Wrap) -> None:
        callback = wrap(convention=message)
        subscribed.message_callback_add("news/today", callback)
        subscribed.publish("news/today", b"rain", qos=1)

    check_thread_survives(call)


def test_thread_survives_a_failing_message_handler(subscribed: Any) -> None:
    """What is called for each message is a handler: decorated, each failure reaches `next`."""
    failures = WaitedNext()

    @catch_async(next=failures)
    def on_message(_client: Any, _data: Any, message: Any) -> None:
        raise Boom(message.payload)

    subscribed.on_message = on_message
    for payload in (b"one", b"two", b"three"):
        subscribed.publish("news/today", payload, qos=1)
        error = failures.wait()
        assert isinstance(error, Boom)
        assert (payload,) == error.args

    assert 3 == len(failures.arrivals)
