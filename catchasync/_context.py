"""Where an error happened, and what is known of it: what rules and reporters are handed."""

from __future__ import annotations

import logging
from typing import Any, Final

from catchasync._error_response import ErrorResponse
from catchasync._statuses import SERVER_ERROR

FIELDS: Final = ("source", "request", "handler", "accept", "method", "debug")


class ErrorContext:
    """
    Where an error happened.

    Each part may be left out. Any object with these attributes will do for an `ErrorHandler`.

    Args:
        source: What failed: "route", "task", "thread", "loop", "callback", "job" ...
        request: The request that is answered; ``None`` outside of one.
        handler: What failed: the handler, the task, the thread.
        accept: The request's ``Accept`` header.
        method: The request's method.
        debug: Whether this one error may show its stack; ``None``: as the `ErrorHandler` says.
    """

    source: str | None = None
    request: Any = None
    handler: Any = None
    accept: str | None = None
    method: str | None = None
    debug: bool | None = None

    status: int = SERVER_ERROR
    """What the error is answered with. For rules: without a rule. For reporters: in the end."""

    expected: bool = False
    """Whether it is operational and below 500: no bug of ours."""

    level: int = logging.ERROR
    """The level at which it is logged."""

    def __init__(  # noqa: PLR0913, PLR0917 - a record
        self,
        source: str | None = None,
        request: Any = None,
        handler: Any = None,
        accept: str | None = None,
        method: str | None = None,
        debug: bool | None = None,  # noqa: FBT001 - as its neighbours
    ) -> None:
        self.source = source
        self.request = request
        self.handler = handler
        self.accept = accept
        self.method = method
        self.debug = debug

    @property
    def default(self) -> ErrorResponse:
        """What the error is answered with without a rule: for rules that change a header.

        Raises:
            RuntimeError: This is not what an `ErrorHandler` handed over.
        """
        msg = "context.default is there for the rules and reporters of an ErrorHandler alone"
        raise RuntimeError(msg)

    def __repr__(self) -> str:
        parts = ((name, getattr(self, name)) for name in FIELDS)
        given = ", ".join(f"{name}={value!r}" for name, value in parts if value is not None)
        return f"{type(self).__name__}({given})"
