"""What becomes of a message, whatever broker it came from: done, tried again, or put away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from catchasync import ErrorContext, ErrorHandler, catch_async
from catchasync.errors import ServiceUnavailable

Work: TypeAlias = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Message:
    """
    A message.

    Args:
        topic: Where it was sent to.
        body: What was sent.
    """

    topic: str
    body: bytes


class Inbox:
    """
    Works off messages, so that each may be committed.

    A failure that may pass (`ServiceUnavailable`) is tried again. Any other one would come for
    ever: such a poison message is reported, and put away, so that those behind it are served.

    Args:
        errors: The error handler.
        source: What messages come from: "kafka", "mqtt".
        work: What is done with the body of a message.
        put_away: Keeps a message that cannot be worked off, together with its error.
        comes_again: Whether the broker sends a message again that was not committed; if not, a
            message is put away also where its failure might have passed.
        attempts: How often a message is tried, 1 or more.
        pause: Seconds between two attempts.
    """

    def __init__(  # noqa: PLR0913 - settings
        self,
        errors: ErrorHandler,
        source: str,
        work: Work,
        put_away: Callable[[Message, BaseException], object],
        *,
        comes_again: bool,
        attempts: int = 3,
        pause: float = 0.05,
    ) -> None:
        self._errors = errors
        self._source = source
        self._put_away = put_away
        self._comes_again = comes_again
        self._work = catch_async(patient(work, attempts, pause))  # each message brings its `next`

    def settle(self, message: Message) -> bool:
        """Say whether a message is done with, so that it may be committed."""
        context = ErrorContext(self._source, message, self._work)

        def give_up(error: BaseException) -> None:
            self._errors.report(error, context)
            if self._comes_again and isinstance(error, ServiceUnavailable):
                raise error
            self._put_away(message, error)

        try:
            self._work(message.body, give_up)
        except Exception as error:  # noqa: BLE001 - reported, once; the message comes again
            self._errors.report(error, context)
            return False
        return True


def patient(work: Work, attempts: int, pause: float) -> Callable[..., Any]:
    """Make what tries again where a failure may pass; the last failure goes on."""

    def tried(body: bytes) -> object:
        for _ in range(attempts - 1):
            try:
                return work(body)
            except ServiceUnavailable:
                time.sleep(pause)
        return work(body)

    return tried


def reporting(errors: ErrorHandler, source: str) -> Callable[[BaseException], None]:
    """Make a `next` where there is nobody to answer: it reports."""
    return lambda error: errors.report(error, ErrorContext(source))
