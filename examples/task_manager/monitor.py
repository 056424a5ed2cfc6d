"""Who is told of errors: a log file, one JSON object a line, and counters."""

from __future__ import annotations

import json
import threading
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class ErrorLog:
    """
    A reporter that writes to a file.

    Args:
        path: The file; lines are added at its end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def __call__(self, error: BaseException, context: Any) -> None:
        """Write what happened; of what is no client's mistake, also where."""
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "source": context.source,
            "status": context.status,
            "type": type(error).__name__,
            "code": getattr(error, "code", None),
            "message": str(error),
            "cause": None if error.__cause__ is None else repr(error.__cause__),
        }
        if not context.expected:
            entry["traceback"] = traceback.format_exception(error)
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def entries(self) -> list[dict[str, Any]]:
        """Return what has been written, the oldest first."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]


class ErrorCounts:
    """A reporter that counts, by where an error was caught and what it was answered with."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def __call__(self, _error: BaseException, context: Any) -> None:
        """Count one."""
        self._counts[context.source or "elsewhere", context.status] += 1

    def view(self) -> dict[str, dict[str, int]]:
        """Return the counts, as in ``{"route": {"404": 2}}``."""
        view: dict[str, dict[str, int]] = {}
        for (source, status), count in sorted(self._counts.items()):
            view.setdefault(source, {})[str(status)] = count
        return view
