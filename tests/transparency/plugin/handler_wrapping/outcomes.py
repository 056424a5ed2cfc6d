"""How every test of a run came out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

ADDRESS = re.compile(r"0x[0-9a-f]+")

PART = re.compile(r"/|::|\[")


class Record:
    """
    The outcomes by test; what fails in one part of a test has failed.

    Args:
        left_out: The names of tests, classes, files and folders that are not to be run.
    """

    def __init__(self, left_out: Iterable[str] = ()) -> None:
        self.outcomes: dict[str, str] = {}
        self._left_out = set(left_out)

    def is_left_out(self, test: str) -> bool:
        """Say whether a test is not to be run: itself, its class, file or folder."""
        ends = [*(match.start() for match in PART.finditer(test)), len(test)]
        return any(test[:end] in self._left_out for end in ends)

    def add(self, test: str, outcome: str) -> None:
        """Note an outcome. Addresses in the names of tests differ from run to run."""
        name = ADDRESS.sub("0x", test)
        if self.outcomes.get(name) != "failed":
            self.outcomes[name] = outcome

    def write(self, path: str, wrapped: int) -> None:
        """Write what was noted, and how many handlers were wrapped."""
        found = {"wrapped": wrapped, "outcomes": self.outcomes}
        Path(path).write_text(json.dumps(found, indent=0))
