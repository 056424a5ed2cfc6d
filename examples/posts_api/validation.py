"""Is it a post? What another service sent is taken for nothing before it has been looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from examples.posts_api.errors import SourceInvalid

FIELDS: Final = {"id": int, "userId": int, "title": str, "body": str}
WORDS: Final = {int: "a whole number from 1 on", str: "a text"}


def checked_post(given: Any, place: str = "post") -> dict[str, Any]:
    """Return a post, with the fields that we know and no others; `SourceInvalid` if it is none."""
    refuse(problems_of(given, place))
    return {name: given[name] for name in FIELDS}


def checked_posts(given: Any) -> list[dict[str, Any]]:
    """Return a list of posts; `SourceInvalid` names everything that is wrong with it."""
    if not isinstance(given, list):
        refuse([f"posts: expected a list, got {kind_of(given)}"])
    places = [f"posts[{index}]" for index in range(len(given))]
    refuse(
        problem
        for post, place in zip(given, places, strict=True)
        for problem in problems_of(post, place)
    )
    return [checked_post(post) for post in given]


def problems_of(given: Any, place: str) -> list[str]:
    """Say what is wrong with a post."""
    if not isinstance(given, dict):
        return [f"{place}: expected an object, got {kind_of(given)}"]
    return [
        f"{place}.{name}: expected {WORDS[kind]}, got {kind_of(given.get(name))}"
        for name, kind in FIELDS.items()
        if not is_right(given.get(name), kind)
    ]


def is_right(value: object, kind: type) -> bool:
    """Say whether a value is of a kind: a number from 1 on, or any text."""
    if type(value) is not kind:  # `True` is an int, too
        return False
    return not isinstance(value, int) or value >= 1


def kind_of(value: object) -> str:
    """Say what came, and not its value: it may be anything, of any length."""
    return f"the number {value}" if type(value) is int else type(value).__name__


def refuse(problems: Iterable[str]) -> None:
    """Raise what tells of problems, if there are any."""
    found = list(problems)
    if found:
        msg = f"the source sent what is no post ({len(found)} problems)"
        raise SourceInvalid(msg, details=found[:10])
