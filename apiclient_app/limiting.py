"""How a request waits for its slot and its moment, as RATE_LIMIT and MAX_IN_FLIGHT say. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any

from .exceptions import RateLimited
from .exchange import new_owner
from .rates import RateLimit, Told
from .steps import Flow, GateCall, Guarded, Send, Sleep

POLL_FIRST, POLL_LIMIT = 0.01, 0.25
# One of many looks ahead no further, so that whoever makes a single call is not behind them all.
HORIZON = 0.5
BACK_OFF = frozenset({429, 503})
GO, LATE, FULL = range(3)


class Queue:
    """What one process knows of its own waiting calls, and of what the API last told."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a fork: no two processes may have an owner in common."""
        self.owners = count(new_owner() << 20)
        self.waiting = 0
        self.told: tuple[Told, float] | None = None

    def news(self, now: float) -> Told | None:
        """Give what is still true of what was told, once: whoever asks the gate passes it on."""
        told, self.told = self.told, None
        if told is None:
            return None
        left, seconds = told[0].left, told[0].seconds - (now - told[1])
        return Told(left, seconds) if seconds > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiting:
    """The limits of one client or subject. `lease` in seconds: how long a request can take.

    `whose` marks a subject with an allowance of its own, `clock` gives seconds; `told` is what a
    response says of the allowance, and `asked` of when to come back (Retry-After, in seconds).
    """

    alias: str
    whose: str
    limit: RateLimit | None
    most: int | None
    lease: float
    queue: Queue
    clock: Callable[[], float]
    jitter: Callable[[], float]
    told: Callable[[Any], Told | None]
    asked: Callable[[Any], float | None]

    def limited(self, request: Guarded, step: Send) -> Flow:
        """Have it sent when it may go; raises RateLimited if that is not within its patience."""
        owner = next(self.queue.owners) if self.most else 0
        try:
            seconds = yield from self._admitted(request, owner)
            if seconds > 0:
                yield Sleep(seconds)
            request.start()
            return (yield step)
        except RateLimited:
            owner = 0
            raise
        finally:
            if owner:
                yield GateCall("leave", (owner,))

    def _admitted(self, request: Guarded, owner: int) -> Flow:
        """Give the seconds to the moment that is this request's."""
        began, poll, place = self.clock(), POLL_FIRST, None
        one_of_many = request.patience == inf
        try:
            while True:
                now = self.clock()
                left = min(request.remaining(), request.patience - (now - began))
                longest = HORIZON if one_of_many else left
                lease = min(self.lease, request.remaining() + 1)
                asked = self.whose, owner, longest, lease, self.queue.news(now)
                verdict, seconds = yield GateCall("admit", asked)
                if verdict == GO:
                    return seconds
                if verdict == LATE and not one_of_many:
                    raise self._kept_back("RATE_LIMIT", seconds)
                if verdict == FULL and left <= poll:
                    raise self._kept_back("MAX_IN_FLIGHT", POLL_LIMIT)
                if place is None:
                    place, self.queue.waiting = self.queue.waiting, self.queue.waiting + 1
                if verdict == LATE:
                    yield Sleep(max(POLL_FIRST, seconds - HORIZON / 2 + self._behind(place)))
                else:
                    # The more of us wait, the more seldom each looks.
                    yield Sleep(poll * (0.5 + self.jitter()) * min(self.queue.waiting, 100))
                    poll = min(poll * 1.5, POLL_LIMIT)
        finally:
            if place is not None:
                self.queue.waiting -= 1

    def _behind(self, place: int) -> float:
        """Give how long those before us will take, so that not all of us ask at once."""
        if self.limit is None or not self.limit.allowances:
            return self.jitter() * HORIZON / 2
        pace = max(each.seconds / each.calls for each in self.limit.allowances)
        return place * pace * self.jitter()

    def _kept_back(self, setting: str, seconds: float) -> RateLimited:
        error = RateLimited(
            f"{self.alias}: kept back by {setting} of API_CLIENTS[{self.alias!r}]; nothing was "
            f"sent. Try again in {seconds:.3g} s.",
            alias=self.alias,
        )
        error.sent, error.retry_after = False, seconds
        return error

    def learn(self, response: Any) -> Flow:
        """Take in what the API says of its limits."""
        if self.limit is None:
            return
        if response.status_code in BACK_OFF and (asked := self.asked(response)):
            yield GateCall("hold", (self.whose, asked))
            return
        told = self.told(response)
        if told is None:
            return
        if told.left == 0:
            yield GateCall("hold", (self.whose, told.seconds))
        else:
            self.queue.told = told, self.clock()
