"""`LostFailures`, and the pytest fixture that is one: a test fails where a failure was lost."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from catchasync import ErrorHandler, catch_async, log_error, wrap_callback
from catchasync.testing import CallsBack, Lost, LostFailures, RecordingNext
from tests.support import Boom


def fail() -> None:
    """Fail."""
    raise Boom("x")


async def fail_async() -> None:
    """Fail."""
    fail()


def in_a_thread() -> None:
    """Lose a failure in a thread."""
    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()


def in_a_task(factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Lose a failure in a task that nobody awaits."""

    async def main() -> None:
        task = asyncio.create_task(fail_async(), name="forgotten")
        await asyncio.wait([task])

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def in_a_task_of_a_cycle() -> None:
    """Lose a failure in a task that only the garbage collector finds."""

    async def main() -> None:
        task = asyncio.create_task(fail_async())
        await asyncio.wait([task])
        holder: list[Any] = [task]
        holder.append(holder)

    asyncio.run(main())


def in_a_callback_of_a_loop() -> None:
    """Lose a failure in what a loop calls."""

    async def main() -> None:
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0)

    asyncio.run(main())


def in_a_finaliser() -> None:
    """Lose a failure where the interpreter can raise nothing."""

    class Thing:
        def __del__(self) -> None:
            fail()

    Thing()


def after_the_decision() -> None:
    """Lose a failure that came late, with nobody to tell."""

    def handler(next: Callable[..., Any]) -> None:
        next()
        fail()

    catch_async(handler)(RecordingNext())


def in_late() -> None:
    """Lose what `late` itself raises."""
    CallsBack((None,), (KeyError(),))(
        wrap_callback(print, lambda: None, late=RecordingNext(Boom()))
    )


LOSSES = {
    "thread": in_a_thread,
    "task": in_a_task,
    "task of uvloop": functools.partial(in_a_task, uvloop.new_event_loop),
    "task of a cycle": in_a_task_of_a_cycle,
    "loop": in_a_callback_of_a_loop,
    "finaliser": in_a_finaliser,
    "late": after_the_decision,
    "in late": in_late,
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_it_fails(lose: Callable[[], None]) -> None:
    """A failure that nobody was told of fails the block, as the cause."""
    with pytest.raises(AssertionError, match="failures were lost:") as caught, LostFailures():
        lose()

    assert isinstance(caught.value.__cause__, Boom)
    assert 1 == str(caught.value).count("\n")


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_what_is_expected_can_be_taken(lose: Callable[[], None]) -> None:
    """A loss that the test knows of is taken, and fails nothing."""
    with LostFailures() as lost:
        lose()
        error = lost.take(Boom)

    assert "Boom('x')" == repr(error) or lose is in_late
    assert [] == lost.failures


def test_what_it_says() -> None:
    """The message tells each error, and where it ended."""
    with pytest.raises(AssertionError) as caught, LostFailures() as lost:
        in_a_thread()
        in_a_task()
        after_the_decision()

    assert "<LostFailures: [Boom('x'), Boom('x'), Boom('x')]>" == repr(lost)
    lines = str(caught.value).splitlines()
    assert "failures were lost:" == lines[0]
    assert re.fullmatch(r"  Boom: x \(thread worker, where nobody caught it\)", lines[1])
    assert re.fullmatch(r"  Boom: x \(task fail_async, where nobody caught it\)", lines[2])
    assert re.fullmatch(r"  Boom: x \(late failure of .*handler\)", lines[3])
    assert isinstance(caught.value.__cause__, BaseExceptionGroup)
    assert 3 == len(caught.value.__cause__.exceptions)


def test_taking_what_is_not_there() -> None:
    """A demand for a loss that did not come fails, and shows what was lost instead."""
    with LostFailures() as lost:
        with pytest.raises(AssertionError, match=r"expected that Boom was lost: none was\."):
            lost.take(Boom)
        after_the_decision()
        with pytest.raises(AssertionError, match=r"KeyError was lost:\n  Boom: x \(late"):
            lost.take(KeyError)
        assert [Boom] == [type(one.error) for one in lost.failures]
        lost.take(Boom)


@pytest.mark.parametrize("layer", ["above", "below"])
def test_what_was_reported_is_not_lost(layer: str) -> None:
    """What an `ErrorHandler` was told of counts as told, also where it logs."""
    errors = ErrorHandler()
    with LostFailures():
        if layer == "above":
            with errors.install():
                in_a_thread()
                in_a_task()
        else:
            errors(Boom())
            errors.report(Boom())
            log_error(Boom())
            logging.getLogger("catchasync").error("no failure")
            catch_async(next=errors)(fail)()


def test_what_next_and_late_took_is_not_lost() -> None:
    """A failure that has reached somebody is not lost."""
    late = RecordingNext()
    with LostFailures():
        catch_async(next=RecordingNext())(fail)()
        CallsBack((None,), (Boom(),))(wrap_callback(print, lambda: None, late=late))

    late.expect_one(Boom)


def test_it_hides_no_failure() -> None:
    """Where the block itself fails, that goes on, with a note of what was lost."""
    with pytest.raises(KeyError) as caught, LostFailures():
        after_the_decision()
        raise KeyError

    [note] = caught.value.__notes__
    assert note.startswith("failures were lost:\n  Boom: x (late failure of ")


def test_the_same_is_told_once() -> None:
    """An error that ends in two places is one loss."""
    error = Boom()
    with LostFailures() as lost:
        for _ in range(2):
            logging.getLogger("catchasync").error("late failure of %s", "x", exc_info=error)
        assert [Lost(error, "late failure of x")] == lost.failures
        assert lost.take(Boom) is error


def test_exits_go_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends a thread on purpose is no failure: it goes to the hook that was there before."""
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    with LostFailures():
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()

    assert [SystemExit] == [args.exc_type for args in told]


def test_a_forgotten_await() -> None:
    """Where warnings are errors, a coroutine that nobody awaited is a loss."""
    with LostFailures() as lost:
        fail_async()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]

        assert "'fail_async' was never awaited" in str(lost.take(RuntimeWarning))


def test_it_puts_back_what_it_found() -> None:
    """After the block the hooks and loggers are as before; to close it unopened is allowed."""
    found = threading.excepthook, sys.unraisablehook, list(logging.getLogger("asyncio").handlers)
    with LostFailures():
        assert found[0] is not threading.excepthook
    LostFailures().__exit__(None, None, None)

    now = threading.excepthook, sys.unraisablehook, list(logging.getLogger("asyncio").handlers)
    assert found == now


PROGRAM = """
import threading

import pytest
from catchasync import catch_async


@catch_async
def show(next):
    next()
    raise ZeroDivisionError("late")


def test_lost(lost_failures):
    show(lambda *_: None)


def test_taken(lost_failures):
    show(lambda *_: None)
    assert "late" == str(lost_failures.take(ZeroDivisionError))


def test_not_watched():
    show(lambda *_: None)


@pytest.mark.usefixtures("lost_failures")
class TestThreads:
    def test_lost(self):
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    def test_fine(self):
        pass
"""


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, with our plugin and no other."""
    command = [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", *options]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


class TestFixture:
    """The fixture, in a pytest of its own."""

    def test_it_fails_the_test(self, tmp_path: Path) -> None:
        """Tests that use it fail where a failure was lost, and only those."""
        (tmp_path / "test_it.py").write_text(PROGRAM)
        done = run_pytest(tmp_path, "-W", "error", "-p", "catchasync._pytest_plugin")

        assert "5 passed, 2 errors" in done.stdout, done.stdout
        assert "ERROR test_it.py::test_lost - AssertionError: failures were lost" in done.stdout
        assert "ERROR test_it.py::TestThreads::test_lost - Assertion" in done.stdout
        assert "ZeroDivisionError: late (late failure of show)" in done.stdout
        assert 'raise ZeroDivisionError("late")' in done.stdout

    def test_one_line_watches_all(self, tmp_path: Path) -> None:
        """Named in the settings of pytest, it watches every test."""
        (tmp_path / "test_it.py").write_text(PROGRAM)
        (tmp_path / "pytest.ini").write_text("[pytest]\nusefixtures = lost_failures\n")
        done = run_pytest(tmp_path, "-p", "catchasync._pytest_plugin")

        assert "5 passed, 3 errors" in done.stdout, done.stdout

    def test_pytest_finds_it_by_itself(self, pytestconfig: pytest.Config) -> None:
        """The entry point is enough; the plugin imports nothing that tests did not ask for."""
        names = [name for name, _ in pytestconfig.pluginmanager.list_name_plugin()]

        assert "catchasync" in names

    def test_it_is_a_watch(self, lost_failures: LostFailures) -> None:
        """What the fixture gives takes what the test expects to be lost."""
        in_a_thread()

        assert "x" == str(lost_failures.take(Boom))

    @pytest.mark.asyncio
    async def test_in_an_async_test(self, lost_failures: LostFailures) -> None:
        """A task that nobody awaited is found when it is dropped, also while the loop runs."""
        await asyncio.wait([asyncio.create_task(fail_async())])

        assert "x" == str(lost_failures.take(Boom))

    def test_a_run_that_does_not_use_it(self, tmp_path: Path) -> None:
        """Loading the plugin imports no `catchasync.testing`, and warns of nothing."""
        program = (
            "import sys\n\ndef test_it():\n    assert 'catchasync.testing' not in sys.modules\n"
        )
        (tmp_path / "test_it.py").write_text(program)
        done = run_pytest(tmp_path, "-W", "error", "-p", "catchasync._pytest_plugin")

        assert "1 passed" in done.stdout, done.stdout
