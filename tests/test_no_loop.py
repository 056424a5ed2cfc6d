"""No loop, ever: an error on the way of an error ends as one plain 500 and one log entry."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
import trio

from catchasync import ErrorContext, ErrorHandler, ErrorResponse, _runtimes, catch_async, log_error
from catchasync._inside import inside, is_inside
from catchasync.errors import NotFound
from tests.support import Boom

LOOPS = ("none", "asyncio", "trio")
PLAIN = b"Internal Server Error"

Handler = Callable[..., Any]


class Broken(Exception):
    """What a rule, a reporter and so on raise in these tests; each time another."""


class LogHandler(logging.Handler):
    """A handler of the log that does as a test says."""

    react: Callable[[logging.LogRecord], Any]

    def emit(self, record: logging.LogRecord) -> None:
        """React."""
        self.react(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """Record what is logged on `catchasync`, however it is logged."""
    found: list[logging.LogRecord] = []
    handler = LogHandler()
    handler.react = found.append
    logger = logging.getLogger("catchasync")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def sync_failure(*_: Any) -> Any:
    """Fail at once."""
    raise Broken


async def async_failure(*_: Any) -> Any:
    """Fail later."""
    await _pause()
    raise Broken


async def _pause() -> None:
    if _runtimes.trio_home():
        await trio.lowlevel.checkpoint()
    else:
        await asyncio.sleep(0)


def run_on(loop: str, function: Callable[[], Any]) -> Any:
    """Call a function on a loop, await what it returns, and see what it started through."""

    async def main() -> Any:
        result = function()
        if hasattr(result, "__await__"):
            result = await result
        for _ in range(20):
            await _pause()
        return result

    if loop == "none":
        result = function()
        return _runtimes.run(result) if hasattr(result, "__await__") else result
    return asyncio.run(main()) if loop == "asyncio" else trio.run(main)


def is_plain(response: ErrorResponse) -> bool:
    """Say whether a response is a 500 that tells nothing."""
    return response.status == 500 and PLAIN in response.body and b"Broken" not in response.body


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("failing", [sync_failure, async_failure])
class TestAnErrorInside:
    """Sync and async, with a loop and without."""

    def test_a_rule(self, loop: str, failing: Handler, records: list[logging.LogRecord]) -> None:
        """What a rule raises is reported once, beside the error itself, and is a plain 500."""
        errors = ErrorHandler()
        errors.on(Boom, report=False)(failing)
        assert is_plain(run_on(loop, lambda: errors(Boom())))
        assert ["an error in a rule: Broken"] == [record.getMessage() for record in records]

    def test_a_rule_that_handles_itself(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """Also where its errors are sent to the same handler, whose rule fails for them too."""
        errors = ErrorHandler()
        errors.on(Exception, report=False)(catch_async(next=errors)(failing))
        response = run_on(loop, lambda: errors(Boom()))
        assert is_plain(response)
        assert [] == records  # `report=False` is for all of them

    def test_the_only_reporter(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """What it raises is logged, with the error that it was told of; the answer is the same."""
        errors, error = ErrorHandler(reporters=[failing]), NotFound("user")
        response = run_on(loop, lambda: errors(error))
        assert 404 == response.status
        [record] = records
        assert f"the reporter {failing.__name__} failed on NotFound: user" == record.getMessage()
        assert record.exc_info
        assert isinstance(record.exc_info[1], Broken)
        assert error is record.exc_info[1].__context__

    def test_one_reporter_of_several(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """What it raises is told to the others."""
        told: list[BaseException] = []
        errors, error = ErrorHandler(reporters=[failing, lambda e, _c: told.append(e)]), Boom()
        run_on(loop, lambda: errors(error))
        assert [Boom, Broken] == [type(error) for error in told]
        assert [] == records

    def test_all_reporters(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """However many fail, each once more than others had failed: it comes to an end."""
        calls: list[BaseException] = []

        def reporter(error: BaseException, context: Any) -> Any:
            calls.append(error)
            return failing()

        errors = ErrorHandler(reporters=[reporter, lambda *_: failing(), lambda *_: failing()])
        run_on(loop, lambda: errors(Boom()))
        assert 3 <= len(records) <= 6
        assert len(calls) <= 3

    def test_a_reporter_that_reports(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """A reporter whose failures go to the same handler is not asked again: they are logged."""
        calls: list[BaseException] = []

        def reporter(error: BaseException, _context: Any) -> Any:
            calls.append(error)
            return to_itself()

        errors = ErrorHandler(reporters=[reporter])
        to_itself = catch_async(next=errors, late=errors.report)(failing)
        run_on(loop, lambda: errors(Boom()))
        assert 1 == len(calls)
        assert ["an error in reporting: Broken"] == [record.getMessage() for record in records]

    def test_late(self, loop: str, failing: Handler, records: list[logging.LogRecord]) -> None:
        """What `late` raises is logged once."""

        @catch_async(late=failing)
        def route(next: Callable[..., Any]) -> None:
            next(NotFound())
            raise Boom

        errors = ErrorHandler(reporters=())
        run_on(loop, lambda: route(errors))
        assert 1 == len(records)
        assert "`late` of" in records[0].getMessage()

    def test_late_to_a_handler_that_fails(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """`late=errors.report` with a broken reporter is one entry."""
        errors = ErrorHandler(reporters=[failing])

        @catch_async(late=errors.report)
        def route(next: Callable[..., Any]) -> None:
            next()
            raise Boom

        run_on(loop, lambda: route(lambda *_: None))
        assert 1 == len(records)
        assert "failed on Boom" in records[0].getMessage()

    def test_crash(self, loop: str, failing: Handler, records: list[logging.LogRecord]) -> None:
        """What `crash` raises is logged once, and not asked about."""
        errors = ErrorHandler(reporters=(), crash=failing)
        response = run_on(loop, lambda: errors(Boom(), ErrorContext(source="job")))
        assert is_plain(response)
        assert ["`crash` failed"] == [record.getMessage() for record in records]

    def test_next_fails(
        self, loop: str, failing: Handler, records: list[logging.LogRecord]
    ) -> None:
        """A handler as the `next` of a handler as the `next`: the second knows nothing of it."""
        errors = ErrorHandler(reporters=[failing])

        @catch_async(next=errors)
        @catch_async(next=errors)
        def route() -> None:
            raise Boom

        assert is_plain(run_on(loop, route))
        assert 1 == len(records)


class TestTheRenderer:
    """An error in rendering."""

    def test_it_fails(self, records: list[logging.LogRecord]) -> None:
        """It is reported, and the answer made of what cannot fail."""
        errors = ErrorHandler()
        errors.on(Boom, report=False)
        with mock.patch("catchasync._answers.response_to", side_effect=Broken):
            response = errors(Boom())
        assert (500, PLAIN) == (response.status, response.body)
        assert ["an error in a renderer: Broken"] == [record.getMessage() for record in records]

    def test_it_fails_without_reporters(self, records: list[logging.LogRecord]) -> None:
        """Where there is no reporter it is logged all the same."""
        with mock.patch("catchasync._answers.response_to", side_effect=Broken):
            assert is_plain(ErrorHandler(reporters=())(Boom()))
        assert ["a defect in a renderer: Broken"] == [record.getMessage() for record in records]

    def test_nor_can_it_be_told(self, records: list[logging.LogRecord]) -> None:
        """Where that fails too, as without memory, there still is an answer."""
        errors = ErrorHandler(reporters=())
        with (
            mock.patch("catchasync._answers.response_to", side_effect=MemoryError),
            mock.patch("catchasync._reporting.Reporters.tell_defect", side_effect=MemoryError),
        ):
            assert is_plain(errors(Boom()))
        assert [] == records

    def test_it_comes_back(self, records: list[logging.LogRecord]) -> None:
        """An error with an attribute that hands the next such error to the handler."""
        errors = ErrorHandler(reporters=())

        class Evil(Exception):
            status = 404
            expose = True

            @property
            def message(self) -> Any:
                answers.append(errors(Evil()))
                return "evil"

        answers: list[ErrorResponse] = []
        assert 404 == errors(Evil()).status
        assert [PLAIN] == [answer.body for answer in answers]
        assert [] == records


class TestTheLog:
    """A handler of the log that reports, or fails."""

    @pytest.fixture(autouse=True)
    def put_on(self) -> Iterator[None]:
        """Let each test put on a log handler."""
        self.handler = LogHandler()
        logger = logging.getLogger("catchasync")
        logger.addHandler(self.handler)
        yield
        logger.removeHandler(self.handler)

    @pytest.mark.parametrize("reporters", [(), (log_error,)])
    def test_it_reports_each_record(self, reporters: Any) -> None:
        """A handler of the log that hands a new error over for each record comes to an end."""
        errors = ErrorHandler(reporters=reporters)
        seen: list[logging.LogRecord] = []

        def emit(record: logging.LogRecord) -> None:
            seen.append(record)
            errors(Broken(), ErrorContext(source="log"))

        self.handler.react = emit
        errors(Boom())
        assert 2 * len(reporters) == len(seen)

    def test_it_fails(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where the log fails too, the error is said on standard error, and never raised."""
        self.handler.react = sync_failure
        assert 500 == ErrorHandler()(Boom("first")).status
        assert "the reporter log_error failed on Boom: first: Broken" in capsys.readouterr().err

    def test_nothing_works(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a standard error there is nothing left to say it, and nothing is raised."""
        self.handler.react = sync_failure
        monkeypatch.setattr(sys, "stderr", None)
        assert 500 == ErrorHandler()(Boom()).status


class TestLater:
    """What a reporter or a rule starts on a loop."""

    def test_a_task_of_a_reporter(self, records: list[logging.LogRecord]) -> None:
        """Its failures are logged, and start no further task."""
        tasks: list[asyncio.Task[Any]] = []

        def reporter(_error: BaseException, _context: Any) -> None:
            tasks.append(asyncio.create_task(catch_async(next=errors)(async_failure)()))

        errors = ErrorHandler(reporters=[reporter])
        run_on("asyncio", lambda: errors(Boom()))
        assert 1 == len(tasks)
        assert is_plain(tasks[0].result())
        assert ["an error in reporting: Broken"] == [record.getMessage() for record in records]

    def test_a_task_of_a_rule(self) -> None:
        """Its failures are reported, and have no rule."""
        tasks: list[asyncio.Task[Any]] = []
        told: list[BaseException] = []
        errors = ErrorHandler(reporters=[lambda error, _context: told.append(error)])

        @errors.on(Exception)
        def rule(_error: BaseException, _context: Any) -> str:
            tasks.append(asyncio.create_task(catch_async(next=errors)(async_failure)()))
            return "answer"

        assert "answer" == run_on("asyncio", lambda: errors(Boom()))
        assert [Broken, Boom] == sorted((type(e) for e in told), key=lambda kind: kind is Boom)
        assert is_plain(tasks[0].result())

    def test_other_threads_and_tasks(self) -> None:
        """What goes on elsewhere meanwhile is told as ever."""
        told: list[BaseException] = []

        def reporter(error: BaseException, _context: Any) -> None:
            told.append(error)
            if isinstance(error, Boom):
                thread = threading.Thread(target=errors, args=(Broken(),))
                thread.start()
                thread.join()

        errors = ErrorHandler(reporters=[reporter])
        errors(Boom())
        assert [Boom, Broken] == [type(error) for error in told]

    def test_other_tasks(self) -> None:
        """A task that was there before the reporter began is told of as ever."""
        told: list[BaseException] = []

        async def reporter(error: BaseException, _context: Any) -> None:
            told.append(error)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def other() -> None:
            await asyncio.sleep(0)
            errors(Broken())

        async def main() -> None:
            task = asyncio.create_task(other())
            errors(Boom())
            await task
            await asyncio.sleep(0.01)

        errors = ErrorHandler(reporters=[reporter])
        asyncio.run(main())
        assert [Boom, Broken] == [type(error) for error in told]

    def test_a_reporter_that_is_cancelled(self, records: list[logging.LogRecord]) -> None:
        """The end of the loop cancels what is being reported: that is logged, not lost."""

        async def reporter(_error: BaseException, _context: Any) -> None:
            await asyncio.get_running_loop().create_future()

        async def main() -> None:
            errors(Boom())
            await asyncio.sleep(0)

        errors = ErrorHandler(reporters=[reporter])
        asyncio.run(main())
        [record] = records
        assert "failed on Boom" in record.getMessage()

    def test_a_reporter_that_cannot_be_started(self, records: list[logging.LogRecord]) -> None:
        """Where no loop can be had any more, that is logged, and no coroutine left behind."""

        class Later:
            def __await__(self) -> Iterator[None]:
                raise AssertionError("unreachable")

        errors = ErrorHandler(reporters=[lambda *_: Later()])
        with mock.patch("catchasync._runtimes.run", side_effect=RuntimeError("shutdown")):
            errors(Boom())
        assert ["failed on Boom"] == [record.getMessage()[-14:] for record in records]

    def test_two_handlers_that_report_to_each_other(self, records: list[logging.LogRecord]) -> None:
        """Each is told once."""
        calls: list[str] = []

        def to_second(_error: BaseException, _context: Any) -> None:
            calls.append("first")
            second.report(Broken())

        def to_first(_error: BaseException, _context: Any) -> None:
            calls.append("second")
            first.report(Broken())

        first, second = ErrorHandler(reporters=[to_second]), ErrorHandler(reporters=[to_first])
        first(Boom())
        assert ["first", "second"] == calls
        assert 1 == len(records)


class TestReporterErrors:
    """What a reporter raises."""

    def test_the_very_error(self, records: list[logging.LogRecord]) -> None:
        """A reporter that raises what it is told is told no more, and makes no circle."""

        def reporter(error: BaseException, _context: Any) -> None:
            raise error

        error = Boom()
        ErrorHandler(reporters=[reporter])(error)
        assert error.__context__ is None
        assert 1 == len(records)

    def test_its_cause(self) -> None:
        """Nor where it raises the cause of what it is told, or the chain has a circle already."""

        def reporter(error: BaseException, _context: Any) -> None:
            raise first

        first, second = Boom("first"), Boom("second")
        second.__cause__ = first
        ErrorHandler(reporters=[reporter])(second)
        assert first.__context__ is None

        third, fourth = Boom("third"), Boom("fourth")
        third.__context__, fourth.__context__ = fourth, third
        ErrorHandler(reporters=[sync_failure])(third)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_an_exit(self, error: type[BaseException]) -> None:
        """Ctrl-C and an exit go on; the guard is taken off."""

        def reporter(_error: BaseException, _context: Any) -> None:
            raise error

        errors = ErrorHandler(reporters=[reporter])
        with pytest.raises(error):
            errors(Boom())
        assert not is_inside("tell", errors._serial)

    def test_a_cancellation(self, records: list[logging.LogRecord]) -> None:
        """One that a sync reporter raises, of a future that it asked, cancels nobody."""

        def reporter(_error: BaseException, _context: Any) -> None:
            raise asyncio.CancelledError

        assert 500 == ErrorHandler(reporters=[reporter])(Boom()).status
        assert 1 == len(records)

    def test_its_context(self) -> None:
        """The others are told that it comes from a reporter, and from which."""
        told: list[Any] = []
        ErrorHandler(reporters=[sync_failure, lambda _e, context: told.append(context)])(Boom())
        assert ("reporter", sync_failure) == (told[1].source, told[1].handler)


def test_a_rule_in_another_context() -> None:
    """An async rule that is closed in another context than it began in leaves no trace."""
    errors = ErrorHandler(reporters=())

    @errors.on(Boom)
    async def rule(_error: BaseException, _context: Any) -> None:
        await asyncio.sleep(0)

    import contextvars  # noqa: PLC0415

    steps = errors(Boom()).__await__()
    contextvars.copy_context().run(next, steps)
    steps.close()
    assert not is_inside("rule", errors._serial)


def test_the_guard() -> None:
    """It holds inside, and is what it was outside."""
    with inside("x", 1):
        assert is_inside("x", 1)
        assert not is_inside("x", 2)
        with inside("y"):
            assert is_inside("x", 1)
    assert not is_inside("x", 1)
