"""`docs/errors.md`: each message has an entry, each entry a message, and each example gives it."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.messages import HOLE, Message, messages

PAGE: Final = Path(__file__).parents[1] / "docs" / "errors.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
FRAMEWORKS: Final = {"django", "flask", "starlette"}
PASSED_ON: Final = {
    "_answers.plain",  # a status and its phrase
    "_failures.as_error",  # what was handed over as an error
    "_failures._instance_of",
    "_failures.holdable",
    "_completion.failure",
    "errors._create",  # the user's own message
    "integrations._django_answers.tell_observers",  # Django's own record
    "integrations.falcon._raise_later",  # an answer, as Falcon's kind of error
    "integrations.falcon.next",  # likewise
    "integrations._litestar_answers.__getattr__",  # as Python says it
    "integrations.starlette.__getattr__",
}
"""Where the text is not ours."""


class Entry(NamedTuple):
    """One entry: the phrase that it is found by, and its example."""

    phrase: str
    example: str

    def is_in(self, text: str) -> bool:
        """Say whether a message has the phrase; `…` in it stands for anything."""
        parts = map(re.escape, self.phrase.split(HOLE))
        return re.search(".+?".join(parts), text, re.DOTALL) is not None


def entries() -> list[Entry]:
    """Read the page."""
    found = re.findall(
        r"^### (`+)(.+?)\1\n\n.+?^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
    )
    return [Entry(phrase.strip(), code) for _, phrase, code in found]


ENTRIES: Final = entries()
PRELUDE: Final = TEXT.partition("```python\n")[2].partition("```")[0]


def best(text: str) -> Entry | None:
    """Return the entry of a message: the one whose phrase says most."""
    return max(
        (entry for entry in ENTRIES if entry.is_in(text)),
        key=lambda entry: len(entry.phrase),
        default=None,
    )


def ours() -> list[Message]:
    """Return the messages whose text is ours."""
    return [one for one in messages() if one.place not in PASSED_ON]


def test_every_message_can_be_read() -> None:
    """A message stands where it is raised, as ``msg = "..."``, so that it can be looked up."""
    assert [] == [one.place for one in ours() if not re.search(r"\w{3}", one.text)]


def test_every_message_has_an_entry() -> None:
    """What is raised, warned of or logged is explained."""
    assert [] == [f"{one.place}: {one.text}" for one in ours() if best(one.text) is None]


def test_no_entry_is_stale() -> None:
    """What is explained can still happen."""
    alive = {best(one.text) for one in ours()}

    assert [] == [entry.phrase for entry in ENTRIES if entry not in alive]


def test_no_entry_is_overlooked() -> None:
    """Each heading of the third level is an entry with an example, and a phrase of its own."""
    phrases = [entry.phrase for entry in ENTRIES]

    assert TEXT.count("\n### ") == len(ENTRIES) == len(set(phrases))
    assert TEXT.count("\n```python\n") == len(ENTRIES) + 1


def test_what_is_passed_on_is_still_there() -> None:
    """The list of places whose text is not ours is no longer than it has to be."""
    assert {*PASSED_ON} <= {one.place for one in messages()}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.phrase)
def test_its_example_gives_it(entry: Entry, caplog: pytest.LogCaptureFixture) -> None:
    """The example raises or logs the message of its entry."""
    for framework in sorted(FRAMEWORKS):
        if framework in entry.example:
            pytest.importorskip(framework)

    caplog.set_level(logging.DEBUG, "catchasync")  # whatever libraries have made of the root's
    said = run(entry.example) + caplog.text + "".join(map(str, raised_in(caplog)))

    assert entry.is_in(said), said


def raised_in(caplog: pytest.LogCaptureFixture) -> list[BaseException | None]:
    """Return the errors of what was logged."""
    return [record.exc_info[1] for record in caplog.records if record.exc_info]


def run(example: str) -> str:
    """Run an example, and return what it raised; in a process of its own where it ends that."""
    if "exit_process(" in example:
        command = [sys.executable, "-P", "-c", PRELUDE + example]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr
    names: dict[str, Any] = {"__name__": "example"}
    try:
        exec(PRELUDE, names)  # noqa: S102 - our own page
        exec(example, names)  # noqa: S102 - likewise
    except Exception as error:  # noqa: BLE001 - whatever it is
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("a … c", "a b c", True),
        ("a … c", "a c", False),
        ("f() takes", "so f() takes what", True),
        ("f() takes", "g() takes", False),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str, expected: bool) -> None:  # noqa: FBT001
    """A phrase is found as it stands, but for its gaps."""
    assert expected == Entry(phrase, "").is_in(text)
