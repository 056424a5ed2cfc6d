"""Section 3: whether a response has begun, and what that means for a failure."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from catchasync import ResponseTracker, Sent, catch_async
from catchasync.testing import RecordingNext
from tests.support import Boom


class Response:
    """A response without a flag of its own."""

    def __init__(self) -> None:
        self.sent_bytes: list[str] = []
        self.code = 200

    def status(self, code: int) -> Response:
        """Set the status; it can be chained."""
        self.code = code
        return self

    def text(self) -> str:
        """Return what went out."""
        return "".join(self.sent_bytes)

    def json(self, value: object) -> Response:
        """Serialise, then send."""
        self.sent_bytes.append(json.dumps(value))
        return self

    def write(self, data: str) -> None:
        """Send, unless the wire is cut."""
        if data == "cut":
            raise BrokenPipeError(data)
        self.sent_bytes.append(data)

    async def send(self, data: str) -> None:
        """Send, asynchronously."""
        await asyncio.sleep(0)
        self.write(data)


class Flagged(Response):
    """A response with a flag of its own."""

    headers_sent = False


class Slotted:
    """A response with slots."""

    __slots__ = ("code", "out")

    def __init__(self) -> None:
        self.out = ""

    def end(self, data: str) -> None:
        """Send."""
        self.out += data


def outcome(
    body: Any, response: Any, *, track_response: Any = True, is_async: bool = False
) -> tuple[Any, Any, Any]:
    """Run a tracked handler; return its result, what reached `next`, and what was late."""
    next_, late = RecordingNext("answer"), RecordingNext()
    options = catch_async(next=next_, late=late, track_response=track_response)

    async def show_async(req: object, res: Any) -> Any:
        return await body(res)

    def show(req: object, res: Any) -> Any:
        return body(res)

    if is_async:
        return asyncio.run(options(show_async)(1, response)), next_.errors, late.errors
    return options(show)(1, response), next_.errors, late.errors


class TestAFailureAfterSending:
    """It is late."""

    @pytest.mark.parametrize("make", [Response, Slotted])
    def test_after_sending(self, make: Any) -> None:
        """`next` is not told, `late` is, once."""

        def body(res: Any) -> None:
            assert Sent.NO == res.sent
            assert not res.sent
            (res.json if make is Response else res.end)("x")
            assert Sent.YES == res.sent
            raise Boom

        result, told, late = outcome(body, make())
        assert (None, []) == (result, told)
        assert [Boom] == [type(error) for error in late]

    def test_before_sending(self) -> None:
        """`next` is told."""

        def body(res: Any) -> None:
            res.status(404)
            raise Boom

        assert "answer" == outcome(body, Response())[0]

    def test_after_sending_asynchronously(self) -> None:
        """An async method has sent when it has ended."""

        async def body(res: Any) -> None:
            sending = res.send("x")
            assert Sent.NO == res.sent
            await sending
            assert Sent.YES == res.sent
            raise Boom

        _, told, late = outcome(body, Response(), is_async=True)
        assert (0, 1) == (len(told), len(late))

    def test_a_handler_that_is_handed_next(self) -> None:
        """`next(error)` after the response was sent is late too."""
        next_, late = RecordingNext(), RecordingNext()

        @catch_async(track_response=True, late=late)
        def show(req: object, res: Any, next: Any) -> None:
            res.json({})
            next(Boom())

        show(1, Response(), next_)
        assert (0, 1) == (len(next_.errors), len(late.errors))

    def test_a_result_after_sending(self) -> None:
        """A result is returned, whatever was sent."""
        assert "result" == outcome(lambda res: res.json({}) and "result", Response())[0]


class TestSendingThatFails:
    """A method that raises before anything went out has not sent."""

    def test_a_body_that_cannot_be_serialised(self) -> None:
        """`next` is told."""
        result, told, late = outcome(lambda res: res.json(object()), Response())
        assert ("answer", 1, 0) == (result, len(told), len(late))

    def test_after_something_was_sent(self) -> None:
        """What was sent stays sent."""

        def body(res: Any) -> None:
            res.write("x")
            res.json(object())

        _, told, late = outcome(body, Response())
        assert (0, 1) == (len(told), len(late))

    @pytest.mark.parametrize("is_async", [False, True])
    def test_a_wire_that_is_cut(self, is_async: bool) -> None:  # noqa: FBT001
        """An `OSError` leaves "unknown": nothing is written a second time."""
        states: list[Sent] = []

        def body(res: Any) -> None:
            try:
                res.write("cut")
            finally:
                states.append(res.sent)

        async def body_async(res: Any) -> None:
            try:
                await res.send("cut")
            finally:
                states.append(res.sent)

        _, told, late = outcome(body_async if is_async else body, Response(), is_async=is_async)
        assert (0, 1, [Sent.UNKNOWN]) == (len(told), len(late), states)

    def test_cancelled_midway(self) -> None:
        """It leaves "unknown" too."""

        async def body(res: Any) -> None:
            task = asyncio.ensure_future(res.send("x"))
            await asyncio.sleep(0)
            assert Sent.UNKNOWN == res.sent
            task.cancel()
            await asyncio.wait([task])
            assert Sent.UNKNOWN == res.sent
            raise Boom

        _, told, late = outcome(body, Response(), is_async=True)
        assert (0, 1) == (len(told), len(late))

    def test_a_coroutine_that_was_never_awaited(self) -> None:
        """It has not begun."""

        async def body(res: Any) -> None:
            res.send("x").close()
            raise Boom

        _, told, late = outcome(body, Response(), is_async=True)
        assert (1, 0) == (len(told), len(late))


class TestMethodsOfOtherKinds:
    """Sync methods that return something unfinished."""

    class Unfinished:
        """A response whose methods return what its maker says."""

        def __init__(self, make: Any) -> None:
            self.make = make

        def send(self) -> Any:
            """Start to send."""
            return self.make()

    @pytest.mark.parametrize("how", ["result", "error", "cancelled"])
    def test_a_future(self, how: str) -> None:
        """It is unknown until the future has settled."""
        expected = {"result": Sent.YES, "error": Sent.NO, "cancelled": Sent.UNKNOWN}[how]

        async def body(res: Any) -> None:
            future = res.send()
            assert Sent.UNKNOWN == res.sent
            if how == "result":
                future.set_result(None)
            elif how == "error":
                future.set_exception(Boom())
            else:
                future.cancel()
            await asyncio.wait([future])
            assert expected == res.sent

        make = lambda: asyncio.get_running_loop().create_future()  # noqa: E731
        assert [] == outcome(body, self.Unfinished(make), is_async=True)[1]

    def test_a_coroutine(self) -> None:
        """It has sent when it has ended, and not before it has begun."""

        async def body(res: Any) -> None:
            sending = res.send()
            assert Sent.NO == res.sent
            await sending
            assert Sent.YES == res.sent

        async def succeed() -> None:
            """Do nothing."""

        assert [] == outcome(body, self.Unfinished(succeed), is_async=True)[1]


class TestFlags:
    """A flag of the real object is believed."""

    @pytest.mark.parametrize("flag", ["headers_sent", "prepared", "responded", "committed"])
    def test_it_goes_before_what_was_called(self, flag: str) -> None:
        """Called or not, the response has begun when the flag says so."""
        response = type("Own", (Response,), {flag: False})()

        def body(res: Any) -> None:
            res.json({})
            assert Sent.NO == res.sent
            setattr(res, flag, True)
            assert Sent.YES == res.sent
            raise Boom

        _, told, late = outcome(body, response)
        assert (0, 1) == (len(told), len(late))

    def test_one_that_cannot_be_read(self) -> None:
        """It says nothing: unknown."""

        class Broken(Response):
            reads = 0

            @property
            def headers_sent(self) -> bool:
                self.reads += 1
                if self.reads > 1:
                    raise RuntimeError
                return False

        def body(res: Any) -> None:
            assert Sent.UNKNOWN == res.sent
            raise Boom

        _, told, late = outcome(body, Broken())
        assert (0, 1) == (len(told), len(late))

    def test_a_named_flag(self) -> None:
        """`flag=` names another one."""
        response = Response()

        def body(res: Any) -> None:
            assert Sent.YES == res.sent
            raise Boom

        _, told, _late = outcome(body, response, track_response=ResponseTracker(flag="code"))
        assert [] == told


class TestTheProxy:
    """The handler's response is the real one in all but identity, and that is never patched."""

    def test_it_reads_and_writes_through(self) -> None:
        """`isinstance`, `==`, attributes, slots, deletion, methods."""
        for response in (Response(), Slotted()):

            def body(res: Any, response: Any = response) -> None:
                assert isinstance(res, type(response))
                assert res == response
                res.code = 404
                assert (404, 404) == (response.code, res.code)
                del res.code
                assert not hasattr(response, "code")

            assert [] == outcome(body, response)[1]

    def test_the_real_object_is_untouched(self) -> None:
        """Its attributes are the same before and after."""
        response = Response()
        before = dict(vars(response))
        outcome(lambda res: res.status(200), response)
        assert before == vars(response)
        assert Response.json is type(response).json

    def test_chained_calls_stay_watched(self) -> None:
        """What returns the response itself returns the proxy."""

        def body(res: Any) -> None:
            assert res.status(404) is res
            res.status(404).json({}).status(200)
            assert "{}" == res.text()
            assert Sent.YES == res.sent

        assert [] == outcome(body, Response())[1]

    def test_functions_that_are_no_methods(self) -> None:
        """A callable attribute is returned as it is."""
        response: Any = Response()
        response.callback = print
        assert [] == outcome(lambda res: res.callback is print or 1 / 0, response)[1]

    def test_the_kind_of_a_method_is_kept(self) -> None:
        """An async method is one, and has its name."""

        def body(res: Any) -> None:
            assert inspect.iscoroutinefunction(res.send)
            assert not inspect.iscoroutinefunction(res.write)
            assert "send" == res.send.__name__

        assert [] == outcome(body, Response())[1]

    def test_one_proxy_for_all_decorators(self) -> None:
        """A response that another decorator watches is watched by both."""
        late = RecordingNext()
        next_ = RecordingNext()
        options = catch_async(track_response=True, next=next_, late=late)

        @options
        @options
        def show(res: Any) -> None:
            res.json({})
            raise Boom

        show(Response())
        assert (0, 1) == (len(next_.errors), len(late.errors))


class TestWhichArgument:
    """`res`, `response`, `resp`, or one that is named."""

    @pytest.mark.parametrize("name", ["res", "response", "resp"])
    @pytest.mark.parametrize("form", ["plain", "stars", "defaulted"])
    def test_by_name(self, name: str, form: str) -> None:
        """Wherever it stands, given by position or keyword."""
        source = {
            "plain": f"def show(req, {name}):\n    {name}.json({{}})\n    raise Boom",
            "stars": f"def show(type, {name}, *args):\n    {name}.json({{}})\n    raise Boom",
            "defaulted": f"def show(req, {name}=None):\n    {name}.json({{}})\n    raise Boom",
        }[form]
        namespace: dict[str, Any] = {"Boom": Boom}
        exec(source, namespace)  # noqa: S102 - ours
        next_, late = RecordingNext(), RecordingNext()
        show = catch_async(track_response=True, next=next_, late=late)(namespace["show"])
        show(1, Response())
        if form == "defaulted":
            show(1, **{name: Response()})
        assert [] == next_.errors
        assert late.errors

    def test_behind_a_foreign_decorator(self) -> None:
        """It is looked up in the signature that `inspect` shows."""
        late = RecordingNext()

        def show(req: object, res: Any) -> None:
            res.json({})
            raise Boom

        @catch_async(track_response=True, next=print, late=late)
        @functools.wraps(show)
        def foreign(*args: Any, **kwargs: Any) -> None:
            return show(*args, **kwargs)

        foreign(1, Response())
        foreign(1, res=Response())
        assert 2 == len(late.errors)

    def test_a_response_that_is_not_given(self) -> None:
        """There is nothing to watch."""
        next_ = RecordingNext("answer")

        @catch_async(track_response=True, next=next_)
        def show(req: object, res: Any = None) -> None:
            assert res is None
            raise Boom

        assert "answer" == show(1)

    def test_named(self) -> None:
        """`ResponseTracker(argument=..., methods=...)`."""
        late = RecordingNext()
        tracker = ResponseTracker(argument="reply", methods=("write",))

        @catch_async(track_response=tracker, next=print, late=late)
        def show(reply: Any) -> None:
            reply.json({})
            assert Sent.NO == reply.sent
            reply.write("x")
            raise Boom

        show(Response())
        assert 1 == len(late.errors)

    def test_a_handler_without_one(self) -> None:
        """It is refused when it is decorated, with the remedy."""
        with pytest.raises(TypeError, match=r"named res or response or resp.*argument=\.\.\."):
            catch_async(track_response=True)(lambda request: request)
        with pytest.raises(TypeError, match=r"named reply; it has \(request\)"):
            catch_async(track_response=ResponseTracker(argument="reply"))(lambda request: request)

    @pytest.mark.parametrize(
        "options", [{"argument": 5}, {"flag": 5}, {"methods": (5,)}, {"methods": "send"}], ids=str
    )
    def test_what_is_no_name(self, options: Any) -> None:
        """A tracker takes names."""
        with pytest.raises(TypeError, match="got"):
            ResponseTracker(**options)


@pytest.mark.parametrize("kind", ["generator", "async_generator"])
def test_streams(kind: str) -> None:
    """A stream's failure after sending is late, and still breaks the stream off."""
    next_, late = RecordingNext(), RecordingNext()
    options = catch_async(track_response=True, next=next_, late=late)

    @options
    def stream(res: Any) -> Any:
        yield 1
        res.write("x")
        raise Boom

    @options
    async def stream_async(res: Any) -> AsyncIterator[Any]:
        yield 1
        await res.send("x")
        raise Boom

    async def read() -> None:
        async for _ in stream_async(Response()):
            pass

    with pytest.raises(Boom):
        list(stream(Response())) if kind == "generator" else asyncio.run(read())
    assert (0, 1) == (len(next_.errors), len(late.errors))
