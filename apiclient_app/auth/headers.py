"""What a header may hold: nothing that would begin another, or end the request."""

from __future__ import annotations

import re
from functools import lru_cache

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
BROKEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # control characters: section 5.5
OUTSIDE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")  # these, and what is not Latin-1


def sendable(name: object, value: object) -> bool:
    """Whether a header can be sent as one, and no more than one."""
    return named(name) and OUTSIDE.search(text(value)) is None


@lru_cache(1024)  # there are few, and every call has six of them
def named(name: object) -> bool:
    """Whether that can be the name of a header."""
    return NAME.fullmatch(text(name)) is not None


def text(part: object) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else str(part)
