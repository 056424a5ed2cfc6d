"""Words for annotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partialmethod
from typing import Any, TypeAlias, TypedDict

Next: TypeAlias = Callable[..., Any]
"""Where failures go: called with the error; what it returns, awaited, is the result."""

Late: TypeAlias = Callable[[BaseException], Any]
"""Where late failures go: called with the error; what it returns, awaited, is dropped."""

Handler: TypeAlias = (  # a string: these classes take no parameters at runtime
    "Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any] | partialmethod[Any]"
)
"""What can be decorated: any callable, and what becomes a method in a class."""

Errors: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
"""An exception type, or several: what stands after ``except``."""

PassThrough: TypeAlias = Errors | Callable[[BaseException], bool]
"""What is left alone: exception types, or a predicate of the error."""


class CatchOptions(TypedDict, total=False):
    """The options of `catch_async`, but for `next`."""

    catch: Errors
    pass_through: PassThrough
    track_response: Any
    late: Late | None


class NextAndCatchOptions(CatchOptions, total=False):
    """The options of `catch_async`."""

    next: Next | str | None


Layers: TypeAlias = "Callable[..., Any] | Sequence[Layers]"
"""A layer of a chain, or a list of them, in lists as well."""
