"""Rendering an error, and taking apart what came of it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any, NoReturn

from catchasync import render_error
from tests.support import Boom

OURS = {
    "content-type",
    "content-length",
    "x-content-type-options",
    "content-security-policy",
}


def loaded(error: object, **options: Any) -> Any:
    """Render an error, and parse the JSON."""
    return json.loads(render_error(error, **options).body)


def text(error: object, **options: Any) -> str:
    """Render an error, and decode the body."""
    return render_error(error, **options).body.decode()


def error_with(**attributes: Any) -> Boom:
    """Make a foreign error with attributes."""
    error = Boom("secret")
    vars(error).update(attributes)
    return error


VOID = {"meta", "wbr"}
PLAIN = {
    "body", "code", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3", "head", "header", "html",
    "main", "mark", "p", "pre", "span", "strong", "style", "summary", "title",
}  # fmt: skip
ATTRIBUTES = {"charset", "class", "content", "data-n", "lang", "name", "open"}


class Page(HTMLParser):
    """
    A page, taken apart; it asserts that the page is well-formed, and made of plain elements.

    Args:
        source: The page.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        assert source.startswith("<!DOCTYPE html>\n<html")
        self.feed(source)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; nothing but plain ones may be there."""
        assert tag in PLAIN | VOID
        assert {name for name, _ in attrs} <= ATTRIBUTES
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what was opened last."""
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Add a text to all the elements that it is in."""
        for tag in {*self.open}:
            self.texts[tag][-1] += data

    def handle_comment(self, data: str) -> None:
        """Refuse: there are none."""
        raise AssertionError(data)

    handle_pi = unknown_decl = handle_comment

    @property
    def text(self) -> str:
        """All the text of the body."""
        return "".join(self.texts["body"])


def page_of(error: object, **options: Any) -> Page:
    """Render an error as a page, with debug unless told otherwise."""
    options = {"debug": True, "format": "html", **options}
    return Page(render_error(error, **options).body.decode())


def raised(error: BaseException) -> BaseException:
    """Give an error a traceback."""
    try:
        raise_it(error)
    except BaseException as caught:  # noqa: BLE001 - it is returned
        return caught


def raise_it(error: BaseException) -> NoReturn:
    """Raise an error."""
    raise error
