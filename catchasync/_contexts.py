"""What an error keeps of where it has been: its context."""

from __future__ import annotations


def keep_first(error: BaseException, first: BaseException) -> None:
    """Keep the error that an error layer was called with, as Python does in an ``except``."""
    seen = {id(first)}
    while error.__context__ is not None and id(error) not in seen:
        seen.add(id(error))
        error = error.__context__
    if id(error) not in seen and not _leads_to(first, error):
        error.__context__ = first


def _leads_to(error: BaseException | None, other: BaseException) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if error is other:
            return True
        seen.add(id(error))
        error = error.__context__
    return False
