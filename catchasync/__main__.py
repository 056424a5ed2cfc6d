"""``python -m catchasync``: the versions for a bug report, and which integrations are at hand.

No framework is imported: what is known of them is in the metadata, theirs and our own.
"""

from __future__ import annotations

import pkgutil
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import Final, NamedTuple, TypeAlias

from catchasync import __version__, integrations
from catchasync._proxies import is_compiled

REQUIREMENT: Final = re.compile(r"""([\w.-]+)>=([\w.]+); extra == ["']([\w-]+)["']""")

Version: TypeAlias = tuple[tuple[int, ...], bool]


class Bound(NamedTuple):
    """What an extra of ours asks for."""

    distribution: str
    oldest: str


def main() -> None:
    """Print what is here."""
    print("\n".join(lines()))  # noqa: T201 - a command


def lines() -> Iterator[str]:
    """Yield the report, a line each."""
    compiled = "with" if is_compiled() else "without"
    yield f"catchasync  {__version__}"
    yield f"Python      {platform.python_version()} ({platform.python_implementation()})"
    yield f"wrapt       {metadata.version('wrapt')}, {compiled} its C extension"
    yield ""
    try:
        bounds = bounds_of(metadata.requires("catchasync") or [])
    except metadata.PackageNotFoundError:
        yield "This is no installed catchasync: it has no metadata that say what it works with."
        return
    own = {module.name for module in pkgutil.iter_modules(integrations.__path__)}
    for name in sorted({*bounds, *(name for name in own if not name.startswith("_"))}):
        yield f"{name:<11} {state_of(name, bounds.get(name))}"


def bounds_of(requirements: list[str]) -> dict[str, Bound]:
    """Return what each extra asks for: there is one a framework."""
    found = filter(None, map(REQUIREMENT.fullmatch, requirements))
    return {match[3]: Bound(match[1], match[2]) for match in found}


def state_of(name: str, bound: Bound | None) -> str:
    """Say in a line whether an integration can be used."""
    if bound is None:
        return "at hand, needs nothing else"
    try:
        version = metadata.version(bound.distribution)
    except metadata.PackageNotFoundError:
        return f"not installed: pip install 'catchasync[{name}]'"
    if find_spec(name) is None:
        return f"{version}, but {name!r} cannot be imported"
    if order_of(version) < order_of(bound.oldest):
        return f"{version} is too old, needs {bound.oldest}: pip install -U 'catchasync[{name}]'"
    return f"{version}, at hand"


def order_of(version: str) -> Version:
    """Return what versions are compared by: the numbers, and whether it is a release (PEP 440)."""
    numbers = re.match(r"v?(\d+(?:\.\d+)*)", version)
    release = [int(number) for number in numbers[1].split(".")] if numbers else []
    while release and release[-1] == 0:
        release.pop()
    return tuple(release), not re.search(r"a|b|rc|dev", version.partition("+")[0])


if __name__ == "__main__":
    main()
