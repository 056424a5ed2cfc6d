"""Those who watch a framework from outside, and would miss what is answered inside.

Sentry's integrations of some frameworks, and spans of OpenTelemetry, see a failure because it is
raised out of the application. Where we answer it, it is raised no further: so they are told, of the
failures whose answer says that the server is at fault. Only what is loaded is told; nothing is
imported.
"""

from __future__ import annotations

import sys
from typing import Any

from catchasync._error_response import ErrorResponse
from catchasync._plain import guarded
from catchasync._rules import status_in
from catchasync._statuses import SERVER_ERROR


def tell(error: BaseException, answer: object = None, integration: str | None = None) -> None:
    """
    Tell observers of a failure that is answered, as they would have told themselves.

    It is called before the answer is sent: with the end of that, a span ends.

    Args:
        error: The failure.
        answer: What it is answered with; ``None``: there was no way to answer.
        integration: The name of Sentry's integration of the framework, where it watches from
            outside.
    """
    if (_status_of(answer) or SERVER_ERROR) < SERVER_ERROR:
        return
    if integration is not None:
        _call("sentry_sdk", _tell_sentry, error, integration)
    _call("opentelemetry.trace", _tell_span, error)


def _status_of(answer: Any) -> int | None:
    if type(answer) is ErrorResponse:  # as nearly all are
        return answer.status
    return status_in(answer)


def _call(module: str, function: Any, *args: object) -> None:
    """Call a function with a module, where that is loaded; never raises."""
    if (loaded := sys.modules.get(module)) is not None:
        guarded(function, loaded, *args, default=None)


def _tell_sentry(sentry: Any, error: BaseException, integration: str) -> None:
    client = sentry.get_client()
    if client.get_integration(integration) is None:
        return
    event, hint = sentry.utils.event_from_exception(
        error,
        client_options=client.options,
        mechanism={"type": integration, "handled": False},
    )
    sentry.capture_event(event, hint=hint)


def _tell_span(trace: Any, error: BaseException) -> None:
    span = trace.get_current_span()
    if span.is_recording():
        span.record_exception(error)
