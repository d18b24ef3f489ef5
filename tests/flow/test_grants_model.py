"""Refresh tokens that work once, with losses and crashes between any two steps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from .grants import GrantWorld, Use
from .test_model import CREWS, MODEL, TAPES, succeeded
from .world import Caller, Host, Tape

GRACE = 30.0
# What a caller is about to do, or in the middle of.
MOMENTS = [
    (step, begun) for step in ("claim", "Ask", "keep", "publish") for begun in (False, True)
]
LOSSES = st.frozensets(st.integers(1, 6), max_size=4)


def cohort(world: GrantWorld, hosts: list[Host], crew: list[int]) -> list[Caller]:
    return [world.start(h) for h, n in zip(hosts, crew, strict=True) for _ in range(n)]


def step_some(world: GrantWorld, callers: list[Caller], steps: int) -> None:
    """Move some of them, so that something can happen in the middle."""
    for _ in range(steps):
        able = [c for c in callers if not c.done and not c.host.dead and world._can_move(c)]
        if able:
            world._move(able[world.tape.choose(len(able))])


def at(world: GrantWorld, callers: list[Caller], moment: tuple[str, bool]) -> Caller | None:
    """Move until somebody is at that step; None if nobody ever is."""
    for _ in range(300):
        for caller in callers:
            name = getattr(caller.step, "method", type(caller.step).__name__)
            if not caller.done and (name, caller.begun) == moment:
                return caller
        step_some(world, callers, 1)
        waiting = [c for c in callers if not c.done and not world._can_move(c)]
        if waiting and all(c.done or not world._can_move(c) for c in callers):
            world.clock.now = min(c.wake_at for c in waiting) + 1e-6
    return None


def twice(uses: list[Use]) -> list[str]:
    """The refresh tokens that were sent again after the provider's answer had reached us."""
    answered: set[str] = set()
    again = []
    for use in uses:
        if use.token in answered:
            again.append(use.token)
        if use.answered:
            answered.add(use.token)
    return again


@MODEL
@given(TAPES, CREWS, st.lists(st.integers(0, 60), max_size=6))
def test_a_grant_outlives_expiries_orders_and_an_absent_cache(
    tape: bytes, crew: list[int], events: list[int]
) -> None:
    world = GrantWorld(Tape(tape), exclusive=True)
    hosts = world.hosts(len(crew))
    for index, event in enumerate(events):
        cohort(world, hosts, crew)
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
    for _ in range(3):  # processes that could not see each other revoked each other's tokens
        world.clock.now += 61
        last = [world.start(host) for host in hosts]
        world.run()
    assert succeeded(last)
    assert world.rotating.alive
    assert twice(world.uses) == []
    assert world.held == world.rotating.current


@MODEL
@given(TAPES, CREWS, st.integers(0, 40), LOSSES)
def test_kills_and_lost_replies_within_the_grace_cost_no_grant(
    tape: bytes, crew: list[int], when: int, lose: frozenset[int]
) -> None:
    world = GrantWorld(Tape(tape), exclusive=True, grace=GRACE, lose=lose)
    hosts = world.hosts(len(crew))
    callers = cohort(world, hosts, crew)
    step_some(world, callers, when)
    world.kill(hosts[0])
    world.run()
    for _ in range(8):
        world.clock.now += 2  # what was lost is asked for again well within the grace
        others = [world.start(host) for host in (*hosts[1:], *world.hosts(1))]
        world.run()
    assert succeeded(others)
    assert world.rotating.alive
    assert world.rotating.reuses == 0
    assert world.held == world.rotating.current


@MODEL
@given(TAPES, CREWS, st.integers(0, 40), LOSSES)
def test_without_grace_a_token_is_tried_once_more_and_a_refused_one_never(
    tape: bytes, crew: list[int], when: int, lose: frozenset[int]
) -> None:
    world = GrantWorld(Tape(tape), exclusive=True, lose=lose)
    hosts = world.hosts(len(crew))
    callers = cohort(world, hosts, crew)
    step_some(world, callers, when)
    world.kill(hosts[0])
    heard = [use for use in world.uses if use.answered]
    for _ in range(40):
        world.run()
        world.clock.now += 7
        world.start((*hosts[1:], *world.hosts(1))[0])
    world.run()
    assert twice(world.uses) == []
    # One reuse ends the grant; that is said to people, and asked no more.
    assert world.rotating.reuses <= 1 + len(lose)
    row = world.rows.read()
    lost = [use for use in world.uses if use.rotated and not use.answered]
    if lost:
        assert row.attention or world.held == world.rotating.current
    else:
        assert world.held == world.rotating.current
    assert len(heard) <= len(world.uses)


@MODEL
@given(TAPES, CREWS.filter(lambda n: len(n) > 1), st.integers(0, 40))
def test_in_doubt_the_access_token_is_used_to_its_end_first(
    tape: bytes, crew: list[int], when: int
) -> None:
    world = GrantWorld(Tape(tape), life=1000.0, said=100)
    hosts = world.hosts(len(crew))
    for host in hosts:
        world.start(host)
        world.run()
    end = world.rows.read().now + 99  # by then it has not expired yet
    world.clock.now += 85  # stale since 80 to 84
    step_some(world, cohort(world, hosts, crew), when)
    world.kill(hosts[0])
    while world.clock.now < end:
        callers = [world.start(host) for host in hosts[1:]]
        world.run()
        assert succeeded(callers)
        world.clock.now += 2.5
    early = [use.token for use in world.uses if use.at < end]
    assert len(early) == len(set(early))


@MODEL
@given(TAPES, CREWS.filter(lambda n: len(n) > 1), st.sampled_from(MOMENTS), st.floats(1.0, 90.0))
def test_who_was_stopped_and_given_up_neither_sends_nor_overwrites(
    tape: bytes, crew: list[int], moment: tuple[str, bool], pause: float
) -> None:
    world = GrantWorld(Tape(tape), exclusive=True, grace=GRACE)
    hosts = world.hosts(len(crew))
    callers = cohort(world, hosts, crew)
    stopped = at(world, callers, moment)
    if stopped is not None:
        stopped.host.stopped_until = world.clock.now + pause
    for _ in range(8):  # the others go on, and the refresh token with them
        world.run(until=world.clock.now + 15)
        world.clock.now += 1
        world.provider.revoke_all()
        for host in hosts:
            world.start(host)
    world.run()
    world.clock.now += 1
    last = [world.start(host) for host in hosts]
    world.run()
    assert succeeded(last)
    assert world.rotating.alive
    assert world.rotating.reuses == 0
    assert world.held == world.rotating.current


@MODEL
@given(TAPES, CREWS.filter(lambda n: len(n) > 1))
def test_without_a_cache_too_no_doubt_is_overlooked(tape: bytes, crew: list[int]) -> None:
    world = GrantWorld(Tape(tape), life=1000.0, said=100, lose=frozenset({2}))
    hosts = world.hosts(len(crew))
    world.start(hosts[0])
    world.run()
    for host in hosts:
        world.start(host)
        world.run()
    end = world.clock.now + 95
    world.clock.now += 85
    world.cache.down = True
    callers = cohort(world, hosts, crew)
    world.run(until=end)
    assert succeeded(callers)
    early = [use.token for use in world.uses if use.at < end]
    assert len(early) == len(set(early))


@MODEL
@given(TAPES, CREWS, st.integers(0, 30), st.integers(1, 30))
def test_a_successor_that_the_database_does_not_take_is_not_lost(
    tape: bytes, crew: list[int], down: int, up: int
) -> None:
    world = GrantWorld(Tape(tape), exclusive=True)
    hosts = world.hosts(len(crew))
    callers = cohort(world, hosts, crew)
    step_some(world, callers, down)
    world.table.down = True
    step_some(world, callers, up)
    world.run()
    world.table.down = False
    for _ in range(3):
        world.clock.now += 61
        world.provider.revoke_all()
        last = [world.start(host) for host in hosts]
        world.run()
    assert succeeded(last)
    assert world.rotating.reuses == 0
    assert world.held == world.rotating.current
