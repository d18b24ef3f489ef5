"""Stepping what guards a call by hand: one process's rooms, and flows on the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar

from apiclient_app.guard import Guard
from apiclient_app.guard.backlog import Queue
from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.crossing import Crossing, Sight
from apiclient_app.guard.limiting import Limiting
from apiclient_app.guard.rates import FULL, GO, LATE, RateLimit, Told, allowance
from apiclient_app.guard.retries import Budget, Retry
from apiclient_app.steps import Flow, GateCall, Send
from tests.flow.steps import Bench as TokenBench
from tests.flow.world import Clock, ModelAuth

SEND = Send("request", None)
RATE = RateLimit(allowances=(allowance("10/second"),))
LEASE = 35.0


@dataclass
class Answer:
    """A response: what a flow asks of one."""

    status_code: int = 200
    retry_after: float | None = None
    told: Told | None = None
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Request:
    """A call that may be kept back; its deadline runs from its start."""

    clock: Clock
    patience: float = 30.0
    deadline: float = inf
    repeatable: bool = True
    until: float = inf
    lease: float = 0.0
    begun: int = 0
    rewindable: bool = True

    def start(self) -> None:
        if not self.begun:
            self.until = self.clock.now + self.deadline
        self.begun += 1

    def remaining(self) -> float:
        return self.until - self.clock.now

    def rewind(self) -> bool:
        return self.rewindable


class NoToken(ModelAuth):
    renewable = False


class Stepped:
    """A flow, one step at a time."""

    started: ClassVar[list[Flow]] = []

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.started.append(flow)
        self.step = self.give(None)

    def give(self, value: Any) -> Any:
        """Send a result in; give the next step, or ("done", result)."""
        return self._on(self.flow.send, value)

    def throw(self, error: BaseException) -> Any:
        return self._on(self.flow.throw, error)

    def _on(self, resume: Callable[[Any], Any], value: Any) -> Any:
        try:
            self.step = resume(value)
        except StopIteration as stop:
            self.step = "done", stop.value
        return self.step

    # What the gate says.

    def go(self, seconds: float = 0.0) -> Any:
        return self.give((GO, seconds, 0))

    def late(self, seconds: float, pace: float = 0.1) -> Any:
        return self.give((LATE, seconds, pace))

    def full(self, waiting: int = 1) -> Any:
        return self.give((FULL, 0.0, waiting))


@dataclass
class Bench:
    """One process."""

    clock: Clock = field(default_factory=Clock)
    limit: RateLimit | None = None
    most: int | None = None
    retry: Retry | None = None
    breaker: Breaker | None = None
    renews: bool = False  # whether calls are made with a token

    def __post_init__(self) -> None:
        self.queue = Queue()
        self.sight = Sight(self.breaker)
        auth = ModelAuth() if self.renews else NoToken()
        self.tokens = TokenBench(clock=self.clock, auth=auth)
        self.guard = self.for_subject("")

    def for_subject(self, whose: str) -> Guard:
        limited = self.limit is not None or self.most is not None
        return Guard(
            calls=self.tokens.calls,
            retry=self.retry,
            budget=Budget(0.2),
            crossing=self._crossing(self.breaker) if self.breaker else None,
            limiting=self._limiting(whose) if limited else None,
            jitter=lambda: 0.5,
            asked=lambda response: response.retry_after,
        )

    def _crossing(self, breaker: Breaker) -> Crossing:
        return Crossing(
            alias="api",
            breaker=breaker,
            sight=self.sight,
            every=5.0,
            lease=LEASE,
            clock=self.clock,
            jitter=lambda: 0.5,
        )

    def _limiting(self, whose: str) -> Limiting:
        return Limiting(
            alias="api",
            whose=whose,
            limit=self.limit,
            most=self.most,
            lease=LEASE,
            queue=self.queue,
            clock=self.clock,
            jitter=lambda: 0.5,
            told=lambda response: response.told,
            asked=lambda response: response.retry_after,
        )

    def request(self, **kwargs: Any) -> Request:
        return Request(self.clock, **kwargs)

    def limited(self, whose: str = "", **kwargs: Any) -> Stepped:
        """Begin to have a request sent, once it may go."""
        limiting = self.for_subject(whose).limiting
        assert limiting is not None
        return Stepped(limiting.limited(self.request(**kwargs), SEND))

    def called(self, **kwargs: Any) -> Stepped:
        """Begin a whole call."""
        return Stepped(self.guard.call(self.request(**kwargs)))


def asks(step: Any, method: str) -> bool:
    return isinstance(step, GateCall) and step.method == method


def wish(step: Any) -> dict[str, Any]:
    """Give what the gate is asked with."""
    names = ("whose", "owner", "longest", "lease", "told", "waited")
    assert asks(step, "admit"), step
    return dict(zip(names, (*step.args, False)[:6], strict=True))
