"""What can go wrong with posts: a small hierarchy, by whose fault it is.

::

    HttpError
    ├── the client's fault: InvalidPath (404), PostNotFound (404), InvalidQuery (400)
    └── SourceError, the fault of where posts come from (502)
        ├── SourceDown (503): it does not answer, or refuses
        ├── SourceTimeout (504): it does not answer in time
        └── SourceInvalid (502): what it answers is not what it promised
"""

from __future__ import annotations

from catchasync.errors import BadGateway, BadRequest, NotFound


class InvalidPath(NotFound):
    """There is nothing under this path."""

    code = "invalid_path"


class PostNotFound(NotFound):
    """There is no such post."""

    code = "post_not_found"


class InvalidQuery(BadRequest):
    """A parameter of the query is not what it has to be."""

    code = "invalid_query"


class SourceError(BadGateway):
    """Where posts come from has failed; ``__cause__`` says more, to us alone."""

    code = "source_failed"
    expose = True


class SourceDown(SourceError, status=503):  # noqa: N818 - the words of the domain
    """It does not answer, or refuses to."""

    code = "source_down"


class SourceTimeout(SourceError, status=504):  # noqa: N818
    """It does not answer in time."""

    code = "source_timeout"


class SourceInvalid(SourceError):  # noqa: N818
    """What it answers is not what it promised; ``details`` says where."""

    code = "source_invalid"
