"""Rendering an error, and taking apart what came of it."""

from __future__ import annotations

import json
from typing import Any

from catchasync import render_error
from tests.support import Boom

OURS = {
    "content-type",
    "content-length",
    "x-content-type-options",
    "content-security-policy",
}


def loaded(error: object, **options: Any) -> Any:
    """Render an error, and parse the JSON."""
    return json.loads(render_error(error, **options).body)


def text(error: object, **options: Any) -> str:
    """Render an error, and decode the body."""
    return render_error(error, **options).body.decode()


def error_with(**attributes: Any) -> Boom:
    """Make a foreign error with attributes."""
    error = Boom("secret")
    vars(error).update(attributes)
    return error
