"""What the library itself raises, each with the rule that it stands for; and errors with a status.

A handler raises `HttpError`, or the class of a status: ``raise NotFound("no such user")``.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar, overload

from catchasync._statuses import (
    SERVER_ERROR,
    checked_status,
    error_status,
    is_of_client,
    phrase_of,
    status_of,
)

Headers: TypeAlias = "Mapping[str, str | int] | Iterable[tuple[str, str | int]]"
"""Headers by name; a number may be one: ``{"Retry-After": 30}``."""

ErrorT = TypeVar("ErrorT", bound=BaseException)


class CatchAsyncError(Exception):
    """The root of the errors that this library raises of its own accord."""


class CallbackError(CatchAsyncError):
    """An error that is no exception, such as ``next("boom")`` or an errno, made into one.

    Args:
        value: What was handed over; any object but ``None``, which means "no error".
    """

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


class CallbackNeverCalled(CatchAsyncError):
    """A callback was collected without having been called: its outcome can never come."""


class NextCalledTwice(CatchAsyncError):
    """``next()`` was called after the decision: there is one decision per call."""


class HandlerIncomplete(CatchAsyncError):
    """A handler neither answered nor called ``next``."""


class HttpError(Exception):
    """
    An error that is answered with a status.

    A subclass may set ``message``, ``code``, ``details``, ``headers``, ``expose`` and
    ``operational`` for all its errors, as attributes of the class.

    Args:
        status: 400 to 599, an ``int`` or an ``HTTPStatus``.
        message: For whoever asked. Default: the status's phrase.
        code: What clients tell the error by, such as ``"user_not_found"``; always shown.
        details: More for the client, of what JSON can hold; shown where ``expose`` holds.
        headers: For the response, by name.
        expose: Whether clients may read message and details. Default: true below 500.
        operational: Whether the error is an expected one, no bug. Default: true.
        properties: Further attributes of the error; they never leave the process.

    Raises:
        ValueError: The status is none of an error.
        TypeError: The status is no ``int``, or a property has the name of something that every
            exception has.
    """

    status: int
    message: str
    code: str | int | None = None
    details: Any = None
    headers: dict[str, str | int]
    expose: bool
    operational: bool = True

    def __init__(
        self,
        status: int,
        message: object = None,
        *,
        code: str | int | None = None,
        details: Any = None,
        headers: Headers | None = None,
        expose: bool | None = None,
        operational: bool | None = None,
        **properties: Any,
    ) -> None:
        kind = type(self)
        self.status = error_status(status) or checked_status(status, f"{kind.__name__}()")
        if message is None:
            message = getattr(kind, "message", phrase_of(self.status))
        if headers is None:
            headers = getattr(kind, "headers", None)
        if expose is None:
            expose = getattr(kind, "expose", self.status < SERVER_ERROR)
        self.message = str(message)
        self.headers = {} if headers is None else _as_headers(headers)
        self.expose = bool(expose)
        given = (("code", code), ("details", details), ("operational", operational))
        vars(self).update([pair for pair in given if pair[1] is not None])
        if properties:
            _check_properties(kind.__name__, properties)
            vars(self).update(properties)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy without calling ``__init__``: a subclass may have one of its own."""
        new: Any = copyreg.__newobj__  # type: ignore[attr-defined]  # what pickle itself would use
        return new, (type(self), *self.args), vars(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__.get('status')}, {str(self)!r})"


class _StatusError(HttpError):
    """An `HttpError` whose class says its status; a subclass of a subclass inherits it."""

    status: int

    def __init_subclass__(cls, status: int | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if status is not None:
            cls.status = checked_status(status, f"class {cls.__name__}(status=...)")
            _by_status.setdefault(cls.status, cls)

    def __init__(
        self,
        message: object = None,
        *,
        code: str | int | None = None,
        details: Any = None,
        headers: Headers | None = None,
        expose: bool | None = None,
        operational: bool | None = None,
        **properties: Any,
    ) -> None:
        super().__init__(
            type(self).status,
            message,
            code=code,
            details=details,
            headers=headers,
            expose=expose,
            operational=operational,
            **properties,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


_by_status: Final[dict[int, type[_StatusError]]] = {}


# fmt: off
class BadRequest(_StatusError, status=400): """400 Bad Request."""
class Unauthorized(_StatusError, status=401): """401 Unauthorized."""
class PaymentRequired(_StatusError, status=402): """402 Payment Required."""
class Forbidden(_StatusError, status=403): """403 Forbidden."""
class NotFound(_StatusError, status=404): """404 Not Found."""
class MethodNotAllowed(_StatusError, status=405): """405 Method Not Allowed."""
class NotAcceptable(_StatusError, status=406): """406 Not Acceptable."""
class ProxyAuthenticationRequired(_StatusError, status=407):
    """407 Proxy Authentication Required."""
class RequestTimeout(_StatusError, status=408): """408 Request Timeout."""
class Conflict(_StatusError, status=409): """409 Conflict."""
class Gone(_StatusError, status=410): """410 Gone."""
class LengthRequired(_StatusError, status=411): """411 Length Required."""
class PreconditionFailed(_StatusError, status=412): """412 Precondition Failed."""
class ContentTooLarge(_StatusError, status=413): """413 Content Too Large."""
class UriTooLong(_StatusError, status=414): """414 URI Too Long."""
class UnsupportedMediaType(_StatusError, status=415): """415 Unsupported Media Type."""
class RangeNotSatisfiable(_StatusError, status=416): """416 Range Not Satisfiable."""
class ExpectationFailed(_StatusError, status=417): """417 Expectation Failed."""
class ImATeapot(_StatusError, status=418): """418 I'm a Teapot."""
class MisdirectedRequest(_StatusError, status=421): """421 Misdirected Request."""
class UnprocessableContent(_StatusError, status=422): """422 Unprocessable Content."""
class Locked(_StatusError, status=423): """423 Locked."""
class FailedDependency(_StatusError, status=424): """424 Failed Dependency."""
class TooEarly(_StatusError, status=425): """425 Too Early."""
class UpgradeRequired(_StatusError, status=426): """426 Upgrade Required."""
class PreconditionRequired(_StatusError, status=428): """428 Precondition Required."""
class TooManyRequests(_StatusError, status=429): """429 Too Many Requests."""
class RequestHeaderFieldsTooLarge(_StatusError, status=431):
    """431 Request Header Fields Too Large."""
class UnavailableForLegalReasons(_StatusError, status=451): """451 Unavailable For Legal Reasons."""
class InternalServerError(_StatusError, status=500): """500 Internal Server Error."""
class NotImplemented(_StatusError, status=501): """501 Not Implemented."""  # noqa: A001
class BadGateway(_StatusError, status=502): """502 Bad Gateway."""
class ServiceUnavailable(_StatusError, status=503): """503 Service Unavailable."""
class GatewayTimeout(_StatusError, status=504): """504 Gateway Timeout."""
class HttpVersionNotSupported(_StatusError, status=505): """505 HTTP Version Not Supported."""
class VariantAlsoNegotiates(_StatusError, status=506): """506 Variant Also Negotiates."""
class InsufficientStorage(_StatusError, status=507): """507 Insufficient Storage."""
class LoopDetected(_StatusError, status=508): """508 Loop Detected."""
class NotExtended(_StatusError, status=510): """510 Not Extended."""
class NetworkAuthenticationRequired(_StatusError, status=511):
    """511 Network Authentication Required."""


# The names that they had before Python 3.13:
RequestEntityTooLarge = ContentTooLarge
RequestUriTooLong = UriTooLong
RequestedRangeNotSatisfiable = RangeNotSatisfiable
UnprocessableEntity = UnprocessableContent
# fmt: on


@overload
def create_error(status: int, message: str | None = None, **properties: Any) -> HttpError: ...
@overload
def create_error(status: int, message: ErrorT, **properties: Any) -> ErrorT | HttpError: ...
def create_error(status: int, message: object = None, **properties: Any) -> BaseException:
    """
    Make an error with a status, or give one to an error that is there.

    Args:
        status: 400 to 599, an ``int`` or an ``HTTPStatus``.
        message: For whoever asked; or the error that is to have this status from now on.
        properties: What `HttpError` takes by keyword.

    Returns:
        An error of the status's class; or the error that was given, its ``expose`` set anew. One
        that takes no attributes comes back as the ``__cause__`` of a new one.

    Raises:
        ValueError: The status is none of an error.
        TypeError: The status is no ``int``, or a property has the name of something that every
            exception has.
    """
    status = checked_status(status, "create_error()")
    _check_properties("create_error", properties)
    if not isinstance(message, BaseException):
        return _create(status, message, properties)
    if _give(message, status, properties):
        return message
    error = _create(status, str(message) or None, properties)
    error.__cause__ = message
    return error


def _create(status: int, message: object, properties: dict[str, Any]) -> HttpError:
    kind = _by_status.get(status)
    if kind is None:
        return HttpError(status, message, **properties)
    return kind(message, **properties)


def _give(error: BaseException, status: int, properties: dict[str, Any]) -> bool:
    """Set the attributes of an existing error; leave it as it was where that fails."""
    before = dict(vars(error))
    given = {name: value for name, value in properties.items() if value is not None}
    try:
        for name, value in (_anew(error, status) | given).items():
            setattr(error, name, value)
        done = status_of(error) == status
    except Exception:  # noqa: BLE001 - frozen, or a property: whatever it raises, it refuses
        done = False
    if not done:
        vars(error).clear()
        vars(error).update(before)
    return done


def _anew(error: BaseException, status: int) -> dict[str, Any]:
    anew: dict[str, Any] = {"status": status, "expose": status < SERVER_ERROR}
    if isinstance(error, HttpError) and error.message == phrase_of(error.status):
        anew["message"] = phrase_of(status)
    if is_of_client(error):
        anew["headers"] = {}  # what it has are those of somebody else's response
    return anew


def _as_headers(headers: Any) -> dict[str, str | int]:
    try:
        return dict(headers)
    except (TypeError, ValueError):
        msg = f"headers=... of an error takes a mapping, or pairs: got {headers!r}."
        raise TypeError(msg) from None


def _check_properties(caller: str, properties: dict[str, Any]) -> None:
    taken = [name for name in properties if hasattr(BaseException, name) or name[:2] == "__"]
    if taken:
        msg = f"{caller}() cannot set {taken[0]!r}, which every exception has: choose another name."
        raise TypeError(msg)
