"""What can go wrong in the cold store, whoever asks."""

from __future__ import annotations

from catchasync.errors import Conflict, NotFound, ServiceUnavailable, UnprocessableContent


class InvalidMessage(UnprocessableContent):
    """What was sent is not what was asked for, and never will be."""

    code = "invalid_message"


class UnknownRoom(NotFound):
    """There is no such room."""

    code = "unknown_room"


class TooWarm(Conflict):
    """Rooms are warmer than they may be; ``details`` says which."""

    code = "too_warm"


class StoreDown(ServiceUnavailable):
    """The database does not answer: this may pass."""

    code = "store_down"
