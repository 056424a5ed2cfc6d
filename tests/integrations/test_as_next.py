"""`as_next` of the integrations: what holds of each."""

from __future__ import annotations

import importlib

import pytest

NAMES = (
    "aiohttp", "blacksheep", "bottle", "django", "falcon", "flask", "pyramid", "quart", "wsgi",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_error_handler(name: str) -> None:
    """`as_next(app)` is refused where it stands, not when the first request fails."""
    module = importlib.import_module(f"catchasync.integrations.{name}")
    with pytest.raises(TypeError, match=r"as_next\(errors\) takes a catchasync\.ErrorHandler: got"):
        module.as_next(print)
