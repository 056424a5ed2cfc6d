"""pyramid_tm: its transactions have ended when we answer, whichever of the two came first."""

from __future__ import annotations

from typing import Any, Final

import pytest

pytest.importorskip("pyramid_tm")

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPConflict, HTTPFound
from pyramid.request import Request
from pyramid.response import Response

from catchasync import ErrorHandler
from catchasync.errors import NotFound
from catchasync.integrations.pyramid import install
from tests.integrations.contract import SECRET, UserMissing


class Manager:
    """A data manager, which writes down how its transaction ends."""

    def __init__(self, manager: Any, log: list[str], *, is_broken: bool) -> None:
        self.transaction_manager = manager
        self.log = log
        self.is_broken = is_broken

    def tpc_begin(self, transaction: object) -> None:
        """Do nothing, as the others do."""

    commit = tpc_abort = tpc_begin

    def tpc_vote(self, transaction: object) -> None:
        """Refuse, where that is wanted."""
        if self.is_broken:
            raise RuntimeError(SECRET)

    def tpc_finish(self, transaction: object) -> None:
        """Commit."""
        self.log.append("committed")

    def abort(self, transaction: object) -> None:
        """Roll back."""
        self.log.append("rolled back")

    def sortKey(self) -> str:  # noqa: N802 - its name
        """Say where it stands among others."""
        return "notes"


RAISED: Final = {
    "bug": RuntimeError(SECRET),
    "conflict": HTTPConflict(),
    "domain": UserMissing(),
    "http": NotFound("no such user"),
    "moved": HTTPFound("/ok"),
}


def view(request: Any) -> Response:
    """Take part in the transaction, and do what the client says."""
    log = request.registry["log"]
    what = request.matchdict["what"]
    transaction = request.tm.get()
    transaction.join(Manager(request.tm, log, is_broken=what == "commit"))
    if what in RAISED:
        raise RAISED[what]
    return Response("ok", headers={"X-Veto": "1"} if what == "veto" else {})


def veto(request: object, response: Any) -> bool:
    """Say whether a response is none to commit for."""
    return "X-Veto" in response.headers


@pytest.mark.parametrize(
    ("what", "status", "log", "reports"),
    [
        ("ok", 200, "committed", []),
        ("bug", 500, "rolled back", ["RuntimeError"]),
        ("commit", 500, "rolled back", ["RuntimeError"]),
        ("conflict", 409, "rolled back", ["HTTPConflict"]),
        ("domain", 404, "rolled back", ["UserMissing"]),
        ("http", 404, "rolled back", ["NotFound"]),
        ("moved", 302, "rolled back", []),
        ("veto", 200, "rolled back", []),
    ],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_transaction_ends_first(
    what: str, status: int, log: str, reports: list[str], *, is_first: bool
) -> None:
    """What fails is rolled back, and reported once; what does not is committed, but for a veto."""
    seen: list[str] = []
    errors = ErrorHandler(reporters=[lambda error, context: seen.append(type(error).__name__)])
    errors.on(UserMissing, status=404)
    config: Any = Configurator(settings={"tm.commit_veto": veto} if what == "veto" else {})
    config.registry["log"] = seen
    if is_first:
        install(config, errors)
    config.include("pyramid_tm")
    config.add_route("view", "/{what}")
    config.add_view(view, route_name="view")
    if not is_first:
        install(config, errors)

    answer = Request.blank(f"/{what}").get_response(config.make_wsgi_app())
    assert status == answer.status_code
    assert [log, *reports] == list(dict.fromkeys(seen))  # a refused commit is rolled back twice
