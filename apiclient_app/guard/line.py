"""The line of those calls of a process that wait for a slot: first come, first served. No I/O."""

from __future__ import annotations

from collections import deque
from threading import Lock

from apiclient_app.changes import Changes

SHORTEST, LONGEST = 0.005, 0.25  # seconds between two looks for a free slot
GUESS = 0.1  # seconds that a request takes, before one has
LOOKS = 6  # in the time that a request takes, by all processes together
SHORTEST_TURN, LONGEST_TURN, REQUESTS_A_TURN = 0.1, 1.0, 10
STANDING = 1.0  # seconds after which whoever stands in line shows that he is alive


class Slot:
    """The right to one request in flight, or the wish for it: then it may have a `place` in line.

    The process has had it `since` then, and has it `until` then if nothing renews it; the request
    `began` then.
    """

    held = False
    began = since = until = 0.0
    place: Place | None = None

    def __init__(self, owner: int) -> None:
        self.owner = owner

    def keep(self, now: float, seconds: float, lease: float) -> None:
        self.since = self.since or now
        self.began = now + seconds
        self.until = self.began + lease

    def lasts(self, until: float) -> bool:
        return self.until >= until

    def lose(self) -> None:
        self.held, self.since, self.until = False, 0.0, 0.0

    def take(self, given: Slot, now: float) -> None:
        self.owner, self.since, self.until = given.owner, given.since, given.until
        self.held, self.place, self.began = True, None, now


class Place(Changes):
    """A place in the line; it changes when it is given a slot, and when it is the first."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.given: Slot | None = None
        self.looking = self.forgotten = False
        self.until = until  # by then whoever stands there has shown that he is alive

    def give(self, slot: Slot) -> None:
        with self._changed:
            self.given = slot
            self._notify()

    def call(self) -> None:
        with self._changed:
            self._notify()


class Line:
    """Only the first in line looks for a free slot, now and then; and whoever is done hands his
    slot on, for as long as it is the turn of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.places: deque[Place] = deque()
        self._look_at = 0.0
        self.took = GUESS  # seconds, by a request of late

    def join(self, now: float) -> Place:
        place = Place(now + 2 * STANDING)
        with self._lock:
            self.places.append(place)
        return place

    def quit(self, place: Place) -> None:
        with self._lock:
            if place in self.places:
                self.places.remove(place)
            self._call_first()

    def pause(self, place: Place | None, now: float) -> float:
        """Give the seconds after which whoever stands there, or nowhere yet, may look."""
        with self._lock:
            if place is not None:
                place.until = now  # it is here: not to be forgotten
                if place.forgotten:
                    place.forgotten = False
                    self.places.append(place)
            self._forget(now)
            if not self.places:
                return 0.0
            if place is None or place is not self.places[0]:
                pause = STANDING
            else:
                pause = min(STANDING, self._look_at - now)
                place.looking = pause <= 0
            if place is not None:
                # With a margin: it moves on when its thread, or its event loop, comes to it.
                place.until = now + max(pause, 0) + 2 * STANDING
            return pause

    def found_none(self, place: Place, now: float, waiting: float, jitter: float) -> None:
        """Have nobody look again too soon: so many are waiting, of all processes."""
        pause = self.took * waiting / LOOKS * (0.5 + jitter)
        self._look_at = now + max(SHORTEST, min(LONGEST, pause))
        place.looking = False

    def hand_on(self, slot: Slot, now: float) -> bool:
        """Give a slot to the first in line, if there is anybody and it is still our turn."""
        with self._lock:
            if slot.began:
                self.took += (now - slot.began - self.took) / 4
            turn = max(SHORTEST_TURN, min(LONGEST_TURN, REQUESTS_A_TURN * self.took))
            if now - slot.since >= turn:
                return False
            self._forget(now)
            # Whoever is looking right now may find one of his own.
            heir = next((place for place in self.places if not place.looking), None)
            if heir is None:
                return False
            self.places.remove(heir)
            heir.give(slot)
            self._call_first()
            return True

    def gave_back(self, others: int, now: float) -> None:
        """Let so many other processes go first; if there are none, look at once."""
        with self._lock:
            if others:
                self._look_at = max(self._look_at, now + min(LONGEST, self.took))
            else:
                self._look_at = 0.0
                self._call_first()

    def _call_first(self) -> None:
        if self.places:
            self.places[0].call()

    def _forget(self, now: float) -> None:
        """Pass by who has not moved for long: he is gone, with his thread or his event loop. Or
        he was stopped, and stands in line again when he comes back."""
        while self.places and self.places[0].until < now:
            self.places.popleft().forgotten = True
