"""A decorated handler beside one that is wrapped by hand, and beside what others offer."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import wrapt

from benchmarks._harness import Case, awaits, calls
from catchasync import catch_async


class Response:
    """What a handler of a web framework returns."""


ANSWER = Response()


def answer(_error: BaseException | None = None) -> Response:
    """Be `next`."""
    return ANSWER


async def answer_async(_error: BaseException | None = None) -> Response:
    """Be an async `next`."""
    return ANSWER


def cases() -> Iterator[Case]:
    """Give all cases of this file."""
    yield from success()
    yield from methods()
    yield from handed_next()
    yield from failures()


def success() -> Iterator[Case]:
    """Give the handlers with a fixed `next` that succeed."""
    for name, result in (("None", None), ("a str", "text"), ("a response", ANSWER)):
        yield Case(f"def, returns {name}", sync_contestants(returns(result)), target=1.35)
        yield Case(f"async def, returns {name}", async_contestants(returns_async(result)), 1.10)


def failures() -> Iterator[Case]:
    """Give the handlers that fail."""
    yield Case("def, fails", sync_contestants(fails), target=2)
    yield Case("async def, fails", async_contestants(fails_async), target=2)
    yield Case(
        "async def, fails, async next",
        {
            "by hand": awaits(by_hand_async(fails_async, answer_async), 1, 2),
            "catchasync": awaits(catch_async(next=answer_async)(fails_async), 1, 2),
        },
        target=2,
    )
    yield Case(
        "def (req, res, next), fails",
        {
            "by hand": calls(by_hand_express(fails_express), 1, 2, answer),
            "catchasync": calls(catch_async(fails_express), 1, 2, answer),
        },
        target=2,
    )
    yield Case(
        "async def (req, res, next), fails",
        {
            "by hand": awaits(by_hand_express_async(fails_express_async), 1, 2, answer),
            "catchasync": awaits(catch_async(fails_express_async), 1, 2, answer),
        },
        target=2,
    )


def methods() -> Iterator[Case]:
    """Give bound methods."""

    class View:
        def get(self, req: object) -> None:
            """Do nothing."""

        async def get_async(self, req: object) -> None:
            """Do nothing."""

        def by_hand(self, req: object) -> Any:
            try:
                return plain_get(self, req)
            except Exception as error:  # noqa: BLE001
                return answer(error)

        async def by_hand_async(self, req: object) -> Any:
            try:
                return await plain_get_async(self, req)
            except Exception as error:  # noqa: BLE001
                return answer(error)

    plain_get: Any = View.get
    plain_get_async: Any = View.get_async

    class Decorated(View):
        get = catch_async(next=answer)(plain_get)
        get_async = catch_async(next=answer)(plain_get_async)

    view, decorated = View(), Decorated()
    get: Any = decorated.get
    get_async: Any = decorated.get_async
    yield Case(
        "method", {"by hand": calls(view.by_hand, 1), "catchasync": calls(get, 1)}, target=1.35
    )
    yield Case(
        "async method",
        {"by hand": awaits(view.by_hand_async, 1), "catchasync": awaits(get_async, 1)},
        target=1.10,
    )


def handed_next() -> Iterator[Case]:
    """Give the handlers of Express's form: with a guard of their own, and without."""

    def express(req: object, res: object, next: object) -> None:
        """Do nothing."""

    async def express_async(req: object, res: object, next: object) -> None:
        """Do nothing."""

    def two(req: object, res: object) -> None:
        """Do nothing."""

    async def two_async(req: object, res: object) -> None:
        """Do nothing."""

    forms: dict[str, dict[str, Any]] = {
        "def (req, res, next), with its guard": {
            "by hand": by_hand_express(express),
            "catchasync": catch_async(express),
            "by hand, with a guard": by_hand_guarded(express),
        },
        "async def (req, res, next), with its guard": {
            "by hand": by_hand_express_async(express_async),
            "catchasync": catch_async(express_async),
            "by hand, with a guard": by_hand_guarded_async(express_async),
        },
        "def (req, res), called with next": {
            "by hand": by_hand_two(two),
            "catchasync": catch_async(two),
        },
        "async def (req, res), called with next": {
            "by hand": by_hand_two_async(two_async),
            "catchasync": catch_async(two_async),
        },
    }
    for name, wrappers in forms.items():
        measured = awaits if name.startswith("async") else calls
        contestants = {who: measured(wrapper, 1, 2, answer) for who, wrapper in wrappers.items()}
        yield Case(name, contestants, target=1.4)


# --- handlers ------------------------------------------------------------------------------------


def returns(result: Any) -> Callable[..., Any]:
    """Make a handler that returns something."""

    def handler(_req: object, _res: object) -> Any:
        return result

    return handler


def returns_async(result: Any) -> Callable[..., Any]:
    """Make an async handler that returns something."""

    async def handler(_req: object, _res: object) -> Any:
        return result

    return handler


def fails(_req: object, _res: object) -> Any:
    """Fail."""
    raise ValueError


async def fails_async(_req: object, _res: object) -> Any:
    """Fail."""
    raise ValueError


def fails_express(_req: object, _res: object, next: object) -> Any:  # noqa: ARG001
    """Fail."""
    raise ValueError


async def fails_express_async(_req: object, _res: object, next: object) -> Any:  # noqa: ARG001
    """Fail."""
    raise ValueError


# --- wrapped by hand, each with the handler's own parameters -------------------------------------


def by_hand(handler: Any) -> Any:
    """Wrap as one would by hand."""

    def wrapper(req: object, res: object) -> Any:
        try:
            return handler(req, res)
        except Exception as error:  # noqa: BLE001
            return answer(error)

    return wrapper


def by_hand_async(handler: Any, next_: Any = None) -> Any:
    """Wrap as one would by hand; an async `next` is awaited."""

    async def wrapper(req: object, res: object) -> Any:
        try:
            return await handler(req, res)
        except Exception as error:  # noqa: BLE001
            return answer(error)

    async def wrapper_async_next(req: object, res: object) -> Any:
        try:
            return await handler(req, res)
        except Exception as error:  # noqa: BLE001
            return await next_(error)

    return wrapper_async_next if next_ else wrapper


def by_hand_express(handler: Any) -> Any:
    """Wrap a handler that is handed `next`; without a guard."""

    def wrapper(req: object, res: object, next: Any) -> Any:
        try:
            return handler(req, res, next)
        except Exception as error:  # noqa: BLE001
            return next(error)

    return wrapper


def by_hand_express_async(handler: Any) -> Any:
    """Wrap an async handler that is handed `next`; without a guard."""

    async def wrapper(req: object, res: object, next: Any) -> Any:
        try:
            return await handler(req, res, next)
        except Exception as error:  # noqa: BLE001
            return next(error)

    return wrapper


class Guard:
    """The least that keeps a second call of `next` from going through."""

    __slots__ = ("done", "next")

    def __init__(self, next: Any) -> None:
        self.next = next
        self.done = False

    def __call__(self, error: BaseException | None = None) -> Any:
        """Hand it on, once."""
        if self.done:
            return None
        self.done = True
        return self.next(error)


def by_hand_guarded(handler: Any) -> Any:
    """Wrap a handler that is handed `next`, with a guard."""

    def wrapper(req: object, res: object, next: Any) -> Any:
        guard = Guard(next)
        try:
            return handler(req, res, guard)
        except Exception as error:  # noqa: BLE001
            return guard(error)

    return wrapper


def by_hand_guarded_async(handler: Any) -> Any:
    """Wrap an async handler that is handed `next`, with a guard."""

    async def wrapper(req: object, res: object, next: Any) -> Any:
        guard = Guard(next)
        try:
            return await handler(req, res, guard)
        except Exception as error:  # noqa: BLE001
            return guard(error)

    return wrapper


def by_hand_two(handler: Any) -> Any:
    """Wrap a handler that is called with `next`, and is not handed it."""

    def wrapper(req: object, res: object, next: Any) -> Any:
        try:
            return handler(req, res)
        except Exception as error:  # noqa: BLE001
            return next(error)

    return wrapper


def by_hand_two_async(handler: Any) -> Any:
    """Wrap an async handler that is called with `next`, and is not handed it."""

    async def wrapper(req: object, res: object, next: Any) -> Any:
        try:
            return await handler(req, res)
        except Exception as error:  # noqa: BLE001
            return next(error)

    return wrapper


def sync_contestants(handler: Any) -> dict[str, Any]:
    """Return all ways to wrap a sync handler."""

    @functools.wraps(handler)
    def generic(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            return answer(error)

    @wrapt.decorator
    def by_wrapt(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        try:
            return wrapped(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            return answer(error)

    wrappers = {
        "by hand": by_hand(handler),
        "catchasync": catch_async(next=answer)(handler),
        "*args, **kwargs": generic,
        "wrapt.decorator": by_wrapt(handler),
        **loguru(handler),
    }
    return {name: calls(wrapper, 1, 2) for name, wrapper in wrappers.items()}


def async_contestants(handler: Any) -> dict[str, Any]:
    """Return all ways to wrap an async handler."""

    @functools.wraps(handler)
    async def generic(*args: Any, **kwargs: Any) -> Any:
        try:
            return await handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            return answer(error)

    @wrapt.decorator
    async def by_wrapt(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        try:
            return await wrapped(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            return answer(error)

    wrappers = {
        "by hand": by_hand_async(handler),
        "catchasync": catch_async(next=answer)(handler),
        "*args, **kwargs": generic,
        "wrapt.decorator": by_wrapt(handler),
        **loguru(handler),
        **returns_library(handler),
    }
    return {name: awaits(wrapper, 1, 2) for name, wrapper in wrappers.items()}


def loguru(handler: Any) -> dict[str, Any]:
    """Return loguru's way, where it is installed; its log goes nowhere."""
    try:
        logger = importlib.import_module("loguru").logger
    except ImportError:
        return {}
    logger.remove()
    return {"loguru.catch": logger.catch(onerror=answer)(handler)}


def returns_library(handler: Any) -> dict[str, Any]:
    """Return the way of `returns`, where it is installed."""
    try:
        future = importlib.import_module("returns.future")
    except ImportError:
        return {}
    return {"returns.future_safe": future.future_safe(handler)}
