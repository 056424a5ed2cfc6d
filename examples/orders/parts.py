"""What is fetched from other services, all at once: a failure says which part it was, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final

import httpx

from examples.orders.errors import PartFailed, PartTimeout

PARTS: Final = ("customer", "price", "shipping")


class Parts:
    """
    The parts of an order's summary.

    Args:
        address: Where the other services answer.
        timeout: How long to wait for one, in seconds.
    """

    def __init__(self, address: str, *, timeout: float = 2.0) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=timeout, trust_env=False)

    async def fetch(self, part: str, order: int) -> Any:
        """Fetch one part; `PartFailed`, whose cause says why, where that fails."""
        with enhanced(part):
            answer = await self._client.get(f"/{part}/{order}")
            answer.raise_for_status()
            return answer.json()

    async def fetch_all(self, order: int, parts: Iterable[str] = PARTS) -> dict[str, Any]:
        """
        Fetch all parts at once; the first failure ends the others.

        Raises:
            ExceptionGroup: A part failed; it holds each `PartFailed` that came before the others
                were cancelled.
        """
        async with asyncio.TaskGroup() as group:
            tasks = {part: group.create_task(self.fetch(part, order)) for part in parts}
        return {part: task.result() for part, task in tasks.items()}

    async def fetch_each(self, order: int, parts: Iterable[str] = PARTS) -> dict[str, Any]:
        """
        Fetch all parts at once, each to its end; where some fail, all of these are told.

        Raises:
            ExceptionGroup: It holds a `PartFailed` for each part that failed.
        """
        failures: list[Exception] = []
        found: dict[str, Any] = {}

        async def note(part: str) -> None:
            try:
                found[part] = await self.fetch(part, order)
            except PartFailed as error:
                failures.append(error)

        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(note(part))
        if failures:
            msg = f"the summary of order {order}"
            raise ExceptionGroup(msg, failures)
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


@contextmanager
def enhanced(part: str) -> Generator[None, None, None]:
    """Say of a failure which part it was; what failed stays its cause."""
    details: dict[str, Any] = {"part": part}
    try:
        yield
    except httpx.TimeoutException as error:
        msg = f"{part} did not come in time"
        raise PartTimeout(msg, details=details) from error
    except httpx.HTTPStatusError as error:
        msg = f"{part} was refused"
        details["status"] = error.response.status_code
        raise PartFailed(msg, details=details) from error
    except (httpx.TransportError, ValueError) as error:
        msg = f"{part} could not be fetched"
        raise PartFailed(msg, details=details) from error
