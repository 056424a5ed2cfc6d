"""Secrets in what a debug page shows: told by the names that they go by, and masked."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "****"

_WORDS: Final = (
    r"(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key"
    r"|access[_-]?key|credentials?|authorization|signature|session[_-]?id|cookie|csrf|xsrf|jwt)"
)
_SECRET_NAME: Final = re.compile(rf"(?i){_WORDS}|auth|session|(?:^|[_-])key$")

# ``postgres://user:secret@host``; ``Bearer secret``; ``password="secret"``, ``"token": 'secret'``;
# ``token=secret``. No repetition is without a bound, so that no text takes long.
_IN_URL: Final = re.compile(r"(://[^\s/:@]{0,200}:)[^\s/@]{1,500}(?=@)")
_BEARER: Final = re.compile(r"(?i)\b(bearer\s{1,5})[\w.~+/=-]{8,4096}")
_NAMED: Final = rf"(?i)({_WORDS}[\w-]{{0,40}}[\"']?\]?\s{{0,5}}[:=]\s{{0,5}}"
_LITERAL: Final = re.compile(_NAMED + r"[bfru]{0,2})([\"'])[^\"']{1,4096}\2")
_BARE: Final = re.compile(_NAMED + r")(?![\"'])[^\s,;&)}\]]{1,4096}")


def is_secret(name: str) -> bool:
    """Say whether what goes by this name is not for showing."""
    return _SECRET_NAME.search(name) is not None


def mask_source(line: str) -> str:
    """Return a line of code with the secrets that are written in it masked."""
    line = _IN_URL.sub(rf"\1{MASK}", line)
    line = _BEARER.sub(rf"\1{MASK}", line)
    return _LITERAL.sub(rf"\1\2{MASK}\2", line)


def mask(text: str) -> str:
    """Return a text with its secrets masked, also where no quotes say where they end."""
    return _BARE.sub(rf"\1{MASK}", mask_source(text))
