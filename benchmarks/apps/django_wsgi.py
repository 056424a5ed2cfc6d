"""Django, under WSGI."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from benchmarks.apps import Setup
from benchmarks.apps._django import build_of, prepare

__all__ = ["KIND", "build", "prepare"]

KIND = "wsgi"


def build(setup: Setup) -> Any:
    """Return the app."""
    return build_of("sync", WSGIHandler, setup)
