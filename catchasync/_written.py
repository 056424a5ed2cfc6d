"""What a program has written for its client into an error of its web framework.

``raise HTTPException(409, "taken")``, ``abort(409, "taken")``: the framework shows that, and so do
we. What the framework says of its own accord (a default text, an error that it raises itself) is
not shown: each has other words for the same failure. Nothing is imported: classes are told by name.
"""

from __future__ import annotations

from http.client import responses
from typing import Any, Final

from catchasync._marks import traceback_of
from catchasync._plain import clean, text_of
from catchasync._statuses import attribute, known_of

WHERE: Final = {
    ("aiohttp.web_exceptions", "HTTPException"): (("text",), None),
    ("blacksheep.exceptions", "BadRequest"): (("args",), None),
    ("bottle", "HTTPError"): (("body",), None),
    ("falcon.http_error", "HTTPError"): (("description", "title"), None),
    ("litestar.exceptions.http_exceptions", "HTTPException"): (("detail",), "extra"),
    ("pyramid.httpexceptions", "HTTPException"): (("detail", "explanation"), None),
    ("sanic.exceptions", "SanicException"): (("message",), "context"),
    ("starlette.exceptions", "HTTPException"): (("detail",), None),
    ("tornado.web", "HTTPError"): (("reason",), None),
    ("werkzeug.exceptions", "HTTPException"): (("description",), None),
}  # fmt: skip
"""By class: the attributes that a message is in, the first that has one; and the one with details.

Those that the framework itself shows to clients: BlackSheep shows the message of this class alone.
"""

FRAMEWORKS: Final = frozenset({
    "aiohttp", "blacksheep", "bottle", "falcon", "fastapi", "flask", "litestar", "pyramid", "quart",
    "sanic", "sanic_routing", "starlette", "tornado", "werkzeug",
})  # fmt: skip

DATA: Final = (dict, list, tuple, int, float)
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
    names, named = where
    details = None if named is None else attribute(error, named)
    for name in names:
        message = _text_in(attribute(error, name), name)
        if issubclass(type(message), DATA):
            return "", message
        if message is not None and message.casefold() not in _defaults(error, name, status):
            return message, details
    return "", details


def _text_in(value: Any, name: str) -> Any:
    """Return a message, or data in its place; ``None`` for all else, such as a file."""
    if name == "args":
        value = value[0] if type(value) is tuple and value else None
    if issubclass(type(value), str):
        return clean(value)
    if name == "description" and value is not None:  # a lazy translation, which is no text yet
        return text_of(value)
    return value if issubclass(type(value), DATA) else None


def _defaults(error: object, name: str, status: int) -> list[str]:
    """Return what a message is where nobody has written one, in small letters."""
    phrase = responses.get(status, "")
    kinds = type.__dict__["__mro__"].__get__(type(error))  # past whatever a metaclass says
    theirs = [kind for kind in kinds if _is_of_framework(attribute(kind, "__module__"))]
    texts = [vars(kind).get(name) for kind in theirs]
    usual = ["", phrase, f"{status} {phrase}", f"{status}: {phrase}", UNKNOWN]
    return [text.casefold() for text in [*usual, *texts] if type(text) is str]


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
