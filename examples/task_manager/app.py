"""The application: routes, the one error handler, and what lies around them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from catchasync import ErrorContext, ErrorHandler, drain
from catchasync.errors import ContentTooLarge
from catchasync.integrations.starlette import install
from examples.task_manager.controllers import other_routes, task_routes
from examples.task_manager.errors import PartsFailed
from examples.task_manager.monitor import ErrorCounts, ErrorLog
from examples.task_manager.service import Tasks, as_read

MOST_BYTES: Final = 10_000  # of a request's body


class LimitBody:
    """ASGI middleware that refuses what announces a large body: it raises, as a handler does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request by, or refuse it."""
        if scope["type"] == "http":
            length = Headers(scope=scope).get("content-length", "0")
            if int(length) > MOST_BYTES:
                raise ContentTooLarge(code="body_too_large", details={"most": MOST_BYTES})
        await self._app(scope, receive, send)


def make_errors(log: ErrorLog, counts: ErrorCounts) -> ErrorHandler:
    """Make the one place where errors are reported and answered."""
    errors = ErrorHandler(reporters=(log, counts))

    @errors.on(ExceptionGroup)
    def answer_group(group: ExceptionGroup[Exception], _context: Any) -> Exception:
        parts = [as_read(error) for error in group.exceptions]
        return PartsFailed(f"{len(parts)} parts failed", details=parts)

    return errors


class Manager(Starlette):
    """
    The task manager as an ASGI application.

    Args:
        log: The file that errors are written to.
        workers: How many tasks run at once.
        pace: Seconds a step takes.
    """

    def __init__(self, log: Path, *, workers: int = 4, pace: float = 0.0) -> None:
        self.log = ErrorLog(log)
        self.counts = ErrorCounts()
        self.errors = make_errors(self.log, self.counts)
        self.tasks = Tasks(self._not_undone, workers=workers, pace=pace)
        super().__init__(
            routes=[*task_routes(self.tasks, self.errors), *other_routes(self.tasks, self.counts)],
            middleware=[Middleware(LimitBody)],
            lifespan=finishing,
        )
        install(self, self.errors)

    def _not_undone(self, error: BaseException) -> None:
        self.errors.report(error, ErrorContext("rollback"))


@asynccontextmanager
async def finishing(app: Manager) -> AsyncGenerator[None, None]:
    """At the end, cancel what runs, and wait until each task has undone what it did."""
    yield
    app.tasks.cancel_all()
    await drain(10)
