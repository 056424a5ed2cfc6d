"""One call of a chain, and the two words of its `next`."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from threading import get_ident
from typing import Any, Final

from catchasync._layers import Step
from catchasync.types import Next


class Skip(enum.Enum):
    """What `next` takes besides errors."""

    ROUTE = "route"
    ROUTER = "router"

    def __repr__(self) -> str:
        return f"SKIP_{self.name}"


SKIP_ROUTE: Final = Skip.ROUTE
"""``next(SKIP_ROUTE)`` leaves the group of layers that `Chain.route` made; outside, it goes on."""

SKIP_ROUTER: Final = Skip.ROUTER
"""``next(SKIP_ROUTER)`` leaves the chain, as if its end were reached."""


class Run:
    """One call of a chain: what all its layers share."""

    __slots__ = ("next", "req", "res", "roots", "sender", "steps", "thread", "watch")

    def __init__(self, steps: Sequence[Step], req: Any, res: Any, next: Next | None) -> None:
        self.steps = steps
        self.req = req
        self.res = res
        self.next = next
        self.watch: Any = None  # of the response, where it is tracked
        self.sender: str | None = None  # the layer that sent it
        self.roots: dict[Any, Any] | None = None  # by task, the bottoms of deep stacks
        self.thread = get_ident()


def ended(run: Run, error: BaseException | None) -> Any:
    """Call the chain's own `next` with the error, or without; where there is none, raise it."""
    try:
        if run.next is not None:
            return run.next() if error is None else run.next(error)
        if error is not None:
            raise error
        return None
    finally:
        del run, error
