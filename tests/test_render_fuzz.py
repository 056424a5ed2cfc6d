"""Whatever an error holds, its response is well-formed, bounded, and tells no more than it may.

``CATCHASYNC_FULL=1`` tries tens of thousands of errors instead of hundreds.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catchasync import ErrorResponse, HttpError, errors, render_error, status_of
from catchasync._negotiation import FORMATS
from tests.hostile import BadDict, Broken, Endless, EndlessMapping, hostile
from tests.rendering import Page, raised
from tests.support import Boom

EXAMPLES = 2_500 if os.environ.get("CATCHASYNC_FULL") else 100
LIMIT = 5_000_000  # bytes of a body
CANARY = "canary"

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=timedelta(seconds=10),  # it means "hangs"
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

NASTY = [
    "<script>alert(1)</script>",
    "</style></pre>\"'&amp;&#x3c;",
    "x\r\nSet-Cookie: injected=1\r\n\r\n<html>",
    "\0\x01\x1b[31m\x7f\x85",
    "\ud800\udfff\ufffe\uffff",
    "\u202e\u2066\u2028\u2029",
    "]]>-->{{7*7}}${7*7}%n",
    "x" * 100_000,
    "password=hunter2 postgres://me:hunter2@db",
]

texts = (
    st.sampled_from(NASTY) | st.text(max_size=20) | st.text(st.characters(codec=None), max_size=9)
)


class Sly(str):
    """A text that raises wherever it can."""

    __slots__ = ()

    def __str__(self) -> str:
        raise Boom

    __len__ = __iter__ = __format__ = __repr__ = __str__  # type: ignore[assignment]
    encode = translate = replace = lower = strip = isascii = __str__  # type: ignore[assignment]

    def __getitem__(self, key: object) -> str:
        raise Boom

    def __eq__(self, other: object) -> bool:
        raise Boom

    __hash__ = str.__hash__


def cycle() -> list[Any]:
    """Return a list that holds itself."""
    made: list[Any] = [CANARY]
    made.append({"again": made})
    return made


def deep() -> Any:
    """Return a list in a list in a list."""
    made: Any = CANARY
    for _ in range(5_000):
        made = [made]
    return made


@dataclass(frozen=True)
class Odd:
    """How to make an object that hypothesis itself could not look at."""

    make: Callable[[], Any]


def made(value: Any) -> Any:
    """Return a value with what is odd in it made."""
    if isinstance(value, Odd):
        return value.make()
    if isinstance(value, list):
        return [made(item) for item in value]
    if isinstance(value, dict):
        return {key: made(item) for key, item in value.items()}
    return value


harmless = [
    lambda: Sly("sly"),
    lambda: BadDict(a=1),
    lambda: Broken(),
    lambda: Endless([1]),
    lambda: EndlessMapping(),
    lambda: hostile(Boom()),
    lambda: Boom,
    lambda: 10**5_000,
]
telling = [
    lambda: Sly(CANARY),
    lambda: cycle(),
    lambda: deep(),
    lambda: (CANARY for _ in range(10**9)),
    lambda: [Sly(CANARY), {Sly(CANARY): Broken()}],
]
harmless_odd = st.sampled_from(harmless).map(Odd)
odd = st.sampled_from(harmless + telling).map(Odd)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=9)
marked = texts.map(lambda text: CANARY + text)
values = odd | st.recursive(
    scalars | marked,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
statuses = st.sampled_from([400, 404, 418, 499, 500, 599, 200, 0, -1, True, "404", 404.0]) | values
names = st.sampled_from(["Retry-After", "x-a", "Set-Cookie", "Content-Type", "VARY", "Location"])
headers = st.dictionaries(
    names | texts, texts | st.integers() | st.binary(max_size=5), max_size=6
) | st.lists(st.tuples(names, texts), max_size=6)
codes = texts | st.integers() | harmless_odd

ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "status": statuses,
        "status_code": statuses,
        "code": codes,
        "message": values,
        "detail": values,
        "description": values,
        "details": values,
        "headers": headers | scalars | harmless_odd,  # they may be told
        "expose": st.booleans() | values,
        "operational": values,
        "__notes__": values,
        "__cause__": st.builds(Boom, marked),
        "user": values,
    },
)
BASES: list[type[BaseException]] = [
    Exception, KeyError, UnicodeError, OSError, SyntaxError, BaseException, HttpError,
    errors.NotFound, errors.InternalServerError,
]  # fmt: skip


def raiser(error: BaseException, *_: object) -> Any:
    """Raise."""
    raise error


RAISING = ["__str__", "status", "code", "headers", "details", "message", "expose", "__cause__"]


@dataclass(frozen=True)
class Recipe:
    """An error of a class of its own, some of its attributes raising."""

    base: type[BaseException]
    module: str
    name: str
    raised: BaseException
    raising: set[str]
    argument: Any
    attributes: dict[str, Any]
    in_group: bool
    has_traceback: bool

    def error(self) -> BaseException:
        """Make the error."""
        space: dict[str, Any] = {"__module__": self.module}
        for name in self.raising:
            method = partial(raiser, self.raised)
            space[name] = method if name == "__str__" else property(method)
        kind = type("E", (self.base,), space)
        kind.__name__ = kind.__qualname__ = self.name
        error: Any = kind.__new__(kind, made(self.argument))
        for name, value in self.attributes.items():
            if name not in space:
                setattr(error, name, made(value))
        if self.in_group and isinstance(error, Exception):
            error = ExceptionGroup(CANARY, [error])
        return raised(error) if self.has_traceback else error


recipes = st.builds(
    Recipe,
    base=st.sampled_from(BASES),
    module=texts,
    name=texts.filter(lambda text: not re.search("[\0\ud800-\udfff]", text)),
    raised=st.sampled_from([Boom(CANARY), RecursionError(), GeneratorExit(), StopIteration()]),
    raising=st.sets(st.sampled_from(RAISING), max_size=2),
    argument=values,
    attributes=ATTRIBUTES,
    in_group=st.booleans(),
    has_traceback=st.booleans(),
)


def is_exposed(error: BaseException) -> bool:
    """Say whether the error, or the one in its group, allows its message to be read."""
    inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
    try:
        return getattr(inner, "expose", None) is True
    except BaseException:  # noqa: BLE001 - it was made to raise
        return False


def check_head(response: ErrorResponse) -> None:
    """Check status and headers."""
    assert 400 <= response.status <= 599
    for name, value in response.headers.items():
        assert re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name)
        assert re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value)
        assert value == value.strip(" \t")
    assert str(len(response.body)) == response.headers["content-length"]
    assert "nosniff" == response.headers["x-content-type-options"]
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


def check_json(response: ErrorResponse) -> None:
    """Check that a body is JSON that every parser takes."""
    body = json.loads(response.body.decode(), parse_constant=partial(raiser, Boom("no JSON")))
    json.dumps(body, ensure_ascii=False).encode()


def check_problem(response: ErrorResponse) -> None:
    """Check the members of problem details."""
    check_json(response)
    body = json.loads(response.body)
    assert response.status == body["status"]
    assert {"type", "title", "status", "detail"} <= set(body)
    assert set(body) <= {"type", "title", "status", "detail", "code", "details", "stack"}
    assert {str} == {type(body["type"]), type(body["title"]), type(body["detail"])}
    assert type(body.get("code")) in {str, int, type(None)}


def check_html(response: ErrorResponse) -> None:
    """Check that a body is a well-formed page without a script."""
    Page(response.body.decode())


def check_text(response: ErrorResponse) -> None:
    """Check that a body is a text without control characters."""
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f]", response.body.decode())


CHECKS: dict[str, Callable[[ErrorResponse], None]] = {
    "problem": check_problem,
    "jsonapi": check_json,
    "json": check_json,
    "html": check_html,
    "text": check_text,
}


@pytest.mark.parametrize("format", FORMATS)
@fuzzed
@given(recipe=recipes, debug=st.booleans())
def test_any_error_is_rendered(recipe: Recipe, debug: bool, format: Any) -> None:  # noqa: A002, FBT001
    """Well-formed, bounded, with legal headers, and with what is ours."""
    error = recipe.error()
    response = render_error(error, format=format, debug=debug)
    check_head(response)
    CHECKS[format](response)
    assert LIMIT > len(response.body)
    assert response.status == status_of(error)


@pytest.mark.parametrize("format", FORMATS)
@fuzzed
@given(recipe=recipes)
def test_nothing_leaks(recipe: Recipe, format: Any) -> None:  # noqa: A002 - what it is
    """Without ``expose``, neither text nor attributes of the error, nor of its causes, are told."""
    error = recipe.error()
    response = render_error(error, format=format)
    told = response.body.decode() + repr(response.headers)
    assert is_exposed(error) or CANARY not in told
    assert "Traceback" not in told


@fuzzed
@given(recipe=recipes, accept=texts, method=texts, request=values)
def test_any_request_is_answered(recipe: Recipe, accept: str, method: str, request: object) -> None:
    """Nothing that a client sends makes it fail."""
    options: Any = {"accept": accept, "method": method, "request": made(request)}
    response = render_error(recipe.error(), debug=True, **options)
    check_head(response)


@fuzzed
@given(request=values | st.dictionaries(st.sampled_from(["method", "path", "headers"]), values))
def test_any_request_is_shown(request: object) -> None:
    """The page stays well-formed, whatever the request is."""
    check_html(render_error(Boom(), format="html", debug=True, request=made(request)))
