"""Errors that are not to be trusted: hostile ones, and those of HTTP clients."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any

import pytest

from tests.support import Boom


class Endless(list[int]):
    """A list that never ends."""

    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1


class EndlessMapping(Mapping[str, int]):
    """A mapping that never ends."""

    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield str(number)

    def __len__(self) -> int:
        return 1


class Broken:
    """An object that raises at each look."""

    def __getattribute__(self, name: str) -> Any:
        raise Boom(name)

    def __str__(self) -> str:
        raise Boom


class BadDict(dict[str, int]):
    """A dict that raises."""

    def items(self) -> Any:
        """Raise."""
        raise Boom


def raising(*_args: Any, **_options: Any) -> Any:
    """Raise."""
    raise Boom


def hostile(raised: BaseException) -> BaseException:
    """Make an error that raises something at each look."""

    class Hostile(Exception):
        def __getattribute__(self, name: str) -> Any:
            raise raised

    return Hostile()


def urllib_error() -> Any:
    """The standard library's sets ``code`` and ``status``."""
    return urllib.error.HTTPError("http://localhost", 404, "secret", Message(), None)


def aiohttp_client_error() -> Any:
    """Aiohttp's client sets ``status``."""
    client = pytest.importorskip("aiohttp")
    return client.ClientResponseError(None, (), status=404, message="secret", headers={"a": "b"})


def httpx_error() -> Any:
    """The status is the response's."""
    httpx = pytest.importorskip("httpx")
    request = httpx.Request("GET", "http://localhost")
    return httpx.HTTPStatusError("secret", request=request, response=httpx.Response(404))


def requests_error() -> Any:
    """Likewise."""
    return pytest.importorskip("requests").HTTPError("secret")


def tornado_client_error() -> Any:
    """Tornado's client sets ``code``."""
    return pytest.importorskip("tornado.httpclient").HTTPClientError(404, "secret")


CLIENTS = [urllib_error, aiohttp_client_error, httpx_error, requests_error, tornado_client_error]
