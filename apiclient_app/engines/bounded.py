"""Whole answers: read to their end, if that comes before RESPONSE_LIMIT."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests

from .faults import Oversized, oversized

PIECE = 65_536


def held(response: Any, *, limit: int | None, stream: bool | None = False, **_how: Any) -> None:
    """Read the body, as `Session.send` does; Oversized where it is longer than `limit`, decoded.

    A response hook of requests. Of a stream, it reads the body of a redirect: requests would, to
    its end.
    """
    if isinstance(response, requests.Response) and (not stream or response.is_redirect):
        if limit is not None:
            read(response, limit)
        _ = response.content


@contextmanager
def holding(request: requests.PreparedRequest, limit: int | None) -> Iterator[None]:
    """Have `Session.send` hold what comes to the limit, by hooks before and after the user's own.

    The last one reads: theirs may look at the connection, or have sent once more (Digest). The
    first knows what to close where one of theirs raises: nobody else would.
    """
    theirs, came = request.hooks, list[requests.Response]()
    hooks = [lambda response, **_: came.append(response), *theirs["response"]]
    request.hooks = {**theirs, "response": [*hooks, partial(held, limit=limit)]}
    try:
        yield
    except requests.HTTPError:  # the answer to which is still to be read
        raise
    except BaseException:
        for response in came:
            response.close()
        raise
    finally:
        request.hooks = theirs


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
