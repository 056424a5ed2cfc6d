"""The posts API, over HTTP, against a local service that sends what it should not."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from examples.posts_api.app import App
from examples.posts_api.errors import SourceDown, SourceError, SourceInvalid, SourceTimeout
from examples.posts_api.source import Source
from examples.posts_api.upstream import Upstream
from examples.serving import serving

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Api:
    """An API that is being served, and where it fetches from."""

    http: httpx.Client
    upstream: Upstream
    services: str


@pytest.fixture
def api(caplog: pytest.LogCaptureFixture) -> Iterator[Api]:
    """Serve an API and a service of their own for a test."""
    caplog.set_level(logging.INFO, "examples.posts_api")
    upstream = Upstream()
    with (
        serving(upstream) as services,
        serving(App(Source(services))) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=30) as http,
    ):
        yield Api(http, upstream, services)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return level and message of each record of the API."""
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "examples.posts_api"]


def test_posts(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """They are those of the service, with the fields that are promised and no others."""
    posts = api.http.get("/posts").json()
    assert [1, 2, 3, 4] == [post["id"] for post in posts]
    assert {"id", "userId", "title", "body"} == set(posts[0])
    assert posts[1] == api.http.get("/posts/2").json()
    assert [1, 3] == [post["id"] for post in api.http.get("/posts", params={"user": 2}).json()]
    assert ("INFO", "GET /posts: 200") == logged(caplog)[0]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "invalid_path"),
        ("GET", "/posts/0", 404, "invalid_path"),
        ("GET", "/posts/99", 404, "post_not_found"),
        ("GET", "/posts?user=x", 400, "invalid_query"),
        ("GET", "/posts?user=0", 400, "invalid_query"),
        ("POST", "/posts", 405, None),
    ],
)
def test_what_a_client_does_wrong(  # noqa: PLR0913, PLR0917 - a table
    api: Api,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    status: int,
    code: str | None,
) -> None:
    """It is answered with its status and code, and logged in one line."""
    answer = api.http.request(method, path)
    assert (status, code) == (answer.status_code, answer.json().get("code"))
    assert ["INFO", "INFO"] == [level for level, _ in logged(caplog)]
    assert "retry-after" not in answer.headers


def test_a_method_that_is_not_allowed(api: Api) -> None:
    """The answer says which ones are."""
    assert "GET, HEAD" == api.http.delete("/posts/1").headers["allow"]


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [("refuse", 503, "source_down"), ("garble", 502, "source_invalid")],
)
@pytest.mark.parametrize("path", ["/posts", "/posts/1", "/posts/export"])
def test_a_service_in_trouble(  # noqa: PLR0913, PLR0917 - a table
    api: Api, caplog: pytest.LogCaptureFixture, path: str, trouble: str, status: int, code: str
) -> None:
    """It is told as its fault, with when to come again; what it said stays here."""
    api.upstream.trouble = trouble
    answer = api.http.get(path)
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert "5" == answer.headers["retry-after"]
    assert "db-17" not in answer.text
    assert ["ERROR", "INFO"] == [level for level, _ in logged(caplog)]


def test_a_service_that_does_not_answer() -> None:
    """Too late is a 504, and not there at all a 503."""
    upstream = Upstream()
    upstream.trouble = "hang"
    with serving(upstream) as services:
        assert (504, "source_timeout") == answer_of(Source(services, timeout=0.2))
    assert (503, "source_down") == answer_of(Source("http://127.0.0.1:1"))


def answer_of(source: Source) -> tuple[int, str]:
    """Return status and code of what is answered where posts come from there."""
    with serving(App(source)) as address:
        answer = httpx.get(address + "/posts", trust_env=False, timeout=30)
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda posts: posts[1].update(id="2"), "posts[1].id: expected a whole number from 1 on"),
        (lambda posts: posts[1].update(id=True), "posts[1].id: expected a whole number from 1 on"),
        (lambda posts: posts[2].update(userId=0), "posts[2].userId: expected a whole number"),
        (lambda posts: posts[0].pop("title"), "posts[0].title: expected a text, got NoneType"),
        (lambda posts: posts.append("x"), "posts[4]: expected an object, got str"),
    ],
)
def test_what_is_no_post(api: Api, spoil: Callable[[Any], object], problem: str) -> None:
    """One bad post spoils the answer: nothing of it goes out, and its place is told."""
    spoil(api.upstream.kept)
    answer = api.http.get("/posts")
    assert (502, "source_invalid") == (answer.status_code, answer.json()["code"])
    [told] = answer.json()["details"]
    assert told.startswith(problem)


def test_each_problem_is_told_up_to_ten(api: Api) -> None:
    """A service that sends nothing right does not fill the answer."""
    api.upstream.kept = [{}] * 5
    problem = api.http.get("/posts").json()
    assert (10, "the source sent what is no post (20 problems)") == (
        len(problem["details"]),
        problem["detail"],
    )


def test_what_is_no_list(api: Api) -> None:
    """The whole answer may be of another kind."""
    api.upstream.kept = {"posts": []}
    assert ["posts: expected a list, got dict"] == api.http.get("/posts").json()["details"]


def test_an_export(api: Api) -> None:
    """Each post is a line."""
    answer = api.http.get("/posts/export")
    assert (200, 4) == (answer.status_code, len(answer.text.splitlines()))


def test_an_export_that_fails_midway(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The connection is broken off, so that two posts do not look like all of them."""
    api.upstream.kept[2] = {"id": 3}
    received: list[str] = []
    with api.http.stream("GET", "/posts/export") as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_text())
        assert 200 == answer.status_code
    assert 2 == len("".join(received).splitlines())
    assert ("ERROR", "broken off: SourceInvalid") in logged(caplog)
    assert 200 == api.http.get("/posts/1").status_code


def test_the_server_is_told_of_an_export_that_fails(api: Api) -> None:
    """What came too late to be answered is raised again: the server breaks the connection off."""
    api.upstream.kept[2] = {"id": 3}

    async def ask() -> None:
        transport = httpx.ASGITransport(App(Source(api.services)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/posts/export")

    with pytest.raises(SourceInvalid):
        asyncio.run(ask())


def test_an_export_that_fails_at_once(api: Api) -> None:
    """Nothing has gone out: it is answered as ever."""
    api.upstream.kept[0] = {}
    assert 502 == api.http.get("/posts/export").status_code


def test_a_bug(api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It is a 500 that shows nothing; the log has its traceback."""

    async def fail(source: Source, post: int) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(Source, "post", fail)
    answer = api.http.get("/posts/1", headers={"accept": "text/html"})
    assert 500 == answer.status_code
    assert answer.headers["content-type"].startswith("text/html")
    assert "secret" not in answer.text
    assert "secret" in caplog.text


@pytest.mark.parametrize("kind", [SourceDown, SourceTimeout, SourceInvalid])
def test_the_hierarchy(kind: type[SourceError]) -> None:
    """Whatever the source does wrong is caught as its fault, and is never a client's."""
    with pytest.raises(SourceError) as caught:
        raise kind
    assert caught.value.status in {502, 503, 504}


def test_as_a_program() -> None:
    """It serves, with a service of its own, and prints what to try."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "examples.posts_api", "--port", str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as server:
        try:
            assert server.stdout is not None
            assert re.search(rf"answers on http://127.0.0.1:{port}\.", server.stdout.readline())
            transport = httpx.HTTPTransport(retries=10)  # it prints before it listens
            with httpx.Client(transport=transport, trust_env=False) as http:
                answer = http.get(f"http://127.0.0.1:{port}/posts/5")
            assert (502, 2) == (answer.status_code, len(answer.json()["details"]))
        finally:
            server.terminate()
