"""Brokers for the demo and its tests: in this process, each on a port of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from amqtt.broker import Broker
from confluent_kafka import Producer

from examples.serving import quiet, running


class ClosingBroker(Broker):  # type: ignore[misc]  # it has no types
    """A broker that closes its connections: amqtt leaves that of a client that is gone open."""

    async def stream_connected(self, reader: Any, writer: Any, listener_name: str) -> None:
        """Serve a client until it is gone."""
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            writer.close()


@contextmanager
def kafka_broker(*topics: str) -> Generator[str]:
    """Run the broker that librdkafka has for tests: its address."""
    keeper = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    for topic in topics:
        keeper.list_topics(topic, timeout=30)  # which makes it
    [broker] = keeper.list_topics(timeout=30).brokers.values()
    yield f"{broker.host}:{broker.port}"
    keeper.flush()


@contextmanager
def mqtt_broker(*, allow_anonymous: bool = True) -> Generator[int]:
    """Run an MQTT broker: its port."""
    serving = Serving(allow_anonymous=allow_anonymous)
    with quiet("amqtt"), running(lambda: asyncio.run(serving.run())):
        try:
            yield serving.port.result(30)
        finally:
            serving.stop()


class Serving:
    """
    A broker that runs on a loop in another thread.

    Args:
        allow_anonymous: Whether clients need no name.
    """

    def __init__(self, *, allow_anonymous: bool) -> None:
        self.port: Future[int] = Future()
        self._stopping = threading.Event()
        self._config: dict[str, Any] = {
            "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {
                    "allow_anonymous": allow_anonymous
                },
            },
        }

    async def run(self) -> None:
        """Serve until `stop` is called."""
        broker = ClosingBroker(self._config)
        await broker.start()
        servers: dict[str, Any] = vars(broker)["_servers"]  # nothing else says which port it got
        [listener] = servers.values()
        self.port.set_result(listener.instance.sockets[0].getsockname()[1])
        await asyncio.to_thread(self._stopping.wait)
        await broker.shutdown()

    def stop(self) -> None:
        """Have it end."""
        self._stopping.set()
