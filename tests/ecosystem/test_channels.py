"""Channels: failures of consumers are reported, with `asgi.install` around the router."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("channels")

from asgiref.testing import ApplicationCommunicator
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from django.core.handlers.asgi import ASGIHandler

from catchasync.integrations import asgi
from catchasync.integrations.django import install
from tests.integrations.apps import _django_project as project
from tests.integrations.contract import UserMissing, make_errors


class Echo(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A consumer."""

    async def receive(self, text_data: str | None = None, bytes_data: object = None) -> None:
        """Answer, or fail."""
        if text_data == "fail":
            raise UserMissing
        await self.send(text_data=text_data)


Communicator: Any = ApplicationCommunicator


async def talk(app: Any) -> None:
    """Say two words to a consumer."""
    socket = Communicator(app, {"type": "websocket", "path": "/", "headers": []})
    await socket.send_input({"type": "websocket.connect"})
    assert "websocket.accept" == (await socket.receive_output())["type"]
    await socket.send_input({"type": "websocket.receive", "text": "hello"})
    assert "hello" == (await socket.receive_output())["text"]
    await socket.send_input({"type": "websocket.receive", "text": "fail"})
    await socket.wait()


def test_consumer_that_fails() -> None:
    """A consumer's failure is reported once, and ends the websocket as without us."""
    errors, reported = make_errors()
    project.state["errors"] = errors
    http: Any = install(ASGIHandler(), errors)
    app = asgi.install(ProtocolTypeRouter({"http": http, "websocket": Echo.as_asgi()}), errors)
    with pytest.raises(UserMissing):
        asyncio.run(talk(app))
    assert [("UserMissing", "websocket")] == [(each.name, each.source) for each in reported]
