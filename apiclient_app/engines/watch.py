"""A thread that ends what takes too long, however it drips: a socket's timeout is for one read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from heapq import heapify, heappop, heappush
from itertools import count

IDLE_SECONDS = 10.0


class Watch:
    """Calls functions at their time. One thread, while there is something to wait for."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a fork."""
        self._changed = threading.Condition()
        self._entries: list[tuple[float, int, list[Callable[[], None]]]] = []
        self._numbers = count()
        self._running = False
        self._idle = 0

    def at(self, until: float, do: Callable[[], None]) -> list[Callable[[], None]]:
        """Have `do` called at that time (monotonic); give what `forget` takes."""
        entry = [do]
        with self._changed:
            if not self._running:
                threading.Thread(target=self._run, daemon=True, name="apiclient-watch").start()
                self._running = True  # not before: there may be no thread to be had
            heappush(self._entries, (until, next(self._numbers), entry))
            if self._entries[0][2] is entry:
                self._changed.notify()
        return entry

    def forget(self, entry: list[Callable[[], None]]) -> None:
        entry.clear()
        self._idle += 1
        if self._idle > 64 + len(self._entries) // 2:
            with self._changed:
                self._entries = [each for each in self._entries if each[2]]
                heapify(self._entries)
                self._idle = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._entries and not self._changed.wait(IDLE_SECONDS):
                    if not self._entries:
                        self._running = False
                        return
                    continue
                if not self._entries:
                    continue
                left = self._entries[0][0] - time.monotonic()
                if left > 0:
                    self._changed.wait(min(left, IDLE_SECONDS))  # it takes no more than centuries
                    continue
                entry = heappop(self._entries)[2]
            for do in list(entry):
                with suppress(Exception):  # others wait for this thread
                    do()
