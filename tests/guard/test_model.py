"""Guarded calls of several processes, interleaved step by step by Hypothesis, and killed."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.exceptions import CircuitOpen
from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.line import LONGEST_TURN
from apiclient_app.guard.rates import Allowance, RateLimit
from tests.flow.test_model import CREWS, MODEL, TAPES
from tests.flow.world import Tape

from .steps import LEASE
from .world import Caller, Gone, World

LIMITS = st.sampled_from(
    [
        RateLimit(allowances=(Allowance(2, 1.0),)),
        RateLimit(allowances=(Allowance(20, 1.0), Allowance(30, 10.0))),
    ]
)
ENDS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["kill", "leave"])), max_size=3)
BREAKER = Breaker(failures=2, share=0.5, window=30.0, pause=4.0)


def crowd(world: World, crew: list[int], each: int = 3, patience: float = 1000.0) -> list[Caller]:
    return [
        world.start(host, patience=patience)
        for host, callers in zip(world.hosts(len(crew)), crew, strict=True)
        for _ in range(callers * each)
    ]


def happened(world: World, callers: list[Caller], ends: list[tuple[int, str]]) -> None:
    """Let some move, and end: a process, or the call of one."""
    for when, how in ends:
        for _ in range(when):
            if able := world.able():
                world.move(able[world.tape.choose(len(able))])
        living = [c for c in callers if not c.done and not c.host.dead]
        if not living:
            return
        victim = living[world.tape.choose(len(living))]
        if how == "kill" and len({id(c.host) for c in living}) > 1:
            world.kill(victim.host)
        else:
            world.interrupt(victim, Gone())


def served(callers: list[Caller]) -> bool:
    return all(
        c.host.dead or isinstance(c.error, Gone) or (c.done and c.error is None) for c in callers
    )


@MODEL
@given(TAPES, CREWS, st.integers(1, 3), ENDS, st.booleans())
def test_slots_are_never_more_than_there_are_and_all_come_back(
    tape: bytes, crew: list[int], most: int, ends: list[tuple[int, str]], many: bool
) -> None:
    world = World(Tape(tape), most=most)
    callers = crowd(world, crew, patience=inf if many else 1000.0)
    happened(world, callers, ends)
    began = world.clock.now
    world.run()
    assert served(callers)
    assert world.most_sending <= most
    # Whoever died cost the others his lease at most.
    assert world.clock.now - began <= LEASE + LONGEST_TURN + len(callers) * (world.service + 0.5)
    world.gate.expire()
    dead = any(c.host.dead for c in callers)
    assert dead or not world.gate.slots
    world.clock.now += LEASE + LONGEST_TURN + 0.1
    fresh = [world.start(host) for host in world.hosts(most)]
    world.most_sending = 0
    world.run(until=world.clock.now + 0.1)
    assert world.most_sending == most
    world.run()
    assert served(fresh)


@MODEL
@given(TAPES, CREWS, LIMITS, ENDS, st.sampled_from([None, 2, 5]), st.booleans())
def test_in_no_window_is_more_sent_than_is_allowed(
    tape: bytes,
    crew: list[int],
    limit: RateLimit,
    ends: list[tuple[int, str]],
    most: int | None,
    many: bool,
) -> None:
    world = World(Tape(tape), limit=limit, most=most, service=0.05)
    callers = crowd(world, crew, patience=inf if many else 1000.0)
    happened(world, callers, ends)
    world.run()
    assert served(callers)
    for allowed in limit.spans:
        for first, later in zip(world.sent, world.sent[allowed.calls :], strict=False):
            assert later - first >= allowed.seconds - 1e-4
    if most is not None:
        assert world.most_sending <= most


@MODEL
@given(TAPES, CREWS, ENDS, st.booleans())
def test_a_circuit_has_one_probe_at_a_time_and_closes_once_the_api_is_well(
    tape: bytes, crew: list[int], ends: list[tuple[int, str]], outage: bool
) -> None:
    world = World(Tape(tape), breaker=BREAKER)
    hosts = world.hosts(len(crew) + 1)
    world.well = False
    for second in range(12):
        callers = [world.start(h) for h, n in zip(hosts, crew, strict=False) for _ in range(n)]
        if second == 6:
            world.gate.down = outage
        if second == 5:
            happened(world, callers, ends)
            hosts = [host for host in hosts if not host.dead]
        world.run()
        world.clock.now += 1
    assert outage or world.most_probing <= 1
    assert len(world.sent) < 12 * sum(crew) or sum(crew) <= 2
    world.well, world.gate.down = True, False
    # A prober may have died, and an API that failed often rests longer.
    for _ in range(int(LEASE + 16 * BREAKER.pause) + 5):
        for host in hosts:
            world.start(host)
        world.run()
        world.clock.now += 1
    last = [world.start(host) for host in hosts]
    world.run()
    assert served(last)
    assert world.gate.circuit_ is None
    assert not any(isinstance(c.error, CircuitOpen) for c in last)
