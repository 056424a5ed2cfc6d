"""What tasks do: each mode ends in its own way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from examples.task_manager.errors import InvalidTask
from examples.task_manager.model import Task

Work = Callable[[Task], Awaitable[None]]


async def succeed(_task: Task) -> None:
    """Do as it should."""


async def reject(task: Task) -> None:
    """Fail as a domain fails: with a code, and details for the client."""
    details = {"row": task.steps, "column": "price"}
    msg = "the input of the task is wrong"
    raise InvalidTask(msg, details=details)


async def crash(_task: Task) -> None:
    """Fail by a bug: no client may read what it says."""
    result: dict[str, str] = {}
    result["secret-key"]  # a KeyError, as programs have them


async def hang(_task: Task) -> None:
    """Never end."""
    await asyncio.Event().wait()


async def unreachable(_task: Task) -> None:
    """Need a service that is not there: nobody listens on port 1."""
    await asyncio.open_connection("127.0.0.1", 1)


async def flaky(task: Task) -> None:
    """Lose the connection the first time."""
    if task.attempts == 1:
        raise ConnectionResetError("connection lost")  # noqa: EM101 - as the system says it


async def several(_task: Task) -> None:
    """Run two parts at once, both of which fail."""
    begun = asyncio.Event()
    async with asyncio.TaskGroup() as parts:
        parts.create_task(_part("left", begun))
        parts.create_task(_part("right", begun))
        parts.create_task(_start(begun))


async def _part(name: str, begun: asyncio.Event) -> None:
    await begun.wait()
    msg = f"the {name} part failed"
    raise InvalidTask(msg, details={"part": name})


async def _start(begun: asyncio.Event) -> None:
    begun.set()


MODES: Final[dict[str, Work]] = {
    "succeed": succeed,
    "reject": reject,
    "crash": crash,
    "hang": hang,
    "unreachable": unreachable,
    "flaky": flaky,
    "several": several,
    "stuck-undo": reject,  # and what it has made cannot be taken back: see `service`
}
