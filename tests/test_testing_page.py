"""`docs/testing.md`: its tests run, in a pytest of their own, as a reader would paste them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from catchasync import testing

PAGE: Final = Path(__file__).parents[1] / "docs" / "testing.md"


def blocks() -> list[str]:
    """Return the Python blocks of the page."""
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_its_tests_pass(tmp_path: Path) -> None:
    """Every block is a file of tests that pass, warnings being errors."""
    for number, source in enumerate(blocks()):
        (tmp_path / f"test_block_{number}.py").write_text(source, encoding="utf-8")
    ini = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"  # unset, it warns
    (tmp_path / "pytest.ini").write_text(ini, encoding="utf-8")
    plugins = ("no:cacheprovider", "pytest_asyncio.plugin", "catchasync._pytest_plugin")
    options = ["-q", "-W", "error", *(f"-p{plugin}" for plugin in plugins)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    passed = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)

    assert passed, done.stdout + done.stderr
    assert sum(source.count("def test_") for source in blocks()) == int(passed[1])


def test_its_settings_are_those_that_watch_all() -> None:
    """The settings on the page name the fixture."""
    assert 'usefixtures = ["lost_failures"]' in PAGE.read_text("utf-8")


def test_every_name_is_on_the_page() -> None:
    """What `catchasync.testing` exports is shown, but for the records that it fills in."""
    text = PAGE.read_text("utf-8")

    assert [] == [name for name in {*testing.__all__} - {"Arrival", "Lost"} if name not in text]
