"""What type checkers must accept of routers, controllers and routes, and must refuse. Never run."""

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

from catchasync import (
    Route,
    apply_routes,
    create_routes,
    wrap_controller,
    wrap_handler,
    wrap_router,
)
from catchasync.testing import RecordingNext


def answer(error: BaseException) -> str:
    return str(error)


class Router:
    def get(self, path: str, handler: Callable[..., Any]) -> "Router":
        return self


def show(number: int) -> str:
    return str(number)


async def show_async(number: int) -> str:
    return str(number)


# A wrapped router has the type of the router, and its options those of `catch_async`.

router = wrap_router(Router(), next=answer)
assert_type(router, Router)
assert_type(router.get("/", show), Router)
wrap_router(Router(), next="done", methods=("on_message",), catch=KeyError, late=RecordingNext())
wrap_router(Router())
router.get(5, show)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wrap_router(Router(), next=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wrap_router(Router(), methods=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wrap_router(Router(), cach=KeyError)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
wrap_router(Router(), catch=int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wrap_router(router=Router())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

# A stand-in has the type of the handler.

assert_type(wrap_handler(show, next=answer)(1), str)
started: Coroutine[Any, Any, str] = wrap_handler(show_async, next=answer, pass_through=OSError)(1)
wrap_handler(show, next=answer)("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wrap_handler(show)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
wrap_handler(5, next=answer)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]

# A controller stays one; of its methods, found by name, nothing is known.

assert_type(wrap_controller(Router(), next=answer), Router)
assert_type(wrap_controller(Router(), "get", next=answer), Callable[..., Any])
wrap_controller(Router(), 5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
wrap_controller(Router(), cach=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]

# Routes.

routes = create_routes({"show": {"method": "get", "path": "/", "handler": show}}, next=answer)
assert_type(routes, dict[str, Route])
assert_type(routes["show"].method, str)
assert_type(apply_routes(Router(), routes), Router)
create_routes({"show": 5})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
create_routes({}, cach=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
apply_routes(Router(), {"show": 5})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
routes["show"].path = "/"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
