"""What a program has written for its client into an error of its web framework.

``raise HTTPException(409, "taken")``, ``abort(409, "taken")``: the framework shows that, and so do
we. What the framework says of its own accord (a default text, an error that it raises itself) is
not shown: each has other words for the same failure. Nothing is imported: classes are told by name.
"""

from __future__ import annotations

from http.client import responses
from typing import Any, Final, cast

from catchasync._marks import traceback_of
from catchasync._plain import clean
from catchasync._statuses import attribute, known_of

WHERE: Final = {
    ("aiohttp.web_exceptions", "HTTPException"): ("text", None),
    ("blacksheep.exceptions", "HTTPException"): ("args", None),
    ("bottle", "HTTPError"): ("body", None),
    ("falcon.http_error", "HTTPError"): ("description", None),
    ("litestar.exceptions.http_exceptions", "HTTPException"): ("detail", "extra"),
    ("pyramid.httpexceptions", "HTTPException"): ("detail", None),
    ("sanic.exceptions", "SanicException"): ("message", "extra"),
    ("starlette.exceptions", "HTTPException"): ("detail", None),
    ("tornado.web", "HTTPError"): ("reason", None),
    ("werkzeug.exceptions", "HTTPException"): ("description", None),
}  # fmt: skip
"""By class: the attribute with the message, and the one with details."""

FRAMEWORKS: Final = frozenset({
    "aiohttp", "blacksheep", "bottle", "falcon", "fastapi", "flask", "litestar", "pyramid", "quart",
    "sanic", "sanic_routing", "starlette", "tornado", "werkzeug",
})  # fmt: skip

DATA: Final = (dict, list, int, float)
"""What FastAPI takes in place of a message: whatever JSON can hold."""

UNKNOWN: Final = "Unknown Error."
"""What Bottle's ``abort(409)`` says."""

FOR_OTHERS: Final = ("abort", "Aborter.__call__")
"""The functions of frameworks that raise what a program asks them to; Flask's is an object."""


def written_in(error: Any, status: int) -> tuple[str, Any]:
    """
    Return the message and the details that a program has written into an error.

    Args:
        error: Any error; it is not trusted.
        status: Its own.
    """
    where = next((WHERE[name] for name in known_of(error).names if name in WHERE), None)
    if where is None or _is_of_framework(_raised_in(error)):
        return "", None
    message, details = (None if name is None else attribute(error, name) for name in where)
    if type(message) is tuple:
        message = message[0] if message else None
    if issubclass(type(message), str):
        text = clean(cast("str", message))
        return "" if text in _defaults(error, where[0], status) else text, details
    return "", message if issubclass(type(message), DATA) else details


def _defaults(error: object, name: str, status: int) -> list[object]:
    """Return what a message is where nobody has written one."""
    phrase = responses.get(status, "")
    kinds = type.__dict__["__mro__"].__get__(type(error))  # past whatever a metaclass says
    theirs = [kind for kind in kinds if _is_of_framework(attribute(kind, "__module__"))]
    texts = (vars(kind).get(name) for kind in theirs)
    return [phrase, f"{status}: {phrase}", UNKNOWN, *(text for text in texts if type(text) is str)]


def _raised_in(error: BaseException) -> object:
    """Return the name of the module that has raised an error of its own accord."""
    traceback = traceback_of(error)
    if traceback is None:
        return None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    return None if frame.f_code.co_qualname in FOR_OTHERS else frame.f_globals.get("__name__")


def _is_of_framework(module: object) -> bool:
    return type(module) is str and module.split(".")[0] in FRAMEWORKS
