"""The central handler: every error of a program comes here, is reported, and answered.

It is a `next` like any other. Nothing that a rule, a reporter, the renderer or `crash` raises leads
back to where it came from: it is reported once, and the answer is a plain 500.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from catchasync._answers import Answer, Renderer
from catchasync._case import Case
from catchasync._context import ErrorContext
from catchasync._crash import ask
from catchasync._error_response import ErrorResponse
from catchasync._failures import as_error, described
from catchasync._inside import inside, is_inside
from catchasync._kinds import is_awaitable
from catchasync._log import last_resort, log_error
from catchasync._negotiation import Format, checked_format
from catchasync._reporting import Reporter, Reporters
from catchasync._rules import PLAIN, Rule, Rules, RuleT, status_in
from catchasync._statuses import SERVER_ERROR, status_of
from catchasync._told import is_news, serials

if TYPE_CHECKING:
    from catchasync._hooks import Installation

logger = logging.getLogger("catchasync")


class ErrorHandler:
    """
    The one place where errors are reported and turned into responses.

    It is a `next`: ``catch_async(next=errors)``, for a route, a job, a consumer, a thread. It may
    be used from any thread and on any loop.

    Reporters of others are one line each:

        lambda error, context: structlog.get_logger().log(context.level, "failed", exc_info=error)
        lambda error, context: context.expected or sentry_sdk.capture_exception(error)
        lambda error, context: trace.get_current_span().record_exception(error)  # OpenTelemetry
        lambda error, context: FAILURES.labels(context.source, context.status).inc()  # Prometheus

    Args:
        debug: Whether responses show the stack of the error. Never for strangers.
        reporters: Who is told of errors: callables of ``(error, context)``, sync or async. Default:
            `log_error`. An empty tuple: nobody.
        format: The format of all responses, whatever the client accepts.
        crash: Called with a bug that no request is answered for; `exit_process` ends the process.
            Default: the process runs on.
        expected_level: The level of `logging` at which expected errors are reported.

    Raises:
        TypeError: A reporter, or ``crash``, cannot be called.
        ValueError: There is no such format.
    """

    def __init__(
        self,
        *,
        debug: bool = False,
        reporters: Iterable[Reporter] = (log_error,),
        format: Format | None = None,  # noqa: A002 - what it is
        crash: Callable[[BaseException], Any] | None = None,
        expected_level: int = logging.INFO,
    ) -> None:
        if crash is not None and not callable(crash):
            msg = f"crash= of ErrorHandler takes a callable of one argument: got {crash!r}"
            raise TypeError(msg)
        self._crash = crash
        self._expected_level = expected_level
        self._serial = next(serials)
        self._rules = Rules()
        self._reporters = Reporters(reporters, self._serial)
        form = checked_format(format, "ErrorHandler()")
        self._renderer = Renderer(self._reporters, debug=debug, format=form)

    def on(
        self,
        *types: type[BaseException],
        status: int | None = None,
        report: bool | int | None = None,
    ) -> Callable[[RuleT], RuleT]:
        """Register exception types: their errors are expected, and what is decorated answers them.

        The rule is called as ``(error, context)``, sync or async. It returns a response of any
        framework, an error to render instead, or ``None`` to have the error rendered as without
        it; ``context.default`` is how that looks. The nearest class in the error's MRO counts, and
        the last registration of a class. Without a rule the types are registered all the same.

        Args:
            *types: Classes of exceptions. `Exception` makes no bug an expected error.
            status: What their errors are answered with, 400 to 599; default: as they say.
            report: ``False``: reporters are not told; ``True``: they are told as of a bug; a level
                of `logging`: told at this level. Default: by whether the error is expected.

        Returns:
            A decorator, which returns the rule as it came.

        Raises:
            TypeError: No class of exceptions, or a rule that cannot be called so.
            ValueError: The status is none of an error.
        """
        return self._rules.add(types, status, report)

    def __call__(self, error: object = None, context: object = None, *_values: object) -> Any:
        """Report an error, and answer it.

        Args:
            error: What failed; ``None`` (an error-first callback that has none) does nothing.
            context: Where; an `ErrorContext`, or any object with such attributes.

        Returns:
            An `ErrorResponse`, or what a rule returned; an awaitable of it where that is async.
        """
        if error is None:
            return None
        if type(context) is ErrorContext and self._rules.entry_of(error) is PLAIN:
            answer = self._at_once(error, context)
            if answer is not None:
                return answer
        case = Case(error, context, self._rules, self._renderer.rendered)
        rule = case.entry.function
        if rule is None or is_inside("rule", self._serial):
            self._report(case)
            return case.default
        return self._answer(case, rule)

    def _at_once(self, error: Any, context: ErrorContext) -> ErrorResponse | None:
        """Answer an error of a plain class, that nobody is told of; ``None``: that takes longer."""
        try:
            is_silent = self._reporters.is_silent(self._expected_level)
            answer = self._renderer.at_once(error, context) if is_silent else None
        except Exception:  # noqa: BLE001 - no room for another call, or its `__init__` was not called
            return None
        if answer is not None:
            is_news(error, self._serial)
        return answer

    def report(self, error: object = None, context: object = None) -> None:
        """Tell every reporter of an error, once; never raises.

        Args:
            error: What failed; ``None`` does nothing.
            context: Where; an `ErrorContext`, or any object with such attributes.
        """
        if error is not None:
            self._report(Case(error, context, self._rules, self._renderer.rendered))

    def install(
        self,
        *,
        main: bool = True,
        threads: bool = True,
        loops: bool = True,
        unraisable: bool = True,
    ) -> Installation:
        """Report what nobody catches in this process, from now until `close`.

        Hooks of others are still called. `KeyboardInterrupt`, `SystemExit` and `GeneratorExit` are
        no failures, and end what they end as without us.

        Args:
            main: Errors that end the main thread (`sys.excepthook`).
            threads: Errors that end a thread (`threading.excepthook`).
            loops: Errors that asyncio's loops find, also loops made later; under uvloop those of
                the running loop.
            unraisable: Errors that cannot be raised, as in ``__del__`` (`sys.unraisablehook`).

        Returns:
            What undoes it: a context manager, with a ``close()``. An error that leaves its block is
            reported, and goes on.
        """
        from catchasync._hooks import Installation  # noqa: PLC0415 - few programs need it

        places = {"main": main, "thread": threads, "loop": loops, "unraisable": unraisable}
        wanted = {name for name, is_wanted in places.items() if is_wanted}
        return Installation(self.report, wanted, self._is_logged)

    def _is_logged(self, error: BaseException) -> bool:
        """Say whether the log shows the traceback of a report, so that no other need print it."""
        if log_error not in self._reporters.all:
            return False
        case = Case(error, None, self._rules, self._renderer.rendered)
        case.classify(self._expected_level)
        return not case.expected and logger.isEnabledFor(case.level)

    def _report(self, case: Case, status: int | None = None) -> None:
        """Tell the reporters of a failure that they have not been told of; ask `crash` of a bug."""
        try:
            case.classify(self._expected_level, status)
            if not is_news(case.subject, self._serial):
                return
            if case.entry.report is not False:
                self._reporters.tell(case.error, case)
            if self._crash is not None and case.is_crash:
                ask(self._crash, case.error)
        except Exception as defect:  # noqa: BLE001 - a defect of ours: the error is not lost
            last_resort(f"{described(case.error)} could not be reported", defect)

    def _answer(self, case: Case, rule: Rule) -> Any:
        try:
            with inside("rule", self._serial):
                answer = rule(case.subject, case)
        except Exception as broken:  # noqa: BLE001 - reported
            return self._rule_failed(case, broken)
        except BaseException:
            self._report(case)
            raise
        if not is_awaitable(answer):
            return self._answered(case, answer)
        work = self._answer_later(case, answer)
        return Answer(work, lambda: self._report(case))

    async def _answer_later(self, case: Case, awaitable: Awaitable[Any]) -> Any:
        try:
            with inside("rule", self._serial):
                answer = await awaitable
        except Exception as broken:  # noqa: BLE001 - reported
            return self._rule_failed(case, broken)
        except BaseException:
            self._report(case)
            raise
        return self._answered(case, answer)

    def _rule_failed(self, case: Case, broken: Exception) -> ErrorResponse:
        """Report what came, and what the rule raised."""
        self._report(case, SERVER_ERROR)
        if is_news(broken, self._serial):
            context = ErrorContext(
                "rule", case.request, case.entry.function, case.accept, case.method
            )
            self._reporters.tell_defect(broken, context)
        return self._renderer.plain(case)

    def _answered(self, case: Case, answer: Any) -> Any:
        """Report an error as what its rule made of it, and return the response."""
        if answer is None or answer is case.subject:
            self._report(case)
            return case.default
        if is_error(answer):
            instead = as_error(answer)
            self._report(case, status_of(instead))
            return self._renderer.rendered(case, instead)
        self._report(case, status_in(answer))
        return answer

    def __repr__(self) -> str:
        return f"<ErrorHandler: {len(self._rules)} types, {len(self._reporters.all)} reporters>"


def is_error(answer: object) -> bool:
    """Say whether a rule returned an error, or the class of one, to render instead."""
    kind = answer if isinstance(answer, type) else type(answer)
    return issubclass(kind, BaseException)
