"""Times in the cache are the provider's: machines whose clocks differ agree on them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import pytest
from django.core.cache import caches

from apiclient_app.auth import ClientCredentials
from apiclient_app.records import Failure, Fruitless
from apiclient_app.steps import Ask
from apiclient_app.store import CacheStore, Identity
from apiclient_app.store.outage import Outage
from apiclient_app.store.reach import Reach
from apiclient_app.store.seal import Seal
from apiclient_app.tokens import Token, new_token
from tests.flow.holding import CLIENT, Holding, granting, text_of
from tests.flow.world import Clock

HOUR = 3600.0
SHIFTS = [0.0, HOUR, -HOUR, 90 * 86_400.0]

pytestmark = pytest.mark.usefixtures("settings")


@dataclass
class Machine:
    """One whose clock is ahead by so many seconds, and which knows it."""

    ahead: float

    def now(self) -> float:
        return time.time() + self.ahead

    @property
    def store(self) -> CacheStore:
        reach = Reach(lambda: caches["locmem"], Outage("locmem", self.now))
        identity, seal = Identity("shop", "", "f1"), Seal(["a key"])
        return CacheStore(reach, identity, seal, self.now, 5.0, lambda: -self.ahead)

    def token(self, life: float, after: int = 0) -> Token:
        return new_token({}, sent_at=self.now(), obtained_at=self.now(), life=life, after=after)


each_pair = pytest.mark.parametrize(
    ("one", "other"), [(Machine(a), Machine(b)) for a in SHIFTS for b in SHIFTS], ids=repr
)


@each_pair
def test_a_token_lives_as_long_for_every_machine(one: Machine, other: Machine) -> None:
    token = one.token(50)
    one.store.acquire(1, 9)
    one.store.publish(1, token, None)
    seen = other.store.look().token
    assert seen is not None
    for name in ("obtained_at", "renew_at", "usable_until", "expires_at"):
        mine, theirs = getattr(token, name) - one.now(), getattr(seen, name) - other.now()
        assert theirs == pytest.approx(mine, abs=0.1)
    assert seen.generation == token.generation


@each_pair
def test_cooldowns_and_markers_end_at_once_everywhere(one: Machine, other: Machine) -> None:
    one.store.acquire(1, 9)
    one.store.fail(1, Failure("http_503", "", False, one.now(), one.now() + 20, 1))
    one.store.mark_fruitless(Fruitless(7, 1, one.now() + 8))
    view = other.store.look()
    assert view.failure is not None
    assert view.fruitless is not None
    assert view.failure.until - other.now() == pytest.approx(20, abs=0.1)
    assert view.failure.at - other.now() == pytest.approx(0, abs=0.1)
    assert view.failure.holds(other.now(), stale=False)
    assert view.fruitless.until - other.now() == pytest.approx(8, abs=0.1)


@each_pair
def test_what_is_due_is_due_at_once_everywhere(one: Machine, other: Machine) -> None:
    old = one.token(50)
    one.store.acquire(1, 9)
    one.store.publish(1, one.token(60, after=old.generation), old)
    (due,) = other.store.look().due
    assert due.at - other.now() == pytest.approx(5, abs=0.1)
    assert due.token.expires_at - other.now() == pytest.approx(50, abs=0.1)
    assert other.store.settle(1, other.now() + 4)
    assert len(one.store.look().due) == 1
    assert other.store.settle(1, other.now() + 6)
    assert one.store.look().due == ()


# A fleet, and what its machines learn from the provider's replies


class Shifted(Clock):
    """The clock of a machine that is ahead of the world's."""

    def __init__(self, world: Clock, ahead: float) -> None:
        self.world, self.ahead = world, ahead

    @property
    def now(self) -> float:
        return self.world.now + self.ahead

    @now.setter
    def now(self, value: float) -> None:
        self.world.now = value - self.ahead


class Fleet:
    """Machines with one cache. The provider tells its time, and counts what it is asked for."""

    def __init__(self, *ahead: float) -> None:
        self.world = Clock()
        first = Holding(clock=self.world, auth=ClientCredentials(**CLIENT))
        self.machines = [first.beside(clock=Shifted(self.world, seconds)) for seconds in ahead]
        self.asked: list[float] = []
        self.lives: dict[str, float] = {}

    def call(self, machine: Holding) -> str:
        """Have a machine call: with a newer token, if what it has is refused."""
        name = self._found(machine, machine.seek())
        if self.lives[name] <= self.world.now:
            name = self._found(machine, machine.seek(rejected=machine.memory.token))
        assert self.lives[name] > self.world.now
        return name

    def _found(self, machine: Holding, step: Any) -> str:
        if isinstance(step, Ask):
            self.asked.append(machine.clock.now - self.world.now)
            name = f"access-{len(self.asked)}"
            self.lives[name] = self.world.now + 600
            date = formatdate(self.world.now, usegmt=True)
            step = machine.reply(granting(name, life=600), date=date)
        return text_of(step[1])


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 30.0, -30.0, 3.0, -3.0])
def test_a_machine_with_a_wrong_clock_asks_for_no_token_of_its_own_with_each_call(
    ahead: float,
) -> None:
    fleet = Fleet(0.0, ahead, 0.0)
    for _ in range(50):
        used = {fleet.call(machine) for machine in fleet.machines}
        fleet.world.now += 9
    assert len(used) == 1
    # One, and one more by which the machine learns what time it is.
    assert len(fleet.asked) <= 2


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_machines_renew_in_turn_and_not_for_themselves(ahead: float) -> None:
    fleet = Fleet(0.0, ahead)
    hours = 3
    for _ in range(hours * 360):
        for machine in fleet.machines:
            fleet.call(machine)
        fleet.world.now += 10
    # A token of 600 s is renewed when it is stale, after 480 s or a little more.
    assert len(fleet.asked) <= hours * HOUR / 480 + 2


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_after_its_first_reply_a_machine_agrees_with_the_others(ahead: float) -> None:
    fleet = Fleet(0.0, ahead)
    right, wrong = fleet.machines
    fleet.call(wrong)
    assert wrong.memory.offset == pytest.approx(-ahead, abs=1)
    fleet.call(right)
    assert len(fleet.asked) == 1
    left = [m.memory.token.expires_at - m.clock.now for m in fleet.machines if m.memory.token]
    assert left == pytest.approx([600, 600], abs=2)


def test_a_new_process_of_a_wrong_machine_costs_one_request_at_most() -> None:
    fleet = Fleet(0.0, HOUR)
    for machine in fleet.machines:
        fleet.call(machine)
    fleet.world.now += 6
    before = len(fleet.asked)
    started = fleet.machines[1].beside()
    for _ in range(20):
        fleet.call(started)
        fleet.world.now += 6
    assert len(fleet.asked) <= before + 1


def test_a_revocation_by_a_machine_ahead_keeps_nobody_from_a_new_token() -> None:
    fleet = Fleet(0.0, HOUR)
    right, wrong = fleet.machines
    for machine in fleet.machines:
        fleet.call(machine)
    wrong.go(wrong.orders.revoke())
    fleet.world.now += 6
    before = len(fleet.asked)
    for _ in range(5):
        for machine in (right, wrong):
            fleet.call(machine)
        fleet.world.now += 6
    assert len(fleet.asked) == before + 1
