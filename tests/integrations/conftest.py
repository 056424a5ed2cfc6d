"""What the tests of the integrations share."""

from __future__ import annotations

import os

import pytest

pytest.register_assert_rewrite("tests.integrations.contract")

# Sanic alone is tested here: it loads sanic-ext by itself, which may be here for tests/ecosystem/.
os.environ.setdefault("SANIC_AUTO_EXTEND", "false")
