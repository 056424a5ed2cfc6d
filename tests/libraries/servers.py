"""The servers that real clients talk to: each in this process, on a loopback port of its own."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.libraries.conftest import require
from tests.libraries.support import PATIENCE


@contextmanager
def dns_server() -> Generator[str]:
    """
    Run a DNS server: its address.

    It knows 192.0.2.7 for ``*.known.test``, does not answer for ``*.silent.test``, and knows no
    other name.
    """
    dnslib, server = require("dnslib"), require("dnslib.server")

    class Resolver:
        def resolve(self, request: Any, _handler: Any) -> Any:
            name, reply = str(request.q.qname), request.reply()
            if name.endswith(".silent.test."):
                raise dnslib.DNSError  # which the server takes for a query not worth an answer
            if name.endswith(".known.test."):
                address = dnslib.A("192.0.2.7")
                reply.add_answer(dnslib.RR(request.q.qname, rdata=address, ttl=60))
            else:
                reply.header.rcode = dnslib.RCODE.NXDOMAIN
            return reply

    silent = server.DNSLogger(logf=lambda _line: None)
    dns = server.DNSServer(Resolver(), address="127.0.0.1", port=0, logger=silent)
    dns.start_thread()
    try:
        yield "{}:{}".format(*dns.server.server_address)
    finally:
        dns.stop()
        dns.server.server_close()


@contextmanager
def kafka_broker() -> Generator[str]:
    """Run librdkafka's own broker, which lives as long as its producer: its address."""
    kafka = require("confluent_kafka")
    keeper = kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [broker] = keeper.list_topics(timeout=PATIENCE).brokers.values()
    yield f"{broker.host}:{broker.port}"
    keeper.flush()


async def serve_and_close(connected: Any, reader: Any, writer: Any, **options: Any) -> None:
    """Serve a client of amqtt, which leaves the connection of a client that is gone open."""
    try:
        await connected(reader, writer, **options)
    finally:
        writer.close()


@contextmanager
def mqtt_broker() -> Generator[int]:
    """Run an MQTT broker that refuses whoever gives no user name: its port."""
    broker_module = require("amqtt.broker")
    config = {
        "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False},
        },
    }
    port: Future[int] = Future()
    stop: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stopping = asyncio.Event()
        stop.set_result((asyncio.get_running_loop(), stopping))
        broker = broker_module.Broker(config)
        broker.stream_connected = functools.partial(serve_and_close, broker.stream_connected)
        await broker.start()
        [listener] = broker._servers.values()  # the only place where it says which port it got
        port.set_result(listener.instance.sockets[0].getsockname()[1])
        await stopping.wait()
        await broker.shutdown()

    with ThreadPoolExecutor(1, "mqtt-broker") as pool:
        served = pool.submit(asyncio.run, serve())
        try:
            yield port.result(PATIENCE)
        finally:
            loop, stopping = stop.result(PATIENCE)
            loop.call_soon_threadsafe(stopping.set)
            served.result(PATIENCE)


class Echo:
    """
    What the grpc server does.

    ``/Echo/Say`` answers in capitals, ``/Echo/Hold`` answers when `release` is set, and a request
    of ``b"nobody"`` is answered by NOT_FOUND.
    """

    def __init__(self) -> None:
        self.grpc = require("grpc")
        self.release = threading.Event()

    def say(self, request: bytes, context: Any) -> bytes:
        """Answer, or fail."""
        if request == b"nobody":
            context.abort(self.grpc.StatusCode.NOT_FOUND, "there is nobody")
        return request.upper()

    def hold(self, request: bytes, _context: Any) -> bytes:
        """Answer when the test says so."""
        self.release.wait(PATIENCE)
        return request

    def handler(self) -> Any:
        """Return what grpc registers."""
        serve = self.grpc.unary_unary_rpc_method_handler
        methods = {"Say": serve(self.say), "Hold": serve(self.hold)}
        return self.grpc.method_handlers_generic_handler("Echo", methods)


@contextmanager
def grpc_server() -> Generator[tuple[str, Echo]]:
    """Run a grpc server: its address, and what it does."""
    echo = Echo()
    with ThreadPoolExecutor(4, "grpc-server") as pool:
        server = echo.grpc.server(pool, handlers=(echo.handler(),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}", echo
        finally:
            echo.release.set()
            server.stop(grace=None).wait(PATIENCE)
