"""The service: keeps tasks, runs them, and takes back what a failed one has made.

Errors of the system become errors of the domain here, with their cause kept. What can be put right
here (a lost connection: once more) reaches nobody.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from catchasync import Rollback, render_error
from catchasync.types import Late
from examples.task_manager import work
from examples.task_manager.errors import (
    NoWorker,
    ServiceDown,
    TaskBusy,
    TaskNotFound,
    TaskTimeout,
)
from examples.task_manager.model import Task, checked


class Tasks:
    """
    All tasks, and the workers that run them.

    Args:
        report: Told of each thing that could not be taken back.
        workers: How many tasks run at once.
        pace: Seconds a step takes.
    """

    def __init__(self, report: Late, *, workers: int = 4, pace: float = 0.0) -> None:
        self._report = report
        self._workers = workers
        self._pace = pace
        self._tasks: dict[int, Task] = {}
        self._numbers = itertools.count(1)
        self._running: dict[int, asyncio.Future[Any]] = {}

    def create(self, given: Any) -> Task:
        """Add a task, as a client describes it."""
        fields = checked(given, is_new=True)
        task = Task(next(self._numbers), **fields)
        self._tasks[task.id] = task
        return task

    def all(self) -> list[Task]:
        """Return all tasks, the oldest first."""
        return list(self._tasks.values())

    def get(self, number: int) -> Task:
        """Return a task; `TaskNotFound` where there is none."""
        try:
            return self._tasks[number]
        except KeyError as error:
            msg = f"there is no task {number}"
            raise TaskNotFound(msg, details={"id": number}) from error

    def update(self, number: int, given: Any) -> Task:
        """Change what a client may change of a task that is not running."""
        task = self._idle(number, "changed")
        for name, value in checked(given, is_new=False).items():
            setattr(task, name, value)
        return task

    def delete(self, number: int) -> None:
        """Forget a task that is not running."""
        del self._tasks[self._idle(number, "deleted").id]

    def counts(self) -> dict[str, int]:
        """Return how many tasks are in each state."""
        return dict(Counter(task.state for task in self._tasks.values()))

    def begin(self, number: int) -> Task:
        """Take a worker for a task; `run` gives it back."""
        task = self._idle(number, "executed")
        busy = sum(each.state == "running" for each in self._tasks.values())
        if busy >= self._workers:
            msg = f"all {self._workers} workers are busy"
            raise NoWorker(msg, details={"busy": busy})
        task.state, task.progress, task.attempts = "running", 0, 0
        return task

    def watch(self, task: Task, running: asyncio.Future[Any]) -> None:
        """Note by what a task can be cancelled."""
        self._running[task.id] = running
        running.add_done_callback(lambda _done: self._ended(task))

    def _ended(self, task: Task) -> None:
        self._running.pop(task.id, None)
        if task.state == "running":  # it was cancelled, maybe before it did anything
            task.state = "cancelled"

    def cancel(self, number: int) -> Task:
        """Cancel a task that is running."""
        task = self.get(number)
        if task.state != "running":
            msg = f"task {number} is {task.state}: it is not running"
            raise TaskBusy(msg, details=task.state)
        self._running[number].cancel()
        return task

    def cancel_all(self) -> None:
        """Cancel what is running: the program ends."""
        for running in list(self._running.values()):
            running.cancel()

    async def run(self, task: Task) -> Task:
        """Run a task that has begun, to its end; its failure is noted on it, and goes on."""
        with self._noting(task):
            try:
                await self._attempt(task)
            except ConnectionResetError:  # handled here: nobody else need know
                await self._attempt(task)
        return task

    @contextmanager
    def _noting(self, task: Task) -> Generator[None, None, None]:
        try:
            with in_our_words(task):
                yield
        except Exception as error:
            task.state = "failed"
            task.failures += [as_read(part) for part in parts_of(error)]
            raise
        task.state = "done"

    async def _attempt(self, task: Task) -> None:
        """Do each step; where one fails, take back what the others made, the last one first."""
        task.attempts, task.progress = task.attempts + 1, 0
        async with asyncio.timeout(task.timeout), Rollback(self._report) as undo:
            for step in range(1, task.steps + 1):
                artifact = f"step-{step}"
                task.artifacts.append(artifact)
                undo.add(self._take_back, task, artifact)
                await asyncio.sleep(self._pace)
                if step == task.steps:
                    await work.MODES[task.mode](task)
                task.progress = step

    async def _take_back(self, task: Task, artifact: str) -> None:
        if task.mode == "stuck-undo" and artifact == "step-1":
            msg = f"{artifact} of task {task.id} is locked"
            raise PermissionError(msg)
        task.artifacts.remove(artifact)

    def _idle(self, number: int, wanted: str) -> Task:
        task = self.get(number)
        if task.state == "running":
            msg = f"task {number} is running: it cannot be {wanted}"
            raise TaskBusy(msg, details={"state": task.state, "progress": task.progress})
        return task


@contextmanager
def in_our_words(task: Task) -> Generator[None, None, None]:
    """Turn errors of the system into errors of the domain, which keep them as their cause."""
    try:
        yield
    except TimeoutError as error:
        msg = f"task {task.id} took longer than {task.timeout:g} seconds"
        raise TaskTimeout(msg, details={"timeout": task.timeout}) from error
    except ConnectionError as error:
        msg = f"task {task.id} could not reach a service that it needs"
        raise ServiceDown(msg, details={"attempts": task.attempts}) from error


def parts_of(error: Exception) -> list[Exception]:
    """Return the errors of a group, or the one error."""
    return list(error.exceptions) if isinstance(error, ExceptionGroup) else [error]


def as_read(error: BaseException) -> dict[str, Any]:
    """Return what a client may read of an error: of a bug, nothing but that it was one."""
    shown: dict[str, Any] = json.loads(render_error(error, format="json").body)["error"]
    return shown
