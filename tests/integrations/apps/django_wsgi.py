"""The contract's app in Django, under WSGI."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from catchasync import ErrorHandler
from catchasync.integrations.django import install
from tests.integrations.apps import _django_project as project
from tests.integrations.servers import serve_wsgi


def build(errors: ErrorHandler) -> Any:
    """Return the app."""
    project.state["errors"] = errors
    return install(WSGIHandler(), errors)


def serve(app: Any) -> AbstractContextManager[str]:
    """Serve it."""
    return serve_wsgi(app)
