"""What type checkers must accept of errors and their rendering, and refuse. Never run."""

from http import HTTPStatus
from typing import Any, assert_type
from wsgiref.types import StartResponse, WSGIApplication

from catchasync import ErrorResponse, HttpError, create_error, render_error, status_of
from catchasync.errors import NotFound, UnprocessableEntity

# HttpError and the classes of a status.

error = HttpError(404, "no user", code="no_user", details={"id": 7}, user=7)
assert_type(error.status, int)
assert_type(error.message, str)
assert_type(error.code, str | int | None)
assert_type(error.details, Any)
assert_type(error.headers, dict[str, str | int])
assert_type(error.expose, bool)
assert_type(error.operational, bool)

HttpError(HTTPStatus.NOT_FOUND, headers={"Retry-After": "30"})
HttpError(503, headers=[("Retry-After", 30)], expose=True, operational=False)
NotFound()
NotFound("no user", code=7)
UnprocessableEntity(details=[])

HttpError()  # type: ignore[call-arg]
HttpError("404")  # type: ignore[arg-type]
HttpError(404, headers=5)  # type: ignore[arg-type]
HttpError(404, expose="yes")  # type: ignore[arg-type]
NotFound("no user", "no_user")  # type: ignore[call-arg]


class UserNotFound(NotFound):
    code = "user_not_found"

    def __init__(self, user_id: int) -> None:
        super().__init__(f"no user {user_id}")
        self.user_id = user_id


assert_type(UserNotFound(7).user_id, int)


# create_error keeps the type of an error, which may be sealed.

assert_type(create_error(404), HttpError)
assert_type(create_error(404, "no user", code="no_user"), HttpError)
assert_type(create_error(404, ValueError()), ValueError | HttpError)

create_error("404")  # type: ignore[call-overload]
create_error(404, 5)  # type: ignore[call-overload]

assert_type(status_of(ValueError()), int)
assert_type(status_of("anything"), int)


# render_error

response = render_error(error)
assert_type(response, ErrorResponse)
assert_type(response.status, int)
assert_type(response.headers, dict[str, str])
assert_type(response.body, bytes)

render_error(error, accept=None, method=None, debug=True, format="html", request=object())
render_error(error, format=None)

render_error(error, format="xml")  # type: ignore[arg-type]
render_error(error, "text/html")  # type: ignore[call-arg]
render_error(error, accept=5)  # type: ignore[arg-type]
response.haeders = {}  # type: ignore[attr-defined]


# An ErrorResponse is an application of WSGI and of ASGI.

application: WSGIApplication = response


def answer_wsgi(environ: dict[str, Any], start_response: StartResponse) -> None:
    assert_type(response(environ, start_response), list[bytes])


async def answer_asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert_type(await response(scope, receive, send), None)


response()  # type: ignore[call-overload]
