"""Section 6: `status_of`, of our errors and of those that frameworks and HTTP clients raise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from enum import IntEnum
from http import HTTPStatus
from typing import Any

import pytest

from catchasync import HttpError, create_error, errors, status_of
from tests.hostile import CLIENTS, hostile
from tests.rendering import error_with
from tests.support import Boom


class Code(IntEnum):
    """A status that is an ``int`` by inheritance."""

    MISSING = 404


class Liar(int):
    """An ``int`` that compares as it likes."""

    def __ge__(self, other: int) -> bool:
        return True

    __le__ = __lt__ = __gt__ = __ge__


@pytest.mark.parametrize("name", ["status", "status_code", "code"])
@pytest.mark.parametrize("status", [400, 404, 500, 599, HTTPStatus.GONE, Code.MISSING])
def test_the_status_is_what_frameworks_set(name: str, status: int) -> None:
    """Each of the names is read; the answer is a plain ``int``."""
    answer = status_of(error_with(**{name: status}))
    assert (int, int(status)) == (type(answer), answer)


@pytest.mark.parametrize(
    "value", [399, 600, 0, -1, True, "404", 404.0, None, [404], pytest.param(10**5000, id="huge")]
)
@pytest.mark.parametrize("name", ["status", "status_code", "code"])
def test_anything_else_is_a_500(name: str, value: object) -> None:
    """Outside 400 to 599, and what is no ``int``, is no status."""
    assert 500 == status_of(error_with(**{name: value}))


@pytest.mark.parametrize("value", [200, True, "404", None])
def test_what_is_no_status_falls_through_to_the_next_name(value: object) -> None:
    """The first name with a status says it."""
    assert 409 == status_of(error_with(status=value, status_code=409, code=410))
    assert 410 == status_of(error_with(status=value, status_code=value, code=410))


def test_the_first_name_wins() -> None:
    """``status`` comes before ``status_code``, that before ``code``."""
    assert 401 == status_of(error_with(status=401, status_code=402, code=403))
    assert 402 == status_of(error_with(status_code=402, code=403))


@pytest.mark.parametrize("thing", [Boom(), None, "boom", 404, object(), Boom])
def test_what_has_no_status_is_a_500(thing: object) -> None:
    """An error without one is a bug; so is what is no error."""
    assert 500 == status_of(thing)


def test_ours() -> None:
    """An `HttpError` has its status."""
    assert (404, 418) == (status_of(errors.NotFound()), status_of(HttpError(418)))


# Groups.


def test_a_group_with_a_single_error_has_its_status() -> None:
    """However deep it is."""
    group = ExceptionGroup("a", [ExceptionGroup("b", [errors.Gone()])])
    assert 410 == status_of(group)
    assert 409 == status_of(BaseExceptionGroup("c", [error_with(code=409)]))


def test_a_group_of_several_errors_is_a_500() -> None:
    """Nobody can say which of them is meant."""
    assert 500 == status_of(ExceptionGroup("a", [errors.Gone(), errors.Gone()]))


def test_a_group_with_a_status_of_its_own() -> None:
    """It is asked before what it holds."""

    class Busy(ExceptionGroup[Exception]):
        status = 503

    assert 503 == status_of(Busy("busy", [errors.Gone()]))


def test_a_group_that_lies_about_what_it_holds() -> None:
    """What Python itself has noted counts: a group that holds itself would never end."""

    class Endless(ExceptionGroup[Exception]):
        @property
        def exceptions(self) -> Any:
            return (self,)

    assert 410 == status_of(Endless("endless", [errors.Gone()]))


# Hostile errors.


@pytest.mark.parametrize("raised", [Boom(), RecursionError(), GeneratorExit(), StopIteration()])
def test_an_error_whose_attributes_raise_is_a_500(raised: BaseException) -> None:
    """Whatever they raise."""
    assert 500 == status_of(hostile(raised))


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3)])
def test_the_interpreter_s_own_exit_goes_through(raised: BaseException) -> None:
    """Control-C and a signal handler's exit come at any line, also at one of ours."""
    with pytest.raises(type(raised)):
        status_of(hostile(raised))


def test_one_attribute_that_raises_does_not_hide_the_next() -> None:
    """Its status is told where it can be read."""

    class Half(Exception):
        status_code = 404

        @property
        def status(self) -> int:
            raise Boom

    assert 404 == status_of(Half())


def test_a_status_that_compares_as_it_likes() -> None:
    """What is asked is the number, not the object."""
    assert 500 == status_of(error_with(status=Liar(200)))
    assert 404 == status_of(error_with(status=Liar(404)))


def test_a_metaclass_that_raises() -> None:
    """The class of an error is not trusted either."""

    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise Boom(name)

        def __hash__(cls) -> int:
            raise Boom

    class Odd(Exception, metaclass=Meta):
        pass

    assert 500 == status_of(BaseException.__new__(Odd))


def test_an_odd_module_name_is_ignored() -> None:
    """A class whose module is no string has no status by its name."""
    odd = type("Http404", (Exception,), {"__module__": 5})
    assert 500 == status_of(odd())


# Frameworks.


def starlette_error() -> Any:
    """Starlette sets ``status_code``."""
    return pytest.importorskip("starlette.exceptions").HTTPException(404)


def starlette_multipart() -> Any:
    """Starlette answers it with 400 itself."""
    return pytest.importorskip("starlette.formparsers").MultiPartException("odd")


def fastapi_error() -> Any:
    """FastAPI's is Starlette's."""
    return pytest.importorskip("fastapi").HTTPException(409)


def fastapi_validation() -> Any:
    """FastAPI answers it with 422, which it does not carry."""
    return pytest.importorskip("fastapi.exceptions").RequestValidationError([])


def fastapi_response_validation() -> Any:
    """A response that is not what was promised is a bug."""
    return pytest.importorskip("fastapi.exceptions").ResponseValidationError([])


def werkzeug_error() -> Any:
    """Flask's and werkzeug's sets ``code``."""
    return pytest.importorskip("werkzeug.exceptions").Gone()


def werkzeug_key() -> Any:
    """A missing form field is a ``KeyError`` as well."""
    return pytest.importorskip("werkzeug.exceptions").BadRequestKeyError("name")


def aiohttp_error() -> Any:
    """Aiohttp's is a response, with ``status``."""
    return pytest.importorskip("aiohttp.web").HTTPForbidden()


def aiohttp_redirect() -> Any:
    """A redirect is no error."""
    return pytest.importorskip("aiohttp.web").HTTPFound("/")


def django_404() -> Any:
    """Django's has no attribute for it."""
    return pytest.importorskip("django.http").Http404("no")


def django_error(name: str) -> Callable[[], Any]:
    """Make one of Django's own errors."""
    return lambda: getattr(pytest.importorskip("django.core.exceptions"), name)("no")


def django_multipart() -> Any:
    """A form that cannot be parsed."""
    return pytest.importorskip("django.http.multipartparser").MultiPartParserError("odd")


def sanic_error() -> Any:
    """Sanic sets ``status_code``."""
    return pytest.importorskip("sanic.exceptions").NotFound("no")


def litestar_error() -> Any:
    """Litestar sets ``status_code``."""
    return pytest.importorskip("litestar.exceptions").NotAuthorizedException()


def falcon_error() -> Any:
    """Falcon's ``status`` may be a ``str``, its ``status_code`` is an ``int``."""
    return pytest.importorskip("falcon").HTTPError("418 Teapot")


def falcon_not_found() -> Any:
    """One class a status, there too."""
    return pytest.importorskip("falcon").HTTPNotFound()


def tornado_error() -> Any:
    """Tornado sets ``status_code``."""
    return pytest.importorskip("tornado.web").HTTPError(405)


def tornado_argument() -> Any:
    """A missing argument is a 400."""
    return pytest.importorskip("tornado.web").MissingArgumentError("name")


@pytest.mark.parametrize(
    ("status", "make"),
    [
        (404, starlette_error),
        (400, starlette_multipart),
        (409, fastapi_error),
        (422, fastapi_validation),
        (500, fastapi_response_validation),
        (410, werkzeug_error),
        (400, werkzeug_key),
        (403, aiohttp_error),
        (500, aiohttp_redirect),
        (404, django_404),
        (403, django_error("PermissionDenied")),
        (400, django_error("SuspiciousOperation")),
        (400, django_error("RequestDataTooBig")),
        (400, django_error("BadRequest")),
        (500, django_error("ObjectDoesNotExist")),
        (500, django_error("ImproperlyConfigured")),
        (400, django_multipart),
        (404, sanic_error),
        (401, litestar_error),
        (418, falcon_error),
        (404, falcon_not_found),
        (405, tornado_error),
        (400, tornado_argument),
    ],
)
def test_frameworks(status: int, make: Callable[[], Any]) -> None:
    """The exceptions that frameworks raise have the status that they are answered with."""
    assert status == status_of(make())


def test_what_is_derived_from_a_framework_s_error_may_say_otherwise() -> None:
    """An attribute comes before what is known of the type."""

    class Gone(pytest.importorskip("django.http").Http404):  # type: ignore[misc]
        status = 410

    assert 410 == status_of(Gone())


# HTTP clients: not ours.


@pytest.mark.parametrize("make", CLIENTS)
def test_an_error_of_an_http_client_is_a_500(make: Callable[[], Any]) -> None:
    """That somebody else answered 404 says nothing of what our client asked for."""
    assert 500 == status_of(make())


@pytest.mark.parametrize("make", CLIENTS)
def test_a_class_derived_from_it_is_one_too(make: Callable[[], Any]) -> None:
    """Also where the deriving class has a status of its own: it may be the client's."""
    kind: type[Exception] = type(make())
    derived: Any = type("Derived", (kind,), {"status_code": 404, "__module__": "somewhere"})
    assert 500 == status_of(derived.__new__(derived))


@pytest.mark.parametrize("make", CLIENTS)
def test_it_can_be_given_a_status(make: Callable[[], Any]) -> None:
    """`create_error` says outright what its status is for our client."""
    assert 502 == status_of(create_error(502, make()))


def test_an_error_of_ours_may_be_a_client_s_as_well() -> None:
    """An `HttpError` is ours, whatever else it is."""

    class Upstream(errors.BadGateway, pytest.importorskip("httpx").HTTPError):  # type: ignore[misc]
        pass

    assert 502 == status_of(Upstream())
    assert 502 == status_of(Upstream.__new__(Upstream))  # also where `__init__` was not called


def test_a_module_that_only_begins_like_a_client_s_is_none() -> None:
    """The name of a module is compared part by part."""
    derived = type("Odd", (Exception,), {"status": 404, "__module__": "requests_of_users"})
    assert 404 == status_of(derived())


def test_no_framework_is_imported() -> None:
    """A status is known by the names of things."""
    code = (
        "import sys, catchasync; catchasync.status_of(ValueError());"
        "assert not {'django', 'starlette', 'werkzeug', 'aiohttp', 'http'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
