"""A request's headers, as libcurl wants them: for what it would add by itself, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from requests.exceptions import InvalidHeader

OWN = ("Accept", "Content-Type", "Expect", "User-Agent")  # what libcurl would add
NAME = re.compile(rb"[^:;\s\0]+")
BROKEN = re.compile(rb"[\r\n\0]")


def header_lines(headers: Any) -> Iterator[bytes]:
    """Give a line for each; InvalidHeader for one that would begin another."""
    for name, value in headers.items():
        field = name.encode("latin-1")
        text = value if isinstance(value, bytes) else str(value).encode("latin-1")
        if not NAME.fullmatch(field) or BROKEN.search(text):
            raise InvalidHeader(f"the header {name!r} has a name or value that cannot be sent")
        # A semicolon is libcurl's spelling of an empty value.
        yield field + b": " + text if text.strip() else field + b";"
    for name in OWN:
        if name not in headers:
            yield b"%s:" % name.encode()
