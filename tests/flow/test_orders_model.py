"""People store and revoke refresh tokens while processes are using them, and are killed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.auth import Secret
from apiclient_app.exceptions import TokenError
from apiclient_app.flow.orders import OrderFlow
from apiclient_app.rows import RowState
from apiclient_app.steps import Flow
from apiclient_app.store import CacheStore
from apiclient_app.store.outage import Outage
from apiclient_app.store.reach import Reach

from .grants import FIRST, GrantWorld, RotatingProvider, Use
from .test_grants_model import LOSSES, step_some, twice
from .test_model import MODEL, TAPES, succeeded
from .world import IDENTITY, SEAL, Caller, Host, ModelCache, Tape

EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), min_size=1, max_size=6)


@dataclass
class Consent:
    """One grant of the provider, of which one refresh token is good."""

    name: str
    current: str
    previous: str = ""
    rotated_at: float = 0.0
    alive: bool = True


class Consents(RotatingProvider):
    """Each time that a person consents makes a grant of its own, by which its tokens are named."""

    def __init__(self, *args: Any, **knobs: Any) -> None:
        super().__init__(*args, **knobs)
        self.grants: dict[str, Consent] = {}
        self.consent(FIRST)

    def consent(self, name: str) -> str:
        self.grants[name] = Consent(name, name)
        return name

    def refresh(self, use: Use) -> dict[str, Any]:
        grant = self.grants[use.token.partition(".")[0]]
        again = self._now.now < grant.rotated_at + self.grace and use.token == grant.previous
        if not grant.alive or (use.token != grant.current and not again):
            use.reuse, grant.alive = True, False
            self.reuses += 1
            return {"error": "invalid_grant"}
        self.issued += 1
        if not again:
            grant.previous, grant.rotated_at = grant.current, self._now.now
            grant.current, use.rotated = f"{grant.name}.{self.issued}", True
        access = f"{grant.name}:{self.issued}"
        self.living[access] = self._now.now + self.life
        return {"access": access, "life": self.said, "refresh": grant.current}


@dataclass
class ConsentWorld(GrantWorld):
    orders: list[Caller] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        knobs = {"life": self.life, "said": self.said, "exclusive": self.exclusive}
        self.consents = Consents(self.clock, self.grace, **knobs)
        self.provider = self.rotating = self.consents

    def order(self, host: Host, flow: Flow) -> Caller:
        caller = Caller(host, flow, self.clock.now)
        self._resume(caller, flow.send, None)
        self.callers.append(caller)
        self.orders.append(caller)
        return caller

    def store(self, host: Host) -> str:
        name = self.consents.consent(f"consent-{len(self.consents.grants)}")
        self.order(host, orders(host).store(Secret(name)))
        return name

    def revoke(self, host: Host) -> None:
        self.order(host, orders(host).revoke())

    def some(self, steps: int) -> None:
        """Move some of those who can, so that the next thing happens in the middle."""
        for _ in range(steps):
            able = [
                c for c in self.callers if not c.done and not c.host.dead and self._can_move(c)
            ]
            if able:
                self._move(able[self.tape.choose(len(able))])

    def rest(self, seconds: float) -> None:
        self.run()
        self.clock.now += seconds


def orders(host: Host) -> OrderFlow:
    return OrderFlow(renewal=host.renewal, memory_seconds=5.0)


def happen(world: ConsentWorld, hosts: list[Host], events: list[tuple[int, int]]) -> list[Host]:
    """Let things happen, each some steps after the other; give those who are alive."""
    for kind, number in events:
        host = hosts[number % len(hosts)]
        if kind == 0:
            world.provider.revoke_all()
        elif kind == 1:
            world.rest(number / 4)
        elif kind == 2:
            world.cache.flush()
        elif kind == 3 and len(hosts) > 1:
            hosts = [other for other in hosts if other is not host]
            world.kill(host)
        elif kind == 4:
            world.store(host)
        else:
            world.rotate(host)
        for one in hosts:
            world.start(one)
        world.some(number)
    return hosts


@MODEL
@given(TAPES, st.integers(2, 4), EVENTS, st.sampled_from([0.0, 30.0]))
def test_what_a_person_stores_last_is_what_is_used(
    tape: bytes, number: int, events: list[tuple[int, int]], grace: float
) -> None:
    world = ConsentWorld(Tape(tape), life=60.0, said=60, grace=grace)
    hosts = world.hosts(number)
    alive = happen(world, hosts, events)
    world.run()
    newest = world.store(alive[0])
    for host in alive:
        world.start(host)
    world.some(events[0][1])
    world.rest(20.0)  # no claim stands any more
    world.rest(6.0)
    last = [world.start(host) for host in (*alive, *world.hosts(1))]
    world.run()
    assert succeeded(last)
    assert world.held.partition(".")[0] == newest
    used = {token.headers["X"].reveal() for at, _, token in world.used if at >= last[0].began}
    assert {name.partition(":")[0] for name in used} == {newest}
    assert world.consents.grants[newest].alive
    if alive == hosts:  # who is killed with the answer in his hand has told nobody
        assert twice(world.uses) == []


@MODEL
@given(TAPES, st.integers(2, 4), EVENTS, LOSSES)
def test_within_the_grace_no_lost_reply_costs_what_a_person_stored(
    tape: bytes, number: int, events: list[tuple[int, int]], lose: frozenset[int]
) -> None:
    world = ConsentWorld(Tape(tape), life=60.0, said=60, grace=30.0, lose=lose)
    hosts = world.hosts(number)
    alive = happen(world, hosts, events)
    world.run()
    newest = world.store(alive[0])
    for host in alive:
        world.start(host)
    world.some(events[0][1])
    for _ in range(8):
        world.rest(2.0)
        last = [world.start(host) for host in (*alive, *world.hosts(1))]
        world.run()
    assert succeeded(last)
    assert world.held.partition(".")[0] == newest
    assert world.consents.grants[newest].alive


@MODEL
@given(TAPES, st.integers(2, 4), EVENTS, st.sampled_from([0.0, 30.0]))
def test_after_a_revocation_there_is_no_token_until_a_person_stores_one(
    tape: bytes, number: int, events: list[tuple[int, int]], grace: float
) -> None:
    world = ConsentWorld(Tape(tape), life=1000.0, said=1000, grace=grace)
    hosts = world.hosts(number)
    alive = happen(world, hosts, events)
    world.run()
    world.revoke(alive[0])
    for host in alive:
        world.start(host)
    world.some(events[0][1])
    world.rest(20.0)
    world.rest(6.0)
    assert world.orders[-1].error is None
    last = [world.start(host) for host in (*alive, *world.hosts(1))]
    world.run()
    assert all(isinstance(caller.error, TokenError) for caller in last)
    assert world.rows.read().state is RowState.EMPTY
    newest = world.store(alive[-1])
    world.rest(6.0)
    last = [world.start(host) for host in alive]
    world.run()
    assert succeeded(last)
    assert world.held.partition(".")[0] == newest
    if alive == hosts:  # who is killed with the answer in his hand has told nobody
        assert twice(world.uses) == []


@MODEL
@given(TAPES, st.lists(st.integers(1, 3), min_size=2, max_size=4), EVENTS)
def test_two_versions_of_the_settings_share_one_grant_and_no_cache(
    tape: bytes, crew: list[int], events: list[tuple[int, int]]
) -> None:
    world = GrantWorld(Tape(tape), life=60.0, said=60)
    hosts, other = world.hosts(len(crew)), ModelCache(world.clock)
    for host in hosts[::2]:
        reach = Reach(lambda: other, Outage("other", world.clock))  # type: ignore[arg-type,return-value]
        host.store = CacheStore(reach, IDENTITY, SEAL, world.clock, 5.0)
    for kind, number in events:
        for host, callers in zip(hosts, crew, strict=True):
            for _ in range(callers):
                world.start(host)
        step_some(world, world.callers, number)
        if kind == 0:
            world.provider.revoke_all()
        elif kind == 1:
            other.flush()
        else:
            world.run()
            world.clock.now += number
    world.run()
    world.clock.now += 61
    last = [world.start(host) for host in hosts]
    world.run()
    assert succeeded(last)
    assert world.rotating.reuses == 0
    assert twice(world.uses) == []
    assert world.held == world.rotating.current
