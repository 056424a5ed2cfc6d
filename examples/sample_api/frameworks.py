"""The frameworks that the shop runs in: one adapter each, the handlers are the same."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

from catchasync import ErrorHandler
from examples.sample_api import with_aiohttp, with_flask, with_starlette
from examples.sample_api.journal import Journal
from examples.sample_api.store import Store

FRAMEWORKS: Final[dict[str, ModuleType]] = {
    "starlette": with_starlette,
    "flask": with_flask,
    "aiohttp": with_aiohttp,
}


@contextmanager
def open_shop(framework: str, store: Store, journal: Journal, port: int = 0) -> Generator[str]:
    """Serve the shop in a framework; give its address.

    Args:
        framework: One of `FRAMEWORKS`.
        store: The shop's data.
        journal: Is told of each failure.
        port: Where to serve it; 0 is any port that is free.
    """
    adapter = FRAMEWORKS[framework]
    app = adapter.make_app(store, ErrorHandler(reporters=(journal,)))
    with adapter.serving(app, port) as address:
        yield address
