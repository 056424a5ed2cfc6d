"""The consumers example, with real brokers: one error handler for messages, jobs and routes."""

from __future__ import annotations

import json
import queue
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.libraries.conftest import require

kafka: Final = require("confluent_kafka")
paho: Final = require("paho.mqtt.client")
for each in ("amqtt", "apscheduler"):
    require(each)

from catchasync import ErrorHandler  # noqa: E402
from catchasync.testing import RecordingNext  # noqa: E402
from examples.consumers.app import ColdStore  # noqa: E402 - what it needs is skipped first
from examples.consumers.brokers import kafka_broker, mqtt_broker  # noqa: E402
from examples.consumers.errors import InvalidMessage, StoreDown  # noqa: E402
from examples.consumers.inbox import Inbox, Message  # noqa: E402
from examples.consumers.kafka import DEAD, TOPIC, Deliveries  # noqa: E402
from examples.consumers.mqtt import Thermometers  # noqa: E402
from examples.consumers.rooms import Rooms  # noqa: E402
from examples.serving import serving  # noqa: E402

ROOT = Path(__file__).parents[1]
PATIENCE = 30.0  # seconds

Report = tuple[str, int, str]


class Told:
    """A reporter that can be waited for."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[Report] = queue.SimpleQueue()

    def __call__(self, error: BaseException, context: Any) -> None:
        """Keep where it failed, what the status is, and the type."""
        self._came.put((context.source, context.status, type(error).__name__))

    def wait(self) -> Report:
        """Wait for a report that no earlier `wait` saw."""
        return self._came.get(timeout=PATIENCE)

    @property
    def is_empty(self) -> bool:
        """Whether all reports have been seen."""
        return self._came.empty()


@dataclass(slots=True)
class Place:
    """A cold store that is being served, and the brokers that it listens to."""

    app: ColdStore
    http: httpx.Client
    told: Told
    kafka: str
    mqtt: int

    def deliver(self, body: object) -> None:
        """Send a delivery; all go into one partition, so that they keep their order."""
        produce(self.kafka, body)

    def read(self, body: object) -> None:
        """Send what a thermometer reads."""
        with talking(self.mqtt) as client:
            client.publish("thermometers/1", encoded(body), qos=1).wait_for_publish(PATIENCE)

    def until(self, name: str, expected: object) -> dict[str, Any]:
        """Ask until the room north has a value."""
        end = time.monotonic() + PATIENCE
        while (room := self.http.get("/rooms/north").json())[name] != expected:
            assert time.monotonic() < end, room
        return dict(room)


def encoded(body: object) -> bytes:
    """Return the body of a message."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def produce(broker: str, body: object) -> None:
    """Send a message by Kafka."""
    producer = kafka.Producer({"bootstrap.servers": broker, "log_level": 0})
    producer.produce(TOPIC, encoded(body), key="one")
    assert 0 == producer.flush(PATIENCE)


class talking:  # noqa: N801 - used as a function
    """A client of an MQTT broker, connected for a while."""

    def __init__(self, port: int, on_message: Any = None) -> None:
        self._subscribed: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = on_message
        self._client.on_connect = lambda client, *_: client.subscribe("dead/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(None)
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Any:
        self._client.loop_start()
        self._subscribed.get(timeout=PATIENCE)
        return self._client

    def __exit__(self, *_error: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Serve one cold store to all tests: to join a group of Kafka takes seconds."""
    told = Told()
    rooms = Rooms(tmp_path_factory.mktemp("cold") / "rooms.sqlite")
    with kafka_broker(TOPIC, DEAD) as broker, mqtt_broker() as port:
        app = ColdStore(rooms, broker, port, (told,), period=3600)
        with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as http:
            yield Place(app, http, told, broker, port)


def test_what_goes_well(place: Place) -> None:
    """A delivery by Kafka and a reading by MQTT are there for the web; nothing is reported."""
    place.deliver({"room": "north", "boxes": 2, "kilos": 30})
    place.read({"room": "north", "celsius": -18.5})
    assert 15 == place.until("boxes", 2)["kilos_a_box"]
    place.until("celsius", -18.5)
    assert place.told.is_empty


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 422, "InvalidMessage"),
        ([], 422, "InvalidMessage"),
        ({"room": "attic", "boxes": 1, "kilos": 9}, 404, "UnknownRoom"),
        ({"room": "north", "boxes": 0, "kilos": 9}, 500, "ZeroDivisionError"),
    ],
)
def test_a_poison_message_by_kafka(place: Place, body: object, status: int, kind: str) -> None:
    """It is reported once and put away with its error, and those behind it are worked off."""
    boxes = place.http.get("/rooms/north").json()["boxes"]
    place.deliver(body)
    place.deliver({"room": "north", "boxes": 1, "kilos": 1})
    assert ("kafka", status, kind) == place.told.wait()
    place.until("boxes", boxes + 1)
    assert place.told.is_empty
    letter = dead_letters(place.kafka)[-1]
    assert encoded(body) == letter.value()
    assert {"error": kind.encode(), "status": b"%d" % status} == dict(letter.headers())


def dead_letters(broker: str) -> list[Any]:
    """Return what was put away, the oldest first."""
    consumer = kafka.Consumer({"bootstrap.servers": broker, "group.id": "test", "log_level": 0})
    with closing(consumer):
        parts = list(consumer.list_topics(DEAD).topics[DEAD].partitions)
        tops = {part: consumer.get_watermark_offsets(at(part))[1] for part in parts}
        consumer.assign([at(part, 0) for part in parts])
        letters = [polled(consumer) for _ in range(sum(tops.values()))]
    return sorted(letters, key=lambda letter: letter.timestamp())


def at(part: int, *offset: int) -> Any:
    """Return a place in the topic of dead letters."""
    return kafka.TopicPartition(DEAD, part, *offset)


def polled(consumer: Any) -> Any:
    """Return a message."""
    message = consumer.poll(PATIENCE)
    assert message.error() is None
    return message


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"\xff", 422, "InvalidMessage"),
        ({"room": "attic", "celsius": -20}, 404, "UnknownRoom"),
    ],
)
def test_a_poison_message_by_mqtt(place: Place, body: object, status: int, kind: str) -> None:
    """It is reported once, and published where dead letters are kept; the next one is read."""
    letters: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with talking(place.mqtt, lambda *got: letters.put(got[2])):
        place.read(body)
        letter = letters.get(timeout=PATIENCE)
    assert ("mqtt", status, kind) == place.told.wait()
    shown = encoded(body).decode(errors="replace")
    assert "dead/thermometers/1" == letter.topic
    assert {"error": kind, "status": status, "body": shown} == json.loads(letter.payload)
    celsius = -20 - status / 100
    place.read({"room": "north", "celsius": celsius})
    place.until("celsius", celsius)
    assert place.told.is_empty


@pytest.mark.parametrize("is_put_away", [True, False])
def test_a_reading_is_acknowledged(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    is_put_away: bool,  # noqa: FBT001
) -> None:
    """Once it is done with, and not where it could not even be put away."""
    begun: list[int] = []  # a test before this one may leave a message that is still to be answered
    acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
    client: Any = place.app.thermometers._client
    acknowledge, send, take = client.ack, client.publish, client.on_message

    def note(number: int, qos: int) -> None:
        acknowledge(number, qos)
        acknowledged.put(number)

    def note_begun(*args: Any) -> None:
        begun.append(args[-1].mid)
        take(*args)

    monkeypatch.setattr(client, "ack", note)
    monkeypatch.setattr(client, "on_message", note_begun)
    if not is_put_away:
        monkeypatch.setattr(client, "publish", lambda *_, **__: send("", "", qos=9))
    place.read(b"{")
    assert ("mqtt", 422, "InvalidMessage") == place.told.wait()
    if not is_put_away:
        assert ("mqtt", 500, "ValueError") == place.told.wait()
        monkeypatch.setattr(client, "publish", send)
        place.read({"room": "north", "celsius": -20})
    while (number := acknowledged.get(timeout=PATIENCE)) not in begun:
        pass
    assert (1 if is_put_away else 2, begun[-1]) == (len(begun), number)
    assert (True, True) == (acknowledged.empty(), place.told.is_empty)


def test_a_job_and_a_route(place: Place) -> None:
    """Their failures reach the same reporters: where nobody waits, and where one is answered."""
    place.read({"room": "north", "celsius": -5})
    place.until("celsius", -5)
    place.app.scheduler.modify_job("check", next_run_time=datetime.now(UTC))
    assert ("job", 409, "TooWarm") == place.told.wait()
    place.read({"room": "north", "celsius": -20})
    place.until("celsius", -20)
    place.app.rooms.check()
    answer = place.http.get("/rooms/attic")
    assert (404, "unknown_room") == (answer.status_code, answer.json()["code"])
    assert ("route", 404, "UnknownRoom") == place.told.wait()
    assert place.told.is_empty


def test_a_database_that_is_down(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Kafka the message comes again until it is done; it is not put away, and not lost."""
    monkeypatch.setattr(place.app.rooms, "timeout", 0.01)
    before = len(dead_letters(place.kafka))
    boxes = place.http.get("/rooms/north").json()["boxes"]
    with closing(sqlite3.connect(place.app.rooms.path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        place.deliver({"room": "north", "boxes": 5, "kilos": 5})
        assert [("kafka", 503, "StoreDown")] * 2 == [place.told.wait(), place.told.wait()]
    monkeypatch.undo()
    place.until("boxes", boxes + 5)
    while not place.told.is_empty:
        assert ("kafka", 503, "StoreDown") == place.told.wait()
    assert before == len(dead_letters(place.kafka))


def test_all_is_committed_at_last(place: Place) -> None:
    """What was worked off or put away does not come again."""
    place.deliver({"room": "north", "boxes": 100, "kilos": 5})
    end = time.monotonic() + PATIENCE
    while (ends := offsets(place.kafka))[0] != ends[1]:
        assert time.monotonic() < end, ends


def offsets(broker: str) -> tuple[int, int]:
    """Return how many deliveries were committed, and how many there are."""
    settings = {"bootstrap.servers": broker, "group.id": "cold-store", "log_level": 0}
    with closing(kafka.Consumer(settings)) as consumer:
        parts = [
            kafka.TopicPartition(TOPIC, n)
            for n in consumer.list_topics(TOPIC).topics[TOPIC].partitions
        ]
        committed = sum(max(0, each.offset) for each in consumer.committed(parts))
        return committed, sum(consumer.get_watermark_offsets(part)[1] for part in parts)


@pytest.fixture
def failing() -> tuple[Callable[[bytes], None], list[BaseException]]:
    """Return work that raises what is in a list, the last one first, until that is empty."""
    left: list[BaseException] = []

    def work(_body: bytes) -> None:
        if left:
            raise left.pop()

    return work, left


class TestInbox:
    """What becomes of a message, without a broker."""

    @pytest.mark.parametrize("comes_again", [False, True])
    def test_a_failure_that_passes(self, failing: Any, comes_again: bool) -> None:  # noqa: FBT001
        """It is tried again, and reaches nobody."""
        work, left = failing
        left += [StoreDown(), StoreDown()]
        told, away = Told(), RecordingNext()
        inbox = make_inbox(told, work, away, comes_again=comes_again)
        assert inbox.settle(Message("t", b""))
        assert told.is_empty
        assert [] == away.arrivals

    @pytest.mark.parametrize(("comes_again", "settled"), [(False, True), (True, False)])
    def test_a_failure_that_does_not_pass(
        self,
        failing: Any,
        comes_again: bool,  # noqa: FBT001
        settled: bool,  # noqa: FBT001
    ) -> None:
        """It is reported once; put away where the broker would not send it again."""
        work, left = failing
        left += [StoreDown(), StoreDown(), StoreDown()]
        told, away = Told(), list[BaseException]()
        inbox = make_inbox(told, work, away.append, comes_again=comes_again)
        assert settled is inbox.settle(Message("t", b""))
        assert ("here", 503, "StoreDown") == told.wait()
        assert (told.is_empty, settled) == (True, bool(away))

    def test_what_cannot_be_put_away(self, failing: Any) -> None:
        """Both errors are reported, and the message is not committed: nothing is lost."""
        work, left = failing
        left += [InvalidMessage()]
        told = Told()
        inbox = make_inbox(told, work, RecordingNext(OSError("full")), comes_again=True)
        assert not inbox.settle(Message("t", b""))
        assert ("here", 422, "InvalidMessage") == told.wait()
        assert ("here", 500, "OSError") == told.wait()
        assert told.is_empty


def make_inbox(told: Told, work: Any, away: Any, *, comes_again: bool) -> Inbox:
    """Make an inbox that does not pause."""
    errors = ErrorHandler(reporters=(told,))

    def put_away(_message: Message, error: BaseException) -> None:
        away(error)

    return Inbox(errors, "here", work, put_away, comes_again=comes_again, pause=0)


def test_a_kafka_broker_that_is_gone() -> None:
    """The consumer's own errors are reported; a dead letter that nobody takes is an error."""
    told = Told()
    errors = ErrorHandler(reporters=(told,))
    deliveries = Deliveries("127.0.0.1:1", errors, print, patience=0.2)
    with deliveries.running():
        assert ("kafka", 500, "KafkaException") == told.wait()
    with pytest.raises(kafka.KafkaException):
        deliveries._put_away(Message(TOPIC, b""), InvalidMessage())


def test_a_topic_that_is_not_there() -> None:
    """Kafka says so in place of a message: it is reported."""
    told = Told()
    with kafka_broker() as broker:
        deliveries = Deliveries(broker, ErrorHandler(reporters=(told,)), print)
        with deliveries.running():
            assert ("kafka", 500, "KafkaException") == told.wait()


def test_an_mqtt_broker_that_refuses() -> None:
    """It says so by a code; a dead letter is not taken for published."""
    told = Told()
    errors = ErrorHandler(reporters=(told,))
    with mqtt_broker(allow_anonymous=False) as port:
        thermometers = Thermometers(port, errors, print)
        with thermometers.running():
            assert ("mqtt", 500, "CallbackError") == told.wait()
    with pytest.raises(ConnectionError, match="not currently connected"):
        thermometers._put_away(Message("t", b""), InvalidMessage())


def test_as_a_program() -> None:
    """It shows a failure of each source, and that what is behind a poison message is done."""
    command = [sys.executable, "-m", "examples.consumers"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    *failures, last = run.stdout.splitlines()
    assert (0, "") == (run.returncode, run.stderr)
    assert [
        "job    409 TooWarm: too warm: south",
        "kafka  404 UnknownRoom: there is no room attic",
        "kafka  500 ZeroDivisionError: division by zero",
        "mqtt   422 InvalidMessage: missing, or of a wrong type: celsius",
        "route  404 UnknownRoom: there is no room attic",
    ] == sorted(failures)
    assert last.endswith("3 boxes")
