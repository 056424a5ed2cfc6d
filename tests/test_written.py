"""What a program writes for its client into an error of its framework is shown."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import render_error
from catchasync.errors import create_error

WRITTEN: dict[str, Callable[[Any], Exception]] = {
    "aiohttp.web": lambda web: web.HTTPConflict(text="taken"),
    "blacksheep.exceptions": lambda errors: errors.BadRequest("taken"),
    "bottle": lambda bottle: bottle.HTTPError(409, "taken"),
    "falcon": lambda falcon: falcon.HTTPConflict(description="taken"),
    "fastapi": lambda fastapi: fastapi.HTTPException(409, "taken"),
    "litestar.exceptions": lambda errors: errors.HTTPException("taken", status_code=409),
    "pyramid.httpexceptions": lambda errors: errors.HTTPConflict("taken"),
    "sanic.exceptions": lambda errors: errors.SanicException("taken", 409),
    "starlette.exceptions": lambda errors: errors.HTTPException(409, "taken"),
    "tornado.web": lambda web: web.HTTPError(409, "for the log", reason="taken"),
    "werkzeug.exceptions": lambda errors: errors.Conflict("taken"),
}

SILENT: dict[str, Callable[[Any], Exception]] = {
    "aiohttp.web": lambda web: web.HTTPConflict(),
    "blacksheep.exceptions": lambda errors: errors.Conflict("a row of a table"),
    "bottle": lambda bottle: bottle.HTTPError(409),
    "falcon": lambda falcon: falcon.HTTPConflict(),
    "fastapi": lambda fastapi: fastapi.HTTPException(409),
    "litestar.exceptions": lambda errors: errors.HTTPException(status_code=409),
    "pyramid.httpexceptions": lambda errors: errors.HTTPConflict(),
    "sanic.exceptions": lambda errors: errors.SanicException(status_code=409),
    "starlette.exceptions": lambda errors: errors.HTTPException(409),
    "tornado.web": lambda web: web.HTTPError(409, "for the log"),
    "werkzeug.exceptions": lambda errors: errors.Conflict(),
}


def shown(error: BaseException) -> dict[str, Any]:
    """Return what a client is shown, but for what all errors of the status say."""
    problem: dict[str, Any] = json.loads(render_error(error).body)
    assert (problem.pop("title"), problem.pop("status")) in (
        ("Conflict", 409),
        ("Bad Request", 400),
    )
    del problem["type"]
    return problem


def raised(error: Exception) -> Exception:
    """Return an error that has been raised here."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.mark.parametrize("module", WRITTEN)
def test_what_a_program_has_written_is_shown(module: str) -> None:
    """A message for the client is shown, whether the error was raised or handed over."""
    framework = pytest.importorskip(module)

    for error in (WRITTEN[module](framework), raised(WRITTEN[module](framework))):
        assert {"detail": "taken"} == shown(error)


@pytest.mark.parametrize("module", SILENT)
def test_what_nobody_has_written_is_not_shown(module: str) -> None:
    """A framework's default text is none for the client: one failure, one answer."""
    framework = pytest.importorskip(module)

    assert {"detail": "Conflict"} == shown(raised(SILENT[module](framework)))


def test_the_phrase_of_a_status_is_ours() -> None:
    """A status has one phrase, whatever this Python, of which a framework has it, calls it."""
    exceptions: Any = pytest.importorskip("starlette.exceptions")

    problem = json.loads(render_error(exceptions.HTTPException(413)).body)
    assert ("Content Too Large", "Content Too Large") == (problem["title"], problem["detail"])


def test_a_class_of_the_programs_own() -> None:
    """A text that a program gives a class of its own is shown."""
    exceptions: Any = pytest.importorskip("werkzeug.exceptions")

    class Taken(exceptions.Conflict):  # type: ignore[misc]  # imported here
        description = "taken"

    assert {"detail": "taken"} == shown(Taken())


@pytest.mark.parametrize(
    ("module", "abort"),
    [
        ("bottle", lambda bottle: bottle.abort(409, "taken")),
        ("flask", lambda flask: flask.abort(409, "taken")),
        ("werkzeug.exceptions", lambda errors: errors.abort(409, "taken")),
    ],
)
def test_abort(module: str, abort: Callable[[Any], Any]) -> None:
    """What ``abort`` is told to say is the program's: it raises for that."""
    framework = pytest.importorskip(module)
    with pytest.raises(Exception) as caught:
        abort(framework)

    assert {"detail": "taken"} == shown(caught.value)


@pytest.mark.parametrize("module", ["starlette.routing", "sanic_routing.router"])
def test_what_the_framework_says_of_its_own_accord(module: str) -> None:
    """An error that the framework itself has raised says what all errors of its status say."""
    framework: Any = pytest.importorskip(module)
    exceptions = importlib.import_module("starlette.exceptions")
    space = {"__name__": framework.__name__, "error": exceptions.HTTPException(409, "own words")}
    with pytest.raises(exceptions.HTTPException) as caught:
        exec("def route():\n    raise error\nroute()", space)  # noqa: S102 - made here

    assert {"detail": "Conflict"} == shown(caught.value)


@pytest.mark.parametrize(
    ("module", "make"),
    [
        ("fastapi", lambda fastapi: fastapi.HTTPException(409, {"by": [7]})),
        ("fastapi", lambda fastapi: fastapi.HTTPException(409, {"by": (7,)})),
        ("sanic.exceptions", lambda errors: errors.SanicException("", 409, context={"by": [7]})),
        (
            "litestar.exceptions",
            lambda errors: errors.HTTPException(status_code=409, extra={"by": [7]}),
        ),
    ],
)
def test_details(module: str, make: Callable[[Any], Exception]) -> None:
    """More than a message is shown as details."""
    framework = pytest.importorskip(module)

    assert {"detail": "Conflict", "details": {"by": [7]}} == shown(make(framework))


def test_what_is_for_developers() -> None:
    """Sanic shows what is ``extra`` in its debug mode alone, and so it is not shown."""
    errors: Any = pytest.importorskip("sanic.exceptions")

    assert {"detail": "taken"} == shown(
        errors.SanicException("taken", 409, extra={"sql": "secret"})
    )


def test_an_error_of_a_frameworks_client() -> None:
    """What a server has said to BlackSheep's HTTP client is a bug of ours, and says nothing."""
    errors: Any = pytest.importorskip("blacksheep.exceptions")
    answer = render_error(errors.FailedRequestError(404, "secret"))

    assert 500 == answer.status
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    ("module", "make"),
    [
        ("falcon", lambda falcon: falcon.HTTPConflict(title="taken")),
        ("falcon", lambda falcon: falcon.HTTPConflict(title="x", description="taken")),
        ("pyramid.httpexceptions", lambda errors: explained(errors.HTTPConflict())),
        ("werkzeug.exceptions", lambda errors: errors.Conflict(Lazy())),
    ],
)
def test_other_ways_to_write_it(module: str, make: Callable[[Any], Exception]) -> None:
    """A title, an explanation and a lazy translation are messages, too."""
    framework = pytest.importorskip(module)

    assert {"detail": "taken"} == shown(make(framework))


class Lazy:
    """What is a text when it is asked for, as a translation is."""

    def __str__(self) -> str:
        return "taken"


def explained(error: Any) -> Any:
    """Return an error with an explanation."""
    error.explanation = "taken"
    return error


def test_a_body_that_is_no_text() -> None:
    """What is neither a text nor data, such as a file, is not shown."""
    bottle: Any = pytest.importorskip("bottle")

    assert {"detail": "Conflict"} == shown(bottle.HTTPError(409, io.BytesIO(b"secret")))


def test_details_beside_a_message() -> None:
    """A message, and details, are both shown."""
    errors: Any = pytest.importorskip("litestar.exceptions")
    error = errors.HTTPException("taken", status_code=409, extra=[7])

    assert {"detail": "taken", "details": [7]} == shown(error)


def test_an_error_that_was_made_of_nothing() -> None:
    """An error whose message was taken away is shown without."""
    exceptions: Any = pytest.importorskip("blacksheep.exceptions")
    error = exceptions.BadRequest("taken")
    error.args = ()

    assert {"detail": "Bad Request"} == shown(error) == shown(exceptions.BadRequest())


def test_what_is_said_to_be_shown_or_not_comes_first() -> None:
    """``expose`` decides, where somebody has set it."""
    exceptions: Any = pytest.importorskip("starlette.exceptions")
    secret, said = exceptions.HTTPException(409, "secret"), exceptions.HTTPException(409, "taken")
    secret.expose, said.expose = False, True

    assert [{"detail": "Conflict"}, {"detail": "taken"}] == [shown(secret), shown(said)]


@pytest.mark.parametrize("status", [500, 503])
def test_servers_errors_say_nothing(status: int) -> None:
    """What is written into an error of the server stays inside."""
    exceptions: Any = pytest.importorskip("starlette.exceptions")

    assert b"secret" not in render_error(exceptions.HTTPException(status, "secret")).body
    assert (
        b"secret" not in render_error(exceptions.HTTPException(409, "secret"), status=status).body
    )


def test_other_errors_with_a_status_say_nothing() -> None:
    """The message of an error that is no web framework's is shown where it says so itself."""

    class Foreign(Exception):
        status = 409

    assert {"detail": "Conflict"} == shown(Foreign("secret"))
    assert {"detail": "secret"} == shown(create_error(409, Foreign("secret")))


def test_text_that_cannot_be_shown() -> None:
    """What is written is made plain, and escaped, as all that is shown."""
    exceptions: Any = pytest.importorskip("starlette.exceptions")
    error = exceptions.HTTPException(409, "<b>\0")

    assert {"detail": "<b>\ufffd"} == shown(error)
    assert b"<b>" not in render_error(error, accept="text/html").body
