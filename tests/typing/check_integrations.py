"""What type checkers must accept of the integrations, and must refuse. Never run."""

from collections.abc import Iterable
from typing import Any, assert_type

from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from catchasync import ErrorHandler, catch_async
from catchasync.integrations import asgi, fastapi, flask, starlette, wsgi


class Shop(FastAPI):
    pass


errors = ErrorHandler()

assert_type(starlette.install(Starlette(), errors), Starlette)
assert_type(fastapi.install(FastAPI(), errors), FastAPI)
assert_type(fastapi.install(Shop(), errors), Shop)
assert_type(flask.install(Flask("shop"), errors), Flask)
assert_type(starlette.as_next(errors)(ValueError()), Response)


@catch_async(next=starlette.as_next(errors))
async def show(request: Request) -> Response:
    return Response()


async def asgi_app(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi_app(environ: Any, start_response: Any) -> Iterable[bytes]:
    return []


guarded_asgi = asgi.install(asgi_app, errors)
guarded_wsgi = wsgi.install(wsgi_app, errors)

starlette.install(Flask("shop"), errors)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
fastapi.install(Starlette(), errors)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
flask.install(Flask("shop"), print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
asgi.install(wsgi_app, errors)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
starlette.as_next(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
