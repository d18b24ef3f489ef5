"""A counter of changes: threads wait for the next one, event loops are rung. No I/O, no clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Changes:
    """`version` goes up by one at each change, which is made and told under `_changed`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watchers: set[Callable[[], None]] = set()
        self.version = 0

    def wait(self, version: int, seconds: float) -> None:
        """Block until something changed since `version`, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, seconds)

    def watch(self, ring: Callable[[], None]) -> None:
        """Have `ring` called at every change: in any thread, and it must not block."""
        with self._changed:
            self._watchers.add(ring)

    @contextmanager
    def watched(self, ring: Callable[[], None]) -> Iterator[None]:
        """Do as `watch`, for the length of the block."""
        self.watch(ring)
        try:
            yield
        finally:
            with self._changed:
                self._watchers.discard(ring)

    def _notify(self) -> None:
        self.version += 1
        self._changed.notify_all()
        for ring in self._watchers:
            ring()
