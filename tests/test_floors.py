"""The house has floors: a module imports only from lower ones, so there are no circles.

Every import counts, also one inside a function or under ``TYPE_CHECKING``. Modules of the same
floor may import each other, as long as that leads round in no circle.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

FLOORS: Final = (
    {"_masking", "_statuses", "conventions", "errors", "types"},
    {
        "_completion",
        "_context",
        "_delivery",
        "_error_response",
        "_facts",
        "_failures",
        "_fakes",
        "_headers",
        "_inside",
        "_kinds",
        "_layers",
        "_marks",
        "_negotiation",
        "_options",
        "_pending",
        "_places",
        "_plain",
        "_request_view",
        "_runtimes",
        "_signatures",
        "_templates",
        "_told",
        "_contexts",
        "_traces",
        "_trio",
        "_wakes",
        "_written",
    },
    {
        "_awaitables",
        "_callbackify",
        "_callbacks",
        "_catch",
        "_debug_page",
        "_functions",
        "_futures",
        "_likeness",
        "_log",
        "_pages",
        "_promisify",
        "_promisify_all",
        "_proxies",
        "_render",
        "_reporting",
        "_response",
        "_returned",
        "_rollback",
        "_rules",
        "_runs",
        "_special_turns",
        "_standins",
        "_turns",
        "_waiters",
    },
    {
        "_answers",
        "_case",
        "_chain",
        "_controllers",
        "_crash",
        "_driver",
        "_driver_here",
        "_handler",
        "_handlers",
        "_hooks",
        "_lost",
        "_recognition",
        "_registration",
        "_routes",
        "_routing",
        "testing",
    },
    {"_pytest_plugin", "integrations"},
    {"__init__", "__main__"},
)

Graph = dict[str, set[str]]


def package() -> Path:
    """Return the folder of the installed package."""
    spec = find_spec("catchasync")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def sources() -> dict[str, ast.Module]:
    """Parse every module, by its name inside the package: ``_kinds``, ``integrations._asgi``."""
    root = package()
    found: dict[str, ast.Module] = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


def imported(tree: ast.Module, module: str) -> Iterator[str]:
    """Yield the full name of everything that a module imports, relative imports resolved."""
    inside = ["catchasync", *module.split(".")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = inside[: -node.level] if node.level else []
            for alias in node.names:
                yield ".".join([*base, *filter(None, [node.module]), alias.name])


def import_graph(modules: dict[str, ast.Module]) -> Graph:
    """Return, for each module, the modules of the package that it imports."""
    graph: Graph = {}
    for module, tree in modules.items():
        ours = (name for name in imported(tree, module) if name.split(".")[0] == "catchasync")
        graph[module] = {target(name, modules) for name in ours} - {module}
    return graph


def target(name: str, modules: dict[str, ast.Module]) -> str:
    """Return the module that an imported name is, or is in; the face where it is in no other."""
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in modules:
        parts.pop()
    return ".".join(parts) or "__init__"


def floor_of(module: str) -> int:
    """Return the floor of a module; a module without one is an error that says what to do."""
    for number, names in enumerate(FLOORS):
        if module.split(".", maxsplit=1)[0] in names:
            return number
    pytest.fail(f"catchasync/{module}: give it a floor, in the table of {Path(__file__).name}")


def upward(graph: Graph) -> list[str]:
    """Describe each import that leads to a higher floor."""
    return [
        f"{module} (floor {floor_of(module)}) imports {other} (floor {floor_of(other)})"
        for module, others in sorted(graph.items())
        for other in sorted(others)
        if floor_of(other) > floor_of(module)
    ]


def circle(graph: Graph) -> list[str]:
    """Return the modules of one circle of imports, or nothing."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        modules: list[str] = error.args[1]
        return modules
    return []


def test_every_module_has_a_floor() -> None:
    """A module that is not in the table is told to get a floor."""
    assert [] == [module for module in sources() if floor_of(module) < 0]


def test_no_module_imports_from_a_higher_floor() -> None:
    """Imports lead down, or along the same floor."""
    assert [] == upward(import_graph(sources()))


def test_no_circle() -> None:
    """Modules of one floor do not import each other in a circle."""
    assert [] == circle(import_graph(sources()))


def test_one_door_to_wrapt() -> None:
    """Exactly one module imports wrapt, so that one file knows its ways."""
    doors = [
        module
        for module, tree in sources().items()
        if any(name.split(".")[0] == "wrapt" for name in imported(tree, module))
    ]
    assert 1 == len(doors), f"wrapt is imported by {doors}"


@pytest.mark.parametrize(
    "source",
    [
        "from catchasync import _chain",
        "from catchasync._chain import Chain",
        "import catchasync._chain",
        "from . import _chain",
        "from ._chain import Chain",
        "def f():\n    from catchasync import _chain",
        "if TYPE_CHECKING:\n    from catchasync import _chain",
    ],
)
def test_every_spelling_of_an_import_counts(source: str) -> None:
    """An import upward is found however it is written."""
    modules = {"__init__": ast.parse(""), "_chain": ast.parse(""), "_kinds": ast.parse(source)}

    assert ["_kinds (floor 1) imports _chain (floor 3)"] == upward(import_graph(modules))


def test_an_import_of_the_face_is_upward() -> None:
    """No module of the package may import a name from the package itself."""
    modules = {"__init__": ast.parse(""), "_kinds": ast.parse("from catchasync import catch_async")}

    assert ["_kinds (floor 1) imports __init__ (floor 5)"] == upward(import_graph(modules))


def test_a_relative_import_inside_a_folder_is_resolved() -> None:
    """Two dots in an integration mean the package, one dot the folder."""
    source = "from .._kinds import kind_of\nfrom ._asgi import middleware"
    names = ("__init__", "_kinds", "integrations", "integrations._asgi")
    modules = {name: ast.parse("") for name in names}
    modules["integrations.starlette"] = ast.parse(source)

    graph = import_graph(modules)

    assert {"_kinds", "integrations._asgi"} == graph["integrations.starlette"]


def test_a_circle_is_found() -> None:
    """Two modules of one floor that import each other are a circle."""
    modules = {
        "_kinds": ast.parse("from catchasync import _marks"),
        "_marks": ast.parse("from catchasync import _kinds"),
    }

    assert {"_kinds", "_marks"} == set(circle(import_graph(modules)))


def test_a_module_without_a_floor_fails_with_advice() -> None:
    """The message of the failure says what to do."""
    with pytest.raises(pytest.fail.Exception, match="_attic: give it a floor"):
        floor_of("_attic")
