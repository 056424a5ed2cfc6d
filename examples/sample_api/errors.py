"""What can go wrong in the shop, in the words of the shop."""

from __future__ import annotations


class ShopError(Exception):
    """A failure that the client may be told of.

    Args:
        message: What the client reads.
    """

    status = 400
    code = "shop_error"


class InvalidData(ShopError):  # noqa: N818 - the words of the shop
    """What the client sent is not what was asked for."""

    status = 422
    code = "invalid_data"


class MalformedBody(ShopError):  # noqa: N818
    """What the client sent cannot be read."""

    code = "malformed_body"


class NotFound(ShopError):  # noqa: N818
    """There is nothing of that name."""

    status = 404
    code = "not_found"


class OutOfStock(ShopError):  # noqa: N818
    """There is less of an item than was ordered."""

    status = 409
    code = "out_of_stock"
