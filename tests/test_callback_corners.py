"""What a fresh reader broke in callbacks, futures and awaitables; each stays as it was mended."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import errno
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest

from catchasync import (
    CallbackError,
    CallbackNeverCalled,
    as_awaitable,
    callbackify,
    drain,
    promisify,
    promisify_all,
    spawn,
    wrap_callback,
)
from catchasync._runtimes import pause
from catchasync.conventions import error_only, future, result_first, result_only, two_callbacks
from catchasync.testing import RecordingNext
from tests.backends import BACKENDS, cancel_while_pending, in_thread, run_on, soon
from tests.support import Boom

Run = Callable[..., Any]
Callback = Callable[..., Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="none")


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


class Array:
    """As numpy's: a comparison is no bool."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_an_array_that_is_returned_beside_the_callback(run: Run) -> None:
    """It is a value like any other."""
    array = Array()

    async def work() -> Array:
        return array

    assert run(promisify(lambda callback: work())) is array


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_failure_that_a_thread_sent_before_the_drain(backend: str) -> None:
    """Drain waits for what is still on its way to the loop."""
    heard: list[BaseException] = []
    error = Boom()

    async def async_next(came: BaseException) -> None:
        await pause()
        heard.append(came)

    async def main() -> None:
        in_thread(wrap_callback(async_next), error)
        await drain()

    run_on(backend, main)
    assert [error] == heard


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_failure_on_its_way_to_a_loop_that_ends_is_not_lost(backend: str) -> None:
    """Where the loop ends before its async `next` has begun, it is run all the same, or late."""
    late = RecordingNext()
    error = Boom()

    async def async_next(came: BaseException) -> None:
        late(came)

    async def main() -> None:
        in_thread(wrap_callback(async_next, late=late), error)

    run_on(backend, main)
    assert [error] == late.errors


def test_a_failure_that_trio_cannot_start_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its main task has ended, an async `next` is run to its end there."""
    heard: list[BaseException] = []
    error = Boom()

    async def async_next(came: BaseException) -> None:
        await asyncio.sleep(0)
        heard.append(came)

    def refuse(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("Nursery is closed to new arrivals")

    async def main() -> None:
        callback = wrap_callback(async_next)
        monkeypatch.setattr("trio.lowlevel.spawn_system_task", refuse)
        in_thread(callback, error)
        await drain()

    run_on("trio", main)
    assert [error] == heard


def test_a_next_that_returns_an_awaitable_of_its_own(run: Run) -> None:
    """It is awaited as a coroutine is."""
    heard: list[BaseException] = []
    error = Boom()

    class Telling:
        def __init__(self, came: BaseException) -> None:
            self.came = came

        def __await__(self) -> Any:
            yield from pause().__await__()
            heard.append(self.came)

    async def main() -> None:
        in_thread(wrap_callback(Telling), error)
        await drain()

    run(main)
    assert [error] == heard


def test_a_library_with_a_loop_of_its_own(run: Run) -> None:
    """What is async runs on the loop of the wrapping, though another one runs in the library."""
    threads: list[int] = []

    async def works(_value: int) -> None:
        await pause()
        threads.append(threading.get_ident())

    async def main() -> None:
        callback = wrap_callback(pytest.fail, works)

        async def library() -> None:
            callback(None, 1)
            await asyncio.sleep(0)

        in_thread(asyncio.run, library())
        await drain()

    run(main)
    assert [threading.get_ident()] == threads


def test_a_library_with_a_loop_of_its_own_after_ours_has_ended() -> None:
    """Then the library's own loop is the one that is there."""
    heard: list[int] = []

    async def works(value: int) -> None:
        await asyncio.sleep(0)
        heard.append(value)

    async def wrap() -> Callback:
        return wrap_callback(pytest.fail, works)

    callback = asyncio.run(wrap())

    async def library() -> None:
        await callback(None, 1)

    asyncio.run(library())
    assert heard == [1]


@pytest.mark.parametrize("moment", [soon, in_thread])
def test_a_convention_that_raises_a_cancellation(run: Run, moment: Callable[..., None]) -> None:
    """It is the failure; the library's thread hears nothing of it."""

    def cancelled(*_args: Any) -> Any:
        raise asyncio.CancelledError

    both: tuple[dict[str, Any], ...] = ({"convention": cancelled}, {"error": cancelled})
    for options in both:
        with pytest.raises(CallbackError) as caught:
            run(promisify(lambda callback: moment(callback, 1), **options))
        assert isinstance(caught.value.value, asyncio.CancelledError)


def test_an_on_success_that_raises_a_cancellation() -> None:
    """It is late, not raised in the library's thread."""
    late = RecordingNext()

    def cancelled() -> None:
        raise asyncio.CancelledError

    wrap_callback(pytest.fail, cancelled, late=late)(None)
    assert [asyncio.CancelledError] == [type(error) for error in late.errors]


def test_callbackify_of_a_function_that_raises_a_cancellation_at_once(run: Run) -> None:
    """The callback gets it, once, after the call has returned; the call does not raise."""
    heard: list[Any] = []
    error = asyncio.CancelledError("at once")

    def cancelled() -> None:
        raise error

    def interrupted() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        callbackify(cancelled)(heard.append)
        assert heard == []
        await drain()
        await pause()
        with pytest.raises(KeyboardInterrupt):
            callbackify(interrupted)(heard.append)

    run(main)
    assert [error] == heard


def test_what_wraps_a_promisified_function_is_not_one(run: Run) -> None:
    """The mark of `promisify` is not inherited through `functools.wraps`."""

    def double(value: int, callback: Callback) -> None:
        soon(callback, None, value * 2)

    callbackified = callbackify(promisify(double))
    again = promisify(callbackified)
    assert again is not callbackified
    assert run(again, 2) == 4


def test_callbackify_without_a_loop_keeps_the_context() -> None:
    """Context variables are the caller's on its thread as well."""
    VARIABLE.set("caller")
    heard: list[str] = []

    async def works() -> None:
        heard.append(VARIABLE.get())

    callbackify(works)(lambda error: heard.append(VARIABLE.get())).join(30)
    VARIABLE.set("none")
    assert heard == ["caller", "caller"]


def test_an_error_that_only_claims_to_be_an_exception(run: Run) -> None:
    """A mock or a proxy cannot be raised: it becomes a `CallbackError`, or `error=` is asked."""
    claims = mock.Mock(spec=ValueError)
    with pytest.raises(CallbackError) as caught:
        run(promisify(lambda callback: callback(claims)))
    assert caught.value.value is claims
    with pytest.raises(Boom):
        run(promisify(lambda callback: soon(callback, claims), error=Boom))


def test_an_exception_whose_traceback_cannot_be_read(run: Run) -> None:
    """It arrives all the same."""

    class Odd(Exception):
        @property
        def __traceback__(self) -> Any:  # type: ignore[override]
            raise ValueError("no")

    async def main() -> str:
        try:
            await promisify(lambda callback: soon(callback, Odd()))()
        except Odd:
            return "arrived"
        return "lost"

    assert run(main) == "arrived"


# promisify_all


@dataclass
class Handler:
    """Equal to another one that does something else."""

    name: str
    value: int = field(compare=False)

    def __call__(self, callback: Callback) -> None:
        """Call back."""
        callback(None, self.value)


class Slotted:
    """Has a function in a slot."""

    __slots__ = ("empty", "read")

    def __init__(self) -> None:
        self.read = lambda callback: soon(callback, None, "slot")


def test_a_replaced_function_that_compares_equal_is_the_one_that_runs(run: Run) -> None:
    """Functions are told apart by identity."""
    target: Any = type("Target", (), {})()
    proxy = promisify_all(target)
    for value in (1, 2):
        target.read = Handler("same", value)
        assert run(proxy.read_async) == value


def test_a_foreign_name_that_is_none_collides() -> None:
    """``x_async = None`` is a name of the target's own."""
    target = type("Target", (), {"read": lambda self, callback: None, "read_async": None})()
    with pytest.raises(ValueError, match="'read_async'"):
        promisify_all(target)


def test_a_class_twice(run: Run) -> None:
    """Promisifying a proxy again is promisifying its target."""

    class Target:
        def read(self, callback: Callback) -> None:
            soon(callback, None, "read")

    twice = promisify_all(promisify_all(Target))
    assert run(twice().read_async) == "read"


def test_a_function_in_a_slot(run: Run) -> None:
    """It has a twin as one in a ``__dict__``; an empty slot and the class's own have none."""
    proxy = promisify_all(Slotted())
    assert run(proxy.read_async) == "slot"
    assert [name for name in dir(proxy) if name.endswith("_async")] == ["read_async"]
    assert [name for name in dir(promisify_all(Slotted)) if name.endswith("_async")] == []


def test_an_object_that_answers_every_name_has_no_form_of_its_own(run: Run) -> None:
    """``__promisified__`` is not asked of what answers anything."""
    asked: list[str] = []

    class Remote:
        def __call__(self, callback: Callback) -> None:
            soon(callback, None, "called")

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") and name != "__promisified__":
                raise AttributeError(name)
            asked.append(name)
            return self

    assert run(promisify(Remote())) == "called"
    assert "__promisified__" not in asked


# The rest


def test_tasks_that_drain_do_not_wait_for_each_other(run: Run) -> None:
    """Whoever is outside waits for them."""
    done: list[str] = []

    async def other() -> None:
        await pause()
        done.append("other")

    async def drains() -> None:
        await drain()
        done.append("drained")

    async def main() -> None:
        spawn(drains(), next=print)
        spawn(drains(), next=print)
        spawn(other(), next=print)
        await drain()

    run(main)
    assert done == ["other", "drained", "drained"]


def test_callbackify_decorates_methods_of_every_binding(run: Run) -> None:
    """Also class methods and static methods."""

    class Service:
        @callbackify
        async def method(self) -> str:
            return "method"

        @callbackify
        @classmethod
        async def of_class(cls) -> str:
            return cls.__name__

        @callbackify
        @staticmethod
        async def static() -> str:
            return "static"

    heard: list[Any] = []

    async def main() -> None:
        service: Any = Service()
        for function in (service.method, service.of_class, service.static):
            function(lambda error, value: heard.append(value))
        await drain()

    run(main)
    assert sorted(heard) == ["Service", "method", "static"]


def test_a_generator_function_is_refused() -> None:
    """Calling one runs nothing."""

    def generator() -> Any:
        yield

    async def async_generator() -> Any:
        yield

    for function in (generator, async_generator):
        with pytest.raises(TypeError, match="takes no generator function: calling test_a_gen"):
            callbackify(function)


def test_a_partial_that_binds_an_earlier_parameter_by_keyword(run: Run) -> None:
    """The callback still goes to its own parameter."""

    def function(a: int, b: int = 0, callback: Any = None) -> None:
        soon(callback, None, a, b)

    promisified = promisify(functools.partial(function, b=5))
    assert run(promisified, 1) == (1, 5)
    assert run(functools.partial(promisified, 1, b=7)) == (1, 7)


def test_a_copy_of_a_callback_is_that_callback() -> None:
    """One call has one callback; a copy that is dropped does not count as never called."""
    next = RecordingNext()
    callback = wrap_callback(next)
    assert copy.copy(callback) is callback
    assert copy.deepcopy({"callback": callback})["callback"] is callback
    callback(None)
    assert [None] == [arrival.error for arrival in next.arrivals]


def test_cancelling_what_waits_for_a_closed_loop(run: Run) -> None:
    """Nothing more can be done there: the cancellation goes on, and nothing is late."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def main() -> None:
        future = loop.create_future()
        waiting = functools.partial(as_awaitable, future)

        async def wait_and_close() -> None:
            soon(end)
            await waiting()

        assert await cancel_while_pending(wait_and_close)

    def end() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    run(main)


# Rules that no other test held fast


@pytest.mark.parametrize("value", [-1, -errno.EPERM])
def test_a_negative_errno_is_an_error(value: int) -> None:
    """`result_first` takes only ``None`` and ``0`` for success, of any kind of integer."""
    assert result_first(None, value) == (value, (None,))


@pytest.mark.parametrize("error", [0, "", False, []])
def test_an_errback_keeps_a_falsy_error(error: object) -> None:
    """Only ``None`` is no error object."""
    assert error_only(error) == (error, ())


def test_a_done_futures_error_has_no_frame_of_the_convention() -> None:
    """Its traceback is as the future has it."""

    class Done:
        def result(self) -> None:
            raise Boom

    error, _ = future(Done())
    assert isinstance(error, Boom)
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code.co_name == "result"


def test_a_timer_that_is_not_needed_is_cancelled(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """By the await, by the completion, and by the decoration, which begins anew."""
    made: list[bool] = []

    class Timer:
        def cancel(self) -> None:
            made.append(True)

    monkeypatch.setattr("catchasync._runtimes.later", lambda *_args: Timer())
    run(promisify(lambda callback: soon(callback, None), timeout=5))
    assert made == [True]
    decorated = wrap_callback(print, timeout=5)(test_a_copy_of_a_callback_is_that_callback)
    assert made == [True, True]
    decorated("boom")
    assert made == [True, True, True]


def test_a_callable_that_is_no_function_is_a_value(run: Run) -> None:
    """Only a function decorates: other callables are what the library hands over."""
    next = RecordingNext()
    wrap_callback(next, convention=result_only)(Handler("value", 1))
    assert [None] == [arrival.error for arrival in next.arrivals]
    wrap_callback(next, convention=result_only)(test_a_copy_of_a_callback_is_that_callback)
    assert [CallbackNeverCalled] == [type(error) for error in next.errors]


def test_two_callbacks_in_any_order(run: Run) -> None:
    """The place of each counts, not the order in which they are named."""

    def function(fail: Callback, ok: Callback) -> None:
        soon(ok, 1)

    promisified = promisify(function, convention=two_callbacks(success=1, error=0))
    assert run(promisified) == 1

    def with_rest(*args: Any) -> None:
        soon(args[0], args[1])

    assert run(promisify(with_rest, convention=two_callbacks(success=0, error=2)), 5) == 5


def test_too_few_arguments_for_the_defaults_before_the_callback(run: Run) -> None:
    """One that has no default is missed by name or number, never filled in."""

    def function(a: int, b: int, c: int = 0, callback: Any = None, /) -> None:
        """Not be called."""

    with pytest.raises(TypeError, match="needs 3 arguments before its callback: got 1"):
        run(promisify(function), 1)


def test_what_error_raises_may_be_a_stop_iteration(run: Run) -> None:
    """It is one that a future cannot hold."""

    def raises(_error: object) -> Any:
        raise StopIteration

    with pytest.raises(CallbackError):
        run(promisify(lambda callback: soon(callback, 1), error=raises))


def test_the_expiry_of_a_call_is_told_before_the_library_is(run: Run) -> None:
    """A library that calls back in its ``cancel`` is too late."""
    late = RecordingNext()

    def start(callback: Callback) -> Any:
        return mock.Mock(spec=["cancel"], cancel=lambda: callback("cancelled"))

    with pytest.raises(TimeoutError):
        run(promisify(start, timeout=0.001, late=late))
    assert ["cancelled"] == [e.value for e in late.errors if isinstance(e, CallbackError)]
