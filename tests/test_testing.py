"""`catchasync.testing`: a `next` that records, and fakes that misbehave on request."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import (
    CallbackError,
    CallbackNeverCalled,
    Chain,
    catch_async,
    promisify,
    wrap_callback,
)
from catchasync.conventions import result_first
from catchasync.testing import AsyncRecordingNext, CallsBack, FakeResponse, RecordingNext
from tests.backends import BACKENDS, in_thread, run_on, soon
from tests.support import Boom, run_python

Run = Callable[..., Any]


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


class TestRecordingNext:
    """What came, how often, on which thread; and demands on it."""

    def test_one_error_is_returned(self) -> None:
        """The error that was expected is given back, as it came."""
        next, error = RecordingNext(), Boom()
        catch_async(next=next)(lambda: (_ for _ in ()).throw(error))()

        assert next.expect_one() is error
        assert next.expect_one(Boom) is error

    def test_none_came(self) -> None:
        """A demand for an error that never came says so."""
        with pytest.raises(AssertionError) as caught:
            RecordingNext().expect_one(KeyError)

        expected = "expected one call of `next`, with a KeyError: it was not called."
        assert expected == str(caught.value)

    def test_another_came(self) -> None:
        """An error of another class is shown, and is the cause: its traceback tells where from."""
        next, error = RecordingNext(), Boom("x")
        in_thread(next, error)

        with pytest.raises(AssertionError) as caught:
            next.expect_one(OSError)

        text = str(caught.value)
        assert "with an OSError: it was called 1 time(s):\n  1. next(Boom('x')) on Thread-" in text
        assert caught.value.__cause__ is error

    @pytest.mark.parametrize("calls", [(None,), (Boom(), Boom()), (Boom(), None), (None, Boom())])
    def test_more_than_the_one(self, calls: tuple[Any, ...]) -> None:
        """A call without an error is none with one, and two calls are not one."""
        next = RecordingNext()
        for call in calls:
            next(call)

        with pytest.raises(AssertionError, match=f"with an error: it was called {len(calls)} time"):
            next.expect_one()

    def test_going_on(self) -> None:
        """A single call without an error is what `expect_go_on` demands."""
        next = RecordingNext()
        Chain(lambda req, res, next: next()).run(None, None, next)

        next.expect_go_on()

    @pytest.mark.parametrize("calls", [(), (Boom("x"),), (None, None)])
    def test_not_going_on(self, calls: tuple[Any, ...]) -> None:
        """An error, no call and two calls are refused, the error as the cause."""
        next = RecordingNext()
        for call in calls:
            next(call)

        with pytest.raises(AssertionError, match="without an error: it was") as caught:
            next.expect_go_on()
        assert caught.value.__cause__ is (calls[0] if calls else None)

    def test_none_is_expected(self) -> None:
        """`expect_none` takes no call, and shows those that came."""
        next = RecordingNext()
        next.expect_none()
        next()

        with pytest.raises(AssertionError, match=r"no call of `next`: .*\n  1\. next\(\) on Main"):
            next.expect_none()
        next(Boom())
        with pytest.raises(AssertionError) as caught:
            next.expect_none()
        assert isinstance(caught.value.__cause__, Boom)

    def test_it_may_be_a_callback(self) -> None:
        """Values beside the error are dropped, and an error that is no exception is made one."""
        next = RecordingNext()
        CallsBack((None, "content"), (13,))(next)

        assert [None, "CallbackError(13)"] == [
            one.error and repr(one.error) for one in next.arrivals
        ]

    def test_its_answer(self) -> None:
        """It returns its answer; one that is an exception is raised."""
        assert "answer" == RecordingNext("answer")()
        with pytest.raises(Boom):
            RecordingNext(Boom())()

    def test_its_repr(self) -> None:
        """The errors are shown, under the name of the class."""
        next = AsyncRecordingNext()
        asyncio.run(next(Boom()))

        assert "<AsyncRecordingNext: [Boom()]>" == repr(next)

    def test_wait_for_another_thread(self) -> None:
        """`wait` is over when the call has come, however it was ordered."""
        next = RecordingNext()
        thread = threading.Thread(target=next, args=(Boom(),))
        thread.start()
        next.wait()
        thread.join()
        next.wait(1)

        assert 1 == len(next.arrivals)

    def test_wait_in_vain(self) -> None:
        """Waiting for what does not come says what came."""
        next = RecordingNext()
        next()

        with pytest.raises(AssertionError, match=r"2 call\(s\) of `next` within 0\.01 seconds: it"):
            next.wait(2, timeout=0.01)

    def test_await_a_thread(self, run: Run) -> None:
        """`called` is over when the calls have come, from other threads or before."""
        next = RecordingNext()

        async def main() -> None:
            next()
            await next.called()
            soon(in_thread, next, Boom())
            await next.called(2)
            soon(in_thread, next, Boom())
            soon(in_thread, next, Boom())
            await next.called(4)

        run(main)
        assert 3 == len(next.errors)

    def test_await_in_vain(self, run: Run) -> None:
        """Awaiting what does not come says what came."""
        with pytest.raises(AssertionError, match=r"1 call\(s\) .* 0\.01 seconds: it was not call"):
            run(functools.partial(RecordingNext().called, timeout=0.01))

    def test_an_async_one_counts_when_awaited(self) -> None:
        """A call that nobody awaited has not come."""
        next = AsyncRecordingNext("answer")

        async def main() -> None:
            call = next(Boom())
            next.expect_none()
            assert "answer" == await call
            next.expect_one(Boom)
            next.answer = Boom("own")
            with pytest.raises(Boom, match="own"):
                await next()

        asyncio.run(main())


class TestFakeResponse:
    """A response that is set up, and sent once."""

    def test_json(self) -> None:
        """Status and headers are set, and the value is sent as JSON."""
        res = FakeResponse()
        returned = res.status(201).set("X-Id", "7").json({"id": 7})

        assert res is returned
        assert (201, b'{"id": 7}') == (res.status_code, res.body)
        assert {"x-id": "7", "content-type": "application/json"} == res.headers
        assert (True, True) == (res.headers_sent, res.ended)
        assert """<FakeResponse: 201, ended, b'{"id": 7}'>""" == repr(res)

    def test_a_stream(self) -> None:
        """Chunks add up, of text and of bytes, until the end."""
        res = FakeResponse()
        assert "<FakeResponse: 200, not sent, b''>" == repr(res)
        res.write("a").write(b"b")
        assert (True, False, "ab") == (res.headers_sent, res.ended, res.text)
        assert "<FakeResponse: 200, begun, b'ab'>" == repr(res)
        assert "abc" == res.end("c").text

    def test_redirect(self) -> None:
        """A redirect has a status and a place."""
        res = FakeResponse().redirect("/login")

        assert (302, {"location": "/login"}, True) == (res.status_code, res.headers, res.ended)

    @pytest.mark.parametrize("method", ["send", "json", "redirect", "status"])
    def test_too_late_for_another(self, method: str) -> None:
        """Once it has begun, no other response can be made of it, and nothing is changed."""
        res = FakeResponse().write("a")

        with pytest.raises(RuntimeError, match=rf"\.{method}\(\) came too late: .* has begun, <Fa"):
            getattr(res, method)(500)
        with pytest.raises(RuntimeError, match=r"\.set\(\) came too late"):
            res.set("a", "b")
        assert ("a", 200, {}) == (res.text, res.status_code, res.headers)

    @pytest.mark.parametrize("method", ["write", "end"])
    def test_too_late_for_more(self, method: str) -> None:
        """Once it has ended, nothing can be added."""
        res = FakeResponse().send("a")

        with pytest.raises(RuntimeError, match=rf"\.{method}\(\) came too late: .* has ended"):
            getattr(res, method)("b")
        assert "a" == res.text

    def test_what_cannot_be_serialised(self) -> None:
        """JSON that fails sends nothing: another response can still be made."""
        res = FakeResponse()
        with pytest.raises(TypeError, match="not JSON serializable"):
            res.json(object())

        assert "sorry" == res.status(500).send("sorry").text

    def test_a_client_that_goes_away(self) -> None:
        """It fails as it is told, after as many chunks as it is told."""
        res = FakeResponse(fails=BrokenPipeError(), after=1).write("a")
        with pytest.raises(BrokenPipeError):
            res.write("b")
        with pytest.raises(BrokenPipeError):
            FakeResponse(fails=BrokenPipeError()).send("a")

        assert "a" == res.text

    def test_catch_async_watches_it(self) -> None:
        """Its flag is believed: what fails after sending is late, and before it is not."""
        next, late = RecordingNext(), RecordingNext()

        @catch_async(next=next, track_response=True, late=late)
        def show(res: FakeResponse, *, is_sent: bool) -> None:
            if is_sent:
                res.write("hello")
            raise Boom

        show(FakeResponse(), is_sent=True)
        next.expect_none()
        late.expect_one(Boom)
        show(FakeResponse(), is_sent=False)
        next.expect_one(Boom)


class TestCallsBack:
    """A function that calls back as it is told."""

    def test_once(self, run: Run) -> None:
        """The callback is called with the outcome; the other arguments are noted."""
        fake = CallsBack((None, "content"), returns="handle")

        assert "content" == run(promisify(fake), "a.txt")
        assert [(("a.txt",), {})] == fake.calls
        assert "handle" == fake(print)

    def test_on_a_thread(self, run: Run) -> None:
        """The outcome comes from another thread, and the failure reaches the await."""
        fake = CallsBack((OSError("disk"),), when="thread")

        with pytest.raises(OSError, match="disk"):
            run(promisify(fake), "a.txt")

    def test_which_thread(self) -> None:
        """That thread has a name of its own."""
        next = RecordingNext()
        CallsBack((Boom(),), when="thread")(next)
        next.wait()

        assert ["CallsBack"] == [arrival.thread for arrival in next.arrivals]

    def test_twice(self, run: Run) -> None:
        """A second outcome is late."""
        late = RecordingNext()
        fake = CallsBack((None, "first"), (Boom(),))

        assert "first" == run(promisify(fake, late=late))
        late.expect_one(Boom)

    def test_later(self) -> None:
        """Callbacks are held until they are released, each once."""
        next = RecordingNext()
        fake = CallsBack((errno := 13,), when="later")
        fake(wrap_callback(next))
        next.expect_none()
        fake.release()
        fake.release()

        assert errno == next.expect_one(CallbackError).value

    def test_later_in_order(self) -> None:
        """What is released comes in the order of the calls."""
        came: list[str] = []
        fake = CallsBack((), when="later")
        fake(lambda: came.append("first"))
        fake(lambda: came.append("second"))
        fake.release()

        assert ["first", "second"] == came

    def test_never(self, run: Run) -> None:
        """Without an outcome, the callback is dropped."""
        with pytest.raises(CallbackNeverCalled):
            run(promisify(CallsBack()))

    def test_another_place_and_convention(self, run: Run) -> None:
        """The callback may be a keyword, or in front, and be called in any manner."""
        fake = CallsBack(("value", 0), callback="done")
        in_front = CallsBack((None, 1), callback=0)

        assert "value" == run(promisify(fake, callback="done", convention=result_first))
        assert 1 == run(promisify(in_front, callback=0), "a")
        assert [(("a",), {})] == in_front.calls

    def test_what_is_refused(self) -> None:
        """What is no tuple, and a time that there is not, are named."""
        with pytest.raises(TypeError, match=r"takes a tuple of the .* arguments: got 'content'\."):
            CallsBack("content")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(ValueError, match=r"takes 'now', 'later' or 'thread': got 'soon'\."):
            CallsBack(when="soon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_a_call_without_a_callback(self) -> None:
        """A function that is handed no callback says where it looked for it."""
        with pytest.raises(TypeError, match=r"no callback at -1: got \(\) and {'a': 1}\."):
            CallsBack()(a=1)
        with pytest.raises(TypeError, match=r"no callback at 'done': got \(1,\) and {}\."):
            CallsBack(callback="done")(1)

    def test_its_repr(self) -> None:
        """It tells how often, and when."""
        assert "<CallsBack: 1 times for each call, later>" == repr(CallsBack((), when="later"))


def test_importing_catchasync_does_not_import_it() -> None:
    """Only tests pay for it; and it does without pytest."""
    done = run_python(
        "import sys, catchasync\n"
        "print('catchasync.testing' in sys.modules)\n"
        "import catchasync.testing\n"
        "print('pytest' in sys.modules, 'asyncio' in sys.modules)"
    )

    assert "False\nFalse True\n" == done.stdout
