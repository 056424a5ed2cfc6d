"""What type checkers must accept of `ErrorHandler` and `Rollback`, and what they must refuse."""

from typing import Any, assert_type

from catchasync import (
    ErrorContext,
    ErrorHandler,
    ErrorResponse,
    HttpError,
    Rollback,
    catch_async,
    exit_process,
    log_error,
)


class UserNotFound(Exception): ...


def tell(error: BaseException, context: ErrorContext) -> None: ...


async def tell_async(error: BaseException, context: Any) -> None: ...


errors = ErrorHandler(debug=True, reporters=[log_error, tell, tell_async], crash=exit_process)
in_html = ErrorHandler(format="html", reporters=())
ErrorHandler(format="yaml")  # type: ignore[arg-type]
ErrorHandler(crash=True)  # type: ignore[arg-type]
ErrorHandler(reporters=[log_error, 1])  # type: ignore[list-item]


# A rule stays what it was.


@errors.on(UserNotFound, KeyError, status=404, report=False)
def rule(error: UserNotFound | KeyError, context: ErrorContext) -> ErrorResponse | HttpError | None:
    assert_type(context.default, ErrorResponse)
    return context.default if context.request else None


@errors.on(TimeoutError)
async def rule_async(error: TimeoutError, context: ErrorContext) -> str:
    return "later"


async def check_rules() -> None:
    assert_type(rule(UserNotFound(), ErrorContext()), ErrorResponse | HttpError | None)
    assert_type(await rule_async(TimeoutError(), ErrorContext(source="job")), str)


errors.on(404)  # type: ignore[arg-type]
errors.on(int)  # type: ignore[arg-type]
errors.on(KeyError)(404)  # type: ignore[type-var]


# It is a `next`, and its `report` serves as `late`.


@catch_async(next=errors, late=errors.report)
async def route(number: int) -> str:
    return str(number)


with errors.install(threads=False) as installation:
    installation.close()


# The arguments of a compensation are checked.


def release(name: str, *, count: int = 1) -> str:
    return name * count


async def release_async(name: str) -> None: ...


async def check_rollback() -> None:
    async with Rollback(errors.report) as undo:
        assert_type(undo, Rollback)
        undo.add(release, "stock", count=2)
        undo.add(release_async, "stock")
        undo.add(release, 1)  # type: ignore[arg-type]
        undo.add(release)  # type: ignore[call-arg]
        undo.add(release, "stock", amount=2)  # type: ignore[call-arg]
    with Rollback() as undo:
        undo.add(print)
    Rollback("log")  # type: ignore[arg-type]
