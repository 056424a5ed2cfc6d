"""Thermometers, which send what they read by MQTT: acknowledged when it is done with."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from catchasync import ErrorHandler, catch_async, status_of, wrap_callback
from catchasync.conventions import Outcome
from examples.consumers.inbox import Inbox, Message, Work, reporting

TOPIC: Final = "thermometers/#"
DEAD: Final = "dead/"


def connack(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> Outcome:
    """Read a call of `on_connect`: a refusal is a code, no exception."""
    return (reason if reason.is_failure else None), ()


class Thermometers:
    """
    A client of an MQTT broker.

    Args:
        port: Where the broker listens, on this machine.
        errors: The error handler.
        work: What is done with the body of each message.
    """

    def __init__(self, port: int, errors: ErrorHandler, work: Work) -> None:
        failed = reporting(errors, "mqtt")
        self._port = port
        self._inbox = Inbox(errors, "mqtt", work, self._put_away, comes_again=False)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, manual_ack=True)
        self._client.on_connect = wrap_callback(failed, self._subscribe, convention=connack)
        self._client.on_message = catch_async(next=failed)(self._take)

    @contextmanager
    def running(self) -> Generator[None]:
        """Take messages, in paho's thread, until the block is left."""
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        try:
            yield
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _subscribe(self) -> None:
        self._client.subscribe(TOPIC, qos=1)

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        if self._inbox.settle(Message(message.topic, message.payload)):
            self._client.ack(message.mid, message.qos)

    def _put_away(self, message: Message, error: BaseException) -> None:
        """Publish a message where dead letters are kept."""
        letter = {
            "error": type(error).__name__,
            "status": status_of(error),
            "body": message.body.decode(errors="replace"),
        }
        sent = self._client.publish(DEAD + message.topic, json.dumps(letter), qos=1)
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise ConnectionError(paho.error_string(sent.rc))
