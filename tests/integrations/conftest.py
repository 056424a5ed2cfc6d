"""What the tests of the integrations share."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.integrations.contract")
