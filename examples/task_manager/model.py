"""A task, and what a client may ask for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from examples.task_manager.errors import InvalidTask

MODES: Final = (
    "succeed", "reject", "crash", "hang", "unreachable", "flaky", "several", "stuck-undo",
)  # fmt: skip
"""How a task ends; see `work`."""

MOST_STEPS: Final = 100


@dataclass(slots=True)
class Task:
    """
    One task.

    Args:
        id: Its number.
        name: What a person calls it.
        mode: How it ends: one of `MODES`.
        steps: How many steps it takes, 1 to 100.
        timeout: How long it may take, in seconds.
        state: "pending", "running", "done", "failed" or "cancelled".
        progress: How many steps are done.
        attempts: How often it was begun, retries included.
        artifacts: What its steps have made; taken back where it fails.
        failures: What went wrong, as a client may read it, the last at the end.
    """

    id: int
    name: str
    mode: str = "succeed"
    steps: int = 3
    timeout: float = 5.0
    state: str = "pending"
    progress: int = 0
    attempts: int = 0
    artifacts: list[str] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """Return what a client sees of it."""
        return asdict(self)


def checked(given: Any, *, is_new: bool) -> dict[str, Any]:
    """Return the fields that a client gave; `InvalidTask` names every one that is wrong.

    Args:
        given: What the client sent.
        is_new: Whether a name has to be among them.
    """
    if not isinstance(given, dict):
        msg = "a task is a JSON object"
        raise InvalidTask(msg, details={"body": "not an object"})
    wrong = {name: "unknown" for name in given if name not in CHECKS}
    for name, (is_right, expected) in CHECKS.items():
        if (name in given and not is_right(given[name])) or (
            name == "name" and is_new and name not in given
        ):
            wrong[name] = f"has to be {expected}"
    if wrong:
        msg = f"wrong fields: {', '.join(sorted(wrong))}"
        raise InvalidTask(msg, details=wrong)
    return dict(given)


def is_number(value: object, least: float, most: float) -> bool:
    """Say whether it is a number in a range; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return least <= value <= most


CHECKS: Final[dict[str, tuple[Any, str]]] = {
    "name": (lambda value: isinstance(value, str) and bool(value.strip()), "a text"),
    "mode": (lambda value: value in MODES, f"one of {', '.join(MODES)}"),
    "steps": (
        lambda value: isinstance(value, int) and is_number(value, 1, MOST_STEPS),
        f"a whole number from 1 to {MOST_STEPS}",
    ),
    "timeout": (lambda value: is_number(value, 0.001, 60), "seconds, 0.001 to 60"),
}
"""Of each field: what says that it is right, and what it has to be."""
