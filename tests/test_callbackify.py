"""`callbackify`: design.md section 4, rule 11."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import callbackify, drain, promisify, wrap_callback
from catchasync._runtimes import pause
from catchasync.testing import RecordingNext
from tests.backends import BACKENDS, run_on
from tests.support import Boom, run_python

Run = Callable[..., Any]


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


class Heard:
    """A callback that records how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, error: Any, value: Any = "none") -> None:
        """Record."""
        self.calls.append((error, value))


async def doubled(value: int) -> int:
    """Succeed after a while."""
    await pause()
    return value * 2


async def fails(error: BaseException) -> None:
    """Fail after a while."""
    await pause()
    raise error


def serve(run: Run, function: Callable[..., Any], *args: Any) -> list[tuple[Any, ...]]:
    """Call a callbackified function, and return how its callback was called."""
    heard = Heard()

    async def main() -> None:
        callbackify(function)(*args, heard)
        assert [] == heard.calls, "never before the call has returned"
        await drain()

    run(main)
    return heard.calls


def test_success(run: Run) -> None:
    """``callback(None, value)``."""
    assert [(None, 4)] == serve(run, doubled, 2)


def test_failure(run: Run) -> None:
    """``callback(error)``, with the very error."""
    error = Boom()
    assert [(error, "none")] == serve(run, fails, error)


@pytest.mark.parametrize("value", [5, None, "text"])
def test_a_plain_value_is_served_like_an_async_one(run: Run, value: Any) -> None:
    """A function that is not async at all."""
    assert [(None, value)] == serve(run, lambda: value)


def test_a_function_that_raises_at_once(run: Run) -> None:
    """It does not raise: the callback gets the error."""
    error = Boom()

    def raises() -> None:
        raise error

    assert [(error, "none")] == serve(run, raises)


def test_any_future_like_is_awaited(run: Run) -> None:
    """A pool's future as well."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert [(None, 3)] == serve(run, lambda: pool.submit(lambda: 3))


def test_the_callback_by_keyword(run: Run) -> None:
    """``callback=`` as well as the last argument."""
    heard = Heard()

    async def main() -> None:
        callbackify(doubled)(2, callback=heard)
        callbackify(doubled)(value=3, callback=heard)
        await drain()

    run(main)
    assert [(None, 4), (None, 6)] == sorted(heard.calls, key=repr)


@pytest.mark.parametrize("args", [(), (1,), (1, None), (1, "callback")])
def test_no_callable_callback_is_refused_before_the_function_runs(args: tuple[Any, ...]) -> None:
    """The error names the function."""
    ran: list[Any] = []
    message = r"append\(\) takes a callback as its last argument, or as callback=: got .*"
    with pytest.raises(TypeError, match=message):
        callbackify(ran.append)(*args)
    with pytest.raises(TypeError, match=message):
        callbackify(ran.append)(*args, callback=5)
    assert [] == ran


@pytest.mark.parametrize("when", ["before it began", "while it works"])
def test_a_cancelled_call_gives_the_cancellation(run: Run, when: str) -> None:
    """Exactly once, also where the task never began."""
    heard = Heard()

    async def main() -> None:
        async def forever() -> None:
            while True:
                await pause()

        task = callbackify(forever)(heard)
        if when == "while it works":
            for _ in range(3):
                await pause()
        task.cancel()
        await drain()
        await pause()

    run(main)
    [(error, value)] = heard.calls
    assert type(error).__name__ in {"CancelledError", "Cancelled"}
    assert value == "none"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are of 3.12")
def test_never_before_the_call_has_returned_in_eager_tasks() -> None:
    """An eager task begins at once; the callback still comes later."""
    heard = Heard()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
        callbackify(lambda: 5)(heard)
        assert [] == heard.calls
        await drain()

    asyncio.run(main())
    assert [(None, 5)] == heard.calls


def test_what_the_callback_raises_is_late(run: Run) -> None:
    """It is not handed to the callback again."""
    late = RecordingNext()
    heard: list[tuple[Any, ...]] = []
    error = Boom()

    def callback(*outcome: Any) -> None:
        heard.append(outcome)
        raise error

    async def main() -> None:
        callbackify(doubled, late=late)(2, callback)
        callbackify(fails, late=late)(Boom(), callback)
        await drain()

    run(main)
    assert len(heard) == 2
    assert [error, error] == late.errors


def test_callbacks_of_other_arities(run: Run) -> None:
    """One that insists on a value gets ``None``; one that takes only the error gets only that."""
    heard: list[Any] = []

    def insists(error: Any, value: Any) -> None:
        heard.append((error, value))

    def takes_one(error: Any) -> None:
        heard.append(error)

    def takes_none() -> None:
        heard.append("none")

    error = Boom()
    late = RecordingNext()

    async def main() -> None:
        for callback in (insists, takes_one):
            callbackify(fails)(error, callback)
            callbackify(doubled)(2, callback)
        callbackify(doubled, late=late)(2, takes_none)
        await drain()

    run(main)
    assert sorted(heard, key=repr) == sorted([(error, None), (None, 4), error, None], key=repr)
    assert [TypeError] == [type(error) for error in late.errors]


def test_a_callback_without_a_signature(run: Run) -> None:
    """It is called with all there is."""
    heard: dict[Any, Any] = {}
    run_main = callbackify(doubled)

    class Opaque(Heard):
        __signature__ = "none"

    opaque = Opaque()

    async def main() -> None:
        run_main(2, opaque)
        await drain()

    run(main)
    assert [(None, 4)] == opaque.calls
    assert {} == heard


def test_a_bare_next_is_a_callback(run: Run) -> None:
    """As in ``write_file(path, data, next)``: it goes on, or gets the failure."""
    next = RecordingNext()
    error = Boom()

    async def main() -> None:
        callbackify(doubled)(2, next)
        await drain()
        callbackify(fails)(error, wrap_callback(next))
        await drain()

    run(main)
    assert [None, error] == [arrival.error for arrival in next.arrivals]


def test_without_a_loop_a_thread_runs_it() -> None:
    """The call returns that thread; the callback comes on it, after the call has returned."""
    heard: list[Any] = []

    def callback(error: Any, value: Any = None) -> None:
        heard.append((error, value, threading.current_thread()))

    thread = callbackify(doubled)(2, callback)
    thread.join(30)
    assert [(None, 4, thread)] == heard


def test_back_and_forth(run: Run) -> None:
    """``promisify(callbackify(f))`` does what ``f`` does."""
    twice = promisify(callbackify(doubled))
    assert run(twice, 2) == 4
    assert list(inspect.signature(twice).parameters) == ["value"]
    error = Boom()
    with pytest.raises(Boom) as caught:
        run(promisify(callbackify(fails)), error)
    assert caught.value is error

    async def with_defaults(a: int, b: int = 5, *, c: int = 7) -> tuple[int, int, int]:
        return a, b, c

    async def of_any(*args: int, **options: int) -> Any:
        return args, options

    assert run(promisify(callbackify(with_defaults)), 1) == (1, 5, 7)
    assert run(promisify(callbackify(of_any)), 1, 2) == ((1, 2), {})
    assert str(inspect.signature(callbackify(with_defaults))) == (
        "(a: 'int', b: 'int' = 5, callback=None, *, c: 'int' = 7)"
    )
    assert str(inspect.signature(callbackify(of_any))) == "(*args: 'int', **options: 'int')"


def test_names() -> None:
    """It answers as the function does, but for its kind; an opaque one has no signature."""
    function = callbackify(doubled)
    assert (function.__name__, function.__doc__) == ("doubled", "Succeed after a while.")
    assert not inspect.iscoroutinefunction(function)

    class Opaque:
        __signature__ = "none"

        async def __call__(self) -> None:
            """Do nothing."""

    assert callbackify(Opaque()).__name__ == "Opaque"


@pytest.mark.parametrize(("args", "options"), [((5,), {}), ((doubled,), {"late": 5})])
def test_bad_input_is_refused(args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Where it is written."""
    with pytest.raises(TypeError, match=r"takes .*: got 5"):
        callbackify(*args, **options)


def test_an_exit_goes_on() -> None:
    """``SystemExit`` reaches the callback and still ends the program."""
    program = (
        "import asyncio, sys\n"
        "from catchasync import callbackify, drain\n"
        "async def leaves():\n"
        "    await asyncio.sleep(0)\n"
        "    sys.exit(7)\n"
        "async def main():\n"
        "    callbackify(leaves)(lambda error: print(repr(error)))\n"
        "    await drain()\n"
        "asyncio.run(main())\n"
    )
    result = run_python(program)
    assert (result.returncode, result.stdout) == (7, "SystemExit(7)\n")
