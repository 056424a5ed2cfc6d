"""The settings that Django's runtests.py begins with, and a runner that records outcomes."""

from test_sqlite import *  # type: ignore[import-not-found]  # noqa: F403 - Django's own

TEST_RUNNER = "handler_wrapping.django_runner.RecordingRunner"
