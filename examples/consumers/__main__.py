"""Run the cold store, and send it what it cannot take: ``python -m examples.consumers``."""

from __future__ import annotations

import json
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import httpx
from confluent_kafka import Producer
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from examples.consumers.app import ColdStore
from examples.consumers.brokers import kafka_broker, mqtt_broker
from examples.consumers.kafka import DEAD, TOPIC
from examples.consumers.rooms import Rooms
from examples.serving import serving

DELIVERIES: Final = (
    {"room": "north", "boxes": 2, "kilos": 30},
    {"room": "attic", "boxes": 1, "kilos": 9},
    {"room": "north", "boxes": 0, "kilos": 9},
    {"room": "north", "boxes": 1, "kilos": 9},
)
READINGS: Final = ({"room": "south", "celsius": "warm"}, {"room": "south", "celsius": -9})
BOXES: Final = 3
FAILURES: Final = {"kafka": 2, "mqtt": 1, "job": 1, "route": 1}


class Reports:
    """A reporter that prints, and counts down to the last failure that is to come."""

    def __init__(self) -> None:
        self._missing = dict(FAILURES)
        self.all_came = threading.Event()

    def __call__(self, error: BaseException, context: Any) -> None:
        """Print one; of the job only the first: it fails again and again."""
        if not self._missing[context.source]:
            return
        self._missing[context.source] -= 1
        print(f"{context.source:<6} {context.status} {type(error).__name__}: {error}")
        if not any(self._missing.values()):
            self.all_came.set()


def send(kafka: str, mqtt: int) -> None:
    """Send what goes well, and what does not."""
    producer = Producer({"bootstrap.servers": kafka, "log_level": 0})
    for delivery in DELIVERIES:
        producer.produce(TOPIC, json.dumps(delivery), key="one after the other")
    producer.flush()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", mqtt)
    client.loop_start()
    for reading in READINGS:
        client.publish("thermometers/1", json.dumps(reading), qos=1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def main() -> None:
    """Show each source of failures."""
    reports = Reports()
    with (
        tempfile.TemporaryDirectory() as folder,
        kafka_broker(TOPIC, DEAD) as kafka,
        mqtt_broker() as mqtt,
        serving(ColdStore(Rooms(Path(folder) / "db"), kafka, mqtt, (reports,), 0.5)) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        send(kafka, mqtt)
        client.get("/rooms/attic")
        reports.all_came.wait(60)
        while client.get("/rooms/north").json()["boxes"] < BOXES:
            pass  # the last delivery is still under way
        print("what is behind a poison message is worked off: 3 boxes")


if __name__ == "__main__":
    main()
