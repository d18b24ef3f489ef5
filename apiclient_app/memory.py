"""What this process knows of one identity's token, in front of the store. No I/O, no clock.

Owned by the handler, one per identity and process. A call reads one attribute; everything else
happens under a lock that is never held over I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

from .changes import Changes
from .records import Failure, Fruitless, Stash, View
from .tokens import Token


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A token and until when it may be used without a look at the store. Published as one.

    `trusted_until` ends with the token's fresh time too; `checked_until` does not.
    """

    token: Token | None
    trusted_until: float
    checked_until: float


EMPTY = Snapshot(None, 0.0, 0.0)


class Memory(Changes):
    """Moves forward only: never back to an older record, never to a tombstoned one."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Forget everything, locks included: after a fork they may be held by nobody."""
        super().__init__()
        self.snapshot = EMPTY
        self.failure: Failure | None = None
        self.fruitless: Fruitless | None = None
        self.tombstone = 0
        self.stash: Stash | None = None
        self.switched = ""
        self.offset = 0.0  # of the provider's clock, in seconds
        self.asking = False
        self._accepted: tuple[int, float] = (0, 0.0)
        self._seat: tuple[int, float] | None = None

    def trusted(self, now: float) -> Token | None:
        """Give the token if it may be used as it is: the hot path, no lock."""
        snapshot = self.snapshot
        return snapshot.token if now < snapshot.trusted_until else None

    @property
    def token(self) -> Token | None:
        return self.snapshot.token

    @property
    def generation(self) -> int:
        """The highest generation known; a new record must be above it."""
        token = self.snapshot.token
        return max(self.tombstone, token.generation if token else 0)

    def absorb(self, view: View, now: float) -> None:
        """Take over what the store holds, as of `now`."""
        with self._changed:
            self.tombstone = max(self.tombstone, view.tombstone)
            self.failure = view.failure
            self.fruitless = view.fruitless
            self.stash = view.stash or self.stash
            self.switched = view.switched
            self._move(view.token, now)
            if view.failure is not None:
                self._notify()

    def trust(self, now: float) -> None:
        """Trust what is here for another while: the store did not answer."""
        with self._changed:
            self._move(None, now)

    def advance(self, token: Token, now: float) -> None:
        """Take over a token obtained just now."""
        with self._changed:
            self.failure = None
            self._move(token, now)

    def fail(self, failure: Failure) -> None:
        with self._changed:
            self.failure = failure
            self._notify()

    def bury(self, tombstone: int, now: float) -> None:
        """Forget every record up to generation `tombstone`."""
        with self._changed:
            self.tombstone = max(self.tombstone, tombstone)
            self.failure = None
            self.fruitless = None
            self._move(None, now)

    def _move(self, candidate: Token | None, now: float) -> None:
        token = self.snapshot.token
        if candidate is not None and candidate.replaces(token):
            token = candidate
        if token is not None and token.generation <= self.tombstone:
            token = None
        checked = now + self.seconds
        trusted = min(checked, token.renew_at) if token else 0.0
        changed = token is not self.snapshot.token
        self.snapshot = Snapshot(token, trusted, checked)
        if changed:  # a look that shows nothing new must not wake everyone who waits
            self._notify()

    def accept(self, token: Token, now: float) -> None:
        """Remember that an API took this token. One write: it happens on every call."""
        self._accepted = (token.generation, now)

    def accepted_at(self, token: Token) -> float | None:
        """Give when this process last saw the token accepted; None if never."""
        generation, at = self._accepted
        return at if generation == token.generation else None

    def sit(self, owner: int, now: float, lease: float) -> bool:
        """Take or keep the process's one seat at the store; False if it is taken.

        It has a lease of its own, for the owner whose thread or event loop died.
        """
        with self._changed:
            if self._seat is not None and self._seat[0] != owner and now < self._seat[1]:
                return False
            self._seat = (owner, now + lease)
            return True

    def stand(self, owner: int) -> None:
        """Leave the seat, and wake whoever waits."""
        with self._changed:
            if self._seat is not None and self._seat[0] == owner:
                self._seat = None
            self._notify()
