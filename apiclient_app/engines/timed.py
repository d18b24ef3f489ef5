"""The deadlines of calls that are under way together, the soonest first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf

from .passage import Passage

HELD_SECONDS = 0.005  # away for less, and it is not worth a look at each deadline


class Timed:
    """Which of the calls `under_way` are over, and when one is to be looked at."""

    def __init__(self, under_way: set[Passage]) -> None:
        self._under_way = under_way
        self._entries: list[tuple[float, int, Passage]] = []
        self._looked = 0.0

    @property
    def first(self) -> float:
        """When the next one is over (monotonic)."""
        return self._entries[0][0] if self._entries else inf

    def keep(self, passage: Passage) -> bool:
        """See to it that its deadline is kept; False if that is not known yet, or seen to."""
        deadline = passage.outgoing.deadline
        if deadline is None or deadline.until == inf or passage.timed:
            return False
        passage.timed = deadline.kept = True
        entries = self._entries
        if not entries:
            self._looked = time.monotonic()
        if len(entries) > 4 * len(self._under_way) + 64:  # most of them have ended
            entries[:] = [each for each in entries if each[2] in self._under_way]
            heapify(entries)
        heappush(entries, (deadline.until, passage.number, passage))
        return True

    def late(self) -> Iterator[Passage]:
        """Give those whose time is over."""
        while self._entries and self._entries[0][0] <= time.monotonic():
            passage = heappop(self._entries)[2]
            if passage in self._under_way:
                yield passage

    def leave(self) -> None:
        """Note that nobody looks from now on."""
        if self._entries:
            self._looked = time.monotonic()

    def come_back(self) -> None:
        """Take no account of time in which nobody looked: it was neither the API's nor ours."""
        away = time.monotonic() - self._looked
        if not self._entries or away < HELD_SECONDS:
            return
        entries, self._entries = self._entries, []
        for _, number, passage in entries:
            deadline = passage.outgoing.deadline
            if deadline is not None and passage in self._under_way:
                deadline.rest(away)
                heappush(self._entries, (deadline.until, number, passage))
