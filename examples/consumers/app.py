"""The application: four ways in, and the one error handler that all of them share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catchasync import ErrorHandler, catch_async
from catchasync.integrations.starlette import install
from examples.consumers.inbox import reporting
from examples.consumers.kafka import Deliveries
from examples.consumers.mqtt import Thermometers
from examples.consumers.rooms import Rooms


class ColdStore(Starlette):
    """
    The cold store as an ASGI application, which consumes and checks while it is served.

    Args:
        rooms: The rooms.
        kafka: The address of the Kafka broker.
        mqtt: The port of the MQTT broker.
        reporters: Who is told of failures, wherever they happen.
        period: Seconds between two checks.
    """

    def __init__(
        self, rooms: Rooms, kafka: str, mqtt: int, reporters: Iterable[Any], period: float = 60
    ) -> None:
        self.rooms = rooms
        self.errors = ErrorHandler(reporters=reporters)
        self.deliveries = Deliveries(kafka, self.errors, rooms.take_delivery)
        self.thermometers = Thermometers(mqtt, self.errors, rooms.take_reading)
        self.scheduler = AsyncIOScheduler(timezone=UTC)
        job = catch_async(next=reporting(self.errors, "job"))(self.check)
        self.scheduler.add_job(job, "interval", seconds=period, id="check")
        super().__init__(routes=[Route("/rooms/{name}", self.show)], lifespan=working)
        install(self, self.errors)

    async def check(self) -> None:
        """Be the scheduled job."""
        await asyncio.to_thread(self.rooms.check)

    async def show(self, request: Request) -> Response:
        """Be the route."""
        room = await asyncio.to_thread(self.rooms.show, request.path_params["name"])
        return JSONResponse(room)


@asynccontextmanager
async def working(app: ColdStore) -> AsyncGenerator[None]:
    """Consume and check, as long as the application is served."""
    with app.deliveries.running(), app.thermometers.running():
        app.scheduler.start()
        try:
            yield
        finally:
            app.scheduler.shutdown()
