"""Any WSGI application whose framework has no file here.

``app = install(app, errors)`` puts a guard around it. A framework that answers failures itself,
inside, leaves none to see: then its own way to register an error handler is the place to call
``errors``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._wsgi import Answer, Application, Guard

__all__ = ["as_next", "install", "wrap_router"]


def install(app: Application, errors: ErrorHandler) -> Guard:
    """
    Put a guard around a WSGI application: its failures reach ``errors``.

    Args:
        app: The application (PEP 3333: ``app(environ, start_response)``).
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The guarded application, to be served in its place.

    Raises:
        TypeError: The first cannot be called, or the second is no `ErrorHandler`.
    """
    checked(app, errors, "a WSGI application")
    return Guard(app, errors)


def as_next(errors: ErrorHandler) -> Callable[[Any], Answer]:
    """
    Return a `next` for handlers that return WSGI applications.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it turns an error into an application, which reports and answers it.

    Raises:
        TypeError: It is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")
    return lambda error: Answer(error, errors)
