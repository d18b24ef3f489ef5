"""What the workers of one client have in common beside its token: allowance, slots, circuit."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from math import ceil, inf
from threading import Lock
from typing import Any

from apiclient_app.exceptions import StoreUnavailable
from apiclient_app.guard.circuit import Circuit
from apiclient_app.guard.rates import GO, LATE, RateLimit, Told
from apiclient_app.leases import new_owner

from .access import Access, Refused
from .alone import Admission, Alone
from .identity import Identity
from .reach import Reach
from .scripts import ADMIT, HOLD, LEAVE
from .seal import Seal, Unsealable

logger = logging.getLogger("apiclient_app")

MOST_OWED = 500
QUIET = 3600.0  # seconds without a refusal, after which the next one is told of
DAY = 86_400.0
CIRCUIT_SECONDS, BY_HAND_SECONDS = 30 * DAY, 3650 * DAY
NOBODY = 0  # whose probe it is while the API rests
AT_HAND = ("admit", "leave", "hold")


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
        self._process = new_owner()
        self._alone = Alone(self._spans, self._most, self._monotonic)
        self._owed: deque[int] = deque(maxlen=MOST_OWED)  # slots that Redis may think are taken
        self._quiet_until = 0.0

    def admit(
        self,
        whose: str,
        owner: int,
        longest: float,
        lease: float,
        told: Told | None,
        waited: bool = False,
    ) -> Admission:
        """Give a call its moment, at most `longest` seconds from now, and a slot for `lease`.

        A slot that is `owner`'s already is kept; a free one goes to processes that have `waited`
        before it goes to others.
        """
        if self._scripted is False:
            return self._alone.admit(whose, owner, longest, lease)
        found = self._shared(whose, owner, longest, lease, told, waited)
        if found is None:
            found = self._alone.admit(whose, owner, longest, lease)
            if self._most and found.verdict != GO:
                self._owe([owner])  # Redis may have done it, and was not heard
        return found

    def at_hand(self, method: str) -> bool:
        """Whether that is done without asking the cache, and so at once."""
        return self._scripted is False and method in AT_HAND

    def _shared(
        self,
        whose: str,
        owner: int,
        longest: float,
        lease: float,
        told: Told | None,
        waited: bool,
    ) -> Admission | None:
        left, seconds = (told.left, told.seconds) if told else (-1, 0.0)
        keys = [self._key("log", whose), self._key("told", whose)]
        keys += [self._key("slots"), self._key("waiting")]
        owed = [one for one in self._take_owed() if one != owner]
        arguments = [_micro(min(longest, 1e9)), self._most, _micro(lease), owner, self._process]
        arguments += [int(waited), left, _micro(seconds)]
        asked = [*arguments, " ".join(map(str, owed)), *self._arguments]
        found = self._share(ADMIT, keys, asked, owed)
        if found is None:
            return None
        verdict, delay, more = map(int, found)
        return Admission(verdict, delay / 1e6, more / (1e6 if verdict == LATE else 1))

    def leave(self, owner: int) -> int:
        """Give a slot back; gives how many other processes wait for one."""
        self._alone.leave(owner)
        if self._scripted is False:
            return 0
        owed = [owner, *self._take_owed()]
        keys = [self._key("slots"), self._key("waiting")]
        return int(self._share(LEAVE, keys, [self._process, *owed], owed) or 0)

    def hold(self, whose: str, seconds: float) -> None:
        """Let nobody go for so long: the API has said so."""
        keys = [self._key("log", whose), self._key("told", whose)]
        if not self._share(HOLD, keys, [_micro(seconds)]):
            self._alone.hold(whose, seconds)

    def _share(
        self,
        script: str,
        keys: Sequence[str],
        arguments: Sequence[Any],
        owed: Collection[int] = (),
    ) -> Any:
        """Run a script in Redis; None if there is none to do it. It gives back what is `owed`."""

        def do(cache: Access) -> Any:
            self._scripted = cache.scripted
            return cache.run(script, keys, arguments) if cache.scripted else None

        found = None
        try:
            if self._scripted is not False:
                found = self._reach.attempt(do)
        except Refused as refused:
            self._tell(refused)
        except StoreUnavailable:
            pass  # it is told of once for the whole cache
        finally:  # also for whoever is interrupted
            if owed and found is None:
                self._owe(owed)
        return found

    def _tell(self, refused: Refused) -> None:
        now = self._monotonic()
        quiet, self._quiet_until = now < self._quiet_until, now + QUIET
        if not quiet:
            logger.warning(
                "%s: RATE_LIMIT and MAX_IN_FLIGHT are not shared, for Redis refuses (%s): "
                "each process keeps them for itself.",
                self._identity.alias,
                refused,
            )

    def _owe(self, owners: Collection[int]) -> None:
        with self._lock:
            self._owed.extend(owners)

    def _take_owed(self) -> list[int]:
        if not self._owed:
            return []
        with self._lock:
            owed = list(self._owed)
            self._owed.clear()
        return owed

    def circuit(self) -> Circuit | None:
        """Give the circuit where it is open; raises StoreUnavailable."""
        keys = [self._key(kind) for kind in ("shut", "circuit")]
        found = self._reach.attempt(lambda cache: cache.get_many(keys))
        for key in keys:
            with suppress(Unsealable, ValueError):
                if key in found:
                    return Circuit.load(self._seal.open(found[key], key))
        return None

    def open(self, circuit: Circuit, rest: float = 0.0) -> None:
        """Open the circuit; for `rest` seconds nobody gets a probe.

        That is kept as the life of a key: clocks differ, and one that is an hour ahead would shut
        everybody off for an hour.
        """
        # By hand apart: whoever has not heard of it may be about to open, or to close, his own.
        key = self._key("shut" if circuit.by_hand else "circuit")
        sealed = self._seal.seal(circuit.dump(), key)
        life = BY_HAND_SECONDS if circuit.by_hand else CIRCUIT_SECONDS
        self._reach.attempt(lambda cache: cache.set(key, sealed, life))
        if rest > 0:
            probe = self._key("probe")
            self._reach.attempt(lambda cache: cache.delete(probe))
            self._reach.attempt(lambda cache: cache.add(probe, NOBODY, rest))
        if circuit.count == 1:
            how = "by hand" if circuit.by_hand else "it failed too often"
            logger.warning("%s: circuit opened: %s.", self._identity.alias, how)

    def close(self) -> None:
        """Close the circuit, whoever opened it."""
        self._close("shut", "circuit", "probe")

    def recover(self) -> None:
        """Close the circuit, unless it was opened by hand."""
        self._close("circuit", "probe")

    def _close(self, *kinds: str) -> None:
        for key in map(self._key, kinds):
            self._reach.attempt(lambda cache, key=key: cache.delete(key))  # type: ignore[misc]
        logger.warning("%s: circuit closed.", self._identity.alias)

    def probe(self, owner: int, lease: float) -> bool:
        """Take the right to try the API out, for `lease` seconds; False if another has it."""
        key = self._key("probe")
        return self._reach.attempt(lambda cache: cache.add(key, owner, lease))

    def unprobe(self, owner: int) -> None:
        """Give it back, if it is still `owner`'s."""
        key = self._key("probe")
        self._reach.attempt(lambda cache: cache.write(key, owner, {}, [key]))

    def _key(self, kind: str, whose: str = "") -> str:
        identity = self._identity
        return Identity(identity.alias, whose, identity.fingerprint).key(kind)


def _micro(seconds: float) -> int:
    return 0 if seconds == -inf else ceil(seconds * 1e6)
