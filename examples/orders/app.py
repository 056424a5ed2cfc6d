"""The application: orders are placed, and summed up from what other services say."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from catchasync import ErrorContext, ErrorHandler, log_error
from catchasync.integrations.starlette import install
from examples.orders.errors import InvalidOrder, PartFailed, PartsFailed, PaymentRefused
from examples.orders.parts import Parts
from examples.orders.service import Shop, checked
from examples.orders.store import Stock


def make_errors(*reporters: Any) -> ErrorHandler:
    """Make the one place where errors are reported and answered."""
    errors = ErrorHandler(reporters=reporters or (log_error,))

    @errors.on(ExceptionGroup)
    def answer_group(group: ExceptionGroup[Exception], _context: Any) -> Exception | None:
        """Answer several parts that failed; a group of one is answered as the one."""
        parts = [error for error in group.exceptions if isinstance(error, PartFailed)]
        if len(parts) < len(group.exceptions):
            return None  # a bug is among them
        details = [{"code": part.code, **(part.details or {})} for part in parts]
        return PartsFailed(f"{len(parts)} parts could not be fetched", details=details)

    @errors.on(PaymentRefused)
    def send_on(_error: PaymentRefused, context: Any) -> Response | None:
        """Send a browser to a page for people; programs are told as ever."""
        is_browser = "text/html" in (context.accept or "")
        return RedirectResponse("/payment", 303) if is_browser else None

    return errors


class App(Starlette):
    """
    The shop as an ASGI application.

    Args:
        stock: What there is.
        parts: Where summaries come from.
        errors: The one place where errors are handled; see `make_errors`.
    """

    def __init__(self, stock: Stock, parts: Parts, errors: ErrorHandler) -> None:
        self.errors = errors
        self.parts = parts
        self.shop = Shop(stock, lambda error: errors.report(error, ErrorContext("rollback")))
        super().__init__(routes=routes(self.shop, parts), lifespan=closing)
        install(self, errors)


def routes(shop: Shop, parts: Parts) -> list[Route]:
    """Make the routes."""

    async def place(request: Request) -> Response:
        order = await shop.place(**checked(await body(request)))
        return JSONResponse(order.view(), 201)

    async def show_all(_request: Request) -> Response:
        return JSONResponse([order.view() for order in shop.orders.all()])

    async def show(request: Request) -> Response:
        return JSONResponse(shop.orders.get(request.path_params["id"]).view())

    async def sum_up(request: Request) -> Response:
        order = shop.orders.get(request.path_params["id"])
        is_patient = request.query_params.get("every") == "true"
        fetch = parts.fetch_each if is_patient else parts.fetch_all
        return JSONResponse({"order": order.view(), **await fetch(order.id)})

    async def payment(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Payment</title>Please try another card.")

    return [
        Route("/payment", payment),
        Route("/orders", place, methods=["POST"]),
        Route("/orders", show_all),
        Route("/orders/{id:int}", show),
        Route("/orders/{id:int}/summary", sum_up),
    ]


async def body(request: Request) -> Any:
    """Return what was sent as JSON."""
    try:
        return await request.json()
    except ValueError as error:
        msg = "an order is sent as JSON"
        raise InvalidOrder(msg) from error


@asynccontextmanager
async def closing(app: App) -> AsyncGenerator[None, None]:
    """Close what was opened."""
    yield
    await app.parts.close()
