"""Headers that are longer than servers take: a token grows with every group its user is in."""

from __future__ import annotations

from typing import Any

TAKEN = 8192  # by nginx, Apache, gunicorn and Tomcat, if nobody says otherwise
SUSPICIOUS = 8000
# Bad request, content too large, header fields too large, and nginx's own word for the last.
STATUSES = frozenset({400, 413, 431, 494})
AROUND = len(": \r\n")


def oversize(request: Any) -> str:
    """Say which header of a request that was sent is that long, or all of them; else nothing."""
    headers = getattr(request, "headers", None) or {}
    sizes = {str(name): len(name) + len(value) + AROUND for name, value in headers.items()}
    longest = max(sizes, key=sizes.__getitem__, default="")
    if sizes.get(longest, 0) > SUSPICIOUS:
        return _said(f"the {longest} header has", sizes[longest])
    whole = sum(sizes.values())
    return _said("the headers together have", whole) if whole > SUSPICIOUS else ""


def _said(what: str, size: int) -> str:
    return f"{what} {size:,} bytes; many servers accept {TAKEN:,}"
