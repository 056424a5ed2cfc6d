"""FastAPI beside sse-starlette: a response that is a stream, with tasks beside it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sse_starlette")

from fastapi import FastAPI
from sse_starlette import EventSourceResponse

from catchasync.integrations.fastapi import install
from tests.ecosystem.asking import compare


def make() -> FastAPI:
    """Return an app with streams of events."""
    app = FastAPI()

    async def events(*, fails: bool) -> AsyncGenerator[dict[str, str], None]:
        yield {"data": "1"}
        if fails:
            raise RuntimeError("secret")

    @app.get("/ok")
    async def ok() -> EventSourceResponse:
        return EventSourceResponse(events(fails=False))

    @app.get("/fails")
    async def fails() -> EventSourceResponse:
        return EventSourceResponse(events(fails=True))

    return app


def test_success() -> None:
    """A stream of events is as without us."""
    bare, sent, reported = compare(make, install, "/ok")
    assert (True, bare, []) == (sent.is_whole, sent, reported)


def test_failure() -> None:
    """One that fails midway is reported once, in the group of older versions, and broken off."""
    bare, sent, reported = compare(make, install, "/fails")
    assert (False, bare, [500]) == (sent.is_whole, sent, [report.status for report in reported])
