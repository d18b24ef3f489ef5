"""Several processes that guard their calls, one gate and one API, stepped by hand.

Guard, limits, line and crossing are the real ones. Every step is carried out in two halves, so
that others may move, and a process may die, between what the gate does and its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apiclient_app.exceptions import APIClientError, StoreUnavailable
from apiclient_app.guard.circuit import Breaker, Circuit
from apiclient_app.guard.rates import FULL, GO, LATE, Log, RateLimit, Told
from apiclient_app.steps import Announce, Flow, GateCall, Send, Sleep, Wait
from tests.flow.world import Clock, Tape, exhaust

from .steps import Answer, Bench, Request

OK, DOWN = Answer(200), Answer(500)


class ModelGate:
    """What the scripts do, in Python; see store/scripts.py."""

    def __init__(self, clock: Clock, limit: RateLimit | None, most: int | None) -> None:
        self.clock, self.most = clock, most or 0
        self.log = Log(limit.spans if limit else ())
        self.slots: dict[int, float] = {}
        self.waiting: dict[str, float] = {}
        self.circuit_: Circuit | None = None
        self.probe_: tuple[int, float] = (0, 0.0)
        self.down = False

    def admit(
        self,
        process: str,
        whose: str,
        owner: int,
        longest: float,
        lease: float,
        told: Told | None,
        waited: bool = False,
    ) -> tuple[int, float, float]:
        now = self.clock.now
        if self.most:
            self.expire()
            if owner not in self.slots:
                self.waiting = {p: at for p, at in self.waiting.items() if at > now - 1}
                if self.most - len(self.slots) <= (0 if waited else len(self.waiting)):
                    self.waiting[process] = now
                    return FULL, 0.0, len(self.waiting)
                if waited:
                    self.waiting.pop(process, None)
        fits, seconds = self.log.reserve(now, longest)
        if not fits:
            self.slots.pop(owner, None)
            return LATE, seconds, self.log.pace
        if self.most:
            self.slots[owner] = now + seconds + lease
        return GO, seconds, 0

    def expire(self) -> None:
        self.slots = {
            owner: until for owner, until in self.slots.items() if until > self.clock.now
        }

    def leave(self, process: str, owner: int) -> int:
        self.slots.pop(owner, None)
        return len(self.waiting.keys() - {process})

    def hold(self, _: str, __: str, seconds: float) -> None:
        self.log.held_until = max(self.log.held_until, self.clock.now + seconds)

    def circuit(self, _: str) -> Circuit | None:
        self._look()
        return self.circuit_

    def open(self, _: str, circuit: Circuit, rest: float = 0.0) -> None:
        self._look()
        self.circuit_, self.probe_ = circuit, (0, self.clock.now + rest)

    def recover(self, _: str) -> None:
        self._look()
        self.circuit_, self.probe_ = None, (0, 0.0)

    def probe(self, _: str, owner: int, lease: float) -> bool:
        self._look()
        if self.probe_[1] > self.clock.now:
            return False
        self.probe_ = owner, self.clock.now + lease
        return True

    def unprobe(self, _: str, owner: int) -> None:
        self._look()
        if self.probe_[0] == owner:
            self.probe_ = 0, 0.0

    def _look(self) -> None:
        if self.down:
            raise StoreUnavailable


@dataclass
class Host:
    """One process."""

    name: str
    bench: Bench
    dead: bool = False


@dataclass
class Caller:
    """One flow under way, and the half-done step it is at."""

    host: Host
    request: Request
    flow: Flow
    step: Any = None
    begun: bool = False
    wake_at: float = 0.0
    prober: int = 0
    outcome: Any = None
    error: BaseException | None = None
    done: bool = False

    @property
    def sending(self) -> bool:
        return self.begun and isinstance(self.step, Send)


@dataclass
class World:
    tape: Tape
    limit: RateLimit | None = None
    most: int | None = None
    breaker: Breaker | None = None
    service: float = 0.5

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.gate = ModelGate(self.clock, self.limit, self.most)
        self.well = True
        self.callers: list[Caller] = []
        self.sent: list[float] = []
        self.most_sending = self.most_probing = 0
        self._last: Caller | None = None

    def hosts(self, number: int) -> list[Host]:
        return [
            Host(
                str(n),
                Bench(clock=self.clock, limit=self.limit, most=self.most, breaker=self.breaker),
            )
            for n in range(number)
        ]

    def start(self, host: Host, **kwargs: Any) -> Caller:
        request = Request(self.clock, **kwargs)
        flow = host.bench.guard.call(request)
        caller = Caller(host, request, flow)
        self.callers.append(caller)
        self._resume(caller, flow.send, None)
        return caller

    def run(self, limit: int = 50_000, until: float | None = None) -> None:
        """Move until every caller is done, or the clock is at `until`."""
        for _ in range(limit):
            able = self.able()
            if able:
                self.move(able[self.tape.choose(len(able))])
                continue
            waking = [c.wake_at for c in self.living()]
            if not waking:
                return
            if until is not None and min(waking) > until:
                self.clock.now = until
                return
            self.clock.now = max(self.clock.now, min(waking) + 1e-6)
        raise AssertionError("the world does not come to rest")

    def living(self) -> list[Caller]:
        return [c for c in self.callers if not c.done and not c.host.dead]

    def able(self) -> list[Caller]:
        able = [c for c in self.living() if self._can_move(c)]
        return sorted(able, key=lambda c: c is not self._last)

    def kill(self, host: Host) -> None:
        """End a process at once: none of its steps is carried out any more."""
        host.dead = True
        for caller in self.callers:
            if caller.host is host and not caller.done:
                exhaust(caller.flow)

    def interrupt(self, caller: Caller, error: BaseException) -> None:
        """Have its caller leave: what he waits for is thrown out of."""
        if not caller.done and not caller.host.dead and not isinstance(caller.step, GateCall):
            caller.begun = False
            self._resume(caller, caller.flow.throw, error)

    def move(self, caller: Caller) -> None:
        self._last = caller
        if not caller.begun:
            caller.begun = True
            self._begin(caller)
        else:
            caller.begun = False
            self._end(caller)
        sending = [c for c in self.living() if c.sending]
        self.most_sending = max(self.most_sending, len(sending))
        self.most_probing = max(self.most_probing, sum(bool(c.prober) for c in sending))

    def _can_move(self, caller: Caller) -> bool:
        step = caller.step
        if isinstance(step, Wait) and step.on is not None and step.on.version != step.version:
            return True
        return self.clock.now >= caller.wake_at

    def _begin(self, caller: Caller) -> None:
        step = caller.step
        if isinstance(step, Send):
            self.sent.append(self.clock.now)
            caller.wake_at = self.clock.now + self.service
            caller.outcome = OK if self.well else DOWN
        elif isinstance(step, GateCall):
            try:
                caller.outcome = getattr(self.gate, step.method)(caller.host.name, *step.args)
            except StoreUnavailable as error:
                caller.outcome = error
        else:
            caller.begun = False
            self._resume(caller, caller.flow.send, None)

    def _end(self, caller: Caller) -> None:
        step, outcome = caller.step, caller.outcome
        if isinstance(step, GateCall) and step.method == "probe" and outcome is True:
            caller.prober = step.args[0]
        if isinstance(outcome, BaseException):
            self._resume(caller, caller.flow.throw, outcome)
        else:
            self._resume(caller, caller.flow.send, outcome)

    def _resume(self, caller: Caller, resume: Callable[[Any], Any], value: Any) -> None:
        while True:
            try:
                step = resume(value)
            except StopIteration as stop:
                caller.done, caller.outcome = True, stop.value
                return
            except (APIClientError, Gone) as error:
                caller.done, caller.error = True, error
                return
            if not isinstance(step, Announce):
                break
            resume, value = caller.flow.send, None
        caller.step = step
        seconds = step.seconds if isinstance(step, Wait | Sleep) else 0.0
        caller.wake_at = self.clock.now + seconds


class Gone(BaseException):
    """The caller has left."""
