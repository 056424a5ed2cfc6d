"""Requests a second of an app with everything installed, beside the same app without.

What succeeds is compared with the app as it is; what fails with the framework's own error handler,
written by hand, which answers with the same bytes.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from benchmarks._harness import Case, Run
from benchmarks._socket import Served, steady
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

SERVED: Final = (
    "starlette", "fastapi", "flask", "aiohttp", "django_wsgi", "django_asgi", "sanic", "tornado",
)  # fmt: skip
"""Those that are measured over a socket."""

SOCKET_ALONE: Final = ("sanic", "tornado")
"""Those whose apps are not the same without their server."""

OUTCOMES: Final[dict[str, tuple[str, float, tuple[Way, ...]]]] = {
    "success": ("/user", 0.97, ("without", "catchasync", "install alone")),
    "failure": ("/missing", 0.90, ("by hand", "catchasync", "install alone")),
}
"""By outcome: the path, at least which rate, and what is compared with the first."""


def cases() -> Iterator[Case]:
    """Give all cases of this file."""
    for module, outcome in itertools.product(TITLES, OUTCOMES):
        if module not in SOCKET_ALONE:
            yield case_of(module, outcome, "in-process", called, rounds=40)
    for module, outcome in itertools.product(SERVED, OUTCOMES):
        with contextlib.ExitStack() as stack:
            served = functools.partial(asked, stack)
            yield case_of(module, outcome, "over a socket", served, rounds=40)


def case_of(
    module: str, outcome: str, how: str, make: Callable[[str, str], dict[str, Run]], rounds: int
) -> Case:
    """Return a case; its apps are made when it is measured."""
    make_all = functools.partial(make, module, outcome)
    title = f"{TITLES[module]}: {outcome}, {how}"
    return Case(title, make_all, OUTCOMES[outcome][1], calls=320, rounds=rounds, of="rate")


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


def asked(stack: contextlib.ExitStack, module: str, outcome: str) -> dict[str, Run]:
    """Return what makes requests to each app of a framework, in processes that the stack ends."""
    path, _, ways = OUTCOMES[outcome]
    apps: dict[Way, Served] = {}
    for way in ways[:2]:
        apps[way] = stack.enter_context(Served(module, way, path))
    replies: dict[Way, tuple[Run, Reply]] = {w: (app.run, app.first()) for w, app in apps.items()}
    measured = same(replies)
    stack.enter_context(steady(*(app.pid for app in apps.values())))
    return measured


def same(measured: Mapping[Way, tuple[Run, Reply]]) -> dict[str, Run]:
    """Return what is measured, where all replies are the same."""
    first, *others = [reply for _, reply in measured.values()]
    for other in others:
        assert first == other, f"{first} is not {other}"  # noqa: S101
    return {way: run for way, (run, _) in measured.items()}
