"""`errors.install()`: what nobody catches in a process, in real processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from catchasync import ErrorHandler
from tests.support import Boom

PRELUDE = """
import asyncio, gc, logging, sys, threading
from catchasync import ErrorContext, ErrorHandler, exit_process, log_error
from catchasync.errors import NotFound

def tell(error, context):
    print("told", context.source, type(error).__name__, *error.args)

def noisy(name):
    def hook(*args):
        print("hook", name)
    return hook

class Finaliser:
    def __del__(self):
        raise ValueError("finaliser")

errors = ErrorHandler(reporters=[tell])
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a process."""

    status: int
    out: list[str]
    err: str


def run(program: str, *options: str) -> Outcome:
    """Run a program in a process of its own."""
    result = subprocess.run(
        [sys.executable, *options, "-c", PRELUDE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # what is not flushed must be missing
    )
    return Outcome(result.returncode, result.stdout.splitlines(), result.stderr)


def hooks() -> list[Any]:
    """Return what is in each place."""
    return [
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        BaseEventLoop.call_exception_handler,
    ]


FAILURES = {
    "main": """
        raise ValueError("main")
    """,
    "thread": """
        def work():
            raise ValueError("thread")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """,
    "unraisable": """
        Finaliser()
    """,
    "loop": """
        async def main():
            def callback():
                raise ValueError("loop")
            asyncio.get_running_loop().call_soon(callback)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        asyncio.run(main())
    """,
    "task": """
        async def work():
            raise ValueError("task")
        async def main():
            asyncio.create_task(work())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            gc.collect()
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("place", FAILURES)
class TestEachPlace:
    """Each place where errors end that nobody catches."""

    def test_reported_once(self, place: str) -> None:
        """The failure is reported exactly once, with its source."""
        name = "finaliser" if place == "unraisable" else place
        outcome = run(f"errors.install()\n{textwrap.dedent(FAILURES[place])}")
        assert [f"told {place} ValueError {name}"] == outcome.out
        assert (1 if place == "main" else 0) == outcome.status
        assert "ValueError" in outcome.err  # no reporter logs: the interpreter prints

    def test_installed_twice(self, place: str) -> None:
        """It is reported once."""
        outcome = run(f"errors.install()\nerrors.install()\n{textwrap.dedent(FAILURES[place])}")
        assert 1 == len(outcome.out)

    def test_logged_once(self, place: str) -> None:
        """Where the default reporter logs it, the interpreter does not print it again."""
        program = f"ErrorHandler().install()\n{textwrap.dedent(FAILURES[place])}"
        assert 1 == run(program).err.count("Traceback (most recent call last)")

    def test_expected_errors_are_printed(self, place: str) -> None:
        """What the log shows without a traceback is printed as without us."""
        program = (
            "logging.basicConfig(level=logging.INFO)\n"
            f"ErrorHandler().install()\n{textwrap.dedent(FAILURES[place])}"
        )
        outcome = run(program.replace("ValueError(", "NotFound("))
        if place != "unraisable":  # its error is in the prelude
            assert 1 == outcome.err.count("Traceback (most recent call last)")

    def test_hooks_of_others(self, place: str) -> None:
        """They are still called, whoever logs."""
        for reporters in ("[tell]", "[tell, log_error]"):
            outcome = run(
                f"""
sys.excepthook = noisy("main")
threading.excepthook = noisy("thread")
sys.unraisablehook = noisy("unraisable")
class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        loop = super().new_event_loop()
        loop.set_exception_handler(noisy("loop"))
        return loop
asyncio.set_event_loop_policy(Policy())
ErrorHandler(reporters={reporters}).install()
{textwrap.dedent(FAILURES[place])}
                """,
                "-Wignore",
            )
            hook = "loop" if place == "task" else place
            assert [f"hook {hook}"] == outcome.out[1:]

    def test_closed(self, place: str) -> None:
        """After `close()` nothing is reported."""
        outcome = run(f"errors.install().close()\n{textwrap.dedent(FAILURES[place])}")
        assert [] == outcome.out
        assert "ValueError" in outcome.err

    def test_left_out(self, place: str) -> None:
        """Each place can be left out."""
        option = {"task": "loops", "loop": "loops", "thread": "threads"}.get(place, place)
        outcome = run(f"errors.install({option}=False)\n{textwrap.dedent(FAILURES[place])}")
        assert [] == outcome.out

    def test_crash(self, place: str) -> None:
        """A bug makes `exit_process` log it as fatal, flush, and exit with 1, from anywhere."""
        outcome = run(
            f"""
logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)
ErrorHandler(crash=exit_process).install()
{textwrap.dedent(FAILURES[place])}
import time
time.sleep(30)
            """
        )
        assert 1 == outcome.status
        levels = [line.split()[0] for line in outcome.out if line.split()[0].isupper()]
        assert ["ERROR", "CRITICAL"] == levels
        assert outcome.out[-1].startswith("CRITICAL the process ends: ValueError: ")


class TestExits:
    """What only ends something is no failure."""

    @pytest.mark.parametrize(
        ("exit_", "status"),
        [
            ("raise SystemExit(3)", 3),
            ("raise SystemExit", 0),
            ("raise KeyboardInterrupt", -2),
            ("raise GeneratorExit", 1),
            ("raise BaseExceptionGroup('exits', [KeyboardInterrupt(), SystemExit()])", 1),
        ],
    )
    def test_main(self, exit_: str, status: int) -> None:
        """It is not reported, and the process exits as without us."""
        outcome = run(f"errors.install()\n{exit_}")
        without = run(f"\n{exit_}")
        assert ([], status) == (outcome.out, outcome.status)
        assert without == outcome

    def test_a_thread(self) -> None:
        """A thread that ends by `SystemExit` ends."""
        program = """
            def work():
                raise SystemExit
            threading.Thread(target=work).start()
        """
        assert Outcome(0, [], "") == run(f"errors.install()\n{textwrap.dedent(program)}")

    def test_a_group_that_holds_more(self) -> None:
        """A group of an exit and a bug is reported."""
        outcome = run(
            """
            errors.install()
            raise BaseExceptionGroup("both", [KeyboardInterrupt(), ValueError()])
            """.replace("            ", "")
        )
        assert 1 == len(outcome.out)


class TestOnce:
    """A failure that passed through `next` and then reaches a hook."""

    @pytest.mark.parametrize("again", ["raise", "raise error"])
    def test_main(self, again: str) -> None:
        """It was reported: the hook does not report it again."""
        outcome = run(
            f"""
errors.install()
from catchasync import catch_async
def next(error):
    errors(error)
    {again}
@catch_async(next=next)
def job():
    raise ValueError("job")
job()
            """
        )
        assert ["told None ValueError job"] == outcome.out
        assert 1 == outcome.status

    def test_trio(self) -> None:
        """Also where it was raised in trio's loop."""
        outcome = run(
            """
import trio
errors.install()
async def main():
    try:
        raise ValueError("job")
    except ValueError as error:
        errors(error)
        raise
trio.run(main)
            """
        )
        assert ["told None ValueError job"] == outcome.out


class TestExitProcess:
    """`exit_process`."""

    def test_a_reporter_was_told(self) -> None:
        """The entry has no second traceback; what a thread wrote before is flushed."""
        outcome = run(
            """
logging.basicConfig(stream=sys.stdout)
ErrorHandler(reporters=[log_error], crash=exit_process).install()
sys.stdout.write("unflushed\\n")
def work():
    raise ValueError("boom")
threading.Thread(target=work).start()
            """
        )
        assert "unflushed" == outcome.out[0]
        assert 1 == sum("Traceback" in line for line in outcome.out)
        assert 1 == outcome.status

    def test_nobody_was_told(self) -> None:
        """Called by itself it logs the traceback."""
        outcome = run("logging.basicConfig()\nexit_process(ValueError('boom'))")
        assert "CRITICAL:catchasync:the process ends: ValueError: boom" in outcome.err
        assert "ValueError: boom" == outcome.err.splitlines()[-1]
        assert 1 == outcome.status

    def test_another_was_told(self) -> None:
        """Where reporters were told of it, but not the log, the entry has the traceback."""
        outcome = run(
            """
logging.basicConfig(stream=sys.stdout)
errors = ErrorHandler(reporters=[tell], crash=exit_process)
errors.report(ValueError("boom"), ErrorContext(source="job"))
            """
        )
        assert "told job ValueError boom" == outcome.out[0]
        assert "ValueError: boom" == outcome.out[-1]

    def test_logging_fails(self) -> None:
        """It exits all the same."""
        outcome = run(
            """
class Broken(logging.Handler):
    def emit(self, record):
        raise RuntimeError
    flush = close = emit
logging.getLogger().addHandler(Broken())
sys.stdout.write("unflushed")
exit_process(ValueError("boom"))
            """
        )
        assert (1, ["unflushed"]) == (outcome.status, outcome.out)

    def test_flushing_hangs(self) -> None:
        """It waits for a few seconds at most."""
        outcome = run(
            """
import catchasync._crash
catchasync._crash.PATIENCE = 0.2
class Hanging(logging.Handler):
    def emit(self, record):
        pass
    def flush(self):
        threading.Event().wait()
handler = Hanging()
logging.getLogger().addHandler(handler)
exit_process(ValueError("boom"))
            """
        )
        assert 1 == outcome.status

    def test_a_queue(self) -> None:
        """What is queued for a listener is written."""
        outcome = run(
            """
import logging.handlers, queue
queued = logging.handlers.QueueHandler(queue.SimpleQueue())
queued.listener = logging.handlers.QueueListener(queued.queue, logging.StreamHandler(sys.stdout))
logging.getLogger().addHandler(queued)
queued.listener.start()
exit_process(ValueError("boom"))
            """
        )
        assert "the process ends: ValueError: boom" == outcome.out[0]

    def test_a_crash_that_fails(self) -> None:
        """What `crash` raises is logged; the process runs on."""
        outcome = run(
            """
def crash(error):
    raise LookupError
ErrorHandler(reporters=[tell], crash=crash).install()
Finaliser()
print("runs on")
            """
        )
        assert ["told unraisable ValueError finaliser", "runs on"] == outcome.out
        assert "`crash` failed" in outcome.err


@pytest.fixture
def told() -> list[tuple[str, BaseException]]:
    """Make the list in which a reporter notes the source and the error."""
    return []


@pytest.fixture
def errors(told: list[tuple[str, BaseException]]) -> Iterator[ErrorHandler]:
    """Make a handler that notes what it is told; every place must be as before in the end."""
    before = hooks()
    yield ErrorHandler(reporters=[lambda error, context: told.append((context.source, error))])
    assert before == hooks()


class TestPutBack:
    """`close()`, or the end of the `with`, puts back what it found."""

    def test_with(self, errors: ErrorHandler) -> None:
        """It takes effect at the call, and the block's end undoes it."""
        before = hooks()
        installation = errors.install()
        assert all(one is not other for one, other in zip(before, hooks(), strict=True))
        with installation as entered:
            assert installation is entered
        assert before == hooks()

    def test_close_twice(self, errors: ErrorHandler) -> None:
        """A second time does nothing, not even to another installation."""
        first = errors.install()
        first.close()
        with errors.install():
            during = hooks()
            first.close()
            assert during == hooks()

    def test_in_any_order(self, errors: ErrorHandler) -> None:
        """Two installations may be closed in either order, and three in all."""
        before = hooks()
        installations = [errors.install() for _ in range(3)]
        for index in (0, 1, 2):
            assert before != hooks()
            installations[index].close()
        assert before == hooks()

    def test_under_a_hook_of_others(
        self, errors: ErrorHandler, told: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A hook that was put on above ours stays, and ours below it does nothing any more."""
        called: list[str] = []
        monkeypatch.setattr(sys, "excepthook", lambda *_: called.append("below"))
        installation = errors.install()
        ours = sys.excepthook

        def above(*args: Any) -> None:
            called.append("above")
            ours(*args)

        sys.excepthook = above
        installation.close()
        assert above is sys.excepthook
        sys.excepthook(Boom, Boom(), None)
        assert (["above", "below"], []) == (called, told)

    def test_repr(self, errors: ErrorHandler) -> None:
        """It says what is put on."""
        with errors.install(loops=False) as installation:
            assert "<Installation: excepthook, excepthook, unraisablehook>" == repr(installation)
        assert "<Installation: closed>" == repr(installation)


class TestTheBlock:
    """An error that leaves the block is reported once and goes on."""

    def test_main(self, errors: ErrorHandler, told: list[Any]) -> None:
        """In the main thread."""
        error = Boom()
        with pytest.raises(Boom) as caught, errors.install():
            raise error
        assert error is caught.value
        assert [("main", error)] == told

    def test_a_thread(self, errors: ErrorHandler, told: list[Any]) -> None:
        """In another thread it is reported once, with the thread's own hook put back."""

        def work() -> None:
            with pytest.raises(Boom), errors.install():
                raise Boom

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert ["thread"] == [source for source, _ in told]

    def test_a_task(self, errors: ErrorHandler, told: list[Any]) -> None:
        """In a task."""

        async def main() -> None:
            with errors.install():
                raise Boom

        with pytest.raises(Boom):
            asyncio.run(main())
        assert ["task"] == [source for source, _ in told]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_an_exit(
        self, errors: ErrorHandler, told: list[Any], error: type[BaseException]
    ) -> None:
        """What only ends the block is not reported."""
        with pytest.raises(error), errors.install():
            raise error
        assert [] == told


def fail_on(loop: asyncio.AbstractEventLoop) -> None:
    """Let a callback fail on a loop, and run it."""

    def callback() -> None:
        raise Boom

    loop.call_soon(callback)
    loop.run_until_complete(asyncio.sleep(0))


class CustomLoop(asyncio.SelectorEventLoop):
    """A loop that says in its own way what failed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def default_exception_handler(self, context: Any) -> None:
        """Remember."""
        self.seen.append(context["exception"])


class TestLoops:
    """The loops of asyncio's own classes, whenever made; the running one of others."""

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_any_loop(self, errors: ErrorHandler, told: list[Any], when: str) -> None:
        """A loop that was made before, and one that is made later."""
        loop = asyncio.new_event_loop() if when == "before" else None
        with errors.install():
            loop = loop or asyncio.new_event_loop()
            fail_on(loop)
        assert ["loop"] == [source for source, _ in told]
        fail_on(loop)
        loop.close()
        assert 1 == len(told)

    def test_a_loop_of_another_thread(self, errors: ErrorHandler, told: list[Any]) -> None:
        """Threads' loops too."""

        def work() -> None:
            with asyncio.Runner() as runner:
                fail_on(runner.get_loop())

        with errors.install():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert ["loop"] == [source for source, _ in told]

    def test_a_subclass(self) -> None:
        """What a subclass does with failures of its own it still does, whoever logs."""
        loop = CustomLoop()
        with ErrorHandler().install():
            fail_on(loop)
        assert 1 == len(loop.seen)
        loop.close()

    def test_no_exception(
        self, errors: ErrorHandler, told: list[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """What a loop says without an error is said as without us."""
        loop = asyncio.new_event_loop()
        with errors.install():
            loop.call_exception_handler({"message": "slow"})
        loop.close()
        assert [] == told
        assert ["slow"] == [record.getMessage() for record in caplog.records]

    @pytest.mark.parametrize("has_one", [False, True])
    @pytest.mark.parametrize("logs", [False, True])
    def test_uvloop(self, caplog: pytest.LogCaptureFixture, *, has_one: bool, logs: bool) -> None:
        """The running one, with a handler of its own and without; it is put back."""
        seen: list[Any] = []
        told: list[BaseException] = []

        def own(_loop: Any, context: Any) -> None:
            seen.append(context["exception"])

        def reporter(error: BaseException, _context: Any) -> None:
            told.append(error)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            if has_one:
                loop.set_exception_handler(own)
            before = loop.get_exception_handler()
            errors = ErrorHandler() if logs else ErrorHandler(reporters=[reporter])
            with errors.install():
                loop.call_soon(fail)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert before is loop.get_exception_handler()

        def fail() -> None:
            raise Boom

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
        assert has_one == bool(seen)
        assert logs != bool(told)
        loggers = [record.name for record in caplog.records]
        assert (["catchasync"] if logs else [] if has_one else ["asyncio"]) == loggers


def test_what_is_no_error(errors: ErrorHandler, told: list[Any]) -> None:
    """A hook that is called with no error calls the one below."""
    called: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "excepthook", lambda *args: called.append(args))
        with errors.install():
            sys.excepthook(Boom, None, None)  # type: ignore[arg-type]
    assert ([(Boom, None, None)], []) == (called, told)


def test_hooks_are_functions(errors: ErrorHandler) -> None:
    """They are plain functions, as others expect."""
    with errors.install():
        assert all(isinstance(hook, Callable) for hook in hooks())  # type: ignore[arg-type]
