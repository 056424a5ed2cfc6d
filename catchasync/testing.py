"""What a user's tests need: a `next` that records what came."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call of a `RecordingNext`.

    Args:
        error: What it was called with; ``None`` where it was called to go on.
        thread: The name of the thread it was called on.
    """

    error: BaseException | None
    thread: str


class RecordingNext:
    """
    Record each call, and answer it.

    Safe to use from any thread. It may stand for `next` and for `late`.

    Args:
        answer: What it returns; an exception is raised instead.
    """

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.arrivals: list[Arrival] = []

    def __call__(self, error: BaseException | None = None) -> Any:
        """Record the call, and give the answer."""
        self.arrivals.append(Arrival(error, threading.current_thread().name))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    @property
    def errors(self) -> list[BaseException]:
        """The errors that came, in their order."""
        return [arrival.error for arrival in self.arrivals if arrival.error is not None]

    def __repr__(self) -> str:
        return f"<RecordingNext: {self.errors!r}>"
