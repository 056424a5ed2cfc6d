"""Requests a second of an app with everything installed, beside the same app without.

What succeeds is compared with the app as it is; what fails with the framework's own error handler,
written by hand, which answers with the same bytes.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from typing import Any, Final

from benchmarks._harness import Case, Run
from benchmarks._web import Reply, in_process
from benchmarks.apps import Setup, Way

TITLES: Final = {
    "starlette": "Starlette",
    "fastapi": "FastAPI",
    "flask": "Flask",
    "aiohttp": "aiohttp",
    "django_wsgi": "Django, WSGI",
    "django_asgi": "Django, ASGI",
    "quart": "Quart",
    "litestar": "Litestar",
    "sanic": "Sanic",
    "falcon": "Falcon, WSGI",
    "falcon_asgi": "Falcon, ASGI",
    "tornado": "Tornado",
    "bottle": "Bottle",
    "blacksheep": "BlackSheep",
    "pyramid": "Pyramid",
}

OUTCOMES: Final[dict[str, tuple[str, float, tuple[Way, ...]]]] = {
    "success": ("/user", 0.97, ("without", "catchasync", "install alone")),
    "failure": ("/missing", 0.90, ("by hand", "catchasync", "install alone")),
}
"""By outcome: the path, at least which rate, and what is compared with the first."""


def cases() -> Iterator[Case]:
    """Give all cases of this file."""
    for module, title in TITLES.items():
        if module != "tornado":  # whose handlers cannot be called without its server
            for outcome in OUTCOMES:
                yield Case(
                    f"{title}: {outcome}, in-process",
                    lambda module=module, outcome=outcome: called(module, outcome),
                    target=OUTCOMES[outcome][1],
                    calls=300,
                    rounds=40,
                    of="rate",
                )


def called(module: str, outcome: str) -> dict[str, Run]:
    """Return what calls each app of a framework."""
    logging.disable(logging.WARNING)  # expected errors and banners are not written
    path, _, ways = OUTCOMES[outcome]
    source: Any = importlib.import_module(f"benchmarks.apps.{module}")
    return same({way: caller(source, source.build(Setup(way)), path) for way in ways})


def caller(source: Any, app: Any, path: str) -> tuple[Run, Reply]:
    """Return what calls an app, and the reply to the first call."""
    prepare = getattr(source, "prepare", type)
    prepare(app)
    run, reply = in_process(source.KIND, app, path)

    def run_prepared(count: int) -> float:
        prepare(app)
        return run(count)

    return run_prepared, reply


def same(measured: dict[Way, tuple[Run, Reply]]) -> dict[str, Run]:
    """Return what is measured, where all replies are the same."""
    first, *others = [reply for _, reply in measured.values()]
    for other in others:
        assert first == other, f"{first} is not {other}"  # noqa: S101
    return {way: run for way, (run, _) in measured.items()}
