"""The log: what is told there by default, and what can be told to nobody else."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, Final

from catchasync._failures import described
from catchasync._inside import inside, is_inside
from catchasync._marks import traceback_of
from catchasync._plain import guarded, text_of
from catchasync._statuses import attribute
from catchasync._told import LOG, is_news
from catchasync._traces import text_of_trace, trace_of

logger = logging.getLogger("catchasync")

MESSAGE_LIMIT: Final = 1_000  # characters of a client's mistake in the log


def log_error(error: BaseException, context: Any = None) -> None:
    """Report an error to the logger `catchasync`: the default reporter.

    A bug is logged with its traceback, what is expected in one line. The record has the attributes
    ``catchasync_source`` and ``catchasync_status``.

    Args:
        error: Any error.
        context: Whatever has the attributes of an `ErrorContext`.
    """
    level = attribute(context, "level") or logging.ERROR
    is_expected = attribute(context, "expected") is True
    if is_silent(is_expected, level):
        return
    source, status = attribute(context, "source"), attribute(context, "status")
    extra = {"catchasync_source": source, "catchasync_status": status}
    where = "an error" if source is None else f"an error in a {text_of(source)}"
    if is_expected:
        what = text_of(error, MESSAGE_LIMIT)
        logger.log(level, "%s: %s %s: %r", where, status, type(error).__name__, what, extra=extra)
    else:
        write(level, "%s: %s", (where, type(error).__name__), error, extra)
        is_news(error, LOG)  # `exit_process` need not repeat it


def is_silent(is_expected: bool, level: int) -> bool:  # noqa: FBT001 - the hot path
    """Say whether `log_error` writes nothing."""
    return is_expected and not logger.isEnabledFor(level or logging.ERROR)


def write(
    level: int,
    message: str,
    args: tuple[object, ...],
    error: BaseException,
    extra: dict[str, object] | None = None,
) -> None:
    """Log an error with its traceback, also one that `traceback` cannot read."""
    if guarded(_is_readable, error, default=False):
        exc_info = type(error), error, traceback_of(error)
        logger.log(level, message, *args, exc_info=exc_info, extra=extra)
    else:
        trace = text_of_trace(trace_of(error))
        logger.log(level, f"{message}\n%s", *args, trace, extra=extra)  # noqa: G004 - no data


def _is_readable(error: BaseException) -> bool:
    traceback.TracebackException(type(error), error, traceback_of(error), lookup_lines=False)
    return True


def last_resort(message: str, error: BaseException) -> None:
    """Log what can be told to nobody else; once, and it never raises."""
    if is_inside("log"):
        return
    with inside("log"):
        try:
            write(logging.ERROR, "%s", (message,), error)
        except Exception:  # noqa: BLE001 - a filter, or a handler that does not do as it should
            guarded(_print, f"catchasync: {message}: {described(error)}", default=None)


def _print(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - logging itself has failed
