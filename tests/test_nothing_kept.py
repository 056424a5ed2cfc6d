"""Rules 7, 8 and 9: nothing is kept, tracebacks read well, an error is told of once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import copy
import gc
import pickle
import threading
import traceback
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from catchasync import catch_async
from catchasync._marks import KEY, is_marked, mark
from catchasync.testing import RecordingNext
from tests.support import KINDS, STREAMS, Boom, drive, handler_of, once, raiser, run

pytestmark = pytest.mark.usefixtures("frozen")

OURS = "<catchasync: "


class Held:
    """Something whose life can be watched."""


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Leave freeing to reference counts: a cycle would then live on."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def frames(error: BaseException) -> list[str]:
    """Name the frames of a traceback, ours by their file."""
    entries = traceback.extract_tb(error.__traceback__)
    return [OURS if entry.filename.startswith(OURS) else entry.name for entry in entries]


def kept_by(handler: Any, kind: str, next_: Any) -> list[str]:
    """Run a handler that fails; name what is alive after the last reference to it has gone."""
    request, error = Held(), Boom()
    watched: dict[str, weakref.ref[Any]] = {
        "request": weakref.ref(request),
        "error": weakref.ref(error),
    }

    decorated = handler(handler_of(kind, once(error)))
    del error
    with contextlib.suppress(Exception):  # what is left of it counts
        drive(kind, decorated, request, *([next_] if next_ else []))
    del request
    return [name for name, reference in watched.items() if reference() is not None]


def forget(_error: BaseException) -> None:
    """Keep nothing."""


def reraise(error: BaseException) -> None:
    """Raise the error again: this frame has it as a local."""
    raise error


def raise_other(error: BaseException) -> None:
    """Raise another error."""
    raise ValueError("of next") from error


async def forget_async(_error: BaseException) -> None:
    """Keep nothing, asynchronously."""
    await asyncio.sleep(0)


async def reraise_async(error: BaseException) -> None:
    """Raise the error again, asynchronously."""
    raise error


NEXTS = (forget, reraise, raise_other, forget_async, reraise_async)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("next_", NEXTS, ids=lambda next_: next_.__name__)
class TestNothingIsKept:
    """After delivery, no frame of ours keeps anything alive: freed without the collector."""

    def test_with_a_fixed_next(self, kind: str, next_: Any) -> None:
        """The error and the request go as soon as the caller lets go of them."""
        assert [] == kept_by(catch_async(next=next_), kind, None)

    def test_with_a_next_of_each_call(self, kind: str, next_: Any) -> None:
        """Likewise where `next` comes with the call."""
        assert [] == kept_by(catch_async, kind, next_)

    def test_with_catch_that_lets_it_by(self, kind: str, next_: Any) -> None:
        """Likewise for what passes through."""
        assert [] == kept_by(catch_async(next=next_, pass_through=Boom), kind, None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["fixed", "own", "extra"])
def test_our_frame_holds_nothing(kind: str, form: str) -> None:
    """Our frame in the traceback of a delivered error has let go of the arguments and of `next`."""
    next_ = RecordingNext()

    def handed(next: Any) -> Any:
        raise Boom

    handler = handler_of(kind, raiser(Boom()))
    with contextlib.suppress(Boom):
        if form == "fixed":
            drive(kind, catch_async(next=next_)(handler), Held())
        elif form == "extra":
            drive(kind, catch_async(handler), Held(), next_)
        else:
            drive("sync", catch_async(handed), next_)
    [error] = next_.errors
    ours = [
        frame
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename.startswith(OURS)
    ]
    assert [{}] == [{k: v for k, v in frame.f_locals.items() if _matters(v)} for frame in ours]


def _matters(value: object) -> bool:
    return not isinstance(value, int | None)


@pytest.mark.parametrize("kind", ["sync", "coroutine"])
def test_a_result_that_holds_the_error_makes_no_cycle(kind: str) -> None:
    """`next` may return the error itself."""
    handler = catch_async(next=lambda error: error)(handler_of(kind, once(Boom())))
    watched = weakref.ref(drive(kind, handler))
    assert watched() is None


def test_a_kept_next_does_not_keep_the_error() -> None:
    """Whoever keeps the guarded `next` of a call does not keep what went through it."""
    kept: list[Any] = []
    error = Boom()
    watched = weakref.ref(error)

    @catch_async
    def show(next: Any) -> None:
        kept.append(next)

    show(forget)
    kept[0](error)
    del error
    assert watched() is None


@pytest.mark.parametrize("kind", ["sync", "coroutine"])
def test_a_kept_next_forgets_what_it_was_given_while_the_handler_ran(kind: str) -> None:
    """The handler's own use of it is over when the handler is."""
    kept: list[Any] = []
    errors: list[BaseException] = [Boom()]
    watched = weakref.ref(errors[0])

    def show(next: Any) -> None:
        kept.append(next)
        next(errors.pop())

    async def show_async(next: Any) -> None:
        show(next)

    drive(kind, catch_async(show if kind == "sync" else show_async), forget)
    assert watched() is None


class TestTracebacks:
    """Our frames in a traceback are one per decorated handler."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_next_sees(self, kind: str) -> None:
        """The handler's frames, below one of ours."""
        seen: list[list[str]] = []
        handler = handler_of(kind, raiser(Boom()))
        with contextlib.suppress(Boom):
            run(kind, catch_async(next=lambda error: seen.append(frames(error)))(handler))
        assert [[OURS, kind, "body"]] == seen

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("next_", [reraise, reraise_async])
    def test_raised_again_it_reads_as_if_we_had_not_been_there(self, kind: str, next_: Any) -> None:
        """No frame of `next`, none of delivery: one of ours, and the handler's."""
        handler = catch_async(next=next_)(handler_of(kind, raiser(Boom())))
        with pytest.raises(Boom) as caught:
            run(kind, handler)
        assert [OURS, kind, "body"] == frames(caught.value)[-3:]
        assert 1 == frames(caught.value).count(OURS)

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_next_raises_shows_next(self, kind: str) -> None:
        """One frame of ours, then those of `next`."""
        handler = catch_async(next=raise_other)(handler_of(kind, raiser(Boom())))
        with pytest.raises(ValueError, match="of next") as caught:
            run(kind, handler)
        assert [OURS, "raise_other"] == frames(caught.value)[-2:]
        context = caught.value.__context__
        assert context is not None
        assert [OURS, kind, "body"] == frames(context)[-3:]

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_passes_through_shows_one_frame(self, kind: str) -> None:
        """One per decorated handler: three decorators, three frames, and none of delivery."""
        handler = handler_of(kind, raiser(KeyError()))
        for _ in range(3):
            handler = catch_async(next=forget, pass_through=KeyError)(handler)
        with pytest.raises(KeyError) as caught:
            run(kind, handler)
        assert [OURS, OURS, OURS, kind, "body"] == frames(caught.value)[-5:]
        assert 3 == frames(caught.value).count(OURS)

    def test_the_source_of_a_wrapper_can_be_read(self) -> None:
        """A traceback shows our line too."""
        with pytest.raises(Boom) as caught:
            catch_async(next=reraise)(raiser(Boom()))()
        assert "_failed(" in "".join(traceback.format_exception(caught.value))


class TestToldOnce:
    """An error that was at a `next` is not told again; a new failure is, though it is the same."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_object_raised_again_and_again(self, kind: str) -> None:
        """A module-level error instance is a new failure at each call."""
        next_, error = RecordingNext(), Boom()

        def tell(error: BaseException) -> None:
            next_(error)
            raise error

        handler = catch_async(next=tell)(handler_of(kind, raiser(error)))
        for _ in range(3):
            with pytest.raises(Boom):
                run(kind, handler)
        assert 3 == len(next_.errors)

    def test_one_failure_that_many_wait_for(self) -> None:
        """A future's error, raised in each of its waiters, is a failure of each of them."""
        told: list[Any] = []

        def next_(error: BaseException) -> None:
            told.append(error)
            raise error

        async def main() -> None:
            future = asyncio.get_running_loop().create_future()

            @catch_async(next=next_)
            async def wait() -> None:
                await future

            tasks = [asyncio.ensure_future(wait()) for _ in range(10)]
            await asyncio.sleep(0)
            future.set_exception(Boom())
            await asyncio.wait(tasks)
            assert all(isinstance(task.exception(), Boom) for task in tasks)

        asyncio.run(main())
        assert 10 == len(told)

    def test_one_object_raised_by_concurrent_handlers(self) -> None:
        """Each `raise` of it is a new failure, though it has been at `next` in the meantime."""
        told: list[Any] = []
        error = Boom()

        def next_(error: BaseException) -> None:
            told.append(error)
            raise error

        @catch_async(next=next_)
        async def fail() -> None:
            await asyncio.sleep(0)
            raise error

        async def main() -> None:
            await asyncio.gather(*(fail() for _ in range(10)), return_exceptions=True)

        asyncio.run(main())
        assert 10 == len(told)

    @pytest.mark.parametrize("how", ["task", "executor", "future"])
    def test_an_error_that_crosses_tasks_and_threads(self, how: str) -> None:
        """An inner handler's task, or thread, has told of it: the outer handler does not."""
        inner, outer = RecordingNext(), RecordingNext()

        def next_(error: BaseException) -> None:
            inner(error)
            raise error

        def fail() -> None:
            raise Boom

        async def fail_async() -> None:
            await asyncio.sleep(0)
            raise Boom

        pool = concurrent.futures.ThreadPoolExecutor(1)

        @catch_async(next=outer)
        async def show() -> None:
            if how == "task":
                await asyncio.create_task(catch_async(next=next_)(fail_async)())
            elif how == "executor":
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(pool, catch_async(next=next_)(fail))
            else:
                pool.submit(catch_async(next=next_)(fail)).result()

        with pool, pytest.raises(Boom):
            asyncio.run(show())
        assert (1, 0) == (len(inner.errors), len(outer.errors))

    def test_a_copy_is_another_error(self) -> None:
        """A copy, which has the mark of the original, was at no `next`."""
        inner, outer = RecordingNext(), RecordingNext()

        def next_(error: BaseException) -> None:
            inner(error)
            raise error

        @catch_async(next=outer)
        def show() -> None:
            with pytest.raises(Boom) as caught:
                catch_async(next=next_)(raiser(Boom()))()
            raise copy.copy(caught.value)

        show()
        assert (1, 1) == (len(inner.errors), len(outer.errors))

    def test_the_mark_stays_in_its_process(self) -> None:
        """An error that was pickled has been at no `next` where it arrives."""
        error = ValueError()
        mark(error, None)
        assert is_marked(error, -1, ())
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - ours
        assert not is_marked(again, -1, ())
        assert KEY in vars(again)

    def test_a_mark_from_before_the_call(self) -> None:
        """A mark that was made before a call began means an earlier flight."""
        from catchasync._marks import clock  # noqa: PLC0415

        error = ValueError()
        mark(error, None)
        assert not is_marked(error, clock.now, ())

    def test_a_mark_of_another_thread(self) -> None:
        """It counts if the traceback still has the part that the wrapper saw."""
        with pytest.raises(Boom) as caught:
            reraise(Boom())
        error = caught.value
        thread = threading.Thread(target=mark, args=(error, None))
        thread.start()
        thread.join()
        assert is_marked(error, -1, ())
        error.__traceback__ = None
        assert not is_marked(error, -1, ())

    @pytest.mark.parametrize("kind", STREAMS)
    def test_a_stream_in_a_stream(self, kind: str) -> None:
        """A broken stream is told of once, however many streams read it."""
        inner, outer = RecordingNext(), RecordingNext()
        handler = catch_async(next=inner)(handler_of(kind, raiser(Boom())))
        for _ in range(3):
            handler = catch_async(next=outer)(handler)
        with pytest.raises(Boom):
            run(kind, handler)
        assert (1, 0) == (len(inner.errors), len(outer.errors))

    def test_an_error_class_that_hides_its_attributes(self) -> None:
        """Whatever a class does with attributes, the failure arrives."""

        class Hostile(Exception):
            def __getattribute__(self, name: str) -> Any:
                if name.startswith("__catch"):
                    raise RuntimeError(name)
                return super().__getattribute__(name)

            def __setattr__(self, name: str, value: object) -> None:
                raise RuntimeError(name)

        told: list[Any] = []

        def next_(error: BaseException) -> None:
            told.append(error)
            raise error

        with pytest.raises(Hostile):
            catch_async(next=told.append)(catch_async(next=next_)(raiser(Hostile())))()
        assert 1 == len(told)
