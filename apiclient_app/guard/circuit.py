"""A circuit breaker: an API that fails is left alone for a while, and then tried. Without I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import inf

from apiclient_app.kept import epoch, parsed, whole

LONGEST_FACTOR = 16
STATES = ("closed", "open", "half-open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The BREAKER setting: opens when, of the calls within `window` seconds, at least `failures`
    failed and at least that `share`; for `pause` seconds, and twice as long each time a probe
    fails, up to sixteen times."""

    failures: int = 10
    share: float = 0.5
    window: float = 30.0
    pause: float = 10.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """An open circuit: since `at`, and to be probed from `until` on (epoch seconds).

    One that was opened by hand stays so until it is closed by hand.
    """

    at: float
    until: float
    count: int = 1

    @property
    def by_hand(self) -> bool:
        return self.until == inf

    def state(self, now: float) -> str:
        return "open" if now < self.until else "half-open"

    def failed_again(self, breaker: Breaker, now: float) -> Circuit:
        factor = min(LONGEST_FACTOR, 2 ** min(self.count, 10))
        return replace(self, until=now + breaker.pause * factor, count=self.count + 1)

    def dump(self) -> str:
        return json.dumps([self.at, None if self.by_hand else self.until, self.count])

    @classmethod
    def load(cls, kept: str) -> Circuit:
        """Read what `dump` wrote; ValueError for anything else."""
        try:
            at, until, count = parsed(kept)
            return cls(epoch(at), inf if until is None else epoch(until), whole(count))
        except (TypeError, ValueError) as error:
            raise ValueError("no circuit") from error


class Score:
    """The calls of one process within the last window, in two halves: the older one fades."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self.clear()

    def clear(self) -> None:
        self._began = 0.0
        self._now = self._before = (0, 0)

    def add(self, now: float, failed: bool) -> bool:
        """Count a call; give whether the circuit is to open."""
        half = self._breaker.window / 2
        passed = (now - self._began) // half
        if passed:  # one half, or more, or a clock was set back
            self._before = self._now if passed == 1 else (0, 0)
            self._began, self._now = self._began + half if passed == 1 else now, (0, 0)
        calls, failures = self._now
        self._now = calls + 1, failures + failed
        if not failed:
            return False
        calls, failures = (a + b for a, b in zip(self._now, self._before, strict=True))
        breaker = self._breaker
        return failures >= breaker.failures and failures >= breaker.share * calls
