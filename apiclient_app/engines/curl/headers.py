"""A request's headers, as libcurl wants them: for what it would add by itself, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apiclient_app.engines.headers import check

OWN = ("Accept", "Content-Type", "Expect", "User-Agent")  # what libcurl would add


def header_lines(headers: Any) -> Iterator[bytes]:
    """Give a line for each; InvalidHeader for one that would begin another."""
    check(headers)
    for name, value in headers.items():
        field = name.encode("latin-1")
        text = value if isinstance(value, bytes) else str(value).encode("latin-1")
        # A semicolon is libcurl's spelling of an empty value.
        yield field + b": " + text if text.strip() else field + b";"
    for name in OWN:
        if name not in headers:
            yield b"%s:" % name.encode()
