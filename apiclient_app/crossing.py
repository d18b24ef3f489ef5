"""How a request passes the circuit: shut off while it is open, one probe when it may close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from .circuit import Breaker, Circuit, Score
from .exceptions import CircuitOpen, StoreUnavailable
from .exchange import new_owner
from .steps import Flow, GateCall

LOOK_SECONDS = 1.0  # how old the news of an open circuit may be


class Sight:
    """What one process knows of the circuit, and of its own calls."""

    def __init__(self, breaker: Breaker | None) -> None:
        self.score = Score(breaker or Breaker())
        self.circuit: Circuit | None = None
        self.looked_at = 0.0

    def see(self, circuit: Circuit | None, now: float) -> None:
        if circuit is None and self.circuit is not None:
            self.score.clear()
        self.circuit, self.looked_at = circuit, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The circuit of one client. `clock` gives epoch seconds; `every`, in seconds, is how often a
    process looks at a closed one; `lease` how long a request can take."""

    alias: str
    breaker: Breaker
    sight: Sight
    every: float
    lease: float
    clock: Callable[[], float]
    jitter: Callable[[], float]

    def enter(self) -> Flow:
        """Give whether this request is the one that tries the API out; raises CircuitOpen."""
        sight, now = self.sight, self.clock()
        # Whatever the clock does: neither a look in the future nor a very old one counts.
        if not 0 <= now - sight.looked_at < (LOOK_SECONDS if sight.circuit else self.every):
            yield from self._look()
        circuit = sight.circuit
        if circuit is None:
            return False
        if now >= circuit.until and (yield from self._probe()):
            return True
        wait = circuit.until - now
        error = CircuitOpen(
            f"{self.alias}: the circuit is open "
            + ("by hand" if circuit.by_hand else "after too many failures")
            + f"; nothing was sent. `manage.py apiclient breaker {self.alias} close` closes it.",
            alias=self.alias,
        )
        error.retry_after = None if wait == inf else max(LOOK_SECONDS, wait)
        raise error

    def _look(self) -> Flow:
        self.sight.looked_at = self.clock()
        try:
            self.sight.see((yield GateCall("circuit")), self.clock())
        except StoreUnavailable:
            return  # it goes on as this process has it

    def _probe(self) -> Flow:
        try:
            return (yield GateCall("probe", (new_owner(), self.lease)))
        except StoreUnavailable:
            # Each process probes for itself; the others of it are shut off meanwhile.
            self.sight.circuit = self._opened(again=True)
            return True

    def leave(self, probing: bool, failed: bool | None) -> Flow:
        """Count what came of a request; None for what says nothing of the API."""
        sight = self.sight
        if probing:
            yield from self._probed(failed)
        elif failed is not None and sight.circuit is None:
            if sight.score.add(self.clock(), failed):
                yield from self._open(self._opened())
            elif failed and self.clock() - sight.looked_at >= LOOK_SECONDS:
                sight.looked_at = 0.0  # the others may know more

    def _probed(self, failed: bool | None) -> Flow:
        try:
            if failed is None:
                yield GateCall("unprobe")
                return
            if not failed:
                self.sight.circuit = None
                self.sight.score.clear()
                yield GateCall("close")
                return
        except StoreUnavailable:
            return
        yield from self._open(self._opened(again=True))
        yield from self._forget_probe()

    def _forget_probe(self) -> Flow:
        try:
            yield GateCall("unprobe")
        except StoreUnavailable:
            return

    def _opened(self, again: bool = False) -> Circuit:
        circuit, now = self.sight.circuit, self.clock()
        if again and circuit is not None:
            return circuit.failed_again(self.breaker, now)
        return Circuit(now, now + self.breaker.pause * (0.75 + 0.5 * self.jitter()))

    def _open(self, circuit: Circuit) -> Flow:
        self.sight.circuit, self.sight.looked_at = circuit, self.clock()
        self.sight.score.clear()
        try:
            yield GateCall("open", (circuit,))
        except StoreUnavailable:
            return
