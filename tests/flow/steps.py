"""Stepping a flow by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from apiclient_app.auth import Secret
from apiclient_app.flow import CallFlow
from apiclient_app.flow.renewal import Renewal
from apiclient_app.flow.switching import SwitchFlow
from apiclient_app.memory import Memory
from apiclient_app.records import View
from apiclient_app.steps import Announce, Flow, StoreCall
from apiclient_app.tokens import Token, new_token

from .world import Clock, ModelAuth, ModelResponse, Refused

OK, EXPIRED = ModelResponse(200), ModelResponse(401)


def token(number: int, *, now: float = 1_000_000.0, life: float = 1000.0) -> Token:
    return new_token(
        {"X": Secret(f"token-{number}")},
        sent_at=now,
        obtained_at=now,
        life=life,
        after=int(now * 1000) + number,
    )


@dataclass
class Bench:
    """One process's rooms, and a flow on the table."""

    started: ClassVar[list[Flow]] = []

    clock: Clock = field(default_factory=Clock)
    memory: Memory = field(default_factory=lambda: Memory(5.0))
    auth: Any = field(default_factory=ModelAuth)
    announced: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.renewal = Renewal(
            alias="api",
            auth=self.auth,
            memory=self.memory,
            token_timeout=2.0,
            clock=self.clock,
            jitter=lambda: 0.5,
            redact=lambda text, _: text.replace("s3cret", "***"),
            fingerprint=lambda _: "mark",
        )
        self.calls = CallFlow(
            renewal=self.renewal,
            expired=lambda response: response.status_code == 401,
            refusal=lambda _: Refused(),
        )
        self.orders = SwitchFlow(renewal=self.renewal, memory_seconds=5.0, works=bool)

    def knows(self, *, seen: Token) -> None:
        self.memory.absorb(View(token=seen), self.clock.now)

    def begin(self, flow: Flow) -> Any:
        self.flow = flow
        self.started.append(flow)
        return self.give(None)

    def give(self, value: Any) -> Any:
        """Send a result in; give the next step, or ("done", result)."""
        return self._advance(self.flow.send, value)

    def throw(self, error: BaseException) -> Any:
        return self._advance(self.flow.throw, error)

    def _advance(self, resume: Any, value: Any) -> Any:
        while True:
            try:
                step = resume(value)
            except StopIteration as stop:
                return "done", stop.value
            if not isinstance(step, Announce):
                return step
            self.announced.append((step.signal, dict(step.fields)))
            resume, value = self.flow.send, None


def is_call(step: Any, method: str) -> bool:
    return isinstance(step, StoreCall) and step.method == method
