"""Which status an error has, read without trusting it and without importing any framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

SERVER_ERROR: Final = 500

PHRASES: Final = {  # as http.HTTPStatus of Python 3.14 has them, whatever Python this is
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    418: "I'm a Teapot",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    506: "Variant Also Negotiates",
    507: "Insufficient Storage",
    508: "Loop Detected",
    510: "Not Extended",
    511: "Network Authentication Required",
}

NAMES: Final = ("status", "status_code", "code")  # as frameworks set them, the first that fits

# The exceptions that frameworks answer with a status which these do not carry themselves.
BY_TYPE: Final = {
    ("django.http.response", "Http404"): 404,
    ("django.core.exceptions", "PermissionDenied"): 403,
    ("django.core.exceptions", "SuspiciousOperation"): 400,
    ("django.core.exceptions", "BadRequest"): 400,
    ("django.http.multipartparser", "MultiPartParserError"): 400,
    ("fastapi.exceptions", "RequestValidationError"): 422,
    ("starlette.formparsers", "MultiPartException"): 400,
}

# HTTP clients, and kits made of them: their 404 says nothing about what *our* client asked for.
CLIENTS: Final = (
    "aiobotocore", "aiohttp.client", "aiohttp.client_exceptions", "anthropic", "azure.core",
    "botocore", "curl_cffi", "discord", "docker", "elastic_transport", "elasticsearch", "github",
    "gitlab", "google.api_core", "google.auth", "googleapiclient", "http.client", "httpcore",
    "httpx", "huggingface_hub", "kubernetes", "kubernetes_asyncio", "niquests", "openai",
    "opensearchpy", "requests", "slack_sdk", "stripe", "tornado.curl_httpclient",
    "tornado.httpclient", "tornado.simple_httpclient", "treq", "twilio", "urllib.error",
    "urllib3",
)  # fmt: skip

CLIENT: Final = ("blacksheep.exceptions", "FailedRequestError")
"""One that stands among the errors of a framework."""

OURS: Final = ("catchasync.errors", "HttpError")
WERKZEUG: Final = ("werkzeug.exceptions", "HTTPException")


def phrase_of(status: int) -> str:
    """Return the phrase of a status, a generic one where it has none of its own."""
    return PHRASES.get(status) or ("Client Error" if status < SERVER_ERROR else "Server Error")


def checked_status(status: object, caller: str) -> int:
    """
    Return a status as an ``int``.

    Args:
        status: What a programmer wrote.
        caller: What the message names.

    Raises:
        TypeError: It is no ``int``; a ``bool`` is none.
        ValueError: It is no status of an error.
    """
    expected = f"{caller} takes a status of 400 to 599, an int or an HTTPStatus"
    if not isinstance(status, int) or isinstance(status, bool):
        msg = f"{expected}: got {status!r}, a {type(status).__name__}."
        raise TypeError(msg)
    if (number := error_status(status)) is None:
        msg = f"{expected}: got {status!r}."
        raise ValueError(msg)
    return number


def error_status(value: object) -> int | None:
    """Return a value that is the status of an error as a plain ``int``, ``None`` for all others."""
    kind = type(value)
    if kind is not int:
        if kind is bool or not issubclass(kind, int):
            return None
        value = int.__int__(value)  # type: ignore[arg-type]  # a subclass may compare as it likes
    return value if 400 <= value < 600 else None  # type: ignore[operator,return-value]  # noqa: PLR2004


def attribute(thing: object, name: str) -> Any:
    """Return an attribute of an object that is not trusted; ``None`` where it cannot be read."""
    try:
        return getattr(thing, name, None)
    except (KeyboardInterrupt, SystemExit):  # these come from outside, not from the object
        raise
    except BaseException:  # noqa: BLE001 - whatever it raises, it has nothing to say
        return None


def status_of(error: object) -> int:
    """
    Return the status that an error is answered with.

    It is the first of ``.status``, ``.status_code`` and ``.code`` that is an ``int`` of 400 to 599,
    as frameworks set them; or what Django and FastAPI answer their own exceptions with. An error
    of an HTTP client has none, nor has a group, unless it holds one error alone.

    Args:
        error: Any error; it is not trusted, and nothing that it does makes this raise.

    Returns:
        A status of 400 to 599; 500 where the error has none.
    """
    return own_status(subject_of(error)) or SERVER_ERROR


def subject_of(error: object) -> object:
    """Return the error that is meant: the one inside, where a group holds no other."""
    while issubclass(type(error), BaseExceptionGroup) and own_status(error) is None:
        inside = errors_inside(error)
        if len(inside) != 1:
            break
        error = inside[0]
    return error


def errors_inside(group: object) -> tuple[BaseException, ...]:
    """Return what a group holds, whatever its class says of it."""
    exceptions: Any = BaseExceptionGroup.__dict__["exceptions"]
    inside: tuple[BaseException, ...] = exceptions.__get__(group)
    return inside


def own_status(error: object) -> int | None:
    """Return the status that an error itself has; ``None`` for a bug."""
    known = known_of(error)
    if known.is_client and is_of_client(error):
        return None
    for name in NAMES:
        if (status := error_status(attribute(error, name))) is not None:
            return status
    return known.status


def is_of_client(error: object) -> bool:
    """Say whether an HTTP client made this error, and nobody has given it a status of ours."""
    if not known_of(error).is_client:
        return False
    return "expose" not in (attribute(error, "__dict__") or ())  # `create_error` sets it


class Known:
    """
    What the names of a class and of its bases tell; no named tuple, which takes time to import.

    It says whether an error is an `HttpError`, an HTTP client's, or werkzeug's, which keeps its
    headers in a method; and the status that its framework answers it with.

    Args:
        names: The modules and names of the class and its bases.
    """

    __slots__ = ("is_client", "is_ours", "is_werkzeug", "names", "status")

    def __init__(self, names: list[tuple[str, str]]) -> None:
        is_client = CLIENT in names or any(
            f"{module}.".startswith(_CLIENT_PREFIXES) for module, _ in names
        )
        self.names = frozenset(names)
        self.is_ours = OURS in names
        self.is_client = is_client and not self.is_ours
        self.is_werkzeug = WERKZEUG in names
        self.status = next((BY_TYPE[name] for name in names if name in BY_TYPE), None)


def known_of(error: object) -> Known:
    """Return what is known of an error by the names of its classes."""
    kind = type(error)
    if type(kind) is not type:  # a metaclass could lie about its hash
        return _known(kind)
    return _known_remembered(kind)


def _known(kind: type) -> Known:
    return Known(list(_names(kind)))


_CLIENT_PREFIXES: Final = tuple(f"{client}." for client in CLIENTS)
_known_remembered: Final[Callable[[type], Known]] = lru_cache(maxsize=256)(_known)


def _names(kind: type) -> Iterator[tuple[str, str]]:
    for base in type.__dict__["__mro__"].__get__(kind):  # past whatever a metaclass says
        module, name = attribute(base, "__module__"), attribute(base, "__name__")
        if type(module) is str and type(name) is str:
            yield module, name
