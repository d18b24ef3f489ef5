"""Whole answers: read to their end, if that comes before RESPONSE_LIMIT."""

from __future__ import annotations

from typing import Any

import requests

from .faults import Oversized, oversized

PIECE = 65_536


def held(response: Any, *, limit: int | None, stream: bool | None = False, **_how: Any) -> None:
    """Read the body, as `Session.send` does; Oversized where it is longer than `limit`, decoded.

    Can be a response hook of requests. Of a stream, it reads the body of a redirect: requests
    would, to its end.
    """
    if isinstance(response, requests.Response) and (not stream or response.is_redirect):
        if limit is not None:
            read(response, limit)
        _ = response.content


def read(response: requests.Response, limit: int) -> None:
    """Read a body that nobody has read yet; Oversized where it is longer than `limit`."""
    raw: Any = response.raw
    if raw is None or response._content_consumed:
        return
    size, pieces = 0, list[bytes]()
    if (getattr(raw, "length_remaining", None) or 0) > limit:
        raise _closed(response, limit)
    for piece in response.iter_content(PIECE):
        size += len(piece)
        if size > limit:
            raise _closed(response, limit)
        pieces.append(piece)
    response._content = b"".join(pieces)
    response._content_consumed = True


def _closed(response: requests.Response, limit: int) -> Oversized:
    """Close the connection, on which the rest would come, and give the error."""
    response.close()
    return oversized(limit)
