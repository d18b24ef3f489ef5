"""How a request waits for its slot and its moment, as RATE_LIMIT and MAX_IN_FLIGHT say. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

from apiclient_app.exceptions import RateLimited
from apiclient_app.steps import Flow, GateCall, Guarded, Send, Sleep, Wait

from .backlog import Queue
from .line import LONGEST, LONGEST_TURN, Slot
from .rates import GO, LATE, LONGEST_TOLD, RateLimit, Told

SOONEST = 0.01  # seconds to the next look, at least
# One of many looks ahead no further, so that whoever makes a single call is not behind them all.
HORIZON = 0.5
BACK_OFF = frozenset({429, 503})


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
        slot = Slot(next(self.queue.owners)) if self.most else None
        try:
            if self.queue.late and request.patience == inf:
                yield from self._behind()
            seconds = yield from self._admitted(request, slot)
            if self.queue.late:
                self.queue.less_late()
            if seconds > 0:
                yield Sleep(seconds)
            request.start()
            return (yield step)
        finally:
            if slot is not None and slot.held:
                line = self.queue.line
                if not (line.places and line.hand_on(slot, self.clock())):
                    others = yield GateCall("leave", (slot.owner,))
                    if line.places:
                        line.gave_back(others, self.clock())

    def _admitted(self, request: Guarded, slot: Slot | None) -> Flow:
        """Give the seconds to the moment that is this request's."""
        now = began = self.clock()
        try:
            while True:
                if slot is not None and (slot.place is not None or self.queue.line.places):
                    yield from self._stand(request, slot, began)
                    now = self.clock()
                lease = min(request.lease or self.lease, request.remaining() + 1)
                if slot is not None and self.limit is None and slot.lasts(now + lease):
                    return 0.0  # it was handed on, and that is all there is to ask for
                left = self._left(request, now - began)
                wish = self._wish(slot, left, lease + LONGEST_TURN, now)
                verdict, seconds, more = yield GateCall("admit", wish)
                if verdict == GO:
                    if slot is not None:
                        slot.keep(now, seconds, lease + LONGEST_TURN)
                    return seconds
                if verdict == LATE:
                    if slot is None and left == inf and self.whose not in self.queue.leading:
                        return (yield from self._lead(lease))
                    yield from self._late(slot, seconds, left, more)
                elif slot is not None:
                    self._found_none(slot, more)
                now = self.clock()
        finally:
            if slot is not None and slot.place is not None:
                self._step_out(slot)

    def _wish(self, slot: Slot | None, left: float, lease: float, now: float) -> Any:
        """Give what the gate is asked with."""
        queue, whose = self.queue, self.whose
        news = queue.news(whose, now) if queue.told else None  # most have none
        if slot is None:
            return whose, 0, HORIZON if left == inf else left, lease, news
        slot.held = True  # for all that is known to whoever is interrupted now
        # Not with a moment far off: others whose moment is now could have the slot meanwhile.
        return whose, slot.owner, min(left, HORIZON), lease, news, slot.place is not None

    def _lead(self, lease: float) -> Flow:
        """Stand among the single calls, as one of our many does: or else they might leave none
        of the allowance to us, or some of it to nobody."""
        leading = self.queue.leading
        leading.add(self.whose)
        try:
            _, seconds, _ = yield GateCall("admit", (self.whose, 0, inf, lease, None))
            yield Sleep(seconds)
        finally:
            leading.discard(self.whose)
        return 0.0

    def _late(self, slot: Slot | None, seconds: float, left: float, pace: float) -> Flow:
        """Let time pass until it is worth asking again."""
        if slot is not None:
            slot.lose()
            self._step_out(slot)
        if seconds > left:
            raise self._kept_back("RATE_LIMIT", seconds)
        pause, leading = max(SOONEST, seconds - HORIZON / 2), self.queue.leading
        if left == inf:
            self.queue.more_late(self.whose, self.clock() + pause, pace)
        if self.whose in leading:
            yield from self._sleep(min(left, pause + self._after_others(pace)))
            return
        leading.add(self.whose)
        try:
            yield from self._sleep(min(left, pause))
        finally:
            leading.discard(self.whose)

    def _behind(self) -> Flow:
        """Let those go first that sleep already; or else whoever has much would get more."""
        until, pace = self.queue.again.get(self.whose, (0.0, 0.0))
        seconds = until - self.clock()
        if seconds > 0:
            yield from self._sleep(seconds + self._after_others(pace))

    def _after_others(self, pace: float) -> float:
        queue = self.queue
        return queue.late * pace * queue.crowding * self.jitter()

    def _sleep(self, seconds: float) -> Flow:
        self.queue.late += 1
        try:
            yield Sleep(seconds)
        finally:
            self.queue.late -= 1

    def _stand(self, request: Guarded, slot: Slot, began: float) -> Flow:
        """Stand in line until it may look for a slot, or is given one."""
        line = self.queue.line
        while not slot.held:
            place, now = slot.place, self.clock()
            version = 0 if place is None else place.version
            pause = line.pause(place, now)
            # Looked at after that: whoever may look himself is given nothing any more.
            if place is not None and place.given is not None:
                slot.take(place.given, now)
                return
            if pause <= 0:
                return
            left = self._left(request, now - began)
            if left <= 0:
                raise self._kept_back("MAX_IN_FLIGHT", max(LONGEST, line.took))
            if place is None:
                slot.place = line.join(now)
            else:
                yield Wait(version, min(pause, left), place)

    def _found_none(self, slot: Slot, waiting: float) -> None:
        now, line = self.clock(), self.queue.line
        slot.lose()
        if slot.place is None:
            slot.place = line.join(now)
        line.found_none(slot.place, now, waiting, self.jitter())

    def _step_out(self, slot: Slot) -> None:
        """Leave the line, with the slot if one was given."""
        place, slot.place = slot.place, None
        if place is not None:
            self.queue.line.quit(place)
            if place.given is not None:
                slot.take(place.given, self.clock())

    @staticmethod
    def _left(request: Guarded, waited: float) -> float:
        return min(request.remaining(), request.patience - waited)

    def _kept_back(self, setting: str, seconds: float) -> RateLimited:
        error = RateLimited(
            f"{self.alias}: kept back by {setting} of API_CLIENTS[{self.alias!r}]; this request "
            f"was not sent. Try again in {ceil(seconds)} s.",
            alias=self.alias,
        )
        error.sent, error.retry_after = False, seconds
        return error

    def learn(self, response: Any) -> Flow:
        """Take in what the API says of its limits."""
        if self.limit is None:
            return
        if response.status_code in BACK_OFF and (asked := self.asked(response)):
            yield GateCall("hold", (self.whose, min(asked, LONGEST_TOLD)))
            return
        told = self.told(response)
        if told is None:
            return
        if told.left == 0:
            yield GateCall("hold", (self.whose, told.seconds))
        else:
            self.queue.tell(self.whose, told, self.clock())
