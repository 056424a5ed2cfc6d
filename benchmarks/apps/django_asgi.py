"""Django, under ASGI."""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler

from benchmarks.apps import Setup
from benchmarks.apps._django import build_of, prepare

__all__ = ["KIND", "build", "prepare"]

KIND = "asgi"


def build(setup: Setup) -> Any:
    """Return the app."""
    return build_of("async", ASGIHandler, setup)
