"""What can go wrong with tasks, in the words of the task manager."""

from __future__ import annotations

from catchasync.errors import (
    BadGateway,
    BadRequest,
    Conflict,
    GatewayTimeout,
    NotFound,
    ServiceUnavailable,
    UnprocessableContent,
)


class MalformedBody(BadRequest):
    """What the client sent cannot be read."""

    code = "malformed_body"


class TaskNotFound(NotFound):
    """There is no such task."""

    code = "task_not_found"


class InvalidTask(UnprocessableContent):
    """A task cannot be as it was described; ``details`` says why, field by field."""

    code = "invalid_task"


class TaskBusy(Conflict):
    """The task is in a state in which this cannot be done."""

    code = "task_busy"


class TaskCancelled(Conflict):
    """The task was cancelled while somebody waited for it."""

    code = "task_cancelled"


class NoWorker(ServiceUnavailable):
    """All workers are busy."""

    code = "no_worker"
    expose = True
    headers = {"retry-after": "1"}  # noqa: RUF012 - for all its errors, as `HttpError` says


class ServiceDown(ServiceUnavailable):
    """A service that the task needs does not answer."""

    code = "service_down"
    expose = True


class TaskTimeout(GatewayTimeout):
    """The task took longer than it may."""

    code = "task_timeout"
    expose = True


class PartsFailed(BadGateway):
    """Parts of the task that ran at once failed; ``details`` has each one."""

    code = "parts_failed"
    expose = True
