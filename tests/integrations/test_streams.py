"""Bodies that are sent piece by piece, watched to their end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catchasync.integrations._streams import Stream
from tests.integrations.contract import SECRET, make_errors


class Body:
    """A body that fails at its first part, or in the end."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        if not self.parts:
            raise RuntimeError(SECRET)
        return iter(self.parts)

    def close(self) -> None:
        """Count."""
        self.closed += 1


def not_told(error: BaseException) -> None:
    """Fail."""
    pytest.fail(f"told of {error!r}")


def test_stream_that_has_begun_is_whole() -> None:
    """The first part that was asked for is not lost."""
    told: list[BaseException] = []
    stream = Stream(Body([b"1", b"2"]), told.append)
    stream.begin()
    assert [b"1", b"2"] == list(stream)
    assert [] == told


def test_stream_that_has_not_begun_is_whole() -> None:
    """A stream begins by itself, where nobody has asked for its first part."""
    assert [b"1", b"2"] == list(Stream([b"1", b"2"], not_told))


def test_empty_stream_begins() -> None:
    """A stream without parts begins as well."""
    stream = Stream(iter([]), not_told)
    stream.begin()
    assert [] == list(stream)


def test_stream_that_cannot_begin_is_closed() -> None:
    """A stream that fails at once is closed, since no server will, and its failure is raised."""
    body = Body([])
    with pytest.raises(RuntimeError, match=SECRET):
        Stream(body, not_told).begin()
    assert 1 == body.closed


def test_stream_without_close_that_cannot_begin() -> None:
    """It need not have a close."""
    with pytest.raises(TypeError, match="not iterable"):
        Stream(7, not_told).begin()


def test_head_does_not_begin_a_stream() -> None:
    """Who asks for the head alone is answered without the body being begun."""
    pytest.importorskip("pyramid")
    from tests.integrations.apps import pyramid  # noqa: PLC0415 - it may not be here
    from tests.integrations.client import ask  # noqa: PLC0415

    errors, reported = make_errors()
    with pyramid.serve(pyramid.build(errors)) as url:
        assert 200 == ask(url, "/stream-first", method="HEAD").status
    assert [] == reported
