"""What the integrations of WSGI frameworks share: the guard around an application.

A failure before the response began is answered, as PEP 3333 says: ``start_response`` is called with
``exc_info``, and where headers have gone out the server raises that. A failure later is reported
and raised, so that the server breaks the connection off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, cast

from catchasync import _runtimes
from catchasync._context import ErrorContext
from catchasync._error_response import Environ, StartResponse
from catchasync._failures import is_never_caught
from catchasync._handler import ErrorHandler
from catchasync._kinds import is_awaitable
from catchasync.integrations import _observers
from catchasync.integrations._arguments import no_application
from catchasync.integrations._asgi import unchanged

Application: TypeAlias = Callable[[Any, Any], Iterable[bytes]]


class Guard:
    """
    A WSGI application around another: its failures reach an error handler.

    Args:
        app: The application.
        errors: The `ErrorHandler`: called with each failure and its `ErrorContext`.
        request_of: Makes the framework's request of an environ, for the context.
        app_of: Makes a WSGI application of what a rule returned.
        observer: The name of Sentry's integration of the framework.
    """

    def __init__(
        self,
        app: Application,
        errors: ErrorHandler,
        request_of: Callable[[Environ], Any] = unchanged,
        app_of: Callable[[Any], Any] = unchanged,
        observer: str | None = None,
    ) -> None:
        self.app = app
        self.observer = observer
        self.errors = errors
        self.request_of = request_of
        self.app_of = app_of

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Run the application, and answer its failure."""
        start = Start()
        start.start_response = start_response
        try:
            body = self.app(environ, start)
        except Exception as error:
            if is_never_caught(error):
                raise
            return self.answer(error, environ, start)
        if type(body) is list:  # nothing fails in it
            return body
        return self.watched(body, environ, start)

    def watched(self, body: Iterable[bytes], environ: Environ, start: Start) -> Iterable[bytes]:
        """Return a body whose failures are answered or reported."""
        if isinstance(body, (list, tuple)) or is_file(body, environ):
            return body
        return Body(body, self, environ, start)

    def answer(self, error: Exception, environ: Environ, start: Start) -> Iterable[bytes]:
        """Report a failure and answer it; the server raises it where headers have gone out."""
        answer = settled(self.errors(error, self._context_of(environ)))
        _observers.tell(error, answer, self.observer)
        return answered(self.app_of(answer), self.errors, environ, start.again(error))

    def report(self, error: Exception, environ: Environ) -> None:
        """Report a failure that cannot be answered any more."""
        self.errors.report(error, self._context_of(environ))

    def _context_of(self, environ: Environ) -> ErrorContext:
        return context_of(environ, self.app, self.request_of(environ))


class Start:
    """
    A server's ``start_response``, which is given to it, and whether it has been called.

    Only then may ``exc_info`` be handed over: werkzeug's test client raises it in any case. There
    is one for every request: so it has no ``__init__``, which takes as long as all the rest.
    """

    __slots__ = ("is_called", "start_response")

    is_called: bool
    start_response: StartResponse

    def __call__(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        """Begin a response."""
        self.is_called = True
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)

    def again(self, error: Exception) -> StartResponse:
        """Return what begins the answer to a failure instead."""
        if not hasattr(self, "is_called"):
            return self.start_response
        exc_info = (type(error), error, error.__traceback__)

        def start_again(status: str, headers: Any, *_exc_info: object) -> Any:
            return self.start_response(status, headers, exc_info)

        return start_again


def is_file(body: object, environ: Environ) -> bool:
    """Say whether a body is the server's own, which it knows how to send."""
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper is not None and isinstance(wrapper, type) and isinstance(body, wrapper)


class Body:
    """
    A response's body, watched to its end.

    Args:
        body: What the application returned.
        guard: Told of failures.
        environ: The request.
        start: Begins the response.
    """

    __slots__ = ("_body", "_environ", "_guard", "_start")

    def __init__(self, body: Iterable[bytes], guard: Guard, environ: Environ, start: Start) -> None:
        self._body = body
        self._guard = guard
        self._environ = environ
        self._start = start

    def __iter__(self) -> Iterator[bytes]:
        has_begun = False
        try:
            for chunk in self._body:
                yield chunk
                has_begun = has_begun or bool(chunk)
        except Exception as error:
            if is_never_caught(error):
                raise
            if has_begun:
                self._guard.report(error, self._environ)
                raise
            answer = self._guard.answer(error, self._environ, self._start)
        else:
            return
        yield from answer

    def close(self) -> None:
        """Close the application's body, as the server does in the end."""
        close = getattr(self._body, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception as error:
            if not is_never_caught(error):
                self._guard.report(error, self._environ)
            raise


class Answer:
    """A WSGI application: the answer to an error, made when it is known who asked."""

    __slots__ = ("_errors", "error")

    def __init__(self, error: object, errors: ErrorHandler) -> None:
        self.error = error
        self._errors = errors

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Report the error, and answer."""
        answer = settled(self._errors(self.error, context_of(environ, None, environ)))
        return answered(answer, self._errors, environ, start_response)


def answered(
    answer: Any, errors: ErrorHandler, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Send an answer; one that is no WSGI application is a defect of a rule, and answered so."""
    if not callable(answer):
        answer = errors(TypeError(no_application(answer, "WSGI")), context_of(environ))
    return cast("Application", answer)(environ, start_response)


def settled(answer: Any) -> Any:
    """Return an answer, also where its rule is async: this thread has no loop of its own."""
    return _runtimes.run(answer) if is_awaitable(answer) else answer


def context_of(environ: Environ, handler: object = None, request: object = None) -> ErrorContext:
    """Return where something failed."""
    accept, method = environ.get("HTTP_ACCEPT"), environ.get("REQUEST_METHOD")
    return ErrorContext("route", environ if request is None else request, handler, accept, method)
