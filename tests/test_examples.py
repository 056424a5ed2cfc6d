"""Each example has a README whose commands work as they are written."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.libraries.conftest import require

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "examples"
EXAMPLES: Final = sorted(path.parent.name for path in FOLDER.glob("*/__main__.py"))
DISTRIBUTIONS: Final = {
    "confluent_kafka": "confluent-kafka",
    "dask": "distributed",
    "paho": "paho-mqtt",
}
PARTIAL: Final = 18  # what curl ends with where a connection was broken off

SERVING: Final = {
    "sample_api": "python -m examples.sample_api --serve --framework flask",
    "task_manager": "python -m examples.task_manager",
    "posts_api": "python -m examples.posts_api",
}
"""Commands that serve until they are interrupted."""


def commands(example: str) -> list[str]:
    """Return the lines of the README's shell blocks, without their comments."""
    text = (FOLDER / example / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+#.*", "", line) for line in "".join(blocks).splitlines()]
    return [line for line in lines if line]


def imported_by(example: str) -> set[str]:
    """Return what an example needs besides what each Python has, as pip knows it."""
    names = {name for file in (FOLDER / example).glob("*.py") for name in imports_of(file)}
    if "examples.serving" in names:
        names |= set(imports_of(FOLDER / "serving.py"))
    packages = {name.partition(".")[0] for name in names} - {*sys.stdlib_module_names, "examples"}
    return {DISTRIBUTIONS.get(name, name) for name in packages}


def imports_of(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            yield node.module


def test_all_are_listed() -> None:
    """The list names each example, and no other."""
    listed = re.findall(
        r"^\| \[`(\w+)`\]\((\w+)\)", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert EXAMPLES == sorted(name for name, _ in listed)
    assert all(name == link for name, link in listed)


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_says_what_to_install(example: str) -> None:
    """All that it imports, and nothing else."""
    [install] = [line for line in commands(example) if line.startswith("pip install ")]
    named = install.removeprefix("pip install ").split()
    assert ["catchasync", *sorted(imported_by(example) - {"catchasync"})] == named


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_command_is_run_by_a_test(example: str) -> None:
    """Here, if it serves; by the test of the example, if it ends by itself."""
    [tests] = (ROOT / "tests").glob(f"test_{example}.py")
    run = {
        f"python {' '.join(ast.literal_eval(f'[{given}]'))}"
        for given in re.findall(r"\[sys\.executable, ([^\]]*)\]", tests.read_text("utf-8"))
        if re.fullmatch(r'("[^"]*"(, )?)*', given)
    }
    python = {line for line in commands(example) if line.startswith("python ")}
    assert python
    assert set() == python - run - set(SERVING.values())


@pytest.mark.parametrize("example", SERVING)
def test_a_served_example(example: str, tmp_path: Path) -> None:
    """It is started as the README says; what that and the program itself say to try is answered."""
    if shutil.which("curl") is None:
        pytest.skip("curl cannot be had here")
    require("uvicorn")
    lines = commands(example)
    assert SERVING[example] in lines
    with started(SERVING[example], tmp_path) as (port, printed):
        tried = [line for line in [*lines, *printed] if not line.startswith(("pip ", "python "))]
        assert any(line.startswith("curl -i ") for line in tried)
        for line in tried:
            command = re.sub(r"(localhost|127\.0\.0\.1):\d+", f"127.0.0.1:{port}", line)
            answer = run_line(command, tmp_path)
            assert answer.startswith("HTTP/1.1 " if line.startswith("curl") else "{"), line


def run_line(line: str, folder: Path) -> str:
    """Run a line in a shell, and return what it prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, PARTIAL}, done.stderr
    return done.stdout


@contextmanager
def started(line: str, folder: Path) -> Generator[tuple[int, list[str]]]:
    """Start a program in a folder of its own; give its port, and the commands that it prints."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-u", *line.split()[1:], "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"}
    options: dict[str, Any] = {"cwd": folder, "env": environment, "text": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **options) as program:
        try:
            assert program.stdout is not None
            printed = until("Ctrl-C", program.stdout)
            wait_for(program, port)
            yield port, [each.strip() for each in printed if each.strip().startswith("curl ")]
        finally:
            program.terminate()


def until(word: str, lines: Iterator[str]) -> list[str]:
    """Read lines up to the one with a word."""
    read: list[str] = []
    for line in lines:
        read.append(line)
        if word in line:
            break
    return read


def wait_for(program: subprocess.Popen[str], port: int) -> None:
    """Wait until a program listens."""
    while program.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
    pytest.fail(f"it ended with {program.returncode}")
