"""The order of many calls: which may begin, and whose outcome is given next. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

AHEAD = 4  # times the concurrency: how far the fastest may be before the slowest, in order


class Window(Generic[T]):
    """At most `concurrency` calls under way, and a bounded number that wait for their turn."""

    def __init__(self, concurrency: int, *, ordered: bool) -> None:
        self._concurrency, self._ordered = concurrency, ordered
        self._begun = self._given = self._under_way = 0
        self._ended: dict[int, T] = {}
        self._ready: deque[T] = deque()

    def begin(self) -> int:
        """Count a call; give its number."""
        self._begun += 1
        self._under_way += 1
        return self._begun - 1

    def end(self, number: int, outcome: T) -> None:
        self._under_way -= 1
        if not self._ordered:
            self._ready.append(outcome)
            return
        self._ended[number] = outcome
        while (ready := self._given + len(self._ready)) in self._ended:
            self._ready.append(self._ended.pop(ready))

    @property
    def free(self) -> int:
        """How many calls may begin now."""
        waiting = self._begun - self._given if self._ordered else len(self._ready)
        return min(self._concurrency - self._under_way, self._concurrency * AHEAD - waiting)

    @property
    def ready(self) -> bool:
        return bool(self._ready)

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return self._under_way > 0

    def take(self) -> T:
        """Give the next outcome; there must be one that is `ready`."""
        self._given += 1
        return self._ready.popleft()
