"""The time for a whole call: one budget for locks, token, retries, replay and body."""

from __future__ import annotations

import time
from math import inf

SLACK = 0.005  # a timeout that ends so much early has ended because of it


class Deadline:
    """So many `seconds` from its start; without end until then.

    `sent` tells whether anything went to the API by then.
    """

    __slots__ = ("seconds", "sent", "until")

    def __init__(self, seconds: float) -> None:
        self.seconds, self.until, self.sent = seconds, inf, False

    def start(self) -> None:
        """Have it run from now on, if it does not yet."""
        if self.until == inf:
            self.until = time.monotonic() + self.seconds

    def remaining(self) -> float:
        return self.until - time.monotonic()

    @property
    def over(self) -> bool:
        return self.remaining() <= SLACK
