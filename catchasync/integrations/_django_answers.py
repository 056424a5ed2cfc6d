"""Django: the responses that failures are answered with, and who else is told."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.log import log_response

from catchasync._answers import plain_response
from catchasync._error_response import ErrorResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync._statuses import SERVER_ERROR
from catchasync.errors import create_error
from catchasync.integrations._arguments import no_application
from catchasync.integrations._django_streams import context_of


def sendable(errors: ErrorHandler, request: Any, answer: Any) -> Any:
    """Return a response that can be sent; what fails in making it is a defect of a rule."""
    try:
        return _rendered(response_of(settled(answer)))
    except Exception as defect:
        if is_never_caught(defect):
            raise
        made = errors(create_error(SERVER_ERROR, defect), context_of(request))
        return response_of(made if type(made) is ErrorResponse else plain_response())


def _rendered(response: Any) -> Any:
    """Render what waits for it, such as a `TemplateResponse`: Django does that of views alone."""
    if not isinstance(response, HttpResponseBase):
        raise TypeError(no_application(response, "Django (an HttpResponse)"))
    render = getattr(response, "render", None)
    return response if render is None else render()


def settled(answer: Any) -> Any:
    """Return an answer, also where its rule is async."""
    return async_to_sync(_awaited)(answer) if is_awaitable(answer) else answer


async def _awaited(answer: Any) -> Any:
    return await answer


def response_of(answer: Any) -> Any:
    """Return Django's kind of response to an answer; what a rule made already is one."""
    if not isinstance(answer, ErrorResponse):
        return answer
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


def tell_observers(request: Any, error: Exception, response: Any) -> None:
    """Log and signal what Django would have logged and signalled."""
    if isinstance(error, SuspiciousOperation):
        logger = logging.getLogger(f"django.security.{type(error).__name__}")
        logger.error(str(error), exc_info=error, extra={"status_code": 400, "request": request})
    elif response.status_code >= SERVER_ERROR:
        got_request_exception.send(sender=None, request=request)
        what = ("%s: %s", response.reason_phrase, request.path)
        log_response(*what, response=response, request=request, exception=error)
