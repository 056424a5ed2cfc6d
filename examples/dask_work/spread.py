"""How work gets to a cluster, and its failures back: awaited, or called back, to one `next`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from dask import config
from distributed import Client, LocalCluster

from catchasync import ErrorContext, ErrorHandler, as_awaitable, catch_async, wrap_callback
from catchasync.conventions import future
from examples.dask_work.work import Count, count


@contextmanager
def cluster(*, processes: bool = True) -> Generator[Client]:
    """Run a cluster on this machine; give a client of it.

    Args:
        processes: Whether workers are processes, as in production; if not, threads of this one.
    """
    with (
        config.set(
            {"distributed.scheduler.allowed-failures": 0}
        ),  # a dead worker's task has failed
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=processes,
            silence_logs=logging.CRITICAL,  # errors arrive elsewhere
            dashboard_address="127.0.0.1:0",
        ) as workers,
        Client(workers) as client,
    ):
        yield client


class Counting:
    """
    Counts the words of texts on a cluster.

    Args:
        client: A client of the cluster.
        errors: The error handler: each failure reaches it once.
    """

    def __init__(self, client: Client, errors: ErrorHandler) -> None:
        self._client = client
        self._errors = errors

    async def count_all(self, texts: Mapping[str, bytes]) -> dict[str, Count]:
        """Count texts, all at once; those that cannot be counted are reported, and left out."""
        counts = await asyncio.gather(*(self._counted(*each) for each in texts.items()))
        return {name: each for name, each in zip(texts, counts, strict=True) if each is not None}

    async def _counted(self, name: str, text: bytes) -> Count | None:
        handle = catch_async(next=self._next_of(name))(self._count)
        return await handle(text)

    async def _count(self, text: bytes) -> Count:
        counted: Count = await as_awaitable(self._submit(text))
        return counted

    def count_later(self, name: str, text: bytes, on_count: Callable[[str, Count], object]) -> None:
        """Have a text counted: nobody waits, and a failure is reported all the same.

        Args:
            name: Of the text.
            text: The text.
            on_count: Is called with name and count, in a thread of dask.
        """
        done = wrap_callback(self._next_of(name), partial(on_count, name), convention=future)
        self._submit(text).add_done_callback(done)

    def _submit(self, text: bytes) -> Any:
        return self._client.submit(count, text, pure=False)

    def _next_of(self, name: str) -> Callable[[BaseException], None]:
        context = ErrorContext("dask", request=name)
        return lambda error: self._errors.report(error, context)
