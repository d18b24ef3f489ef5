"""What one process keeps for itself of limits and slots, where none are shared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from apiclient_app.guard.rates import FULL, GO, LATE, Allowance, Log

KEPT_LOGS = 4096  # subjects


class Admission(NamedTuple):
    """`verdict` GO: the call has its slot, and may go in `seconds`; LATE: not within the seconds
    that it had, but in these, and there are `more` seconds to the one after it; FULL: there is no
    slot, and `more` processes wait for one."""

    verdict: int
    seconds: float
    more: float = 0.0


class Alone:
    """The logs and the slots of one process; `monotonic` gives seconds."""

    def __init__(
        self, spans: tuple[Allowance, ...], most: int, monotonic: Callable[[], float]
    ) -> None:
        self._spans, self._most, self._monotonic = spans, most, monotonic
        self._lock = Lock()
        self._logs: OrderedDict[str, Log] = OrderedDict()
        self._slots: dict[int, float] = {}

    def admit(self, whose: str, owner: int, longest: float, lease: float) -> Admission:
        """Do as `Gate.admit`."""
        now, slots = self._monotonic(), self._slots
        with self._lock:
            if self._most and len(slots) >= self._most and owner not in slots:
                for late in [one for one, until in list(slots.items()) if until <= now]:
                    slots.pop(late, None)
                if len(slots) >= self._most:
                    return Admission(FULL, 0.0, 1)
            log = self._log(whose)
            fits, seconds = log.reserve(now, longest)
            if self._most:
                if fits:
                    slots[owner] = now + seconds + lease
                else:
                    slots.pop(owner, None)
        return Admission(GO if fits else LATE, seconds, log.pace)

    def leave(self, owner: int) -> None:
        self._slots.pop(owner, None)  # one step of the interpreter, so without the lock

    def hold(self, whose: str, seconds: float) -> None:
        with self._lock:
            log = self._log(whose)
            log.held_until = max(log.held_until, self._monotonic() + seconds)

    def _log(self, whose: str) -> Log:
        log = self._logs.get(whose)
        if log is None:
            log = self._logs[whose] = Log(self._spans)
            if len(self._logs) > KEPT_LOGS:
                self._logs.popitem(last=False)
        elif whose:
            self._logs.move_to_end(whose)
        return log
