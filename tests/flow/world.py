"""A world of several processes, one cache and one provider, stepped by hand.

The flows, the memory and the store are the real ones. Clock, cache and provider are made here,
and every step of a flow is carried out in two halves, begun and ended, so that whatever can
happen between two machines can happen between the halves. A tape of bytes decides who moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from apiclient_app.auth import AuthBackend, Grant, Reply, TokenRequest
from apiclient_app.exceptions import (
    APIClientError,
    RowsUnavailable,
    StoreUnavailable,
    TransportError,
)
from apiclient_app.flow import CallFlow
from apiclient_app.flow.need import Need
from apiclient_app.flow.renewal import Renewal
from apiclient_app.memory import Memory
from apiclient_app.steps import Announce, Ask, Flow, RowCall, Send, Sleep, StoreCall, Wait
from apiclient_app.store import CacheStore, Identity
from apiclient_app.store.outage import Outage
from apiclient_app.store.reach import Reach
from apiclient_app.store.seal import Seal
from apiclient_app.tokens import Token

SEAL = Seal(["a key of the model"])
IDENTITY = Identity("api", "", "f" * 32)
TOKEN_TIMEOUT = 2.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class ModelCache:
    """A cache shared by all processes, with the model's clock; Django's API, as far as used."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[Any, float]] = {}
        self.down = False

    def get(self, key: str) -> Any:
        if self.down:
            raise ConnectionError
        value, until = self._held.get(key, (None, 0.0))
        return value if self._clock.now < until else None

    def get_many(self, keys: list[str]) -> dict[str, Any]:
        return {key: value for key in keys if (value := self.get(key)) is not None}

    def add(self, key: str, value: Any, timeout: float) -> bool:
        if self.get(key) is not None:
            return False
        self.set(key, value, timeout)
        return True

    def set(self, key: str, value: Any, timeout: float) -> None:
        self.get(key)
        self._held[key] = (value, self._clock.now + timeout)

    def delete(self, key: str) -> None:
        self.get(key)
        self._held.pop(key, None)

    def flush(self) -> None:
        self._held.clear()

    @property
    def locked(self) -> bool:
        return self.get(IDENTITY.key("lock")) is not None


class Provider:
    """Issues tokens and judges them, whatever `expires_in` it said."""

    def __init__(self, clock: Clock, *, life: float, said: Any, exclusive: bool) -> None:
        self._clock, self.life, self.said, self.exclusive = clock, life, said, exclusive
        self.living: dict[str, float] = {}
        self.issued = 0
        self.asking = 0
        self.most_asking = 0
        self.requests = 0
        self.failing = False

    def issue(self) -> str:
        if self.exclusive:
            self.living.clear()
        self.issued += 1
        name = f"token-{self.issued}"
        self.living[name] = self._clock.now + self.life
        return name

    def revoke_all(self) -> None:
        self.living.clear()

    def accepts(self, name: str) -> bool:
        return self._clock.now < self.living.get(name, 0.0)


@dataclass(frozen=True)
class ModelResponse:
    status_code: int

    def close(self) -> None:
        return None


@dataclass(frozen=True)
class ModelRequest:
    forbidden: bool = False

    def rewind(self) -> bool:
        return True


class ModelAuth(AuthBackend):
    def token_request(self) -> TokenRequest:
        return TokenRequest("POST", "token")

    def read(self, reply: Reply) -> Grant:
        name, _, said = reply.body.decode().partition(" ")
        return Grant({"X": name}, float(said) if said else None)


class Refused(Exception):
    """What the model has for Unauthorized."""


@dataclass
class Host:
    """One process: its memory, and its view of the shared cache."""

    world: World
    memory: Memory = field(default_factory=lambda: Memory(5.0))
    stopped_until: float = 0.0
    dead: bool = False
    newest: int = 0

    def __post_init__(self) -> None:
        clock = self.world.clock
        self.store = CacheStore(
            Reach(lambda: self.world.cache, Outage("model", clock)),  # type: ignore[arg-type,return-value]
            IDENTITY,
            SEAL,
            clock,
            5.0,
        )
        self.rows = self.world.rows
        self.renewal = Renewal(
            alias="api",
            auth=self.world.auth,
            memory=self.memory,
            token_timeout=TOKEN_TIMEOUT,
            clock=clock,
            jitter=lambda: 0.5,
            redact=lambda text, _: text,
            fingerprint=lambda _: "mark",
        )
        self.calls = CallFlow(
            renewal=self.renewal,
            expired=lambda response: response.status_code == 401,
            refusal=lambda _: Refused(),
        )


@dataclass
class Caller:
    """One flow under way, and the half-done step it is at."""

    host: Host
    flow: Flow
    began: float
    step: Any = None
    begun: bool = False
    wake_at: float = 0.0
    outcome: Any = None
    error: BaseException | None = None
    done: bool = False
    forbidden: bool = False


class Tape:
    """Decisions, byte by byte; when it ends, everyone moves in turn.

    A low byte takes the first option, which is to go on with whoever moved last: one process may
    get far while another stands.
    """

    def __init__(self, content: bytes) -> None:
        self._bytes: Iterator[int] = iter(content)
        self._turn = 0

    def choose(self, options: int) -> int:
        byte = next(self._bytes, None)
        if byte is None:
            self._turn += 1
            return self._turn % options
        return 0 if byte < 90 else byte % options


@dataclass
class World:
    tape: Tape
    life: float = 3600.0
    said: Any = 3600
    exclusive: bool = False
    token_seconds: float = 0.1
    rows: Any = None

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.cache = ModelCache(self.clock)
        self.auth: AuthBackend = ModelAuth()
        self.provider = Provider(
            self.clock, life=self.life, said=self.said, exclusive=self.exclusive
        )
        self.callers: list[Caller] = []
        self._last: Caller | None = None
        self.announced: list[tuple[str, str]] = []
        self.published: list[str] = []
        self.used: list[tuple[float, Host, Token]] = []

    def hosts(self, number: int) -> list[Host]:
        return [Host(self) for _ in range(number)]

    def start(self, host: Host, *, forbidden: bool = False) -> Caller:
        flow = host.calls.call(ModelRequest(forbidden))
        caller = Caller(host, flow, self.clock.now, forbidden=forbidden)
        self._resume(caller, flow.send, None)
        self.callers.append(caller)
        return caller

    def rotate(self, host: Host) -> Caller:
        old = host.memory.token
        flow = host.renewal.seek(Need(self.clock.now, rejected=old, ordered=True))
        caller = Caller(host, flow, self.clock.now)
        self._resume(caller, flow.send, None)
        self.callers.append(caller)
        return caller

    def run(self, *, limit: int = 20_000, until: float | None = None) -> None:
        """Move until every caller is done (or the clock is at `until`)."""
        for _ in range(limit):
            waiting = [c for c in self.callers if not c.done and not c.host.dead]
            self.callers = waiting
            if not waiting:
                return
            able = [c for c in waiting if self._can_move(c)]
            able.sort(key=lambda c: c is not self._last)
            reply_at = self._next_reply(waiting)
            if able:
                choice = self.tape.choose(len(able) + (reply_at is not None))
                if choice < len(able):
                    self._last = able[choice]
                    self._move(self._last)
                else:  # these are slow: a token reply arrives before any of them moves
                    self.clock.now = reply_at or self.clock.now
            elif until is not None and self._next_event(waiting) > until:
                self.clock.now = until
                return
            else:
                self.clock.now = max(self.clock.now, self._next_event(waiting))
        raise AssertionError("the world does not come to rest")

    def kill(self, host: Host) -> None:
        """End a process at once: none of its steps is carried out any more."""
        host.dead = True
        for caller in self.callers:
            if caller.host is host and not caller.done:
                exhaust(caller.flow)
                self.provider.asking -= caller.begun and isinstance(caller.step, Ask)

    def _can_move(self, caller: Caller) -> bool:
        now = self.clock.now
        if now < caller.host.stopped_until:
            return False
        if isinstance(caller.step, Wait):
            return now >= caller.wake_at or caller.host.memory.version != caller.step.version
        return now >= caller.wake_at

    def _next_reply(self, callers: list[Caller]) -> float | None:
        asking = [c.wake_at for c in callers if c.begun and isinstance(c.step, Ask)]
        return min((at for at in asking if at > self.clock.now), default=None)

    def _next_event(self, callers: list[Caller]) -> float:
        return min(max(c.wake_at, c.host.stopped_until) for c in callers) + 1e-6

    def _move(self, caller: Caller) -> None:
        if not caller.begun:
            caller.begun = True
            self._begin(caller)
            return
        caller.begun = False
        self._end(caller)

    def _begin(self, caller: Caller) -> None:
        step, now = caller.step, self.clock.now
        if isinstance(step, Wait | Sleep):
            caller.begun = False
            self._resume(caller, caller.flow.send, None)
        elif isinstance(step, Ask):
            self.provider.requests += 1
            self.provider.asking += 1
            self.provider.most_asking = max(self.provider.most_asking, self.provider.asking)
            # Issued now, told later: a holder that is stopped meanwhile comes with an old one.
            caller.outcome = self._asked(caller, step)
            caller.wake_at = now + self.token_seconds
        elif isinstance(step, Send):
            caller.outcome = self._answer(caller, step)
        elif isinstance(step, StoreCall):
            caller.outcome = self._stored(caller.host, step)
        elif isinstance(step, RowCall):
            caller.outcome = self._written(caller.host, step)

    def _asked(self, caller: Caller, step: Ask) -> Any:
        """Give what will arrive: a body, or the error of a reply that does not."""
        if self.provider.failing:
            return TransportError("no reply")
        said = "" if self.provider.said is None else f" {self.provider.said}"
        return f"{self.provider.issue()}{said}".encode()

    def _answer(self, caller: Caller, step: Send) -> ModelResponse:
        assert step.token is not None
        self.used.append((self.clock.now, caller.host, step.token))
        name = step.token.headers["X"].reveal()
        taken = self.provider.accepts(name) and not caller.forbidden
        return ModelResponse(200 if taken else 401)

    @staticmethod
    def _watch(host: Host) -> None:
        """Memory moves forward only."""
        assert host.memory.generation >= host.newest
        host.newest = host.memory.generation

    def _stored(self, host: Host, step: StoreCall) -> Callable[[], Any]:
        try:
            value = getattr(host.store, step.method)(*step.args)
        except StoreUnavailable as error:
            failed = error
            return lambda: _raise(failed)
        if step.method == "publish" and value:
            self.published.append(step.args[1].headers["X"].reveal())
        return lambda: value

    def _end(self, caller: Caller) -> None:
        step = caller.step
        if isinstance(step, Ask):
            self.provider.asking -= 1
            if isinstance(caller.outcome, Exception):
                self._resume(caller, caller.flow.throw, caller.outcome)
                return
            self._resume(caller, caller.flow.send, self._reply(caller.outcome))
        elif isinstance(step, StoreCall | RowCall):
            try:
                value = caller.outcome()
            except (StoreUnavailable, RowsUnavailable) as error:
                self._resume(caller, caller.flow.throw, error)
            else:
                self._resume(caller, caller.flow.send, value)
        else:
            self._resume(caller, caller.flow.send, caller.outcome)

    def _reply(self, body: bytes) -> Reply:
        return Reply(200, {}, body, self.clock.now)

    def _written(self, host: Host, step: RowCall) -> Callable[[], Any]:
        try:
            value = getattr(host.rows, step.method)(*step.args)
        except RowsUnavailable as error:
            failed = error
            return lambda: _raise(failed)
        return lambda: value

    def _resume(self, caller: Caller, resume: Callable[[Any], Any], value: Any) -> None:
        while True:
            try:
                step = resume(value)
            except StopIteration as stop:
                caller.done, caller.outcome = True, stop.value
                return
            except APIClientError as error:
                caller.done, caller.error = True, error
                return
            if not isinstance(step, Announce):
                break
            self.announced.append((step.signal, str(step.fields.get("token_id", ""))))
            resume, value = caller.flow.send, None
        caller.step = step
        self._watch(caller.host)
        seconds = step.seconds if isinstance(step, Wait | Sleep) else 0.0
        caller.wake_at = self.clock.now + seconds


def exhaust(flow: Flow) -> None:
    """Let a killed generator end without effect, or Python complains of it later."""
    try:
        while True:
            flow.throw(StoreUnavailable())
    except BaseException:  # noqa: BLE001  # whatever it was in the middle of
        return


def _raise(error: BaseException) -> Any:
    raise error
