"""Lines of a source that may be slow: what is there is done before more is waited for."""

from __future__ import annotations

import io
import os
import queue
from collections.abc import Iterator
from threading import Thread
from typing import IO

AHEAD = 1_000
PIECE = 65_536
PATIENCE_SECONDS = 0.05


def batches(source: IO[bytes]) -> Iterator[Iterator[bytes]]:
    """Give the lines in batches, each to be taken to its end before the next.

    A batch ends where the next line has to be waited for: `map` would wait with it, and keep
    answers back that have come. What is read from a file is one batch.
    """
    if source.seekable() or not _descriptor(source):
        yield iter(source)
        return
    feed = Feed(source)
    while not feed.over:
        yield feed.batch()


def _descriptor(source: IO[bytes]) -> bool:
    try:
        source.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return False
    return True


class Feed:
    """Reads ahead in a thread, which ends with the process at the latest."""

    def __init__(self, source: IO[bytes]) -> None:
        self._lines: queue.Queue[bytes | OSError | None] = queue.Queue(AHEAD)
        self.over = False
        # Not through `source`: its lock would be held when the interpreter ends.
        Thread(target=self._read, args=(source.fileno(),), daemon=True).start()

    def batch(self) -> Iterator[bytes]:
        """Wait for a line, then give those that come without a pause."""
        patience: float | None = None
        while True:
            try:
                line = self._lines.get(timeout=patience)
            except queue.Empty:
                return
            if line is None or isinstance(line, OSError):
                self.over = True
                if line is not None:
                    raise line
                return
            yield line
            patience = PATIENCE_SECONDS

    def _read(self, descriptor: int) -> None:
        kept = b""
        try:
            while piece := os.read(descriptor, PIECE):
                *whole, kept = (kept + piece).split(b"\n")
                for line in whole:
                    self._lines.put(line)
        except OSError as error:
            self._lines.put(error)
            return
        if kept:
            self._lines.put(kept)
        self._lines.put(None)
