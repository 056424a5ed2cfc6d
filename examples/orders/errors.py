"""What can go wrong with an order, in the words of the shop."""

from __future__ import annotations

from catchasync.errors import (
    BadGateway,
    Conflict,
    NotFound,
    PaymentRequired,
    UnprocessableContent,
)


class OrderNotFound(NotFound):
    """There is no such order."""

    code = "order_not_found"


class InvalidOrder(UnprocessableContent):
    """What was sent is no order; ``details`` says why, field by field."""

    code = "invalid_order"


class PaymentRefused(PaymentRequired):
    """The card cannot pay this."""

    code = "payment_refused"


class OutOfStock(Conflict):
    """There is less of an item than was ordered."""

    code = "out_of_stock"


class PartFailed(BadGateway):
    """A part of an answer could not be fetched; ``__cause__`` is why, ``details`` says which."""

    code = "part_failed"
    expose = True


class PartTimeout(PartFailed, status=504):
    """A part of an answer did not come in time."""

    code = "part_timeout"


class PartsFailed(BadGateway):
    """Several parts of an answer could not be fetched; ``details`` has each one."""

    code = "parts_failed"
    expose = True
