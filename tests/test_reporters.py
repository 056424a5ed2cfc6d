"""Reporters: who is told of errors, logging by default, and the real packages of others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import prometheus_client
import pytest
import sentry_sdk
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from catchasync import ErrorContext, ErrorHandler, HttpError, log_error
from catchasync.errors import NotFound
from tests.support import Boom


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Record what is logged, at any level."""
    with caplog.at_level(logging.DEBUG, "catchasync"):
        yield caplog


class TestLogging:
    """`log_error`, the default."""

    def test_a_bug(self, log: pytest.LogCaptureFixture) -> None:
        """It is an error on `catchasync`, with its traceback."""
        error = Boom("boom")
        ErrorHandler()(error, ErrorContext(source="route"))
        [record] = log.records
        assert ("catchasync", logging.ERROR) == (record.name, record.levelno)
        assert "an error in a route: Boom" == record.getMessage()
        assert record.exc_info
        assert error is record.exc_info[1]

    def test_what_is_expected(self, log: pytest.LogCaptureFixture) -> None:
        """It is one line at INFO: logs do not fill with clients' mistakes."""
        ErrorHandler()(NotFound("no user 7"), ErrorContext(source="route"))
        [record] = log.records
        assert logging.INFO == record.levelno
        assert "an error in a route: 404 NotFound: 'no user 7'" == record.getMessage()
        assert record.exc_info is None

    @pytest.mark.parametrize("count", [0, 1])
    def test_what_is_not_wanted(self, caplog: pytest.LogCaptureFixture, count: int) -> None:
        """Where its level is off nothing is written, nor read; a bug is; others are told of all."""

        class Costly(NotFound):
            def __str__(self) -> str:
                said.append(self)
                return "dear"

        said: list[Any] = []
        told: list[Any] = []
        others = [lambda error, _context: told.append(type(error))] * count
        errors = ErrorHandler(reporters=[log_error, *others])
        with caplog.at_level(logging.WARNING, "catchasync"):
            errors(Costly())
            assert [] == caplog.records
            errors(Boom())
        [record] = caplog.records
        assert "an error: Boom" == record.getMessage()
        assert [Costly, Boom][: 2 * count] == told
        assert [] == said

    def test_a_level_that_is_none(self, log: pytest.LogCaptureFixture) -> None:
        """``NOTSET`` names no level: such a failure is logged as an error."""
        errors = ErrorHandler()
        errors.on(Boom, status=409, report=logging.NOTSET)
        errors(Boom())
        [record] = log.records
        assert logging.ERROR == record.levelno

    def test_a_client_writes_no_lines(self, log: pytest.LogCaptureFixture) -> None:
        """What a client puts into a message cannot look like another entry, nor be huge."""
        ErrorHandler()(NotFound("x\nERROR root: hacked\x1b[31m" + "y" * 10_000))
        text = log.records[0].getMessage()
        assert "\n" not in text
        assert "\x1b" not in text
        assert len(text) < 2_000

    def test_fields(self, log: pytest.LogCaptureFixture) -> None:
        """The record has the source and the status, for structured logs."""
        ErrorHandler()(HttpError(503), ErrorContext(source="job"))
        record: Any = log.records[0]
        assert ("job", 503) == (record.catchasync_source, record.catchasync_status)

    def test_without_a_context(self, log: pytest.LogCaptureFixture) -> None:
        """It can be called by itself."""
        log_error(Boom())
        log_error(Boom(), SimpleNamespace(level=logging.WARNING))
        assert ["an error: Boom"] * 2 == [record.getMessage() for record in log.records]
        assert [logging.ERROR, logging.WARNING] == [record.levelno for record in log.records]

    def test_a_group(self, log: pytest.LogCaptureFixture) -> None:
        """A group is logged whole."""
        group = ExceptionGroup("tasks", [Boom("one"), Boom("two")])
        ErrorHandler()(group)
        assert log.records[0].exc_info
        assert group is log.records[0].exc_info[1]


class TestTelling:
    """Reporters are callables `(error, context)`."""

    def test_each_is_told(self) -> None:
        """All of them, in their order, with the same context."""
        told: list[Any] = []
        reporters = [lambda _e, c: told.append(("a", c)), lambda _e, c: told.append(("b", c))]
        ErrorHandler(reporters=reporters)(Boom())
        assert ["a", "b"] == [name for name, _ in told]
        assert told[0][1] is told[1][1]

    def test_nobody(self, log: pytest.LogCaptureFixture) -> None:
        """With an empty tuple nobody is told, and nothing logged."""
        assert 500 == ErrorHandler(reporters=())(Boom()).status
        assert [] == log.records

    def test_async(self) -> None:
        """An async reporter is seen through, without a loop too."""
        told: list[BaseException] = []

        async def reporter(error: BaseException, _context: Any) -> None:
            told.append(error)

        ErrorHandler(reporters=[reporter])(Boom())
        assert 1 == len(told)


class TestStructlog:
    """`lambda error, context: log.log(context.level, "failed", exc_info=error)`."""

    def test_one_line(self) -> None:
        """The event has the level, the source and the error."""
        logger = structlog.get_logger()
        errors = ErrorHandler(
            reporters=[
                lambda error, context: logger.log(
                    context.level, "failed", exc_info=error, source=context.source
                )
            ]
        )
        error = Boom()
        with capture_logs() as events:
            errors(error, ErrorContext(source="job"))
            errors(NotFound())
        assert ["error", "info"] == [event["log_level"] for event in events]
        assert (error, "job") == (events[0]["exc_info"], events[0]["source"])


class TestSentry:
    """`lambda error, context: context.expected or sentry_sdk.capture_exception(error)`."""

    def test_one_line(self) -> None:
        """Bugs are captured with their type, what is expected is not."""
        events: list[Any] = []

        def keep(event: Any, _hint: Any) -> None:
            events.append(event)

        errors = ErrorHandler(
            reporters=[
                lambda error, context: context.expected or sentry_sdk.capture_exception(error)
            ]
        )
        client = sentry_sdk.Client(
            dsn="https://key@localhost/1", before_send=keep, default_integrations=False
        )
        with sentry_sdk.new_scope() as scope:
            scope.set_client(client)
            errors(Boom("boom"))
            errors(NotFound())
        client.close()
        [event] = events
        assert ("Boom", "boom") == (
            event["exception"]["values"][0]["type"],
            event["exception"]["values"][0]["value"],
        )


class TestOpenTelemetry:
    """`lambda error, context: trace.get_current_span().record_exception(error)`."""

    def test_one_line(self) -> None:
        """The span that is active has the exception."""
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        errors = ErrorHandler(
            reporters=[lambda error, _context: trace.get_current_span().record_exception(error)]
        )
        with provider.get_tracer("test").start_as_current_span("request"):
            errors(Boom("boom"))
        [span] = exporter.get_finished_spans()
        [event] = span.events
        attributes = event.attributes or {}
        assert ("exception", "boom") == (event.name, attributes["exception.message"])
        provider.shutdown()


class TestPrometheus:
    """`lambda error, context: FAILURES.labels(context.source, context.status).inc()`."""

    def test_one_line(self) -> None:
        """Failures are counted by source and status."""
        registry = prometheus_client.CollectorRegistry()
        failures = prometheus_client.Counter(
            "failures", "Failures", ["source", "status"], registry=registry
        )
        errors = ErrorHandler(
            reporters=[
                lambda _error, context: failures.labels(context.source, context.status).inc()
            ]
        )
        for error in (Boom(), Boom(), NotFound()):
            errors(error, ErrorContext(source="route"))

        def count(status: str) -> float | None:
            return registry.get_sample_value(
                "failures_total", {"source": "route", "status": status}
            )

        assert (2.0, 1.0) == (count("500"), count("404"))


def test_all_of_them() -> None:
    """Several reporters, one of them broken: the others are told of both errors."""
    told: list[str] = []

    def broken(_error: BaseException, _context: Any) -> None:
        raise LookupError

    errors = ErrorHandler(
        reporters=[broken, log_error, lambda error, _context: told.append(type(error).__name__)]
    )
    errors(Boom())
    assert ["Boom", "LookupError"] == told
