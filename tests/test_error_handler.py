"""ErrorHandler: errors are reported once, and answered."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import gc
import json
import logging
import pickle
import threading
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from catchasync import (
    CallbackError,
    ErrorContext,
    ErrorHandler,
    ErrorResponse,
    HttpError,
    _told,
    catch_async,
    log_error,
)
from catchasync._marks import RELAYS
from catchasync._told import is_known, is_news
from catchasync.errors import NotFound, ServiceUnavailable
from tests.hostile import Broken, hostile
from tests.support import Boom, step


class UserNotFound(Exception):
    """An error of some domain."""


class Reports:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.contexts: list[Any] = []

    def __call__(self, error: BaseException, context: Any) -> None:
        """Remember."""
        self.errors.append(error)
        self.contexts.append(context)


@pytest.fixture
def reports() -> Reports:
    """Make a reporter."""
    return Reports()


@pytest.fixture
def errors(reports: Reports) -> ErrorHandler:
    """Make a handler that tells it."""
    return ErrorHandler(reporters=[reports])


def raised(error: Exception) -> Exception:
    """Give an error a traceback."""
    try:
        raise error
    except Exception as caught:  # noqa: BLE001
        return caught


def body_of(response: ErrorResponse) -> Any:
    """Return what the body says."""
    return json.loads(response.body)


class TestAnswers:
    """`errors(error, context=None)` reports and returns a response."""

    def test_a_bug(self, errors: ErrorHandler, reports: Reports) -> None:
        """It is reported, and answered with a 500 that says nothing of it."""
        error = raised(ValueError("secret"))
        response = errors(error)
        assert isinstance(response, ErrorResponse)
        assert (500, [error]) == (response.status, reports.errors)
        assert b"secret" not in response.body

    def test_an_http_error(self, errors: ErrorHandler) -> None:
        """It is answered with its status, message and headers."""
        response = errors(HttpError(429, "slow down", headers={"retry-after": "3"}))
        assert (429, "3") == (response.status, response.headers["retry-after"])
        assert "slow down" == body_of(response)["detail"]

    @pytest.mark.parametrize("arguments", [(), (None,), (None, "data"), (None, "data", "more")])
    def test_no_error(
        self, errors: ErrorHandler, reports: Reports, arguments: tuple[Any, ...]
    ) -> None:
        """`errors()` and `errors(None)`, as an error-first callback calls it, do nothing."""
        assert errors(*arguments) is None
        assert errors.report(*arguments[:2]) is None  # type: ignore[func-returns-value]
        assert [] == reports.errors

    def test_an_error_that_is_no_exception(self, errors: ErrorHandler, reports: Reports) -> None:
        """It is wrapped, reported and answered."""
        assert 500 == errors("boom").status
        errors.report(0)
        assert ["boom", 0] == [
            error.value for error in reports.errors if isinstance(error, CallbackError)
        ]

    @pytest.mark.parametrize(
        ("context", "content_type"),
        [
            (None, "application/problem+json"),
            (ErrorContext(accept="text/html"), "text/html; charset=utf-8"),
            (SimpleNamespace(accept="text/plain"), "text/plain; charset=utf-8"),
            (ErrorContext(accept="application/vnd.api+json"), "application/vnd.api+json"),
        ],
    )
    def test_the_context_chooses_the_format(
        self, errors: ErrorHandler, context: Any, content_type: str
    ) -> None:
        """`.accept` is the client's header; any object with this attribute will do."""
        assert content_type == errors(Boom(), context).headers["content-type"]

    def test_format(self) -> None:
        """`format=` overrides what the client accepts."""
        response = ErrorHandler(format="json")(NotFound(), ErrorContext(accept="text/html"))
        assert 404 == body_of(response)["error"]["status"]

    def test_head(self, errors: ErrorHandler) -> None:
        """A HEAD request gets no body."""
        assert b"" == errors(NotFound(), context=ErrorContext(method="HEAD")).body

    @pytest.mark.parametrize(
        ("debug", "of_context", "is_shown"),
        [
            (False, None, False),
            (True, None, True),
            (False, True, True),
            (True, False, False),
            (False, "yes", False),
        ],
    )
    def test_debug(self, debug: bool, of_context: Any, is_shown: bool) -> None:  # noqa: FBT001
        """The stack is shown with `debug`, which a context may decide otherwise."""
        errors = ErrorHandler(debug=debug, reporters=())
        response = errors(raised(ValueError("secret")), ErrorContext(debug=of_context))
        assert is_shown == (b"secret" in response.body)

    def test_the_stack_of_another_error(self) -> None:
        """Where a rule returns an error instead, the stack is that of what it returned."""
        errors = ErrorHandler(debug=True, reporters=())
        errors.on(Boom)(lambda _error, _context: raised(NotFound("gone")))
        stack = body_of(errors(Boom()))["stack"]
        assert "NotFound: gone" in stack
        assert "Boom" not in stack

    def test_a_hostile_context(self, errors: ErrorHandler) -> None:
        """A context whose attributes raise counts as none."""

        class Hostile:
            def __getattr__(self, name: str) -> Any:
                raise Boom

        assert 404 == errors(NotFound(), Hostile()).status

    def test_it_is_a_next(self, errors: ErrorHandler, reports: Reports) -> None:
        """In a route, sync or async: its response is the handler's result."""

        @catch_async(next=errors)
        def route() -> Any:
            raise NotFound

        @catch_async(next=errors)
        async def route_async() -> Any:
            raise NotFound

        assert 404 == route().status
        assert 404 == step(route_async()).status
        assert 2 == len(reports.errors)

    def test_late_failures(self, errors: ErrorHandler, reports: Reports) -> None:
        """`late=errors.report` sends what is late to the same reporters."""
        error = Boom()

        @catch_async(late=errors.report)
        def route(next: Callable[..., Any]) -> Any:
            next(NotFound())
            raise error

        route(errors)
        assert error is reports.errors[1]

    def test_in_a_thread_and_on_a_loop(self, errors: ErrorHandler, reports: Reports) -> None:
        """It may be called from anywhere."""

        @catch_async(next=errors)
        def job() -> Any:
            raise Boom

        async def main() -> Any:
            return job()

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            assert 500 == pool.submit(job).result().status
        assert 500 == asyncio.run(main()).status
        assert 2 == len(reports.errors)


class TestRules:
    """`@errors.on(UserNotFound)`: what errors of a type are answered with."""

    def test_a_response(self, errors: ErrorHandler, reports: Reports) -> None:
        """What a rule returns is the answer, whatever object it is; the error is reported."""
        answer, error, context = object(), UserNotFound(), ErrorContext(request="request")
        seen: list[Any] = []

        @errors.on(UserNotFound)
        def rule(error: UserNotFound, context: ErrorContext) -> object:
            seen.extend((error, context.request))
            return answer

        assert answer is errors(error, context)
        assert [error, "request"] == seen
        assert [error] == reports.errors

    def test_on_returns_the_function(self, errors: ErrorHandler) -> None:
        """A rule stays what it was."""

        def rule(error: Any, context: Any) -> None: ...

        assert rule is errors.on(UserNotFound)(rule)

    @pytest.mark.parametrize("instead", [NotFound("no user"), NotFound])
    def test_an_error_instead(self, errors: ErrorHandler, reports: Reports, instead: Any) -> None:
        """An `HttpError` that a rule returns is rendered instead; reported is what happened."""
        error = UserNotFound()
        errors.on(UserNotFound)(lambda _error, _context: instead)
        assert 404 == errors(error).status
        assert [error] == reports.errors

    @pytest.mark.parametrize("answer", [None, "itself"])
    def test_nothing(self, errors: ErrorHandler, answer: Any) -> None:
        """A rule that returns `None`, or the error, has it rendered as without a rule."""
        errors.on(NotFound)(lambda error, _context: answer and error)
        assert 404 == errors(NotFound()).status

    def test_the_default(self, errors: ErrorHandler) -> None:
        """`context.default` is the rendered default, to change a header."""

        @errors.on(NotFound)
        def rule(_error: NotFound, context: ErrorContext) -> ErrorResponse:
            context.default.headers["x-hint"] = "look elsewhere"
            return context.default

        response = errors(NotFound("gone"))
        assert ("look elsewhere", "gone") == (
            response.headers["x-hint"],
            body_of(response)["detail"],
        )

    def test_what_else_the_context_has(self, errors: ErrorHandler) -> None:
        """A rule can read further attributes of the context that was given."""
        errors.on(Boom)(lambda _error, context: context.tenant)
        assert "acme" == errors(Boom(), SimpleNamespace(tenant="acme"))
        with pytest.raises(AttributeError):
            _ = ErrorContext().tenant  # type: ignore[attr-defined]

    def test_an_async_rule(self, errors: ErrorHandler, reports: Reports) -> None:
        """`errors(error)` is then an awaitable of the answer."""

        @errors.on(UserNotFound)
        async def rule(_error: UserNotFound, _context: ErrorContext) -> HttpError:
            await asyncio.sleep(0)
            return NotFound()

        async def main() -> Any:
            return await errors(UserNotFound())

        assert 404 == asyncio.run(main()).status
        assert [404] == [context.status for context in reports.contexts]

    def test_an_async_rule_as_next(self, errors: ErrorHandler) -> None:
        """A sync handler without a loop gets its answer too."""

        @errors.on(UserNotFound)
        async def rule(_error: UserNotFound, _context: ErrorContext) -> HttpError:
            return NotFound()

        @catch_async(next=errors)
        def route() -> Any:
            raise UserNotFound

        assert 404 == route().status

    def test_an_answer_that_nobody_awaits(self, errors: ErrorHandler, reports: Reports) -> None:
        """The error is reported all the same."""

        class Later:
            def __await__(self) -> Iterator[None]:
                raise AssertionError("unreachable")

        errors.on(Boom)(lambda _error, _context: Later())
        error = Boom()
        answer = errors(error)
        answer._work.close()
        assert [] == reports.errors
        del answer
        assert [error] == reports.errors

    def test_an_answer_is_awaited_once(self, errors: ErrorHandler) -> None:
        """A second time is an error, as with a coroutine."""

        @errors.on(Boom)
        async def rule(_error: Boom, _context: ErrorContext) -> str:
            return "answer"

        answer = errors(Boom())
        assert "answer" == step(answer)
        with pytest.raises(RuntimeError, match="awaited once"):
            step(answer)

    def test_an_async_rule_that_is_cancelled(self, errors: ErrorHandler, reports: Reports) -> None:
        """The cancellation goes on, and the error is reported."""

        @errors.on(Boom)
        async def rule(_error: Boom, _context: ErrorContext) -> None:
            raise asyncio.CancelledError

        error = Boom()
        with pytest.raises(asyncio.CancelledError):
            step(errors(error))
        assert [error] == reports.errors

    def test_a_rule_that_exits(self, errors: ErrorHandler, reports: Reports) -> None:
        """`SystemExit` goes on, and the error is reported."""

        @errors.on(Boom)
        def rule(_error: Boom, _context: ErrorContext) -> None:
            raise SystemExit(2)

        with pytest.raises(SystemExit):
            errors(Boom())
        assert [Boom] == [type(error) for error in reports.errors]

    @pytest.mark.parametrize("is_same", [False, True])
    def test_a_rule_that_raises(
        self, errors: ErrorHandler, reports: Reports, *, is_same: bool
    ) -> None:
        """It is told to all reporters, the error itself no second time, and is a plain 500."""
        error, broken = Boom(), NotFound("secret")

        @errors.on(Boom)
        def rule(_error: Boom, _context: ErrorContext) -> None:
            raise error if is_same else broken

        response = errors(error, ErrorContext(request="request", debug=True))
        assert 500 == response.status
        assert {"type", "title", "status", "detail"} == set(body_of(response))
        assert [error, *([] if is_same else [broken])] == reports.errors
        assert "request" == reports.contexts[-1].request

    def test_the_nearest_class(self, errors: ErrorHandler) -> None:
        """The nearest class in the MRO counts, whatever the order of registration."""
        errors.on(KeyError)(lambda *_: "key")
        errors.on(LookupError, ArithmeticError)(lambda *_: "lookup")
        errors.on(Exception)(lambda *_: "any")
        answers = [
            errors(error) for error in (KeyError(), IndexError(), ZeroDivisionError(), Boom())
        ]
        assert ["key", "lookup", "lookup", "any"] == answers

    def test_the_last_registration(self, errors: ErrorHandler) -> None:
        """The last registration of a type wins."""
        errors.on(KeyError)(lambda *_: "first")
        errors.on(KeyError)(lambda *_: "second")
        assert "second" == errors(KeyError())

    def test_a_group_of_one(self, errors: ErrorHandler, reports: Reports) -> None:
        """The rule is looked up by the error in it, and handed that one; reported is the group."""
        inner = UserNotFound()
        group = ExceptionGroup("outer", [ExceptionGroup("inner", [inner])])
        errors.on(UserNotFound, status=404)(lambda error, _context: error is inner and "same")
        assert "same" == errors(group)
        assert [group] == reports.errors
        assert [404] == [context.status for context in reports.contexts]

    def test_a_group_of_one_without_a_rule(self, errors: ErrorHandler) -> None:
        """Its status and rendering are those of the error in it."""
        assert 404 == errors(ExceptionGroup("one", [NotFound()])).status

    def test_a_group_of_several(self, errors: ErrorHandler) -> None:
        """It is looked up as what it is."""
        errors.on(ExceptionGroup)(lambda *_: "group")
        errors.on(Boom)(lambda *_: "boom")
        assert "group" == errors(ExceptionGroup("two", [Boom(), Boom()]))

    def test_status(self, errors: ErrorHandler, reports: Reports) -> None:
        """`on(status=)` is what errors of the type are answered with, without a function too."""
        errors.on(UserNotFound, status=404)
        response = errors(UserNotFound("secret"), ErrorContext())
        assert 404 == response.status
        assert b"secret" not in response.body
        assert (404, True) == (reports.contexts[0].status, reports.contexts[0].expected)

    def test_a_rule_within_a_rule(self, errors: ErrorHandler, reports: Reports) -> None:
        """What a rule hands to the same handler is reported, and rendered without rules."""
        inner = Boom()

        @errors.on(Boom, status=418)
        def rule(_error: Boom, _context: ErrorContext) -> Any:
            return errors(inner)

        error = Boom()
        assert 418 == errors(error).status
        assert [inner, error] == reports.errors

    def test_rules_apply_again_afterwards(self, errors: ErrorHandler) -> None:
        """What went on in one rule, sync or async, says nothing of the next error."""

        @errors.on(Boom)
        async def rule(_error: Boom, _context: ErrorContext) -> str:
            return "answer"

        assert ["answer"] * 3 == [step(errors(Boom())) for _ in range(3)]

    @pytest.mark.parametrize(
        "types", [(int,), ("KeyError",), (KeyError(),), ((KeyError,),), (print,)]
    )
    def test_what_is_no_exception_class(self, errors: ErrorHandler, types: Any) -> None:
        """A non-class is refused at the line that wrote it, also a forgotten pair of brackets."""
        with pytest.raises(TypeError, match=r"on\(\) takes exception classes.*got"):
            errors.on(*types)

    def test_no_class(self, errors: ErrorHandler) -> None:
        """`on()` is refused."""
        with pytest.raises(TypeError, match="at least one exception class"):
            errors.on()

    def test_a_rule_that_is_not_callable(self, errors: ErrorHandler) -> None:
        """It is refused at the line that wrote it."""
        with pytest.raises(TypeError, match=r"a rule is a callable .*: got 404"):
            errors.on(KeyError)(404)  # type: ignore[type-var]

    def test_a_rule_that_is_a_generator(self, errors: ErrorHandler) -> None:
        """Calling it would run nothing: it is refused."""

        def rule(_error: Any, _context: Any) -> Iterator[int]:
            yield 1

        with pytest.raises(TypeError, match="rule is a generator function"):
            errors.on(KeyError)(rule)

    def test_a_rule_of_one_argument(self, errors: ErrorHandler) -> None:
        """A rule is called with two: one that takes another number is refused."""
        with pytest.raises(TypeError, match=r"is called as \(error, context\).*too many"):
            errors.on(KeyError)(lambda _error: None)  # type: ignore[type-var]

    def test_a_rule_without_a_signature(self, errors: ErrorHandler) -> None:
        """What cannot be asked is believed."""
        errors.on(Boom)(max)
        assert 500 == errors(Boom()).status  # it cannot compare them

    @pytest.mark.parametrize(
        ("status", "error"), [(200, ValueError), ("404", TypeError), (True, TypeError)]
    )
    def test_a_bad_status(self, errors: ErrorHandler, status: Any, error: type[Exception]) -> None:
        """A status that is none is refused at the line that wrote it."""
        with pytest.raises(error, match=r"on\(status=\)"):
            errors.on(KeyError, status=status)

    def test_a_bad_report(self, errors: ErrorHandler) -> None:
        """So is what is neither a truth nor a level."""
        with pytest.raises(TypeError, match=r"on\(report=\) takes True, False, or a level"):
            errors.on(KeyError, report="never")  # type: ignore[arg-type]

    def test_a_class_that_cannot_be_looked_up(self, errors: ErrorHandler) -> None:
        """An error class with a broken hash has no rule, and is answered."""

        class Meta(type):
            def __hash__(cls) -> int:
                raise Boom

        class Broken(Exception, metaclass=Meta):
            pass

        errors.on(KeyError)
        assert 500 == errors(Broken()).status


def classified(errors: ErrorHandler, reports: Reports, error: BaseException) -> tuple[bool, int]:
    """Report an error, and return what reporters were told that it is."""
    errors(error)
    context = reports.contexts[-1]
    return context.expected, context.level


class TestExpectedOrBug:
    """An error is operational, or a bug."""

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (NotFound(), True),
            (HttpError(503), False),
            (HttpError(404, operational=False), False),
            (ValueError(), False),
            (UserNotFound(), False),
        ],
    )
    def test_without_rules(
        self, errors: ErrorHandler, reports: Reports, error: Exception, *, expected: bool
    ) -> None:
        """An `HttpError` below 500 is expected, unless it says that it is a bug."""
        level = logging.INFO if expected else logging.ERROR
        assert (expected, level) == classified(errors, reports, error)

    def test_a_registered_type(self, errors: ErrorHandler, reports: Reports) -> None:
        """It is expected where its status is below 500."""
        errors.on(UserNotFound, status=404)
        errors.on(TimeoutError)
        assert classified(errors, reports, UserNotFound())[0]
        assert not classified(errors, reports, TimeoutError())[0]

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (NotFound(), True),
            (ServiceUnavailable(), False),
            (ErrorResponse(404, {}, b""), True),
            (SimpleNamespace(status_code=303), True),
            (SimpleNamespace(status_code=502), False),
            (SimpleNamespace(status="200 OK"), False),
            (("not found", 404), True),
            (("no status",), False),
            ("text", False),
        ],
    )
    def test_what_its_rule_answers(
        self, errors: ErrorHandler, reports: Reports, answer: Any, *, expected: bool
    ) -> None:
        """The status of the answer decides, in whatever framework's response it stands."""
        errors.on(UserNotFound)(lambda _error, _context: answer)
        assert expected == classified(errors, reports, UserNotFound())[0]

    @pytest.mark.parametrize("wide", [Exception, BaseException])
    def test_exception_makes_no_bug_operational(
        self, errors: ErrorHandler, reports: Reports, wide: type[BaseException]
    ) -> None:
        """`on(Exception)` answers bugs, and they stay bugs."""
        errors.on(wide, status=404)
        assert not classified(errors, reports, ValueError())[0]

    def test_report_false(self, errors: ErrorHandler, reports: Reports) -> None:
        """`on(report=False)`: reporters are not told."""
        errors.on(UserNotFound, report=False)
        assert 500 == errors(UserNotFound()).status
        assert [] == reports.errors

    def test_report_true(self, errors: ErrorHandler, reports: Reports) -> None:
        """`on(report=True)`: reporters are told as of a bug."""
        errors.on(NotFound, report=True)
        assert (False, logging.ERROR) == classified(errors, reports, NotFound())

    def test_a_level(self, errors: ErrorHandler, reports: Reports) -> None:
        """`on(report=logging.WARNING)`: at that level."""
        errors.on(NotFound, report=logging.WARNING)
        assert (True, logging.WARNING) == classified(errors, reports, NotFound())

    def test_the_level_of_what_is_expected(self, reports: Reports) -> None:
        """`expected_level=` replaces INFO."""
        errors = ErrorHandler(reporters=[reports], expected_level=logging.DEBUG)
        assert (True, logging.DEBUG) == classified(errors, reports, NotFound())


class TestReportedOnce:
    """The same error is reported once."""

    def test_twice(self, errors: ErrorHandler, reports: Reports) -> None:
        """Handed over twice, in either way, it is answered twice and reported once."""
        for error in (Boom(), raised(Boom())):
            assert 500 == errors(error).status
            assert 500 == errors(error).status
            errors.report(error)
        assert 2 == len(reports.errors)

    def test_passed_on(self, errors: ErrorHandler, reports: Reports) -> None:
        """Passed through `next` and raised on, it is no news, with or without a decorator."""

        def next_(error: BaseException) -> Any:
            errors(error)
            raise error

        @catch_async(next=next_)
        def inner() -> None:
            raise Boom

        def outer() -> None:
            try:
                inner()
            except Boom as error:
                errors(error)
                raise

        with pytest.raises(Boom) as caught:
            outer()
        errors.report(caught.value)
        assert 1 == len(reports.errors)

    def test_reported_first_and_raised_then(self, errors: ErrorHandler, reports: Reports) -> None:
        """An error that was handed over before it was ever raised is the same failure."""
        error = Boom()
        errors.report(error)
        errors.report(raised(error))
        assert 1 == len(reports.errors)
        errors.report(raised(error))
        assert 2 == len(reports.errors)

    def test_reported_first_and_raised_twice(self, errors: ErrorHandler, reports: Reports) -> None:
        """Raised more than once since, it is a new failure."""
        error = Boom()
        errors.report(error)
        raised(error)
        errors.report(raised(error))
        assert 2 == len(reports.errors)

    def test_a_mark_of_a_task_that_is_gone(self) -> None:
        """Its ids may belong to something else by now: in another task the error is new."""

        async def look() -> bool:
            return is_known(error, 1)

        async def main() -> tuple[bool, bool, bool]:
            assert is_news(error, 1)
            alive = await asyncio.create_task(look())
            gone: Any = lambda: None  # noqa: E731
            marks = vars(error)["__catchasync_told__"]
            marks[1] = marks[1]._replace(task=gone)
            return alive, is_known(error, 1), await asyncio.to_thread(is_known, error, 1)

        error = Boom()
        assert (True, False, True) == asyncio.run(main())
        assert is_known(error, 1)

    def test_two_threads_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The failure is news to one of two threads, also where they ask at the same time."""
        answers: list[bool] = []
        error = Boom()
        second = threading.Thread(target=lambda: answers.append(is_news(error, 1)))

        def slow(error: BaseException) -> Any:
            monkeypatch.undo()
            second.start()
            second.join()
            return _told._mark(error)

        monkeypatch.setattr(_told, "_mark", slow)
        assert not is_news(error, 1)
        assert [True] == answers

    def test_a_task_that_is_gone(self, errors: ErrorHandler, reports: Reports) -> None:
        """What a task has reported is the same failure to whoever gets it from there."""

        async def fail() -> None:
            try:
                raise Boom
            except Boom as error:
                errors(error)
                raise

        async def main() -> None:
            for _ in range(3):
                [error] = await asyncio.gather(fail(), return_exceptions=True)
                gc.collect()
                errors(error)
                await asyncio.create_task(asyncio.to_thread(errors, error))

        asyncio.run(main())
        assert 3 == len(reports.errors)

    @pytest.mark.parametrize("module", sorted(RELAYS))
    def test_what_is_raised_by_what_passes_it_on(
        self, errors: ErrorHandler, reports: Reports, module: str
    ) -> None:
        """Futures, and layers of frameworks, raise what came to them: that is no new failure."""
        namespace: dict[str, Any] = {"__name__": module}
        exec("def pass_on(error):\n    raise error", namespace)  # noqa: S102
        error = raised(Boom())
        errors.report(error)
        with pytest.raises(Boom):
            namespace["pass_on"](error)
        errors.report(error)
        assert [error] == reports.errors

    def test_what_c_raises(self, errors: ErrorHandler, reports: Reports) -> None:
        """A failure that no line of Python has raised is told apart as any other."""
        for _ in range(2):
            with pytest.raises(ValueError, match="seven") as caught:
                int("seven")
            errors.report(caught.value)
            errors.report(caught.value)
        assert 2 == len(reports.errors)

    def test_each_handler_for_itself(self) -> None:
        """Two handlers that get a failure in turn each report it once."""
        told: list[str] = []
        first = ErrorHandler(reporters=[lambda _error, _context: told.append("first")])
        second = ErrorHandler(reporters=[lambda _error, _context: told.append("second")])
        error = raised(Boom())
        for each in (first, second, first, second):
            each(error)
        assert ["first", "second"] == told

    def test_a_dictionary_that_lies(self) -> None:
        """What an error has for a ``__dict__`` has no say in it."""

        class Lying(dict[str, Any]):
            def setdefault(self, _name: str, value: Any = None) -> Any:
                return value

        error = Boom()
        error.__dict__ = Lying()
        assert [True, False] == [is_news(error, 1), is_news(error, 1)]

    def test_raised_anew(self, errors: ErrorHandler, reports: Reports) -> None:
        """An error object that many failures share is reported for each."""
        shared = NotFound()

        @catch_async(next=errors)
        def route() -> None:
            raise shared

        for _ in range(3):
            route()
        assert 3 == len(reports.errors)

    def test_raised_anew_without_its_traceback(
        self, errors: ErrorHandler, reports: Reports
    ) -> None:
        """Also where a framework has cleared its traceback, and each request is a task."""
        shared = NotFound()

        async def request() -> None:
            try:
                raise shared
            except NotFound as error:
                errors(error)
                error.__traceback__ = None

        async def main() -> None:
            for _ in range(5):
                await asyncio.create_task(request())

        asyncio.run(main())
        assert 5 == len(reports.errors)

    def test_through_a_task(self, errors: ErrorHandler, reports: Reports) -> None:
        """An error that a task reported and its waiter reports is reported once."""

        async def task() -> None:
            try:
                raise Boom
            except Boom as error:
                errors(error)
                raise

        async def main() -> None:
            running = asyncio.create_task(task())
            try:
                await running
            except Boom as error:
                errors(error)

        asyncio.run(main())
        assert 1 == len(reports.errors)

    def test_a_group_of_one(self, errors: ErrorHandler, reports: Reports) -> None:
        """A group around an error that was reported is no news."""
        error = raised(Boom())
        errors(error)
        errors(ExceptionGroup("one", [error]))
        assert [error] == reports.errors

    def test_a_copy(self, errors: ErrorHandler, reports: Reports) -> None:
        """A copy, and what was pickled, are errors of their own."""
        error = Boom()
        errors(error)
        errors(copy.copy(error))
        errors(pickle.loads(pickle.dumps(error)))  # noqa: S301
        twin = Boom()
        vars(twin).update(vars(error))
        errors(twin)
        assert 4 == len(reports.errors)

    def test_two_handlers(self, errors: ErrorHandler, reports: Reports) -> None:
        """Each handler reports it."""
        error = Boom()
        errors(error)
        ErrorHandler(reporters=[reports])(error)
        assert 2 == len(reports.errors)

    def test_many_threads(self, errors: ErrorHandler, reports: Reports) -> None:
        """However many threads hand it over at the same time."""
        error, barrier = Boom(), threading.Barrier(8)

        def hand_over() -> None:
            barrier.wait()
            errors(error)

        threads = [threading.Thread(target=hand_over) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 == len(reports.errors)

    def test_a_dictionary_that_was_tampered_with(
        self, errors: ErrorHandler, reports: Reports
    ) -> None:
        """What somebody else wrote where our mark is counts as nothing."""
        error = Boom()
        error.__dict__["__catchasync_told__"] = "mine"
        errors(error)
        error.__dict__["__catchasync_told__"] = {errors._serial: "mine"}
        errors(error)
        assert 2 == len(reports.errors)


class TestCrash:
    """`crash(error)` decides what a bug outside of a request does."""

    @pytest.mark.parametrize(
        ("context", "is_asked"),
        [
            (ErrorContext(source="job"), True),
            (ErrorContext(), False),
            (None, False),
            (ErrorContext(source="route", request="request"), False),
            (ErrorContext(request="request"), False),
        ],
    )
    def test_when_it_is_asked(self, context: Any, *, is_asked: bool) -> None:
        """Of bugs whose context has a source and no request."""
        asked: list[BaseException] = []
        ErrorHandler(reporters=(), crash=asked.append)(Boom(), context)
        assert is_asked == bool(asked)

    def test_expected_errors(self) -> None:
        """It is not asked of an operational error, whatever its status."""
        asked: list[BaseException] = []
        errors = ErrorHandler(reporters=(), crash=asked.append)
        errors.on(UserNotFound)
        for error in (NotFound(), HttpError(503), UserNotFound()):
            errors.report(error, ErrorContext(source="job"))
        assert [] == asked

    def test_once(self) -> None:
        """It is asked once of each failure."""
        asked: list[BaseException] = []
        errors, error = ErrorHandler(reporters=(), crash=asked.append), Boom()
        for _ in range(2):
            errors.report(error, ErrorContext(source="job"))
        assert [error] == asked

    def test_after_the_report(self, reports: Reports) -> None:
        """Reporters are told first."""
        told: list[int] = []
        errors = ErrorHandler(
            reporters=[reports], crash=lambda _e: told.append(len(reports.errors))
        )
        errors.report(Boom(), ErrorContext(source="job"))
        assert [1] == told

    def test_async(self) -> None:
        """An async `crash` is seen through."""
        asked: list[BaseException] = []

        async def crash(error: BaseException) -> None:
            asked.append(error)

        ErrorHandler(reporters=(), crash=crash).report(Boom(), ErrorContext(source="job"))
        assert 1 == len(asked)

    @pytest.mark.parametrize("is_async", [False, True])
    def test_an_error_in_it(self, caplog: pytest.LogCaptureFixture, *, is_async: bool) -> None:
        """It is logged."""

        def crash(_error: BaseException) -> None:
            raise LookupError

        async def crash_async(_error: BaseException) -> None:
            raise LookupError

        errors = ErrorHandler(reporters=(), crash=crash_async if is_async else crash)
        errors.report(Boom(), ErrorContext(source="job"))
        [record] = caplog.records
        assert "`crash` failed" == record.getMessage()

    def test_an_exit(self) -> None:
        """`crash=sys.exit` exits."""

        def crash(_error: BaseException) -> None:
            raise SystemExit(7)

        errors = ErrorHandler(reporters=(), crash=crash)
        with pytest.raises(SystemExit):
            errors.report(Boom(), ErrorContext(source="job"))


class TestContext:
    """`ErrorContext`."""

    def test_its_parts(self) -> None:
        """Each may be left out."""
        context = ErrorContext("route", "request", "handler", "text/html", "GET", debug=True)
        assert ("route", "request", "handler", "text/html", "GET", True) == (
            context.source,
            context.request,
            context.handler,
            context.accept,
            context.method,
            context.debug,
        )
        assert [None] * 6 == list(vars(ErrorContext()).values())

    def test_a_copy(self, errors: ErrorHandler) -> None:
        """A rule may copy what it is handed."""
        errors.on(Boom)(lambda _error, context: copy.copy(context).source)
        assert "job" == errors(Boom(), ErrorContext(source="job"))

    def test_its_repr(self) -> None:
        """It shows what was given."""
        assert "ErrorContext(source='job', debug=False)" == repr(
            ErrorContext(source="job", debug=False)
        )

    def test_no_default_outside(self) -> None:
        """`.default` belongs to what a rule is handed."""
        with pytest.raises(RuntimeError, match="for the rules and reporters of an ErrorHandler"):
            _ = ErrorContext().default

    def test_what_reporters_are_told(self, errors: ErrorHandler, reports: Reports) -> None:
        """They get the given context's parts, and the status of the answer."""
        errors(NotFound(), ErrorContext(source="route", handler="show"))
        [context] = reports.contexts
        assert isinstance(context, ErrorContext)
        assert ("route", "show", 404, True, logging.INFO) == (
            context.source,
            context.handler,
            context.status,
            context.expected,
            context.level,
        )


class TestBadArguments:
    """What a programmer wrote wrongly fails at the line that wrote it."""

    def test_format(self) -> None:
        """An unknown format is refused."""
        with pytest.raises(ValueError, match="yaml"):
            ErrorHandler(format="yaml")  # type: ignore[arg-type]

    def test_crash(self) -> None:
        """So is a `crash` that cannot be called."""
        with pytest.raises(TypeError, match=r"crash= .* got True"):
            ErrorHandler(crash=True)  # type: ignore[arg-type]

    def test_reporter(self) -> None:
        """So is a reporter that cannot."""
        with pytest.raises(
            TypeError, match=r"a reporter is a callable \(error, context\): got 'log'"
        ):
            ErrorHandler(reporters=["log"])  # type: ignore[list-item]


def test_repr(errors: ErrorHandler) -> None:
    """It shows how much is registered."""
    errors.on(KeyError)
    assert "<ErrorHandler: 1 types, 1 reporters>" == repr(errors)


def test_a_defect_of_ours(
    errors: ErrorHandler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where reporting itself fails, the error is logged, and answered."""

    def is_news(*_: object) -> bool:
        raise LookupError

    monkeypatch.setattr("catchasync._handler.is_news", is_news)
    assert 404 == errors(NotFound("user")).status
    [record] = caplog.records
    assert "NotFound: user could not be reported" == record.getMessage()


def test_nothing_is_kept() -> None:
    """The error, its context and the request go without the garbage collector."""

    class Request:
        pass

    def fail() -> None:
        request = Request()
        alive.append(weakref.ref(request))
        for answer in (None, NotFound(), "broken"):
            errors.on(Boom)(rule_of(answer))
            try:
                raise Boom
            except Boom as error:
                errors(error, ErrorContext(source="route", request=request))

    def rule_of(answer: Any) -> Callable[[Any, Any], Any]:
        def rule(_error: Any, _context: Any) -> Any:
            if answer == "broken":
                raise LookupError
            return answer

        return rule

    def broken(_error: Any, _context: Any) -> None:
        raise LookupError

    alive: list[weakref.ref[Request]] = []
    errors = ErrorHandler(reporters=[lambda _error, _context: None, broken])
    gc.collect()
    gc.disable()
    try:
        fail()
        assert [None] == [reference() for reference in alive]
    finally:
        gc.enable()


@pytest.mark.parametrize("raised", [Boom(), RecursionError(), MemoryError(), KeyError()])
@pytest.mark.parametrize("format", ["problem", "html", "text"])
def test_a_hostile_error(
    raised: Exception,
    format: Any,  # noqa: A002
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error that raises at each look is reported, classified and answered."""
    told: list[BaseException] = []
    errors = ErrorHandler(
        debug=True, format=format, reporters=[log_error, lambda e, _c: told.append(e)]
    )
    errors.on(LookupError, status=404)
    error = hostile(raised)
    assert 500 == errors(error, Broken()).status
    assert errors.report(Broken()) is None  # type: ignore[func-returns-value]
    assert error is told[0]
    assert 2 == len(told)
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert texts[0].startswith("an error: Hostile\n")
    assert "an error: CallbackError" == texts[-1].splitlines()[0]


def test_the_default_reporter(caplog: pytest.LogCaptureFixture) -> None:
    """Without `reporters=` errors are logged on `catchasync`."""
    ErrorHandler()(Boom())
    assert ["catchasync"] == [record.name for record in caplog.records]
    assert callable(log_error)
