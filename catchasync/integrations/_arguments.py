"""What integrations are given, checked when it is given; and what rules may return."""

from __future__ import annotations

from catchasync._handler import ErrorHandler


def checked(app: object, errors: object, what: str, kind: type | None = None) -> None:
    """Refuse what is no application, or no error handler.

    Args:
        app: The one.
        errors: The other.
        what: What is taken, in words.
        kind: The class of the application; default: it can be called.

    Raises:
        TypeError: One of them is not what it has to be.
    """
    is_app = callable(app) if kind is None else isinstance(app, kind)
    if not is_app:
        msg = f"install(app, errors) takes {what} first: got {app!r}"
        raise TypeError(msg)
    if not isinstance(errors, ErrorHandler):
        msg = f"install(app, errors) takes a catchasync.ErrorHandler second: got {errors!r}"
        raise TypeError(msg)


def checked_errors(errors: object, what: str) -> None:
    """Refuse what is no error handler, when it is given instead of when something fails.

    Args:
        errors: The one.
        what: The call that takes it, in words: "as_next(errors)".

    Raises:
        TypeError: It is none.
    """
    if not isinstance(errors, ErrorHandler):
        msg = f"{what} takes a catchasync.ErrorHandler: got {errors!r}"
        raise TypeError(msg)


def no_application(answer: object, kind: str) -> str:
    """Return what is said of a rule whose answer cannot be sent."""
    return (
        f"a rule returns an error, None, or a response, which here is an application of {kind}: "
        f"got {answer!r}"
    )
