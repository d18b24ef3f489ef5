"""The time for a whole call: one budget for locks, token, retries, replay and body."""

from __future__ import annotations

import time
from math import inf

SLACK = 0.005  # a timeout that ends so much early has ended because of it


class Deadline:
    """So many `seconds` from its start; without end until then.

    `sent` tells whether anything may have gone to the API by then, and `begun` how many requests
    were let go. One that is `kept` is seen to by whoever drives the call.
    """

    __slots__ = ("_before", "begun", "kept", "seconds", "sent", "until")

    def __init__(self, seconds: float) -> None:
        self.seconds, self.until, self.begun = seconds, inf, 0
        self.sent = self._before = self.kept = False

    def start(self) -> None:
        """Have it run from now on, if it does not yet."""
        self.begun += 1
        if self.until == inf:
            self.until = time.monotonic() + self.seconds

    def rest(self, seconds: float) -> None:
        """Take no account of the last `seconds`, or of as many as have passed since the start."""
        self.until = min(self.until + seconds, time.monotonic() + self.seconds)

    def sending(self) -> None:
        self._before, self.sent = self.sent, True

    def unsent(self) -> None:
        """Take the last `sending` back: no connection came about."""
        self.sent = self._before

    def remaining(self) -> float:
        return self.until - time.monotonic()

    @property
    def over(self) -> bool:
        return self.remaining() <= SLACK
