"""Parts of a file over HTTP (RFC 9110): of which version they are, and of which bytes. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

LENGTH = r"[0-9]{1,18}"  # an exabyte; int() refuses what has thousands of digits
CONTENT_RANGE = re.compile(rf"\s*bytes\s+({LENGTH})-({LENGTH})/({LENGTH}|\*)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Version:
    """What tells this version of a file from another, as far as the server says."""

    etag: str = ""
    modified: str = ""
    length: int | None = None

    @property
    def validator(self) -> str:
        """What If-Range takes; empty where no part may be added to another."""
        return self.etag or self.modified

    def same(self, headers: Mapping[str, str]) -> bool:
        """Whether a part that was answered with these headers is of this version."""
        if self.etag:
            return headers.get("ETag", "").strip() == self.etag
        return headers.get("Last-Modified", self.modified).strip() == self.modified


@dataclass(frozen=True, slots=True)
class Span:
    """What a 206 holds: from the byte `first`, of a file of so many bytes, if that is known."""

    first: int
    end: int
    length: int | None

    def fits(self, version: Version, offset: int) -> bool:
        """Whether it goes on from `offset` of that version."""
        known = self.length is None or version.length in (None, self.length)
        return self.first == offset < self.end and known


def version_of(headers: Mapping[str, str]) -> Version:
    """Give the version that a whole answer is of. What was compressed for the way has none."""
    if _encoded(headers):
        return Version()
    etag, length = sendable(headers.get("ETag", "")), headers.get("Content-Length", "").strip()
    known = re.fullmatch(LENGTH, length) and "Transfer-Encoding" not in headers
    return Version(
        etag=etag if etag.startswith('"') else "",  # not W/"…": equal is not the same bytes
        modified=_settled(headers),
        length=int(length) if known else None,
    )


def sendable(value: Any) -> str:
    """Give a header's text as it can be sent back; empty for what cannot."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isprintable() and text.isascii() else ""


def _encoded(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Encoding", "").strip().lower() not in ("", "identity")


def _settled(headers: Mapping[str, str]) -> str:
    """Give Last-Modified, where the file cannot have changed again within that second."""
    modified = sendable(headers.get("Last-Modified", ""))
    try:
        age = parsedate_to_datetime(headers["Date"]) - parsedate_to_datetime(modified)
    except (KeyError, ValueError, TypeError, OverflowError):
        return ""
    return modified if age.total_seconds() >= 1 else ""


def span_of(headers: Mapping[str, str]) -> Span | None:
    """Give where the body of a 206 belongs; None where it is not one run of bytes."""
    found = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if found is None or _encoded(headers):
        return None
    first, last, length = found.groups()
    return Span(int(first), int(last) + 1, None if length == "*" else int(length))


def asking(version: Version | None, offset: int) -> dict[str, str]:
    """Give the headers that ask for a file from `offset` on: for all of it, if it has changed."""
    headers = {"Accept-Encoding": "identity"}
    if version is not None and offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": version.validator}
    return headers
