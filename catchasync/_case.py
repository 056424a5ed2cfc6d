"""One failure on its way through an `ErrorHandler`: what it is, and what becomes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

from catchasync._context import FIELDS, ErrorContext
from catchasync._error_response import ErrorResponse
from catchasync._facts import Facts, facts_about
from catchasync._failures import as_error, delivered
from catchasync._rules import Rules
from catchasync._statuses import SERVER_ERROR, attribute, own_status, subject_of

Render: TypeAlias = "Callable[[Case], ErrorResponse]"


class Case(ErrorContext):
    """The context that was given, and more; whatever else that has can be read from it too."""

    operational: bool = False
    _default: ErrorResponse | None = None

    def __init__(self, error: object, given: object, rules: Rules, render: Render) -> None:
        if type(given) is ErrorContext:
            self.source = given.source  # one by one: an error has no time to lose
            self.request = given.request
            self.handler = given.handler
            self.accept = given.accept
            self.method = given.method
            self.debug = given.debug
        else:
            super().__init__(*[attribute(given, name) for name in FIELDS])
        self._given = given
        self._render = render
        self.error = delivered(as_error(error))
        self.subject: Any = delivered(subject_of(self.error))
        self.entry = rules.entry_of(self.subject)
        self.own = own_status(self.subject)

    def classify(self, expected_level: int, status: int | None = None) -> None:
        """Note whether it is expected or a bug, and at which level it is reported.

        Args:
            expected_level: The level of `logging` for what is expected.
            status: What its rule has answered.
        """
        entry, own = self.entry, self.own
        flag = attribute(self.subject, "operational")
        self.status = status or entry.status or own or SERVER_ERROR
        self.operational = flag if type(flag) is bool else entry.operational or own is not None
        self.expected = self.operational and self.status < SERVER_ERROR and entry.report is not True
        self.level = expected_level if self.expected else logging.ERROR
        if entry.report is not None and type(entry.report) is not bool:
            self.level = entry.report

    @property
    def is_crash(self) -> bool:
        """Whether it is a bug that no request is answered for."""
        return not self.operational and self.source is not None and self.request is None

    @property
    def facts(self) -> Facts:
        """What may be told of it."""
        return facts_about(self.subject, self.own, self.entry.status)

    @property
    def default(self) -> ErrorResponse:
        """What the error is answered with without a rule."""
        if self._default is None:
            self._default = self._render(self)
        return self._default

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__.get("_given"), name)
