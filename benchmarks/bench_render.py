"""Rendering an error, beside serialising the same body and writing the same headers by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks._harness import Case, calls
from catchasync import ErrorResponse, errors, render_error

ERROR = errors.NotFound("There is no user 7.")
FULL = errors.NotFound(
    "There is no user 7.",
    code="user_not_found",
    details={"id": 7, "place": ["Rome", "Paris"]},
    headers={"Retry-After": "30", "X-Request-Id": "4711"},
)


class ForeignError(Exception):
    """An error as frameworks raise it."""

    status_code = 404


def cases() -> Iterator[Case]:
    """Give all cases of this file."""
    plain, full = response_of(ERROR), response_of(FULL)
    yield Case("render a JSON 404", against(plain, ERROR), target=1.5)
    yield Case("render a JSON 404 with code, details, headers", against(full, FULL))
    yield Case("render a bug as JSON", against(response_of(ValueError()), ValueError("why")))
    foreign = ForeignError("why")
    yield Case("render a framework's 404 as JSON", against(response_of(foreign), foreign))


def response_of(error: BaseException) -> ErrorResponse:
    """Return what has to be written by hand."""
    return render_error(error, accept="application/json")


def against(response: ErrorResponse, error: BaseException) -> dict[str, Any]:
    """Let both make this response."""
    made = by_hand(response)
    status, headers, body = made()
    same = (status, headers.keys(), json.loads(body))
    assert same == (response.status, response.headers.keys(), json.loads(response.body))  # noqa: S101
    return {"by hand": calls(made), "catchasync": calls(rendering(error))}


def rendering(error: BaseException) -> Callable[[], ErrorResponse]:
    """Render an error as a web application does: the client's header is at hand."""

    def render() -> ErrorResponse:
        return render_error(error, accept="application/json", method="GET")

    return render


def by_hand(response: ErrorResponse) -> Callable[[], tuple[int, dict[str, str], bytes]]:
    """Make the same with `json.dumps`."""
    status = response.status
    body = json.loads(response.body)
    own = {k: v for k, v in response.headers.items() if k in {"retry-after", "x-request-id"}}
    policy = response.headers["content-security-policy"]

    def make() -> tuple[int, dict[str, str], bytes]:
        data = json.dumps(body).encode()
        headers = {
            **own,
            "content-type": "application/problem+json",
            "content-length": str(len(data)),
            "x-content-type-options": "nosniff",
            "content-security-policy": policy,
            "vary": "Accept",
        }
        return status, headers, data

    return make
