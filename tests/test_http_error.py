"""Section 6: `HttpError`, one class a status, `create_error`."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from catchasync import HttpError, create_error, errors, status_of
from catchasync._statuses import PHRASES
from tests.support import Boom

STATUSES = sorted(PHRASES)
ALIASES = {
    "REQUEST_ENTITY_TOO_LARGE": errors.ContentTooLarge,
    "REQUEST_URI_TOO_LONG": errors.UriTooLong,
    "REQUESTED_RANGE_NOT_SATISFIABLE": errors.RangeNotSatisfiable,
    "UNPROCESSABLE_ENTITY": errors.UnprocessableContent,
}


class UserNotFound(errors.NotFound):
    """A domain error with a constructor of its own."""

    code = "user_not_found"

    def __init__(self, user_id: int, place: str) -> None:
        super().__init__(f"There is no user {user_id} in {place}.", details={"id": user_id})


class Sealed(Exception):
    """An error that takes no attributes."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


def camel(name: str) -> str:
    """Turn ``NOT_FOUND`` into ``NotFound``."""
    return name.title().replace("_", "")


def pickled(error: Any) -> Any:
    """Pickle an error, and take it out again."""
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own


def class_of(status: int) -> Any:
    """Return the class of a status."""
    return type(create_error(status))


# What an error is made of.


@pytest.mark.parametrize("status", [400, 404, 499, 500, 599, HTTPStatus.CONFLICT])
def test_the_status_is_a_plain_int(status: int) -> None:
    """An ``int`` and an ``HTTPStatus`` of 400 to 599 are taken."""
    error = HttpError(status)
    assert (int, int(status)) == (type(error.status), error.status)


@pytest.mark.parametrize("status", [399, 600, 0, -404, 200, HTTPStatus.OK, HTTPStatus.FOUND])
@pytest.mark.parametrize("make", [HttpError, create_error])
def test_what_is_no_status_of_an_error_is_refused(make: Callable[..., Any], status: int) -> None:
    """The message says what is taken, and what came."""
    with pytest.raises(ValueError, match=r"400 to 599.*got .*\d"):
        make(status)


@pytest.mark.parametrize("status", [True, 404.0, "404", None, [404]])
@pytest.mark.parametrize("make", [HttpError, create_error])
def test_what_is_no_int_is_refused(make: Callable[..., Any], status: Any) -> None:
    """A ``bool``, a ``float`` and a ``str`` are no status."""
    with pytest.raises(TypeError, match="an int or an HTTPStatus: got"):
        make(status)


def test_all_that_is_given_is_an_attribute() -> None:
    """The properties are attributes too."""
    error = HttpError(
        409,
        "out of stock",
        code="stock",
        details={"left": 0},
        headers={"Retry-After": 5},
        expose=False,
        operational=False,
        sku="A7",
    )
    expected = {
        "status": 409,
        "message": "out of stock",
        "code": "stock",
        "details": {"left": 0},
        "headers": {"Retry-After": 5},
        "expose": False,
        "operational": False,
        "sku": "A7",
    }
    assert expected == vars(error)


def test_the_defaults() -> None:
    """The message is the phrase, the headers are empty, it is operational, all else is ``None``."""
    error = HttpError(404)
    assert ("Not Found", {}, True) == (error.message, error.headers, error.operational)
    assert (None, None) == (error.code, error.details)


@pytest.mark.parametrize(("status", "phrase"), [(499, "Client Error"), (599, "Server Error")])
def test_a_status_without_a_phrase_has_a_generic_one(status: int, phrase: str) -> None:
    """A status that nobody has named still says whose fault it is."""
    assert phrase == HttpError(status).message


@pytest.mark.parametrize(("status", "expose"), [(400, True), (499, True), (500, False)])
def test_expose_is_true_below_500(status: int, expose: bool) -> None:  # noqa: FBT001 - a case
    """What the client did wrong it may read; what we did wrong it may not."""
    assert expose is HttpError(status).expose


@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize("expose", [True, False])
def test_expose_can_be_given(status: int, expose: bool) -> None:  # noqa: FBT001 - a case
    """What is given wins over the status."""
    assert expose is HttpError(status, expose=expose).expose


def test_each_error_has_headers_of_its_own() -> None:
    """Neither the default nor what was given is shared with the error."""
    given: dict[str, str | int] = {"Allow": "GET"}
    first, second = HttpError(405, headers=given), HttpError(405)
    first.headers["x"] = "1"
    second.headers["y"] = "2"
    assert ({"Allow": "GET"}, {}) == (given, HttpError(405).headers)


def test_headers_may_be_pairs() -> None:
    """A list of pairs is as good as a mapping."""
    assert {"Allow": "GET"} == HttpError(405, headers=[("Allow", "GET")]).headers


def test_it_reads_as_its_message() -> None:
    """``str`` is the message, ``repr`` names the status where the class does not."""
    error = HttpError(404, "no such user")
    assert ("no such user", "HttpError(404, 'no such user')") == (str(error), repr(error))
    assert "NotFound('no such user')" == repr(errors.NotFound("no such user"))


def test_a_message_may_be_any_object() -> None:
    """A lazily translated text becomes a text at once."""
    assert "7" == HttpError(404, 7).message


@pytest.mark.parametrize(
    "name", ["args", "with_traceback", "add_note", "__cause__", "__class__", "__notes__"]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda **p: HttpError(404, **p),
        lambda **p: errors.NotFound(**p),
        lambda **p: create_error(404, **p),
        lambda **p: create_error(404, Boom(), **p),
    ],
)
def test_a_property_cannot_be_what_every_exception_has(make: Callable[..., Any], name: str) -> None:
    """Nothing of ``BaseException`` is overwritten, in none of the ways to make an error."""
    with pytest.raises(TypeError, match=f"cannot set '{name}'.*another name"):
        make(**{name: 1})


def test_a_class_of_a_status_takes_no_status() -> None:
    """A status beside the class's own is an error, not a property."""
    made: Any = errors.NotFound
    with pytest.raises(TypeError, match="status"):
        made(status=500)


@pytest.mark.parametrize("copied", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize(
    "error",
    [
        HttpError(499, "m", code="c", details=[1], headers={"a": "b"}, expose=False, user=7),
        errors.NotFound("m", code=5),
        create_error(404, Boom("why")),
        UserNotFound(7, "Rome"),
    ],
)
def test_it_pickles_and_copies(error: Any, copied: Callable[[Any], Any]) -> None:
    """All that it carries comes along, whatever constructor its class has."""
    again = copied(error)
    assert again is not error
    assert type(error) is type(again)
    assert (vars(error), error.args, str(error)) == (vars(again), again.args, str(again))


def test_notes_are_pickled() -> None:
    """A note that was added is there after unpickling."""
    error = errors.NotFound()
    error.add_note("seen")
    assert ["seen"] == pickled(error).__notes__


# Subclasses.


def test_a_class_says_what_all_its_errors_have() -> None:
    """Attributes of a class are the defaults of its errors; what is given wins."""

    class Busy(errors.ServiceUnavailable):
        message = "busy"
        code = "busy"
        headers = {"Retry-After": 5}  # noqa: RUF012 - it is copied
        expose = True
        operational = False
        details = "d"

    error = Busy()
    shown = (error.status, error.message, error.code, error.headers, error.expose)
    assert (503, "busy", "busy", {"Retry-After": 5}, True) == shown
    assert (False, "d") == (error.operational, error.details)
    assert ("other", "c", False) == (
        Busy("other").message,
        Busy(code="c").code,
        Busy(expose=False).expose,
    )
    error.headers.clear()
    assert {"Retry-After": 5} == Busy.headers


def test_a_domain_error_has_the_status_of_its_class() -> None:
    """A constructor of its own is all that a domain error needs."""
    error = UserNotFound(7, "Rome")
    assert (404, "There is no user 7 in Rome.") == (error.status, error.message)
    assert ("user_not_found", {"id": 7}) == (error.code, error.details)


def test_a_new_class_may_have_a_status_of_its_own() -> None:
    """A status that has a class keeps it, whoever else says that status."""

    class Gone2(errors.NotFound, status=410):
        pass

    assert 410 == Gone2().status
    assert errors.Gone is class_of(410)


def test_a_class_with_a_bad_status_is_refused() -> None:
    """The message names the class."""
    with pytest.raises(ValueError, match=r"class Odd\(status=...\) takes a status of 400 to 599"):
        type("Odd", (errors.NotFound,), {}, status=200)


# One class a status.


@pytest.mark.parametrize("status", STATUSES)
def test_one_class_a_status(status: int) -> None:
    """Each has its status and phrase, and says so in its docstring."""
    kind = class_of(status)
    assert kind is not HttpError
    assert kind is getattr(errors, kind.__name__)
    error = kind()
    assert (status, PHRASES[status], status < 500) == (error.status, error.message, error.expose)
    assert f"{status} {PHRASES[status]}." == kind.__doc__


@pytest.mark.parametrize("name", [n for n, s in HTTPStatus.__members__.items() if s >= 400])
def test_the_classes_are_named_as_python_names_them(name: str) -> None:
    """Whatever Python this is, its names for a status are there, the older ones too."""
    assert HTTPStatus[name] == getattr(errors, camel(name)).status


@pytest.mark.parametrize("name", ALIASES)
def test_older_names_are_aliases(name: str) -> None:
    """What Python 3.13 renamed has both names."""
    assert ALIASES[name] is getattr(errors, camel(name))


def test_there_is_no_class_beyond_python_s() -> None:
    """The newest Python, 3.14, names forty."""
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    made = {kind for kind in classes if issubclass(kind, HttpError) and "status" in vars(kind)}
    assert (40, STATUSES) == (len(made), sorted(kind.status for kind in made))


def test_a_class_takes_all_but_the_status() -> None:
    """The message comes first, the rest by name."""
    error = errors.NotFound(
        "m", code="c", details=1, headers={"a": "b"}, expose=False, operational=False, x=2
    )
    expected = {"message": "m", "code": "c", "details": 1, "headers": {"a": "b"}, "x": 2}
    assert expected | {"status": 404, "expose": False, "operational": False} == vars(error)


def test_they_belong_to_the_public_module() -> None:
    """A traceback shows a name that can be imported."""
    assert {"catchasync.errors"} == {class_of(status).__module__ for status in STATUSES}
    assert "catchasync.errors" == HttpError.__module__


# create_error


def test_create_error_makes_an_error_of_the_status_s_class() -> None:
    """A status without a class gets a plain `HttpError`."""
    assert errors.NotFound is type(create_error(404))
    assert errors.NotFound is type(create_error(HTTPStatus.NOT_FOUND))
    assert (HttpError, 499) == (type(create_error(499)), create_error(499).status)


def test_create_error_passes_everything_on() -> None:
    """Message and properties are as for the class."""
    error = create_error(503, "m", code="c", expose=True, headers={"Retry-After": 1}, shard=3)
    expected = {"status": 503, "message": "m", "code": "c", "expose": True, "shard": 3}
    assert expected | {"headers": {"Retry-After": 1}} == vars(error)


def test_create_error_gives_an_error_a_status() -> None:
    """The very error comes back, its status, ``expose`` and properties set."""
    error = Boom("why")
    assert error is create_error(404, error, code="c", user=7)
    assert {"status": 404, "expose": True, "code": "c", "user": 7} == vars(error)


def test_the_explicit_status_wins() -> None:
    """Whatever the error had, it has this status from now on."""
    error = errors.BadGateway("m", headers={"a": "b"})
    assert error is create_error(404, error)
    assert (404, 404, True) == (error.status, status_of(error), error.expose)
    assert ("m", {"a": "b"}) == (error.message, error.headers)


def test_expose_is_set_anew_unless_given() -> None:
    """An old ``expose`` was for an old status."""
    assert create_error(500, errors.NotFound()).expose is False
    assert create_error(500, errors.NotFound(), expose=True).expose is True
    boom: Any = create_error(404, Boom(), expose=None)
    assert boom.expose is True


def test_a_phrase_follows_the_status() -> None:
    """A message that was only the phrase does not stay behind."""
    assert "Not Found" == create_error(404, errors.BadGateway()).message


def test_an_error_that_takes_no_attributes_becomes_the_cause() -> None:
    """A new error of the status's class carries it, and tells the same."""
    sealed = Sealed("why")
    error = create_error(409, sealed, code="c")
    assert isinstance(error, errors.Conflict)
    assert sealed is error.__cause__
    assert ("why", "c", 409) == (error.message, error.code, status_of(error))


def test_a_sealed_error_that_says_nothing() -> None:
    """Then the new one has the phrase for a message."""
    error = create_error(409, Sealed())
    assert isinstance(error, errors.Conflict)
    assert "Conflict" == error.message


def test_an_error_that_takes_only_some_attributes_is_left_as_it_was() -> None:
    """It becomes the cause, and nothing of ours stays on it."""

    class Half(Exception):
        @property
        def expose(self) -> bool:
            return False

    half = Half("why")
    assert half is create_error(404, half).__cause__
    assert {} == vars(half)


def test_an_error_that_swallows_a_status_becomes_the_cause() -> None:
    """The status that the error has afterwards is what counts."""

    class Stubborn(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            """Take it, and forget it."""

    error = create_error(404, Stubborn())
    assert isinstance(error, errors.NotFound)


def test_a_frozen_error_becomes_the_cause() -> None:
    """A frozen dataclass is an error that takes no attributes."""

    @dataclass(frozen=True)
    class Frozen(Exception):
        user: int

    assert isinstance(create_error(404, Frozen(7)), errors.NotFound)


def test_a_group_can_have_a_status() -> None:
    """What is said of the group wins over the error in it."""
    group = ExceptionGroup("g", [errors.Gone()])
    assert group is create_error(404, group)
    assert 404 == status_of(group)
