"""Any ASGI application whose framework has no file here.

``app = install(app, errors)`` puts a guard around it. A framework that answers failures itself,
inside, leaves none to see: then its own way to register an error handler is the place to call
``errors``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catchasync._error_response import Receive, Scope
from catchasync._handler import ErrorHandler
from catchasync._routing import wrap_router
from catchasync.integrations._arguments import checked, checked_errors
from catchasync.integrations._asgi import Answer, Application, Guard
from catchasync.integrations._exchange import Exchange, Hearing

__all__ = ["as_next", "install", "wrap_router"]


def install(app: Application, errors: ErrorHandler) -> Guard:
    """
    Put a guard around an ASGI application: its failures reach ``errors``.

    Args:
        app: The application (ASGI 3: ``await app(scope, receive, send)``).
        errors: The `catchasync.ErrorHandler`.

    Returns:
        The guarded application, to be served in its place.

    Raises:
        TypeError: The first cannot be called, or the second is no `ErrorHandler`.
    """
    checked(app, errors, "an ASGI application")
    return AppGuard(app, errors)


class AppGuard(Guard):
    """A guard around an application that may not know of lifespans, and then raises at once."""

    async def settled(
        self, error: Exception, exchange: Exchange, scope: Scope, receive: Receive
    ) -> bool:
        """Report a failure, answer it where that can be done, and say whether all is done.

        What is raised before a message of the lifespan was received says that there is none:
        https://asgi.readthedocs.io/en/latest/specs/lifespan.html#scope
        """
        if isinstance(receive, Hearing) and not receive.was_called:
            return False
        return await super().settled(error, exchange, scope, receive)


def as_next(errors: ErrorHandler) -> Callable[[Any], Answer]:
    """
    Return a `next` for handlers that return ASGI applications.

    Args:
        errors: The `catchasync.ErrorHandler`.

    Returns:
        A `next`: it turns an error into an application, which reports and answers it.

    Raises:
        TypeError: ``errors`` is no `ErrorHandler`.
    """
    checked_errors(errors, "as_next(errors)")
    return lambda error: Answer(error, errors)
