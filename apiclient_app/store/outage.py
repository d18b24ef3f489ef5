"""A cache that does not answer: said once, and not asked again at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger("apiclient_app.store")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0


class Outage:
    """The health of one cache, as this process knows it. `clock` gives seconds."""

    def __init__(self, cache_alias: str, clock: Callable[[], float]) -> None:
        self._cache_alias, self._clock = cache_alias, clock
        self.reset()

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._refuses = False
        self.count = 0

    @property
    def lasts(self) -> bool:
        """Whether the next try is still to come."""
        return self.count > 0 and self._clock() < self._until

    def begin(self, error: BaseException) -> None:
        with self._lock:
            self.count += 1
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.count - 1, 10))
            self._until = self._clock() + pause
            self._refuses = refuses = refused(error)
            first = self.count == 1
        if first:
            logger.warning(
                "Cache %r %s (%s); clients go on with the tokens in memory.",
                self._cache_alias,
                "refuses what is to be stored" if refuses else "does not answer",
                type(error).__name__,
            )

    def end(self, storing: bool) -> None:
        """Take note of a success; one in reading says nothing of a cache that takes no more."""
        if not self.count or (self._refuses and not storing):
            return
        with self._lock:
            tries, self.count = self.count, 0
        if tries:
            logger.info("Cache %r answers again.", self._cache_alias)


def refused(error: BaseException) -> bool:
    """Whether a Redis answered, and that was its answer: it is full, say, or a replica."""
    return any(kind.__name__ == "ResponseError" for kind in type(error).__mro__)
