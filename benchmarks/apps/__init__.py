"""The same app in each framework: a route that answers, and one that fails.

Each module has ``build(setup)``, and says in ``KIND`` how its app is called.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from catchasync import ErrorHandler, catch_async
from catchasync.errors import NotFound

Way = Literal["without", "by hand", "install alone", "catchasync"]

USER: Final = {"id": 7, "name": "Ada", "mail": "ada@example.com"}

SECRET: Final = "the benchmark's"  # noqa: S105 - frameworks want one

HEADERS: Final = {
    "content-type": "application/problem+json",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "vary": "Accept",
}

logger = logging.getLogger("by_hand")


@dataclass(frozen=True)
class Setup:
    """
    What an app is made with.

    Args:
        way: ``without``: nothing; ``by hand``: the framework's own error handler, with `by_hand`;
            ``install alone``: ``install(app, errors)``; ``catchasync``: that, and both handlers
            decorated with ``catch_async(next=as_next(errors))``.
    """

    way: Way
    errors: ErrorHandler = field(default_factory=ErrorHandler)

    @property
    def is_by_hand(self) -> bool:
        """Whether the app has an error handler written by hand."""
        return self.way == "by hand"

    def decorated(self, handler: Any, as_next: Callable[[ErrorHandler], Any]) -> Any:
        """Return a handler as the app registers it."""
        if self.way == "catchasync":
            return catch_async(next=as_next(self.errors))(handler)
        return handler

    def installed(self, app: Any, install: Callable[[Any, ErrorHandler], Any]) -> Any:
        """Return the app as it is served."""
        return install(app, self.errors) if self.way in {"install alone", "catchasync"} else app


def missing() -> NotFound:
    """Return what the failing route raises."""
    return NotFound("There is no user 7.")


def by_hand(error: NotFound) -> tuple[bytes, int, dict[str, str]]:
    """Log an error, and return body, status and headers as catchasync answers with."""
    logger.info("%s: %r", type(error).__name__, str(error))
    problem = {
        "type": "about:blank",
        "title": "Not Found",
        "status": error.status,
        "detail": error.message,
    }
    return json.dumps(problem, separators=(",", ":")).encode(), error.status, dict(HEADERS)
