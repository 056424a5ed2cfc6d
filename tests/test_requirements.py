"""`docs/requirements.md`: each requirement is there, and each test that it names exists."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeGuard

import pytest

TESTS: Final = Path(__file__).parent
TABLE: Final = TESTS.parent / "docs" / "requirements.md"


def rows() -> list[tuple[str, str]]:
    """Return the id of each row, and the cell that says what proves it."""
    lines = TABLE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| R")]
    return [(row[1], row[-2]) for row in cells]


@functools.cache
def known_in(file: str) -> frozenset[str]:
    """Return the tests in a file, as ``TestClass::test_name`` or ``test_name``."""
    return frozenset(named(ast.parse((TESTS / file).read_text("utf-8")).body, ""))


def named(body: Iterable[ast.stmt], prefix: str) -> Iterable[str]:
    """Yield the tests among statements, and in the classes among them."""
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from named(node.body, f"{prefix}{node.name}::")
        elif is_test(node):
            yield f"{prefix}{node.name}"


def is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Say whether pytest runs it."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return node.name.startswith("test_")


def test_every_requirement_has_its_row() -> None:
    """None is missing, and none is there twice."""
    assert [f"R{number:02}" for number in range(1, 30)] == [name for name, _ in rows()]


@pytest.mark.parametrize("proof", [pytest.param(proof, id=name) for name, proof in rows()])
def test_what_proves_it_exists(proof: str) -> None:
    """A row names tests that exist, or says that there is none yet."""
    references = re.findall(r"`([^`]+)`", proof)
    assert bool(references) != proof.startswith("not yet")
    for reference in references:
        file, _, test = reference.partition("::")
        assert test in known_in(file), reference
