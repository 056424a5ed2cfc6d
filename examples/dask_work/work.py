"""The work: runs on the cluster, in another process, maybe on another machine."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from catchasync.errors import UnprocessableContent

POISON: Final = b"\x00die"


class Unreadable(UnprocessableContent):
    """A text cannot be read."""

    code = "unreadable"


class Count(NamedTuple):
    """What is in a text.

    Args:
        words: How many words.
        letters: How many letters a word has, on average.
    """

    words: int
    letters: float


def count(text: bytes) -> Count:
    """Count the words of a text; each failure here has to find its way back."""
    if text == POISON:
        os._exit(1)  # as a worker does that is out of memory
    try:
        words = text.decode().split()
    except UnicodeDecodeError as error:
        msg = f"byte {error.start} is no UTF-8"
        raise Unreadable(msg, details={"at": error.start}) from error
    return Count(len(words), sum(map(len, words)) / len(words))  # a bug: there may be no word
