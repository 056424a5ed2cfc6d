"""The contract's app in Django, under ASGI."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.core.handlers.asgi import ASGIHandler

from catchasync import ErrorHandler
from catchasync.integrations.django import install
from tests.integrations.apps import _django_project as project
from tests.integrations.servers import serve_asgi


def build(errors: ErrorHandler) -> Any:
    """Return the app."""
    project.state["errors"] = errors
    return install(ASGIHandler(), errors)


def serve(app: Any) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_asgi(app)
