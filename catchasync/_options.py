"""What `catch_async` may be told, checked where it is written."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from catchasync.types import Errors, Late, Next, PassThrough


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `catch_async`.

    Args:
        next: Where failures go; or the name of the handler's parameter that brings it; or ``None``.
        catch: The exception types that are failures.
        pass_through: Among them, what is left alone: types, or a predicate of the error.
        track_response: Whether, or how, to watch the response.
        late: Where late failures go; ``None``: they are logged.

    Raises:
        TypeError: An option is not what it has to be.
    """

    next: Next | str | None = None
    catch: Errors = Exception
    pass_through: PassThrough = ()
    track_response: Any = False
    late: Late | None = None

    def __post_init__(self) -> None:
        """Refuse what could only fail later."""
        if not (self.next is None or callable(self.next) or _is_name(self.next)):
            _refuse("next", "a callable of one argument, or a parameter's name", self.next)
        if not _are_errors(self.catch):
            _refuse("catch", "an exception type or a tuple of them", self.catch)
        if not (_are_errors(self.pass_through) or _is_predicate(self.pass_through)):
            expected = "exception types, or a predicate of the error"
            _refuse("pass_through", expected, self.pass_through)
        if not (self.late is None or callable(self.late)):
            _refuse("late", "a callable of one argument, the error", self.late)


def options_for(caller: str, **given: Any) -> Options:
    """Return what another function than `catch_async` was told, an unknown option refused."""
    known = [option.name for option in fields(Options)]
    unknown = [name for name in given if name not in known]
    if unknown:
        msg = f"{caller}() takes the options {', '.join(known)}: got {unknown[0]}=..."
        raise TypeError(msg)
    return Options(**given)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier()


def _are_errors(errors: object) -> bool:
    if isinstance(errors, tuple):
        return all(_are_errors(error) for error in errors)
    return isinstance(errors, type) and issubclass(errors, BaseException)


def _is_predicate(predicate: object) -> bool:
    return callable(predicate) and not isinstance(predicate, type)


def _refuse(option: str, expected: str, came: object) -> NoReturn:
    msg = f"catch_async({option}=...) takes {expected}: got {came!r}."
    raise TypeError(msg)
