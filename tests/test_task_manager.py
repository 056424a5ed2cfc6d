"""The task manager, over HTTP: each way to fail is answered, logged, counted, and undone."""

from __future__ import annotations

import asyncio
import concurrent.futures
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from catchasync import spawn
from examples.serving import serving
from examples.task_manager.app import Manager, finishing
from examples.task_manager.model import Task

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Client:
    """What a test talks to."""

    app: Manager
    http: httpx.Client

    def add(self, mode: str = "succeed", **fields: Any) -> int:
        """Create a task; return its number."""
        answer = self.http.post("/tasks", json={"name": f"a {mode}", "mode": mode, **fields})
        assert 201 == answer.status_code
        return int(answer.json()["id"])

    def execute(self, number: int, *, wait: bool = True) -> httpx.Response:
        """Execute a task."""
        params = {"wait": "true"} if wait else {}
        return self.http.post(f"/tasks/{number}/execute", params=params)

    def show(self, number: int) -> dict[str, Any]:
        """Return a task as it is now."""
        shown: dict[str, Any] = self.http.get(f"/tasks/{number}").json()
        return shown

    def until(self, number: int, state: str) -> dict[str, Any]:
        """Ask until a task is in a state."""
        while (task := self.show(number))["state"] != state:
            pass
        return task

    def errors(self) -> Any:
        """Return the counters."""
        return self.http.get("/stats").json()["errors"]

    def logged(self) -> list[tuple[str, int, str]]:
        """Return source, status and type of each entry of the log file."""
        return [(e["source"], e["status"], e["type"]) for e in self.app.log.entries()]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Serve a task manager of its own for a test."""
    app = Manager(tmp_path / "errors.jsonl")
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as http:
        yield Client(app, http)


def test_create_read_update_delete(client: Client) -> None:
    """A task is created, read, changed and deleted; no error is noted."""
    number = client.add()
    changed = client.http.patch(f"/tasks/{number}", json={"name": "other", "steps": 7}).json()
    assert ("other", 7) == (changed["name"], changed["steps"])
    assert [changed] == client.http.get("/tasks").json()
    assert 204 == client.http.delete(f"/tasks/{number}").status_code
    assert [] == client.http.get("/tasks").json()
    assert ([], {}) == (client.logged(), client.errors())


def test_a_task_that_succeeds(client: Client) -> None:
    """It is done, and keeps what its steps have made."""
    task = client.execute(client.add(steps=2)).json()
    assert ("done", 2, ["step-1", "step-2"]) == (
        task["state"],
        task["progress"],
        task["artifacts"],
    )
    assert [] == client.logged()


@pytest.mark.parametrize(
    ("mode", "status", "code", "kind"),
    [
        ("reject", 422, "invalid_task", "InvalidTask"),
        ("crash", 500, None, "KeyError"),
        ("hang", 504, "task_timeout", "TaskTimeout"),
        ("unreachable", 503, "service_down", "ServiceDown"),
        ("several", 502, "parts_failed", "ExceptionGroup"),
    ],
)
def test_a_task_that_fails(
    client: Client, mode: str, status: int, code: str | None, kind: str
) -> None:
    """It is answered by its status and code, logged and counted once, and what it made undone."""
    number = client.add(mode, timeout=0.05 if mode == "hang" else 5)
    answer = client.execute(number)
    task = client.show(number)

    assert (status, code) == (answer.status_code, answer.json().get("code"))
    assert "application/problem+json" == answer.headers["content-type"]
    assert [("task", status, kind)] == client.logged()
    assert {"task": {str(status): 1}} == client.errors()
    assert ("failed", []) == (task["state"], task["artifacts"])


def test_a_failure_in_the_background(client: Client) -> None:
    """Nobody waits for the task: its failure is on it, in the log, and in the counters."""
    number = client.add("reject")
    assert 202 == client.execute(number, wait=False).status_code
    task = client.until(number, "failed")
    assert ["invalid_task"] == [failure["code"] for failure in task["failures"]]
    assert [{"row": 3, "column": "price"}] == [failure["details"] for failure in task["failures"]]


def test_a_bug_is_told_to_nobody_but_the_log(client: Client) -> None:
    """Neither the answer nor the task shows what it says; the log has its traceback."""
    number = client.add("crash")
    answer = client.execute(number)
    assert "secret-key" not in answer.text + str(client.show(number))
    [entry] = client.app.log.entries()
    assert "secret-key" in entry["message"]
    assert "in crash" in "".join(entry["traceback"])


def test_the_cause_is_kept(client: Client) -> None:
    """An error of the system becomes one of the domain, and stays its cause."""
    client.execute(client.add("unreachable"))
    [entry] = client.app.log.entries()
    assert "ConnectionRefusedError" in entry["cause"]


def test_parts_that_fail_at_once(client: Client) -> None:
    """Each error of the group is in the details, and on the task."""
    number = client.add("several")
    details = client.execute(number).json()["details"]
    assert {"left", "right"} == {part["details"]["part"] for part in details}
    assert 2 == len(client.show(number)["failures"])


def test_what_the_service_puts_right_reaches_nobody(client: Client) -> None:
    """A connection lost once is tried again: no failure, and nothing made twice."""
    task = client.execute(client.add("flaky", steps=2)).json()
    assert ("done", 2) == (task["state"], task["attempts"])
    assert ["step-1", "step-2"] == task["artifacts"]
    assert [] == client.logged()


def test_what_cannot_be_undone_is_told(client: Client) -> None:
    """The other steps are undone, the first error is the answer, and both are in the log."""
    number = client.add("stuck-undo")
    assert 422 == client.execute(number).status_code
    assert ["step-1"] == client.show(number)["artifacts"]
    assert [
        ("rollback", 500, "PermissionError"),
        ("task", 422, "InvalidTask"),
    ] == client.logged()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "source"),
    [
        ("GET", "/tasks/99", None, 404, "task_not_found", "route"),
        ("PATCH", "/tasks/99", b'{"name": "x"}', 404, "task_not_found", "route"),
        ("DELETE", "/tasks/99", None, 404, "task_not_found", "route"),
        ("POST", "/tasks/99/execute", None, 404, "task_not_found", "route"),
        ("POST", "/tasks/99/cancel", None, 404, "task_not_found", "route"),
        ("POST", "/tasks", b"{", 400, "malformed_body", "route"),
        ("POST", "/tasks", b"[]", 422, "invalid_task", "route"),
        ("POST", "/tasks", b'{"name": " "}', 422, "invalid_task", "route"),
        ("POST", "/tasks", b'{"mode": "fly"}', 422, "invalid_task", "route"),
        ("POST", "/tasks", b" " * 10_001, 413, "body_too_large", "route"),
        ("GET", "/nowhere", None, 404, None, "route"),
        ("PUT", "/tasks", None, 405, None, "route"),
    ],
)
def test_what_a_client_does_wrong(  # noqa: PLR0913, PLR0917 - a table
    client: Client, method: str, path: str, body: bytes | None, status: int, code: str, source: str
) -> None:
    """It is answered, and caught where it belongs: by the route, or around them all."""
    answer = client.http.request(method, path, content=body)
    assert (status, code) == (answer.status_code, answer.json().get("code"))
    assert {source: {str(status): 1}} == client.errors()


def test_each_wrong_field_is_named(client: Client) -> None:
    """A client can put all of them right at once."""
    given = {"mode": "fly", "steps": 0, "timeout": True, "colour": "red"}
    details = client.http.post("/tasks", json=given).json()["details"]
    assert ["colour", "mode", "name", "steps", "timeout"] == sorted(details)


def test_a_running_task_is_left_alone(client: Client) -> None:
    """It is neither changed nor deleted nor executed again, and can be cancelled."""
    number = client.add("hang")
    client.execute(number, wait=False)
    client.until(number, "running")
    answers = [
        client.http.patch(f"/tasks/{number}", json={"steps": 1}),
        client.http.delete(f"/tasks/{number}"),
        client.execute(number),
    ]
    assert [409] * 3 == [answer.status_code for answer in answers]
    assert {"task_busy"} == {answer.json()["code"] for answer in answers}
    assert 202 == client.http.post(f"/tasks/{number}/cancel").status_code
    assert [] == client.until(number, "cancelled")["artifacts"]
    assert 409 == client.http.post(f"/tasks/{number}/cancel").status_code
    assert {"route": {"409": 4}} == client.errors()


def test_cancelled_while_somebody_waits(client: Client) -> None:
    """The one who waits is told; what the task made is undone."""
    number = client.add("hang", timeout=60)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.execute, number)
        client.until(number, "running")
        assert 202 == client.http.post(f"/tasks/{number}/cancel").status_code
        answer = waiting.result()
    assert (409, "task_cancelled") == (answer.status_code, answer.json()["code"])
    assert ("cancelled", []) == tuple(client.show(number)[key] for key in ("state", "artifacts"))


def test_all_workers_are_busy(tmp_path: Path) -> None:
    """One task too many is told when to come again; the end of the program cancels the other."""
    app = Manager(tmp_path / "errors.jsonl", workers=1)
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as http:
        client = Client(app, http)
        busy = client.add("hang", timeout=60)
        client.execute(busy, wait=False)
        answer = client.execute(client.add())
        assert (503, "no_worker") == (answer.status_code, answer.json()["code"])
        assert "1" == answer.headers["retry-after"]
    assert ["cancelled", "pending"] == [task.state for task in app.tasks.all()]
    assert [] == app.tasks.get(busy).artifacts


def test_the_end_of_the_program(tmp_path: Path) -> None:
    """What runs is cancelled, and has undone what it did before all is over."""

    async def end(app: Manager) -> Task:
        async with finishing(app):
            task = app.tasks.begin(app.tasks.create({"name": "x", "mode": "hang"}).id)
            app.tasks.watch(task, spawn(app.tasks.run(task), next=app.errors))
            while not task.artifacts:  # noqa: ASYNC110 - it has not begun
                await asyncio.sleep(0)
        return task

    task = asyncio.run(asyncio.wait_for(end(Manager(tmp_path / "errors.jsonl")), 3))
    assert ("cancelled", []) == (task.state, task.artifacts)


def test_every_answer_is_as_the_client_reads_it(client: Client) -> None:
    """A browser gets a page, a script JSON, of the same error."""
    page = client.http.get("/tasks/9", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "there is no task 9" in page.text


def test_as_a_program(tmp_path: Path) -> None:
    """It says where to look, and what it can be told."""
    command = [sys.executable, "-m", "examples.task_manager", "--help"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "") == (run.returncode, run.stderr)
    assert "--log" in run.stdout
