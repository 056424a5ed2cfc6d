"""What the library itself raises, each with the rule that it stands for."""

from __future__ import annotations


class CatchAsyncError(Exception):
    """The root of the errors that this library raises of its own accord."""


class CallbackError(CatchAsyncError):
    """An error that is no exception, such as ``next("boom")`` or an errno, made into one.

    Args:
        value: What was handed over; any object but ``None``, which means "no error".
    """

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


class CallbackNeverCalled(CatchAsyncError):  # noqa: N818 - the public name
    """A callback was collected without having been called: its outcome can never come."""


class NextCalledTwice(CatchAsyncError):  # noqa: N818 - the public name
    """``next()`` was called after the decision: there is one decision per call."""


class HandlerIncomplete(CatchAsyncError):  # noqa: N818 - the public name
    """A handler neither answered nor called ``next``."""
