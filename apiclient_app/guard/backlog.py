"""The calls of one client that wait in one process, and what is known to all of them. No I/O."""

from __future__ import annotations

from itertools import count

from apiclient_app.leases import new_owner

from .line import Line
from .rates import Told

MOST_CROWDED = 64.0
KEPT_NEWS = 4096  # subjects


class Queue:
    """What one process knows of its own waiting calls, and of what the API last told."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a fork: no two processes may have an owner in common."""
        self.owners = count(new_owner() << 20)
        self.line = Line()
        self.late = 0  # calls that sleep, until it is worth asking again
        self.leading: set[str] = set()  # for whom one has a moment far off, or asks first
        self.crowding = 1.0  # of the processes that want the same, as felt here
        self.again: dict[str, tuple[float, float]] = {}
        self.told: dict[str, tuple[Told, float]] = {}

    def more_late(self, whose: str, until: float, pace: float) -> None:
        """Have those of many that come now wait, too; `pace` in seconds a call."""
        self.crowding = min(MOST_CROWDED, self.crowding * 1.05)
        if len(self.again) >= KEPT_NEWS:
            self.again.clear()
        self.again[whose] = until, pace

    def less_late(self) -> None:
        # As many ask in vain as do not: two trips a call, however many processes ask.
        self.crowding = max(1.0, self.crowding * 0.95)

    def tell(self, whose: str, told: Told, now: float) -> None:
        """Keep what the API told, for whoever asks the gate next."""
        if len(self.told) >= KEPT_NEWS:
            self.told.clear()
        self.told[whose] = told, now

    def news(self, whose: str, now: float) -> Told | None:
        """Give what is still true of what was told, once: whoever asks the gate passes it on."""
        told = self.told.pop(whose, None)
        if told is None:
            return None
        left, seconds = told[0].left, told[0].seconds - (now - told[1])
        return Told(left, seconds) if seconds > 0 else None
