"""The messages of the package, read from its source: what is raised, warned of, or logged."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import catchasync
from catchasync import errors

HOLE: Final = "…"
LOGGED: Final = {"error", "exception", "warning", "critical", "warn", "last_resort"}
OURS: Final = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
BUILT_IN: Final = {
    name
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and issubclass(thing, BaseException)
}
EXCEPTIONS: Final = OURS | BUILT_IN | {"ImproperlyConfigured"}


Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Message(NamedTuple):
    """One message: where it is made, and its text, with a hole for what comes at runtime."""

    place: str
    text: str


class Reader:
    """Reads the texts that an expression can be."""

    def __init__(self, trees: dict[str, ast.Module]) -> None:
        self.functions: dict[str, list[ast.FunctionDef]] = {}
        self.constants: dict[str, ast.expr] = {}
        self._is_inside = False
        for tree in trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    self.functions.setdefault(node.name, []).append(node)
            for node in tree.body:
                for name, value in _assigned(node):
                    self.constants[name] = value

    def texts(self, node: ast.expr | None, inside: ast.AST) -> list[str]:  # noqa: PLR0911 - a table
        """Return every text that an expression inside a function can be; holes for the rest."""
        match node:
            case ast.Constant(value=str(text)):
                return [re.sub(r"%[sdr]|\{[^{}]*\}", HOLE, text)]
            case ast.JoinedStr(values=values):
                return self._product(values, inside)
            case ast.FormattedValue(value=ast.Name() as value, conversion=-1):
                return self.texts(value, inside)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._product([left, right], inside)
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.texts(body, inside), *self.texts(orelse, inside)]
            case ast.Name(id=name):
                return self._named(name, inside)
            case ast.Call(func=ast.Attribute(attr="format", value=value)):
                return self.texts(value, inside)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return self._returned(name)
            case _:
                return [HOLE]

    def _product(self, parts: list[ast.expr], inside: ast.AST) -> list[str]:
        found = [""]
        for part in parts:
            found = [text + more for text in found for more in self.texts(part, inside)]
        return found

    def _named(self, name: str, inside: ast.AST) -> list[str]:
        """Return what a variable of this function, or a constant of the package, can be."""
        values = [
            value for node in ast.walk(inside) for each, value in _assigned(node) if each == name
        ]
        if not values and name in self.constants:
            values = [self.constants[name]]
        found = [text for value in values for text in self.texts(value, inside)]
        return [text for text in found if text.strip(HOLE)] or [HOLE]

    def _returned(self, name: str) -> list[str]:
        """Return what a function of the package, called at this level, can return."""
        if self._is_inside:
            return [HOLE]
        self._is_inside = True
        returned = [
            text
            for function in self.functions.get(name, [])
            for node in ast.walk(function)
            if isinstance(node, ast.Return)
            for text in self.texts(node.value, function)
        ]
        self._is_inside = False
        return returned or [HOLE]


def _assigned(node: ast.AST) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        return [(each.id, node.value) for each in node.targets if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        return [(node.target.id, node.value)]
    return []


def messages() -> list[Message]:
    """Return every message of the package."""
    root = Path(catchasync.__path__[0])
    trees = {
        ".".join(path.relative_to(root).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
        for path in sorted(root.rglob("*.py"))
    }
    reader = Reader(trees)
    return [
        Message(f"{name}.{function.name}", text)
        for name, tree in trees.items()
        for function, call in calls(tree)
        for text in reader.texts(call.args[0], function)
    ]


def calls(tree: ast.Module) -> Iterator[tuple[Function, ast.Call]]:
    """Yield each call that makes an error with arguments, or logs, with the function around it."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in own(function):
                if isinstance(node, ast.Call) and node.args and speaks(node):
                    yield function, node
                elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    call = node.exc
                    if call.args and not speaks(call) and not is_cast(call):
                        yield function, call


def own(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, but for those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from own(child)


def is_cast(call: ast.Call) -> bool:
    """Say whether a call is for type checkers alone: what it raises was there before."""
    return isinstance(call.func, ast.Name) and call.func.id == "cast"


def speaks(call: ast.Call) -> bool:
    """Say whether a call makes an exception, or logs."""
    match call.func:
        case ast.Name(id="super"):
            return False
        case ast.Name(id=name):
            return name in EXCEPTIONS or name in LOGGED
        case ast.Attribute(value=ast.Name(id="logger" | "warnings"), attr=name):
            return name in LOGGED
        case _:
            return False
