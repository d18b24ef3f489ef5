"""How a request passes the circuit: shut off while it is open, one probe when it may close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiclient_app.exceptions import CircuitOpen, StoreUnavailable
from apiclient_app.leases import new_owner
from apiclient_app.steps import Flow, GateCall

from .circuit import LONGEST_FACTOR, Breaker, Circuit, Score

LOOK_SECONDS = 1.0  # how old the news of an open circuit may be, at most


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
        """Give the owner of the probe if this request tries the API out, or else 0.

        Raises CircuitOpen.
        """
        sight, now = self.sight, self.clock()
        # Whatever the clock does: neither a look in the future nor a very old one counts.
        due = not 0 <= now - sight.looked_at < (self._seldom if sight.circuit else self.every)
        if due:
            yield from self._look()
        circuit = sight.circuit
        if circuit is None:
            return 0
        if due and not circuit.by_hand and (prober := (yield from self._probe(circuit))):
            return prober
        why = "by hand" if circuit.by_hand else "after too many failures"
        error = CircuitOpen(
            f"{self.alias}: the circuit is open {why}; this request was not sent. "
            f"`manage.py apiclient breaker {self.alias} close` closes it.",
            alias=self.alias,
        )
        error.retry_after = None if circuit.by_hand else self._wait(circuit, now)
        raise error

    @property
    def _seldom(self) -> float:
        return min(LOOK_SECONDS, self.breaker.pause / 2)

    def _wait(self, circuit: Circuit, now: float) -> float:
        """Give the seconds until the API is tried again, whatever the clock of who opened it."""
        longest = self.breaker.pause * LONGEST_FACTOR
        return max(LOOK_SECONDS, min(circuit.until - now, longest))

    def _look(self) -> Flow:
        self.sight.looked_at = self.clock()
        try:
            self.sight.see((yield GateCall("circuit")), self.clock())
        except StoreUnavailable:
            return  # it goes on as this process has it

    def _probe(self, circuit: Circuit) -> Flow:
        """Give the owner of the right to try the API out, or 0: it rests, or is being tried."""
        owner = new_owner()
        try:
            return owner if (yield GateCall("probe", (owner, self.lease))) else 0
        except StoreUnavailable:
            if self.clock() < circuit.until:
                return 0
            # Each process probes for itself; the others of it are shut off meanwhile.
            self.sight.circuit = self._opened(again=True)
            return owner

    def leave(self, prober: int, failed: bool | None) -> Flow:
        """Count what came of a request; None for what says nothing of the API."""
        sight = self.sight
        if prober:
            yield from self._probed(prober, failed)
        elif failed is not None and sight.circuit is None:
            if sight.score.add(self.clock(), failed):
                yield from self._open(self._opened())
            elif failed and self.clock() - sight.looked_at >= LOOK_SECONDS:
                sight.looked_at = 0.0  # the others may know more

    def _probed(self, prober: int, failed: bool | None) -> Flow:
        if failed:
            yield from self._open(self._opened(again=True))
        elif failed is None:
            yield from self._attempt("unprobe", prober)
        else:
            self.sight.see(None, self.clock())
            yield from self._attempt("recover")

    def _attempt(self, method: str, *arguments: Any) -> Flow:
        try:
            yield GateCall(method, arguments)
        except StoreUnavailable:
            return

    def _opened(self, again: bool = False) -> Circuit:
        circuit, now = self.sight.circuit, self.clock()
        if again and circuit is not None:
            return circuit.failed_again(self.breaker, now)
        return Circuit(now, now + self.breaker.pause * (0.75 + 0.5 * self.jitter()))

    def _open(self, circuit: Circuit) -> Flow:
        now = self.clock()
        self.sight.see(circuit, now)
        self.sight.score.clear()
        yield from self._attempt("open", circuit, max(0.0, circuit.until - now))
