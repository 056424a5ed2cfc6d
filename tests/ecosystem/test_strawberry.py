"""FastAPI beside Strawberry: what fails in the resolvers of GraphQL is answered there."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any, Final

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("strawberry")

import strawberry
from fastapi import FastAPI
from strawberry.fastapi import GraphQLRouter

from catchasync import ErrorHandler
from catchasync.integrations.fastapi import install
from tests.ecosystem.asking import JSON, ask, compare, names
from tests.integrations.contract import UserMissing, make_errors

BUG: Final = b'{"query": "{ bug }"}'


@pytest.fixture(autouse=True)
def _quiet() -> Generator[None, None, None]:
    logging.getLogger("strawberry").disabled = True
    yield
    logging.getLogger("strawberry").disabled = False


def make(tell: ErrorHandler | None = None) -> FastAPI:
    """Return an app with a schema, which tells an error handler of failures."""

    class Query:
        @strawberry.field
        def ok(self) -> str:
            return "ok"

        @strawberry.field
        async def bug(self) -> str:
            raise RuntimeError("secret")

    class Schema(strawberry.Schema):
        def process_errors(self, errors: Any, execution_context: Any = None) -> None:
            for error in errors:
                if tell is not None and error.original_error is not None:
                    tell.report(error.original_error)

    async def context(*, fails: bool = False) -> dict[str, Any]:
        if fails:
            raise UserMissing
        return {}

    app = FastAPI()
    schema = Schema(strawberry.type(Query))
    router: Any = GraphQLRouter(schema, context_getter=context)
    app.include_router(router, prefix="/graphql")
    return app


@pytest.mark.parametrize("query", [b'{"query": "{ ok }"}', BUG, b'{"query": "{"}', b"{"])
def test_what_it_answers(query: bytes) -> None:
    """Its answers are as without us, also those that say what failed; none is reported."""
    bare, sent, reported = compare(make, install, "/graphql", JSON, method="POST", body=query)
    assert (bare, []) == (sent, reported)


def test_dependency() -> None:
    """What fails before that, in a dependency, reaches the error handler."""
    _, sent, reported = compare(make, install, "/graphql?fails=1", JSON, method="POST", body=BUG)
    assert (404, ["UserMissing"]) == (sent.status, names(reported))


def test_resolvers_can_be_reported() -> None:
    """A schema tells of what fails in resolvers; each is reported once."""
    errors, reported = make_errors()
    app = install(make(errors), errors)
    assert 200 == ask(app, "/graphql", JSON, method="POST", body=BUG).status
    assert ["RuntimeError"] == names(reported)
