"""confluent-kafka: error-first under a keyword, with an error that is no exception; poll-driven."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from catchasync import CallbackError, promisify, wrap_callback
from tests.libraries.conftest import require
from tests.libraries.support import WaitedNext, Wrap, awaited, check_thread_survives

confluent_kafka: Final = require("confluent_kafka")
KafkaError: Final = confluent_kafka.KafkaError
KafkaException: Final = confluent_kafka.KafkaException


@pytest.fixture
def poll() -> Iterator[Callable[[Any], None]]:
    """Return what polls a producer on a thread of its own: callbacks run there, or never."""
    stopping = threading.Event()

    def keep_polling(producer: Any) -> None:
        while not stopping.is_set():
            producer.poll(0.05)

    with ThreadPoolExecutor(thread_name_prefix="poll") as pool:
        polling: list[Any] = []
        yield lambda producer: polling.append(pool.submit(keep_polling, producer))
        stopping.set()
    assert [None] == [each.exception() for each in polling]


@pytest.fixture
def producer(kafka: str, poll: Callable[[Any], None]) -> Any:
    """Return a producer that is polled, and sends at once."""
    producer = new_producer(kafka)
    poll(producer)
    return producer


@pytest.fixture
def holding(kafka: str, poll: Callable[[Any], None]) -> Any:
    """Return a producer that is polled, and keeps what it is given."""
    producer = new_producer(kafka, linger=60_000)
    poll(producer)
    return producer


def new_producer(kafka: str, *, linger: int = 0) -> Any:
    """Make a producer that sends after so many milliseconds."""
    return confluent_kafka.Producer({"bootstrap.servers": kafka, "linger.ms": linger})


@awaited
async def test_produce_is_awaited(producer: Any) -> None:
    """A promisified `produce` gives the message that was delivered."""
    produce = promisify(producer.produce, callback="on_delivery")

    message = await produce("topic", b"value")

    assert ("topic", b"value") == (message.topic(), message.value())


@awaited
async def test_error_that_is_no_exception_fails_the_await(holding: Any) -> None:
    """A `KafkaError` fails the await: as a `CallbackError`, or as what ``error=`` makes of it."""

    def produce(topic: str, callback: Any) -> None:
        holding.produce(topic, b"value", on_delivery=callback)
        holding.purge()

    with pytest.raises(CallbackError) as caught:
        await promisify(produce)("topic")
    error: Any = caught.value.value
    assert KafkaError._PURGE_QUEUE == error.code()

    with pytest.raises(KafkaException) as converted:
        await promisify(produce, error=KafkaException)("topic")
    assert KafkaError._PURGE_QUEUE == converted.value.args[0].code()


@awaited
async def test_message_that_is_refused_at_once_fails_the_await(producer: Any) -> None:
    """An error that `produce` raises, and then never calls back, fails the await."""
    produce = promisify(producer.produce, callback="on_delivery")

    with pytest.raises(KafkaException, match="too large"):
        await produce("topic", b"x" * 10_000_000)


@awaited
async def test_producer_that_is_dropped_fails_the_await_in_time(kafka: str) -> None:
    """A dropped producer neither calls back nor frees the callback: a timeout ends the wait."""
    made = [new_producer(kafka, linger=60_000)]

    def produce(topic: str, callback: Any) -> None:
        made.pop().produce(topic, b"value", on_delivery=callback)

    with pytest.raises(TimeoutError):
        await promisify(produce, timeout=0.01)("topic")


def test_error_reaches_next_once(holding: Any) -> None:
    """A wrapped callback hands an error to `next`, once."""
    failures = WaitedNext()

    holding.produce("topic", b"value", on_delivery=wrap_callback(failures, error=KafkaException))
    holding.purge()

    assert isinstance(failures.wait(), KafkaException)
    assert 0 == holding.flush(5)
    assert 1 == len(failures.arrivals)


def test_thread_survives_a_failing_callback(producer: Any) -> None:
    """What `on_success` raises does not come out of `poll`: it reaches `next`, polling goes on."""

    def call(wrap: Wrap) -> None:
        producer.produce("topic", b"value", on_delivery=wrap())

    check_thread_survives(call)
