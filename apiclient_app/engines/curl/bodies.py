"""A request's body, as libcurl asks for it: piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pycurl

READ_SIZE = 65_536


class Body:
    """What urllib3 would send of it. Whatever reading it raises is kept in `raised`."""

    __slots__ = ("_pieces", "_rest", "_whole", "raised")

    def __init__(self, body: Any) -> None:
        self.raised: BaseException | None = None
        self._whole, self._pieces = None, _pieces(body)
        if not hasattr(body, "read"):
            try:
                self._whole = memoryview(body.encode() if isinstance(body, str) else body)
            except TypeError:
                pass
            else:
                self._whole, self._pieces = self._whole.cast("B"), iter(())
        self._rest = self._whole or memoryview(b"")

    def read(self, size: int) -> bytes | int:
        """Give the next piece; nothing at the end."""
        try:
            while not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._rest = memoryview(piece.encode() if isinstance(piece, str) else piece)
            given, self._rest = bytes(self._rest[:size]), self._rest[size:]
        except BaseException as error:  # noqa: BLE001  # pycurl would print it, and go on
            self.raised = error
            return pycurl.READFUNC_ABORT
        return given

    def rewind(self, offset: int, _origin: int) -> int:
        """Go back to an offset, to be sent once more."""
        if self._whole is None:
            return pycurl.SEEKFUNC_FAIL
        self._rest = self._whole[offset:]
        return pycurl.SEEKFUNC_OK


def _pieces(body: Any) -> Iterator[Any]:
    if not hasattr(body, "read"):
        yield from body
        return
    while piece := body.read(READ_SIZE):
        yield piece
