"""What the workers of one client have in common beside its token: allowance, slots, circuit."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from math import ceil, inf
from threading import Lock
from typing import NamedTuple

from apiclient_app.circuit import Circuit
from apiclient_app.exceptions import StoreUnavailable
from apiclient_app.rates import Log, RateLimit, Told

from .access import Access
from .identity import Identity
from .reach import Reach
from .scripts import ADMIT, HOLD, LEAVE
from .seal import Seal, Unsealable

logger = logging.getLogger("apiclient_app")

KEPT_LOGS = 4096
CIRCUIT_SECONDS = 30 * 86_400.0
AT_HAND = ("admit", "leave", "hold")
GO, LATE, FULL = range(3)


class Admission(NamedTuple):
    """`verdict` GO: the call has its slot, and may go in `seconds`; LATE: not within the seconds
    that it had, but in these; FULL: there is no slot."""

    verdict: int
    seconds: float


class Gate:
    """Asked before each request that a client sends. Without Redis it is one process's own.

    `spans` and `most` are what RATE_LIMIT and MAX_IN_FLIGHT come to; `whose` is the mark of a
    subject that has an allowance of its own.
    """

    def __init__(
        self,
        reach: Reach,
        identity: Identity,
        seal: Seal,
        limit: RateLimit | None,
        most: int | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reach, self._identity, self._seal = reach, identity, seal
        self._limit, self._most = limit, most or 0
        self._spans = limit.spans if limit else ()
        self._arguments = [n for s in self._spans for n in (s.calls, _micro(s.seconds))]
        self._monotonic = monotonic
        self._scripted: bool | None = None  # whether the cache can do it; known after a first try
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a fork."""
        self._lock = Lock()
        self._logs: OrderedDict[str, Log] = OrderedDict()
        self._slots: dict[int, float] = {}

    def admit(
        self, whose: str, owner: int, longest: float, lease: float, told: Told | None
    ) -> Admission:
        """Give a call its moment, at most `longest` seconds from now, and a slot for `lease`."""
        found = None
        if self._scripted is not False:
            with suppress(StoreUnavailable):
                found = self._reach.attempt(
                    lambda cache: self._admitted(cache, whose, owner, longest, lease, told)
                )
        return found or self._here(whose, owner, longest, lease, told)

    def at_hand(self, method: str) -> bool:
        """Whether that is done without asking the cache, and so at once."""
        return self._scripted is False and method in AT_HAND

    def _admitted(
        self,
        cache: Access,
        whose: str,
        owner: int,
        longest: float,
        lease: float,
        told: Told | None,
    ) -> Admission | None:
        self._scripted = cache.scripted
        if not cache.scripted:
            return None
        left, seconds = (told.left, told.seconds) if told else (-1, 0.0)
        keys = [self._key(kind, whose) for kind in ("log", "told")] + [self._key("slots")]
        limits = [_micro(min(longest, 1e9)), self._most, _micro(lease), owner]
        arguments = [*limits, left, _micro(seconds), *self._arguments]
        verdict, delay = cache.run(ADMIT, keys, arguments)
        return Admission(int(verdict), int(delay) / 1e6)

    def _here(
        self, whose: str, owner: int, longest: float, lease: float, told: Told | None
    ) -> Admission:
        now = self._monotonic()
        with self._lock:
            if self._most:
                if len(self._slots) >= self._most:
                    self._slots = {o: at for o, at in self._slots.items() if at > now}
                if len(self._slots) >= self._most:
                    return Admission(FULL, 0.0)
            log = self._log(whose)
            if told is not None and not told.left:
                log.held_until = max(log.held_until, now + told.seconds)
            fits, seconds = log.reserve(now, longest)
            if fits and self._most:
                self._slots[owner] = now + seconds + lease
        return Admission(GO if fits else LATE, seconds)

    def _log(self, whose: str) -> Log:
        log = self._logs.get(whose)
        if log is None:
            log = self._logs[whose] = Log(self._spans)
            if len(self._logs) > KEPT_LOGS:
                self._logs.popitem(last=False)
        return log

    def leave(self, owner: int) -> None:
        """Give a slot back."""
        if self._slots.pop(owner, None) is None:
            self._share(lambda cache: cache.run(LEAVE, [self._key("slots")], [owner]))

    def hold(self, whose: str, seconds: float) -> None:
        """Let nobody go for so long: the API has said so."""
        keys = [self._key("told", whose)]
        if not self._share(lambda cache: cache.run(HOLD, keys, [_micro(seconds)])):
            with self._lock:
                log = self._log(whose)
                log.held_until = max(log.held_until, self._monotonic() + seconds)

    def _share(self, work: Callable[[Access], object]) -> bool:
        """Do it in Redis; False if there is none to do it."""
        if self._scripted is False:
            return False

        def do(cache: Access) -> bool:
            return cache.scripted and (work(cache), True)[1]

        try:
            return self._reach.attempt(do)
        except StoreUnavailable:
            return False

    def circuit(self) -> Circuit | None:
        """Give the circuit where it is open; raises StoreUnavailable."""
        key = self._key("circuit")
        sealed = self._reach.attempt(lambda cache: cache.get_many([key])).get(key)
        try:
            return None if sealed is None else Circuit.load(self._seal.open(sealed, key))
        except (Unsealable, ValueError):
            return None

    def open(self, circuit: Circuit) -> None:
        key = self._key("circuit")
        sealed = self._seal.seal(circuit.dump(), key)
        self._reach.attempt(lambda cache: cache.set(key, sealed, CIRCUIT_SECONDS))
        if circuit.count == 1:
            how = "by hand" if circuit.by_hand else "it failed too often"
            logger.warning("%s: circuit opened: %s.", self._identity.alias, how)

    def close(self) -> None:
        keys = [self._key("circuit"), self._key("probe")]
        for key in keys:
            self._reach.attempt(lambda cache, key=key: cache.delete(key))  # type: ignore[misc]
        logger.warning("%s: circuit closed.", self._identity.alias)

    def probe(self, owner: int, lease: float) -> bool:
        """Take the right to try the API out, for `lease` seconds; False if another has it."""
        key = self._key("probe")
        return self._reach.attempt(lambda cache: cache.add(key, owner, lease))

    def unprobe(self) -> None:
        key = self._key("probe")
        self._reach.attempt(lambda cache: cache.delete(key))

    def _key(self, kind: str, whose: str = "") -> str:
        identity = self._identity
        return Identity(identity.alias, whose, identity.fingerprint).key(kind)


def _micro(seconds: float) -> int:
    return 0 if seconds == -inf else ceil(seconds * 1e6)
