"""Tornado."""

from __future__ import annotations

from typing import Any

from tornado import web

from benchmarks.apps import USER, Setup, by_hand, missing
from catchasync.errors import NotFound
from catchasync.integrations.tornado import as_next, install

KIND = "tornado"


class Plain(web.RequestHandler):
    """A handler of Tornado's."""


class Answering(web.RequestHandler):
    """A handler that answers an error."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error."""
        error = kwargs["exc_info"][1]
        if not isinstance(error, NotFound):
            super().write_error(status_code, **kwargs)
            return
        body, status, headers = by_hand(error)
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name, value)
        _ = self.finish(body)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log no expected error."""
        if not isinstance(value, NotFound):
            super().log_exception(typ, value, tb)


async def user(self: web.RequestHandler) -> None:
    """Answer."""
    self.write(USER)


async def failing(_self: web.RequestHandler) -> None:
    """Fail."""
    raise missing()


def build(setup: Setup) -> Any:
    """Return the app."""
    base = Answering if setup.is_by_hand else Plain
    routes = [
        (path, type("Handler", (base,), {"get": setup.decorated(each, as_next)}))
        for path, each in {"/user": user, "/missing": failing}.items()
    ]
    return setup.installed(web.Application(routes), install)
