"""What is special to FastAPI: dependencies with ``yield``, invalid requests, the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.fastapi import as_next, install
from tests.integrations.contract import Report, UserMissing, make_errors


def dependency_of(seen: list[str]) -> Callable[[], Iterator[int]]:
    """Return a dependency that notes how the handler ended, as a transaction would."""

    def dependency() -> Iterator[int]:
        try:
            yield 7
        except Exception as error:
            seen.append(f"rolled back for {type(error).__name__}")
            raise
        seen.append("committed")

    return dependency


def test_rollback_first() -> None:
    """A dependency with ``yield`` sees what the handler raised before the error is answered."""
    seen: list[str] = []
    errors = ErrorHandler(reporters=[lambda error, context: seen.append("reported")])
    app = install(FastAPI(), errors)
    app.router.dependencies.append(Depends(dependency_of(seen)))

    @app.get("/{status}")
    def handler(status: int) -> int:
        if status == 409:
            raise HTTPException(409)
        raise RuntimeError("secret")

    client = TestClient(app)
    assert [500, 409] == [client.get(path).status_code for path in ("/500", "/409")]
    assert [
        "rolled back for RuntimeError",
        "reported",
        "rolled back for HTTPException",
        "reported",
    ] == seen


def item_app() -> FastAPI:
    """Return an app with a handler that has parameters and a dependency."""
    app = FastAPI()

    def load() -> int:
        return 7

    @app.get("/items/{item}", name="item")
    def read(item: int, number: int = Depends(load)) -> dict[str, int]:  # noqa: FAST002 - the annotation is a string here
        """Read an item."""
        return {"item": item, "number": number}

    app.state.load = load
    return app


def installed() -> tuple[FastAPI, list[Report]]:
    """Return that app with everything installed, and what is reported."""
    errors, reported = make_errors()
    return install(item_app(), errors), reported


def test_documentation_is_unchanged() -> None:
    """OpenAPI says the same as without us."""
    assert item_app().openapi() == installed()[0].openapi()


def test_decorated_handler_is_documented() -> None:
    """A decorated handler is documented as the handler it is."""
    errors, _ = make_errors()

    def handler(item: int) -> dict[str, int]:
        """Read an item."""
        return {"item": item}

    plain, caught = FastAPI(), FastAPI()
    plain.get("/{item}")(handler)
    caught.get("/{item}")(catch_async(next=as_next(errors))(handler))
    assert plain.openapi() == caught.openapi()
    assert {"item": 3} == TestClient(caught).get("/3").json()


def test_dependency_overrides() -> None:
    """Dependencies can be overridden as without us, and paths made by name."""
    app, _ = installed()
    app.dependency_overrides[app.state.load] = lambda: 8
    path = app.url_path_for("item", item=3)
    assert {"item": 3, "number": 8} == TestClient(app).get(path).json()


def test_invalid_request() -> None:
    """An invalid request is a 422 that says what is wrong and where, not what was sent."""
    app, reported = installed()
    answer = TestClient(app).get("/items/secret")
    assert (422, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert "secret" not in answer.text
    assert [["path", "item"]] == [each["loc"] for each in answer.json()["details"]]
    assert [("RequestValidationError", True)] == [(r.name, r.expected) for r in reported]


def test_handlers_of_the_app_stay() -> None:
    """An exception handler that the app has put in FastAPI's place answers as without us."""

    def mine(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"mine": True}, 400)

    handlers: Any = {RequestValidationError: mine}
    errors, reported = make_errors()
    app = install(FastAPI(exception_handlers=handlers), errors)
    app.get("/{item}")(lambda item: item)

    @app.get("/number/{item}")
    def number(item: int) -> int:
        return item

    assert {"mine": True} == TestClient(app).get("/number/x").json()
    assert [] == reported


def test_redirect_is_no_failure() -> None:
    """A redirect that is raised is answered by FastAPI's own handler."""
    errors, reported = make_errors()
    app = install(FastAPI(), errors)

    @app.get("/")
    def handler() -> None:
        raise HTTPException(307, "elsewhere", headers={"location": "/ok"})

    response = TestClient(app).get("/", follow_redirects=False)
    assert (307, "/ok") == (response.status_code, response.headers["location"])
    assert ({"detail": "elsewhere"}, []) == (response.json(), reported)


def test_domain_error_in_a_dependency() -> None:
    """What a dependency raises is answered as what a handler raises."""

    def missing() -> None:
        raise UserMissing

    errors, reported = make_errors()
    app = install(FastAPI(dependencies=[Depends(missing)]), errors)
    app.get("/")(lambda: None)
    assert 404 == TestClient(app).get("/").status_code
    assert ["UserMissing"] == [report.name for report in reported]


def test_what_is_no_app() -> None:
    """What is no FastAPI app is refused by name, a Starlette app too."""
    app: Any = Starlette()
    with pytest.raises(TypeError, match="takes a FastAPI app first: got"):
        install(app, ErrorHandler())


def test_what_is_no_error_handler_of_next() -> None:
    """`as_next` refuses what is no `ErrorHandler` when it is called."""
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
