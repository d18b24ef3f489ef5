"""Calls from lines of text: a path, `METHOD path`, or a JSON object."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from zlib import crc32

from django.utils.translation import gettext as _

from apiclient_app.call import Call
from apiclient_app.conf.reading import METHODS
from apiclient_app.exceptions import InvalidRequest
from apiclient_app.secret import one_line

ARGUMENTS = frozenset(
    (
        *("json", "params", "data", "headers"),
        *("timeout", "deadline", "allow_redirects", "raise_for_status"),
    )
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that asks for a call. `mark` tells it from another one of that number."""

    number: int
    mark: str
    text: bytes = field(repr=False)
    began: float = field(default_factory=time.monotonic)

    def call(self) -> Call:
        """Give the call, tagged with this line and the line's own tag; raises InvalidRequest."""
        try:
            text = self.text.decode()
        except UnicodeDecodeError:
            raise InvalidRequest(_("the line is no UTF-8")) from None
        if text.startswith("{"):
            return self._from_json(text)
        method, *path = text.split(None, 1)
        if not path:
            return self._made("GET", text)
        if method.upper() in METHODS:
            return self._made(method.upper(), path[0])
        # To take it for a path would call something, and count it as done.
        text = _("%(word)r is no method; a path with a space in it needs a JSON object")
        raise InvalidRequest(text % {"word": one_line(method, 20)})

    def _from_json(self, text: str) -> Call:
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidRequest(_("the line is no JSON object")) from None
        tag = given.pop("tag", None)
        method, path = given.pop("method", "GET"), given.pop("path", None)
        if not isinstance(method, str) or not isinstance(path, str):
            raise InvalidRequest(_("a call needs a path, and a method that is a text"))
        if unknown := sorted(given.keys() - ARGUMENTS):
            text = _("a call does not take %(names)s; it takes %(known)s")
            known = ["method", "path", "tag", *sorted(ARGUMENTS)]
            raise InvalidRequest(text % {"names": ", ".join(unknown), "known": ", ".join(known)})
        return self._made(method.upper(), path, tag, **given)

    def _made(self, method: str, path: str, tag: Any = None, **arguments: Any) -> Call:
        if isinstance(timeout := arguments.get("timeout"), list):
            arguments["timeout"] = tuple(timeout)
        return Call(method, path, tag=(self, tag), **{"raise_for_status": True, **arguments})


def lines(source: Iterable[bytes], numbers: Iterator[int]) -> Iterator[Line]:
    """Give the lines that hold something; the others have a number too, as in an editor."""
    for line in source:
        number, text = next(numbers), line.removeprefix(b"\xef\xbb\xbf").strip()
        if text:
            yield Line(number, f"{crc32(text):08x}", text)


def count(source: IO[bytes]) -> int | None:
    """Give how many lines there are, if that can be told beforehand."""
    if not source.seekable():
        return None
    start = source.tell()
    pieces = iter(lambda: source.read(1 << 20), b"")
    found = sum(piece.count(b"\n") for piece in pieces)
    source.seek(start)
    return found
