"""The task manager's page in a real browser: what happens to tasks is there to be seen, live."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from examples.serving import serving
from examples.task_manager.app import Manager

playwright: Final = pytest.importorskip(
    "playwright.sync_api", reason="playwright cannot be had here: it drives the browser"
)
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
BROWSER: Final = next(filter(None, map(shutil.which, NAMES)), None)
PHONE: Final = {"width": 375, "height": 667}

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"there is no browser here: none of {', '.join(NAMES)} is on the path"
)


@dataclass(frozen=True, slots=True)
class Open:
    """The page, as a person has it open, and a client that works behind its back."""

    page: Any
    http: httpx.Client

    def add(self, name: str, mode: str, **fields: Any) -> int:
        """Create a task; return its number."""
        given = {"name": name, "mode": mode, **fields}
        return int(self.http.post("/tasks", json=given).json()["id"])

    def task(self, number: int) -> Any:
        """Return what the page shows of a task."""
        return self.page.locator(f"#task-{number}")

    def see(self, place: Any, text: str) -> None:
        """Wait until a text is to be seen."""
        playwright.expect(place).to_contain_text(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start a browser."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-proxy-server"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a task manager; at the end, nothing was wrong with it, nor loaded twice."""
    wrong: list[str] = []
    app = Manager(tmp_path / "errors.jsonl")
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as http:
        page = browser.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        page.evaluate("window.isTheSame = true")
        yield Open(page, http)
        assert page.evaluate("window.isTheSame")
        page.close()
    assert [] == wrong


def test_progress_is_live(opened: Open) -> None:
    """A task that others began is shown, with its steps, and can be cancelled."""
    number = opened.add("slow", "hang", steps=3, timeout=60)
    task = opened.task(number)
    opened.see(task, "slow (hang)")
    opened.see(task, "pending")
    opened.http.post(f"/tasks/{number}/execute")
    opened.see(task, "running")
    playwright.expect(task.get_by_label("2 of 3 steps")).to_have_attribute("value", "2")
    task.get_by_role("button", name="Cancel").click()
    opened.see(task, "cancelled")


def test_failures_are_live(opened: Open) -> None:
    """What fails behind one's back is shown, its message too, and counted; no name is HTML."""
    number = opened.add("<b>bold</b>", "reject")
    opened.http.post(f"/tasks/{number}/execute")
    task = opened.task(number)
    opened.see(task, "<b>bold</b> (reject)")
    opened.see(task, "422 invalid_task: the input of the task is wrong")
    opened.see(opened.page.locator("#errors"), "task 422: 1")
    opened.http.get("/nowhere")
    opened.see(opened.page.locator("#errors"), "route 404: 1")


def test_what_one_does_there(opened: Open) -> None:
    """A task that is sent off fails before one's eyes; it can be executed again, and deleted."""
    opened.page.get_by_label("name").fill("mine")
    opened.page.get_by_label("how it ends").select_option("crash")
    opened.page.get_by_role("button", name="Create and execute").click()
    task = opened.task(1)
    opened.see(task, "mine (crash)")
    opened.see(task, "500: Internal Server Error")
    playwright.expect(opened.page.get_by_text("secret-key")).to_have_count(0)
    task.get_by_role("button", name="Execute").click()
    opened.see(opened.page.locator("#errors"), "task 500: 2")
    task.get_by_role("button", name="Delete").click()
    playwright.expect(task).to_have_count(0)


def test_what_is_refused(opened: Open) -> None:
    """The page says why, and what to put right; the message goes when it is."""
    alert = opened.page.get_by_role("alert")
    opened.page.get_by_role("button", name="Create and execute").click()
    opened.see(alert, "422 wrong fields: name (invalid_task)")
    opened.page.get_by_label("name").fill("good")
    opened.page.get_by_role("button", name="Create and execute").click()
    opened.see(opened.task(1), "done")
    playwright.expect(alert).to_be_empty()


def test_on_a_phone(opened: Open) -> None:
    """Nothing is wider than the screen."""
    opened.page.set_viewport_size(PHONE)
    opened.http.post(f"/tasks/{opened.add('long' * 20, 'several')}/execute")
    opened.see(opened.task(1), "the right part failed")
    assert PHONE["width"] >= opened.page.evaluate("document.documentElement.scrollWidth")
