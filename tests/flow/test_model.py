"""Flows of several processes, interleaved step by step by Hypothesis."""

from __future__ import annotations

import os

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from .world import TOKEN_TIMEOUT, Caller, Tape, World

TAPES = st.binary(min_size=100, max_size=300)  # without a minimum they are a few bytes long
CREWS = st.lists(st.integers(1, 4), min_size=1, max_size=4).filter(lambda n: 2 <= sum(n) <= 8)
# scripts/prove_model.py wants to see failures, not their smallest form.
PHASES = [phase for phase in Phase if phase is not Phase.shrink or "NO_SHRINK" not in os.environ]
MODEL = settings(max_examples=400, deadline=None, phases=PHASES)


def crowd(world: World, crew: list[int], **kwargs: bool) -> list[Caller]:
    return [
        world.start(host, **kwargs)
        for host, callers in zip(world.hosts(len(crew)), crew, strict=True)
        for _ in range(callers)
    ]


def succeeded(callers: list[Caller]) -> bool:
    return all(c.error is None and c.outcome.status_code == 200 for c in callers)


@MODEL
@given(TAPES, CREWS, st.booleans())
def test_a_cold_start_costs_one_token_request_and_leaves_no_lock(
    tape: bytes, crew: list[int], exclusive: bool
) -> None:
    world = World(Tape(tape), exclusive=exclusive)
    callers = crowd(world, crew)
    world.run()
    assert succeeded(callers)
    assert world.provider.requests == 1
    assert not world.cache.locked
    assert world.announced.count(("token_obtained", world.announced[0][1])) == 1


@MODEL
@given(TAPES, CREWS, st.booleans())
def test_a_revocation_costs_one_token_request_whoever_meets_it_when(
    tape: bytes, crew: list[int], exclusive: bool
) -> None:
    world = World(Tape(tape), exclusive=exclusive)
    hosts = world.hosts(len(crew))
    for host in hosts:
        world.start(host)
        world.run()
    assert world.provider.requests == 1
    callers = [world.start(h) for h, n in zip(hosts, crew, strict=True) for _ in range(n)]
    world.clock.now += 0.01
    world.provider.revoke_all()
    late = [world.start(host) for host in hosts]
    world.run()
    assert succeeded(callers + late)
    assert world.provider.requests == 2
    assert world.provider.most_asking == 1
    assert not world.cache.locked


@MODEL
@given(TAPES, CREWS)
def test_two_losses_in_a_row_fail_nobody(tape: bytes, crew: list[int]) -> None:
    world = World(Tape(tape))
    hosts = world.hosts(len(crew))
    for host in hosts:
        world.start(host)
        world.run()
    world.clock.now += 1
    world.rotate(hosts[0])
    world.run()
    world.clock.now += 1
    world.provider.revoke_all()  # both, and the others have not even seen the second
    callers = [world.start(h) for h, n in zip(hosts, crew, strict=True) for _ in range(n)]
    world.run()
    assert succeeded(callers)
    assert world.provider.requests == 3
    assert not world.cache.locked


@MODEL
@given(TAPES, CREWS, st.sampled_from([0.15, 0.3, 1.0]))
def test_tokens_that_live_shorter_than_the_wait_for_them_make_no_convoy(
    tape: bytes, crew: list[int], life: float
) -> None:
    world = World(Tape(tape), life=60.0, said=life, token_seconds=0.2)
    callers = crowd(world, crew)
    world.run()
    assert succeeded(callers)
    # Whoever waited for the record may use it once, also when it has expired by then.
    assert world.provider.requests <= 2


@MODEL
@given(TAPES, CREWS)
def test_a_path_that_is_refused_for_ever_costs_few_token_requests(
    tape: bytes, crew: list[int]
) -> None:
    world = World(Tape(tape))
    hosts = world.hosts(len(crew))
    for second in range(60):
        for host, callers in zip(hosts, crew, strict=True):
            for n in range(callers):
                world.start(host, forbidden=n % 2 == 0)
        world.run()
        world.clock.now = 1_000_000.0 + second + 1
    # First, then after 2, 4, 8, 16 and 32 seconds of refusals.
    assert world.provider.requests <= 7


@MODEL
@given(TAPES, CREWS)
def test_a_real_revocation_is_mended_while_another_path_is_refused_for_ever(
    tape: bytes, crew: list[int]
) -> None:
    world = World(Tape(tape))
    hosts = world.hosts(len(crew))
    outcomes: list[tuple[int, Caller]] = []
    for second in range(40):
        if second == 20:
            world.provider.revoke_all()
        for host, callers in zip(hosts, crew, strict=True):
            outcomes.append((second, world.start(host)))
            for _ in range(callers):
                world.start(host, forbidden=True)
        world.run()
        world.clock.now = 1_000_000.0 + second + 1
    failed = [second for second, caller in outcomes if not succeeded([caller])]
    assert all(20 <= second <= 26 for second in failed)
    assert world.provider.requests <= 9


@MODEL
@given(TAPES, CREWS, st.integers(0, 30))
def test_a_killed_holder_costs_the_others_its_lease_and_one_token_request(
    tape: bytes, crew: list[int], when: int
) -> None:
    world = World(Tape(tape))
    callers = crowd(world, crew)
    victim = callers[0].host
    for _ in range(when):
        able = [c for c in callers if not c.done and world._can_move(c)]
        if able:
            world._move(able[world.tape.choose(len(able))])
    world.kill(victim)
    began = world.clock.now
    world.run()
    rest = [c for c in callers if c.host is not victim]
    assert succeeded(rest)
    assert world.provider.requests <= 2
    assert world.clock.now - began <= TOKEN_TIMEOUT + 2 + 1
    world.clock.now = began + TOKEN_TIMEOUT + 2 + 1
    assert not world.cache.locked


@MODEL
@given(TAPES, CREWS.filter(lambda n: len(n) > 1), st.integers(0, 40))
def test_a_holder_stopped_past_its_lease_publishes_nothing(
    tape: bytes, crew: list[int], when: int
) -> None:
    world = World(Tape(tape), exclusive=True)
    callers = crowd(world, crew)
    for _ in range(when):
        able = [c for c in callers if not c.done and world._can_move(c)]
        if able:
            world._move(able[world.tape.choose(len(able))])
    asking = [c for c in callers if c.begun and type(c.step).__name__ == "Ask" and not c.done]
    sleeper = asking[0].host if asking else callers[0].host
    sleeper.stopped_until = world.clock.now + TOKEN_TIMEOUT + 10
    world.run()
    assert succeeded(callers)
    # No token was stored after one that was issued later.
    order = [int(name.removeprefix("token-")) for name in world.published]
    assert order == sorted(set(order))


@MODEL
@given(TAPES, CREWS, st.lists(st.integers(0, 60), max_size=6))
def test_outages_flushes_orders_and_revocations_are_survived_and_memory_moves_forward_only(
    tape: bytes, crew: list[int], events: list[int]
) -> None:
    world = World(Tape(tape))
    hosts = world.hosts(len(crew))
    for index, event in enumerate(events):
        for host, callers in zip(hosts, crew, strict=True):
            for _ in range(callers):
                world.start(host)
        if event % 4 == 0:
            world.cache.down = not world.cache.down
        elif event % 4 == 1:
            world.cache.flush()
        elif event % 4 == 2:
            world.rotate(hosts[event % len(hosts)])
        else:
            world.provider.revoke_all()
        world.run()
        world.clock.now += [0.5, 3.0, 6.0, 20.0][index % 4]
    world.cache.down = False
    world.clock.now += 60
    last = [world.start(host) for host in hosts]
    world.run()
    assert succeeded(last)
    assert not world.cache.locked
