"""Quart beside quart-schema: requests and responses that are checked, and a schema of the API."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

pytest.importorskip("quart")
pytest.importorskip("quart_schema")
pytest.importorskip("pydantic")  # one of the two that quart-schema can check with

from quart import Blueprint, Quart
from quart_schema import (
    QuartSchema,
    RequestSchemaValidationError,
    validate_request,
    validate_response,
)

from catchasync import create_error
from catchasync.integrations.quart import as_next, install, wrap_router
from tests.ecosystem.asking import JSON, ask, compare, names
from tests.integrations.contract import UserMissing, make_errors


@dataclasses.dataclass
class Order:
    """What is ordered."""

    number: int


def make(routes: Any = None) -> Quart:
    """Return an app whose requests and responses are checked."""
    app = Quart("shop")
    QuartSchema(app)
    routes = routes or app
    takes: Any = validate_request(Order)
    gives: Any = validate_response(Order)

    @routes.post("/orders")
    @takes
    @gives
    async def order(data: Order) -> Order:
        return data

    @routes.get("/missing")
    @gives
    async def missing() -> Order:
        raise UserMissing

    @routes.get("/wrong")
    @gives
    async def wrong() -> Any:
        return {"number": "secret"}

    return app


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_schema(path: str) -> None:
    """The schema, and the pages that show it, are as without us."""
    bare, sent, reported = compare(make, install, path)
    assert (200, bare, []) == (sent.status, sent, reported)


def test_success() -> None:
    """A valid request is answered as without us."""
    bare, sent, reported = compare(
        make, install, "/orders", JSON, method="POST", body=b'{"number": 7}'
    )
    assert (200, bare, []) == (sent.status, sent, reported)


def test_failure() -> None:
    """What a checked handler raises is answered, and reported once."""
    _, sent, reported = compare(make, install, "/missing")
    assert (404, 404, ["UserMissing"]) == (sent.status, sent["status"], names(reported))


@pytest.mark.parametrize("body", [b'{"number": "seven"}', b"{"])
def test_invalid_request(body: bytes) -> None:
    """An invalid request is answered in our form, and reported as expected."""
    _, sent, reported = compare(make, install, "/orders", JSON, method="POST", body=body)
    expected = [report.expected for report in reported]
    assert (400, 400, [True]) == (sent.status, sent["status"], expected)


def test_invalid_response() -> None:
    """A response that breaks its own promise is a bug: reported once, and it says nothing."""
    _, sent, reported = compare(make, install, "/wrong")
    assert (500, False) == (sent.status, b"secret" in sent.body)
    assert ["ResponseSchemaValidationError"] == names(reported)


def test_rule() -> None:
    """A rule says what is wrong with a request."""
    errors, reported = make_errors()

    @errors.on(RequestSchemaValidationError)
    def _(error: Any, context: object) -> Exception:
        wrong = error.validation_error.errors(include_url=False, include_input=False)
        return create_error(400, "The request is not valid", details=wrong)

    app = install(make(), errors)
    sent = ask(app, "/orders", JSON, method="POST", body=b'{"number": "seven"}')
    assert (400, ["number"]) == (sent.status, sent["details"][0]["loc"])
    assert ["RequestSchemaValidationError"] == names(reported)


def test_wrapped_router() -> None:
    """Handlers that a wrapped blueprint registers have the same schema, and are checked."""
    errors, reported = make_errors()
    bare, ours = Blueprint("api", "api"), Blueprint("api", "api")
    before, after = make(bare), make(wrap_router(ours, next=as_next(errors)))
    before.register_blueprint(bare)
    after.register_blueprint(ours)
    assert ask(before, "/openapi.json") == ask(after, "/openapi.json")
    assert 404 == ask(after, "/missing").status
    assert ["UserMissing"] == names(reported)
