"""Requests that are none: where the server is the framework's own, its answer is rendered too."""

from __future__ import annotations

import importlib
import socket
from urllib.parse import urlsplit

import pytest

from tests.integrations.contract import make_errors


@pytest.mark.parametrize("request_line", [b"GARBAGE", b"GET /ok HTTP/9.1"])
def test_broken_request_of_sanic(request_line: bytes) -> None:
    """A request that Sanic cannot read is an error of a request, reported once as expected."""
    pytest.importorskip("sanic")
    app = importlib.import_module("tests.integrations.apps.sanic")
    errors, reported = make_errors()
    with app.serve(app.build(errors)) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            connection.sendall(request_line + b"\r\n\r\n")
            assert b"HTTP/1.1 400" == connection.makefile("rb").read(12)
    assert [("route", True)] == [(report.source, report.expected) for report in reported]
