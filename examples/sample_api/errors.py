"""What can go wrong in the shop, in the words of the shop: each with its status and code."""

from __future__ import annotations

from catchasync.errors import BadRequest, Conflict, NotFound, UnprocessableContent


class MalformedBody(BadRequest):
    """What the client sent cannot be read."""

    code = "malformed_body"


class UserNotFound(NotFound):
    """There is no such user."""

    code = "user_not_found"


class OutOfStock(Conflict):
    """There is less of an item than was ordered."""

    code = "out_of_stock"


class InvalidData(UnprocessableContent):
    """What the client sent is not what was asked for."""

    code = "invalid_data"
