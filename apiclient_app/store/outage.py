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
            first = self.count == 1
        if first:
            logger.warning(
                "Cache %r does not answer (%s); clients go on with the tokens in memory.",
                self._cache_alias,
                type(error).__name__,
            )

    def end(self) -> None:
        if not self.count:
            return
        with self._lock:
            tries, self.count = self.count, 0
        if tries:
            logger.info("Cache %r answers again.", self._cache_alias)
