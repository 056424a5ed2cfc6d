"""What becomes of the process after a bug that no request is answered for."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

from catchasync import _runtimes
from catchasync._failures import described
from catchasync._kinds import is_awaitable
from catchasync._log import last_resort, write
from catchasync._plain import guarded
from catchasync._told import LOG, is_known

logger = logging.getLogger("catchasync")

MESSAGE: Final = "the process ends: %s"

PATIENCE: Final = 5.0  # seconds to flush; supervisors kill after 10 (docker) to 90 (systemd)


def exit_process(error: BaseException) -> None:
    """End the process with status 1, from whichever thread: the `crash` of an `ErrorHandler`.

    The error is logged as fatal on `catchasync`, with its traceback unless `log_error` has just
    logged that. Log handlers, standard output and standard error are flushed, for at most five
    seconds. What was registered with `atexit` does not run: a supervisor starts the process anew.

    Args:
        error: Why.
    """
    try:
        _watch()
        guarded(_log, error, default=None)
        guarded(_drain, default=None)
        guarded(logging.shutdown, default=None)
        guarded(sys.stdout.flush, default=None)
        guarded(sys.stderr.flush, default=None)
    finally:
        os._exit(1)


def _watch() -> None:
    """Exit also where flushing hangs: on a lock of another thread, or a peer that is gone."""
    timer = threading.Timer(PATIENCE, os._exit, (1,))
    timer.daemon = True
    guarded(timer.start, default=None)  # not while the interpreter ends


def _log(error: BaseException) -> None:
    if is_known(error, LOG):
        logger.critical(MESSAGE, described(error))
    else:
        write(logging.CRITICAL, MESSAGE, (described(error),), error)


def _drain() -> None:
    """Let the listeners of queue handlers (Python 3.12) write what is queued."""
    for handler in (*logger.handlers, *logging.getLogger().handlers):
        listener = getattr(handler, "listener", None)
        if listener is not None:
            listener.stop()


def ask(crash: Callable[[BaseException], Any], error: BaseException) -> None:
    """Ask `crash` what to do; what it raises is logged, but for an exit."""
    try:
        result = crash(error)
        if is_awaitable(result):
            _runtimes.finish(_seen_through(result))
    except Exception as broken:  # noqa: BLE001 - logged
        last_resort("`crash` failed", broken)


async def _seen_through(awaitable: Awaitable[Any]) -> None:
    try:
        await awaitable
    except Exception as broken:  # noqa: BLE001 - logged
        last_resort("`crash` failed", broken)
