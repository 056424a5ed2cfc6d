"""Deliveries, which come by Kafka: committed when they are done with, or put away."""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from catchasync import ErrorHandler, catch_async, status_of, wrap_callback
from examples.consumers.inbox import Inbox, Message, Work, reporting

TOPIC: Final = "deliveries"
DEAD: Final = "deliveries.dead"


class Deliveries:
    """
    A consumer of Kafka.

    Args:
        broker: Its address.
        errors: The error handler.
        work: What is done with the body of each message.
        dead: The address of the broker that keeps dead letters; by default the same.
        patience: Seconds to wait for a broker to take a dead letter.
    """

    def __init__(
        self,
        broker: str,
        errors: ErrorHandler,
        work: Work,
        *,
        dead: str | None = None,
        patience: float = 10,
    ) -> None:
        failed = reporting(errors, "kafka")
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "cold-store",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "error_cb": wrap_callback(failed, error=KafkaException),  # a broker that is gone
                "log_level": 0,  # said once is enough
            }
        )
        self._dead = Producer(
            {
                "bootstrap.servers": dead or broker,
                "message.timeout.ms": round(patience * 1000),
                "log_level": 0,
            }
        )
        self._inbox = Inbox(errors, "kafka", work, self._put_away, comes_again=True)
        self._take = catch_async(next=failed)(self._take_one)
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Generator[None]:
        """Consume, in a thread, until the block is left."""
        self._consumer.subscribe([TOPIC])
        thread = threading.Thread(target=self._consume, name="kafka")
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _consume(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(0.1)
            if message is not None:
                self._take(message)
        self._consumer.close()

    def _take_one(self, message: Any) -> None:
        if message.error():
            raise KafkaException(message.error())
        if self._inbox.settle(Message(message.topic(), message.value())):
            self._consumer.commit(message=message, asynchronous=False)
        else:
            again = TopicPartition(message.topic(), message.partition(), message.offset())
            self._consumer.seek(again)

    def _put_away(self, message: Message, error: BaseException) -> None:
        """Send a message to where dead letters are kept; return when the broker has it."""
        taken: Future[Any] = Future()
        self._dead.produce(
            DEAD,
            message.body,
            headers={"error": type(error).__name__, "status": str(status_of(error))},
            on_delivery=wrap_callback(taken.set_exception, taken.set_result, error=KafkaException),
        )
        self._dead.flush()
        taken.result(0)  # raises what the broker said
