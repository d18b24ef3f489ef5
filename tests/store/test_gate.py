"""What workers have in common, in a real Valkey: allowances, slots, circuit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

import pytest
import redis
from django.core.cache import caches
from pytest_django import Settings

from apiclient_app.exceptions import StoreUnavailable
from apiclient_app.guard.circuit import Circuit
from apiclient_app.guard.rates import FULL, GO, LATE, RateLimit, Told, allowance
from apiclient_app.store.access import Access
from apiclient_app.store.gate import Gate
from apiclient_app.store.identity import Identity
from apiclient_app.store.outage import Outage
from apiclient_app.store.reach import Reach
from apiclient_app.store.seal import Seal
from project.valkey import Valkey
from tests import settings as test_settings

from .conftest import KEYS, MORE

SCRIPTED = ["default", "ignoring", "django_redis_builtin", "pickling", "zipping", "versioned"]
MARK = "f" * 32
pytestmark = [
    pytest.mark.usefixtures("redis_url"),
    # django-redis' own words to itself
    pytest.mark.filterwarnings("ignore:.*sharded client should not specify client"),
]


def gate(
    *rates: str,
    most: int | None = None,
    cache: str = "default",
    outage: Outage | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Gate:
    """Give the gate of a client, as one process has it."""
    limit = RateLimit(allowances=tuple(map(allowance, rates)))
    return Gate(
        Reach(lambda: caches[cache], outage or Outage(cache, time.time)),
        Identity("shop", "", MARK),
        Seal(KEYS),
        limit,
        most,
        monotonic,
    )


def admit(one: Gate, **kwargs: Any) -> Any:
    asked = {"whose": "", "owner": 0, "longest": inf, "lease": 5.0, "told": None, **kwargs}
    return one.admit(**asked)


def key(kind: str, whose: str = "", cache: str = "default") -> str:
    return str(caches[cache].make_key(Identity("shop", whose, MARK).key(kind)))


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        yield connection


def ours(connection: redis.Redis) -> list[str]:
    return list(connection.scan_iter(f"*{test_settings.RUN}*"))


def moments(connection: redis.Redis) -> list[float]:
    return [int(moment) / 1e6 for moment in connection.lrange(key("log"), 0, -1)]


def densest(found: list[float], seconds: float) -> int:
    """Give how many are within the fullest window of that length, one end of it not included."""
    return max(sum(at <= each < at + seconds - 1e-6 for each in found) for at in found)


# Allowances


def test_no_window_holds_more_than_its_allowance_whoever_asks(
    connection: redis.Redis, asker: Callable[..., subprocess.Popen[str]]
) -> None:
    # The second one makes the log long enough to keep them all.
    rates = ["40/second", "100000/day"]
    crew = [asker(rates=rates, threads=8, times=12) for _ in range(4)]
    for one in crew:
        assert one.wait(timeout=60) == 0
    found = moments(connection)
    assert len(found) == 4 * 8 * 12
    assert found == sorted(found)
    assert densest(found, 1.0) == 40
    assert densest(found, 5 / 40) == 5
    # Nor is any of it wasted.
    assert found[-1] - found[0] == pytest.approx(len(found) / 40, rel=0.02)


def test_reserved_moments_are_exact_by_the_servers_clock(connection: redis.Redis) -> None:
    one = gate("100/second")
    began = time.monotonic()
    seconds = [admit(one).seconds for _ in range(100)]
    took = time.monotonic() - began
    found = moments(connection)
    assert found == sorted(found)
    assert len(found) == 100
    assert densest(found, 1.0) <= 100
    assert densest(found, 0.1) <= 10
    assert seconds[-1] == pytest.approx(0.99, abs=took + 0.01)
    # At most a tenth at once, and then one by one.
    paces = [after - before for before, after in pairwise(found)]
    assert sum(pace < 0.0099 for pace in paces) <= 9


def test_all_of_several_allowances_hold(connection: redis.Redis) -> None:
    one = gate("10/second", "30/minute")
    for _ in range(90):
        admit(one)
    found = moments(connection)  # the log keeps as many as the largest counts
    assert len(found) == 30
    assert densest(found, 1.0) <= 10
    assert densest(found, 60.0) <= 30
    # Thirty in the first minute, spread; so the last thirty are in the third.
    assert 120 <= found[-1] - time.time() + 1 <= 180


def test_who_cannot_wait_so_long_takes_nothing_of_the_allowance(
    connection: redis.Redis,
) -> None:
    one = gate("1/hour")
    assert admit(one).verdict == GO
    for _ in range(3):
        refused = admit(one, longest=10.0)
        assert refused.verdict == LATE
        assert refused.seconds == pytest.approx(3600, abs=2)
    assert len(moments(connection)) == 1


def test_an_admission_is_one_trip(redis_url: str, connection: redis.Redis) -> None:
    one = gate("100/second", "1000/hour", most=5)
    admit(one, owner=1)
    connection.config_resetstat()
    for owner in range(2, 5):
        assert admit(one, owner=owner).verdict == GO
    sent = connection.info("commandstats")
    from_outside = {"evalsha", "eval", "script|load", "get", "set", "incr", "multi", "exec"}
    counted = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in sent.items()}
    assert {name: n for name, n in counted.items() if name in from_outside} == {"evalsha": 3}


def test_a_moment_some_days_ahead_is_waited_for_as_any_other() -> None:
    one = gate("1/2 days")
    seconds = [admit(one).seconds for _ in range(4)]
    days = [round(each / 86_400) for each in seconds]
    assert days == [0, 2, 4, 6]
    late = admit(one, longest=1.0)
    assert late.verdict == LATE
    assert late.seconds == pytest.approx(8 * 86_400, abs=2)


@pytest.mark.parametrize("first", ["admit", "hold"])
def test_a_clock_that_was_put_back_keeps_nobody_waiting(
    connection: redis.Redis, first: str
) -> None:
    one, ahead = gate("100/second"), time.time() + 7200
    connection.rpush(key("log"), str(int(ahead * 1e6)))
    for field, at in {"now": ahead, "until": ahead + 60, "held": ahead + 60}.items():
        connection.hset(key("told"), field, str(int(at * 1e6)))
    connection.hset(key("told"), "left", 0)
    if first == "hold":
        one.hold("", 5.0)
        assert admit(one, longest=30.0).seconds == pytest.approx(5, abs=0.5)
    else:
        assert admit(one, longest=30.0) == (GO, 0.0, 0.0)


@pytest.mark.parametrize("then", ["admit", "hold"])
def test_every_word_to_redis_is_dated(connection: redis.Redis, then: str) -> None:
    one = gate("100/second")
    admit(one) if then == "admit" else one.hold("", 5.0)
    said = connection.hget(key("told"), "now")
    assert int(said or 0) / 1e6 == pytest.approx(time.time(), abs=1)


def test_a_clock_that_is_a_little_behind_changes_nothing(connection: redis.Redis) -> None:
    """As that of the replica that takes over."""
    one = gate("1/hour")
    admit(one)
    connection.hset(key("told"), "now", str(int((time.time() + 0.9) * 1e6)))
    assert admit(one, longest=30.0).verdict == LATE


def test_two_deployments_with_one_log_each_keep_their_limit(connection: redis.Redis) -> None:
    """While one replaces the other, and the setting has changed."""
    fast, slow = gate("10/second"), gate("20/hour")
    for _ in range(5):
        assert admit(slow, longest=0.0).verdict == GO
    for _ in range(14):
        assert admit(fast).verdict == GO
    assert connection.pttl(key("log")) > 3_500_000
    assert admit(slow, longest=100.0).verdict == LATE  # five in a quarter of an hour
    assert admit(fast).seconds < 3
    assert len(moments(connection)) == 20
    assert admit(slow, longest=inf).seconds == pytest.approx(3600, abs=10)


def test_a_log_is_as_long_as_the_limits_of_now_need(connection: redis.Redis) -> None:
    fast, slow = gate("10/second"), gate("20/hour")
    admit(slow)
    for _ in range(30):
        admit(fast)
    assert len(moments(connection)) == 20
    connection.hset(key("told"), "sized", str(int(time.time() * 1e6)))  # an hour went by
    admit(fast)
    assert len(moments(connection)) == 10


def test_no_key_outlives_its_use(connection: redis.Redis) -> None:
    one = gate("5/second", most=1)
    admit(one, owner=1, lease=2.0, told=Told(5, 9.0))
    assert admit(one, owner=2).verdict == FULL
    one.hold("ada", 3.0)
    one.open(Circuit(time.time(), time.time() + 9), 9.0)
    found = ours(connection)
    assert {name.rpartition(":")[2] for name in found} == {
        *("log", "told", "slots", "waiting", "circuit", "probe")
    }
    lives = {name.rpartition(":")[2]: connection.pttl(name) / 1000 for name in found}
    assert all(life > 0 for life in lives.values()), lives
    assert lives["log"] <= 3
    assert lives["waiting"] <= 2
    assert lives["slots"] <= 65
    assert max(connection.pttl(name) for name in found if "told" in name) <= 9_001


# What the API tells


def test_what_is_left_is_counted_down_by_all_and_then_waited_out() -> None:
    one, other = gate(), gate()
    assert admit(one, told=Told(3, 60.0)).seconds == 0
    assert admit(other).seconds == 0
    assert admit(one).seconds == 0
    assert admit(other).seconds == pytest.approx(60, abs=1)


def test_an_answer_that_was_on_its_way_gives_nothing_back() -> None:
    one = gate()
    for left in (3, 9, 8):
        assert admit(one, told=Told(left, 60.0)).seconds == 0
    assert admit(one).seconds > 50


def test_another_window_is_believed() -> None:
    one = gate()
    admit(one, told=Told(1, 0.2))
    assert 0 < admit(one).seconds <= 0.2
    assert admit(one, told=Told(50, 60.0)).seconds == 0
    time.sleep(0.25)
    assert admit(one).seconds == 0


@pytest.mark.parametrize("verdict", [LATE, FULL])
def test_what_the_api_tells_is_taken_in_also_from_whoever_may_not_go(verdict: int) -> None:
    one = gate("1/hour", most=1)
    admit(one, owner=1)
    if verdict == LATE:
        one.leave(1)
    asked = admit(one, owner=2, longest=1.0, told=Told(3, 60.0))
    assert asked.verdict == verdict
    other = gate()  # of no limit: only what was told counts
    seconds = [admit(other).seconds for _ in range(4)]
    assert seconds[:3] == [0, 0, 0]
    assert seconds[3] == pytest.approx(60, abs=1)


def test_a_hold_holds_everybody_and_no_answer_lifts_it() -> None:
    one, other = gate("100/second"), gate("100/second")
    one.hold("", 5.0)
    assert admit(other, longest=1.0).verdict == LATE
    late = admit(other, longest=1.0, told=Told(50, 60.0))
    assert late.verdict == LATE
    assert late.seconds == pytest.approx(5, abs=0.5)
    other.hold("", 0.1)  # a shorter one neither
    assert admit(one).seconds == pytest.approx(5, abs=0.5)


def test_a_hold_that_lies_absurdly_far_ahead_hides_no_other(connection: redis.Redis) -> None:
    one = gate("100/second")
    connection.hset(key("told"), "held", str(int((time.time() + 315_360_000) * 1e6)))
    assert admit(one).seconds == 0
    one.hold("", 5.0)
    assert admit(one, longest=1.0).seconds == pytest.approx(5, abs=0.5)


def test_a_subject_with_its_own_allowance_is_held_alone() -> None:
    one = gate("1/hour")
    assert admit(one, whose="ada").seconds == 0
    one.hold("bob", 60.0)
    assert admit(one, whose="ada").seconds > 3000
    assert admit(one, whose="bob").seconds == pytest.approx(60, abs=1)
    assert admit(one, whose="eve").seconds == 0


# Slots


def test_there_are_so_many_slots_and_no_more_and_whoever_leaves_frees_his() -> None:
    one, other = gate(most=2), gate(most=2)
    assert [admit(g, owner=n).verdict for g, n in [(one, 1), (other, 2), (one, 3)]] == [
        *(GO, GO, FULL)
    ]
    one.leave(1)
    one.leave(1)  # twice is not two slots
    one.leave(99)
    assert [admit(one, owner=n, waited=True).verdict for n in (4, 5)] == [GO, FULL]


def test_a_free_slot_goes_to_who_has_waited() -> None:
    one, other = gate(most=1), gate(most=1)
    admit(one, owner=1)
    assert admit(other, owner=2).verdict == FULL
    assert one.leave(1) == 1
    assert admit(one, owner=3).verdict == FULL  # it comes now, and the other waits
    assert admit(other, owner=2, waited=True).verdict == GO
    assert other.leave(2) == 1


def test_an_owner_keeps_his_slot_and_renews_its_lease(connection: redis.Redis) -> None:
    one, other = gate(most=1), gate(most=1)
    admit(one, owner=1, lease=0.2)
    assert admit(other, owner=2).verdict == FULL
    assert admit(one, owner=1, lease=30.0).verdict == GO
    time.sleep(0.25)
    assert admit(other, owner=2, waited=True).verdict == FULL
    assert connection.zcard(key("slots")) == 1


def test_a_long_lease_is_kept_whatever_shorter_ones_come_after_it(
    connection: redis.Redis,
) -> None:
    one = gate(most=5)
    admit(one, owner=1, lease=600.0)
    admit(one, owner=2, lease=3.0)
    assert connection.pttl(key("slots")) > 600_000


def test_who_loses_his_moment_loses_the_slot_that_he_was_handed() -> None:
    one = gate("1/hour", most=1)
    assert admit(one, owner=1).verdict == GO
    assert admit(one, owner=1, longest=0.5).verdict == LATE
    assert gate(most=1).admit("", 2, 1.0, 5.0, None).verdict == GO


def test_the_slots_of_a_client_are_those_of_all_its_subjects() -> None:
    one = gate("10/second", most=1)
    assert admit(one, owner=1, whose="ada").verdict == GO
    assert admit(one, owner=2, whose="bob").verdict == FULL


def test_the_slots_of_a_killed_process_are_free_when_its_lease_is_over(
    redis_url: str, asker: Callable[..., subprocess.Popen[str]]
) -> None:
    killed = asker(rates=[], most=2, threads=2, times=1, lease=1.0, keep=True)
    assert killed.stdout is not None
    killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    one, began = gate(most=2), time.monotonic()
    assert admit(one, owner=1).verdict == FULL
    for owner in (1, 2):
        while admit(one, owner=owner, waited=True).verdict == FULL:
            time.sleep(0.02)
    assert time.monotonic() - began <= 1.2


# Caches


@pytest.fixture
def every_cache(settings: Settings, redis_url: str) -> None:
    versioned = {**test_settings.CACHES["default"], "VERSION": 7}
    versioned["KEY_PREFIX"] = f"odd: {{tag}} é-{test_settings.RUN}"
    settings.CACHES = {**test_settings.CACHES, **MORE, "versioned": versioned}


@pytest.mark.parametrize("cache", SCRIPTED)
def test_every_redis_cache_shares_it_all(
    cache: str, every_cache: None, connection: redis.Redis
) -> None:
    one, other = (gate("1/hour", most=2, cache=cache) for _ in range(2))
    assert admit(one, owner=1).verdict == GO
    assert admit(other, owner=2, longest=1.0).verdict == LATE
    assert connection.exists(key("log", cache=cache)) == 1
    other.open(Circuit(1.0, time.time() + 9), 9.0)
    found = one.circuit()
    assert found is not None
    assert found.at == 1.0
    assert not one.probe(5, 9.0)
    other.close()
    assert one.circuit() is None
    assert one.probe(5, 9.0)
    one.unprobe(6)
    assert not other.probe(7, 9.0)
    one.unprobe(5)
    assert other.probe(7, 9.0)


@pytest.mark.parametrize("cache", ["locmem", "dummy"])
def test_without_redis_each_process_keeps_its_own(cache: str) -> None:
    one, other = (gate("1/hour", most=1, cache=cache) for _ in range(2))
    assert admit(one, owner=1).verdict == GO
    assert admit(one, owner=1, longest=1.0).verdict == LATE
    assert admit(other, owner=2).verdict == GO
    assert admit(other, owner=3).verdict == FULL
    assert other.leave(2) == 0
    assert admit(other, owner=4, longest=1.0).verdict == LATE
    other.hold("", 5000.0)
    assert admit(other, owner=4).seconds > 4000
    if cache == "locmem":
        assert other.at_hand("admit")


def test_the_slots_of_one_process_are_given_up_with_their_lease() -> None:
    now = [0.0]
    one = gate(most=2, cache="locmem", monotonic=lambda: now[0])
    assert [admit(one, owner=n).verdict for n in (1, 2, 3)] == [GO, GO, FULL]
    now[0] = 5.1
    assert [admit(one, owner=n).verdict for n in (3, 4, 5)] == [GO, GO, FULL]


def test_many_threads_of_one_process_never_have_more_slots_than_there_are() -> None:
    one, held, most_held, lock = gate(most=3, cache="locmem"), [0], [0], threading.Lock()

    def work(number: int) -> None:
        for turn in range(300):
            owner = number * 1000 + turn
            if admit(one, owner=owner).verdict == GO:
                with lock:
                    held[0] += 1
                    most_held[0] = max(most_held[0], held[0])
                with lock:
                    held[0] -= 1
                one.leave(owner)

    crew = [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert most_held[0] <= 3
    assert [admit(one, owner=n).verdict for n in (1, 2, 3, 4)] == [GO, GO, GO, FULL]


@pytest.fixture
def own(settings: Settings, valkey: Valkey) -> Valkey:
    """Have the caches in a Valkey of the test's own."""
    settings.CACHES = {
        name: {**test_settings.CACHES[name], "LOCATION": valkey.url}
        for name in ("default", "ignoring", "django_redis_builtin")
    }
    return valkey


@pytest.mark.parametrize("cache", ["default", "ignoring", "django_redis_builtin"])
def test_a_cache_that_is_down_leaves_each_to_himself_and_is_found_again(
    own: Valkey, cache: str
) -> None:
    now = [0.0]
    outage = Outage(cache, lambda: now[0])
    one, other = (gate("1/hour", most=5, cache=cache, outage=outage) for _ in range(2))
    assert admit(one, owner=1).verdict == GO
    own.stop()
    assert admit(one, owner=2, longest=1.0).verdict == GO  # by its own log
    assert admit(one, owner=3, longest=1.0).verdict == LATE
    assert one.leave(1) == 0
    one.hold("", 1.0)
    own.start()
    now[0] += 60
    assert admit(one, owner=4).verdict == GO
    assert admit(other, owner=5, longest=1.0).verdict == LATE


@dataclass(frozen=True, slots=True)
class Unheard(Reach):
    """Redis does what it is asked to, and its answer is lost."""

    def attempt(self, work: Callable[[Access], Any], *, storing: bool = True) -> Any:
        Reach.attempt(self, work, storing=storing)
        self.outage.begin(TimeoutError())
        raise StoreUnavailable


def blind(one: Gate, outage: Outage) -> None:
    one._reach = Unheard(one._reach.cache, outage)


def sees(one: Gate, outage: Outage) -> None:
    one._reach = Reach(one._reach.cache, outage)


@pytest.mark.parametrize("next_one", ["admit", "leave"])
def test_a_slot_that_could_not_be_given_back_is_so_with_the_next_word_to_redis(
    connection: redis.Redis, next_one: str
) -> None:
    now = [0.0]
    outage = Outage("default", lambda: now[0])
    one = gate(most=3, outage=outage)
    for owner in (1, 2, 3):
        assert admit(one, owner=owner).verdict == GO
    outage.begin(TimeoutError())
    assert [one.leave(owner) for owner in (1, 2)] == [0, 0]
    assert connection.zcard(key("slots")) == 3
    now[0] += 60
    if next_one == "admit":
        assert admit(one, owner=4).verdict == GO
    else:
        one.leave(3)
    assert connection.zrange(key("slots"), 0, -1) == (["3", "4"] if next_one == "admit" else [])


def test_a_slot_that_was_taken_while_redis_was_not_heard_is_given_back(
    connection: redis.Redis,
) -> None:
    now = [0.0]
    outage = Outage("default", lambda: now[0])
    one = gate(most=1, outage=outage)
    blind(one, outage)
    assert admit(one, owner=1).verdict == GO  # by its own count; and Redis has given it one
    assert connection.zrange(key("slots"), 0, -1) == ["1"]
    one.leave(1)
    sees(one, outage)
    now[0] += 60
    assert admit(one, owner=2).verdict == GO
    assert connection.zrange(key("slots"), 0, -1) == ["2"]


def test_who_was_not_heard_and_found_no_slot_owes_what_redis_gave_him(
    connection: redis.Redis,
) -> None:
    now = [0.0]
    outage = Outage("default", lambda: now[0])
    one = gate(most=2, outage=outage)
    outage.begin(TimeoutError())
    assert [admit(one, owner=owner).verdict for owner in (1, 2)] == [GO, GO]
    now[0] += 60
    blind(one, outage)
    assert admit(one, owner=3).verdict == FULL
    assert connection.zrange(key("slots"), 0, -1) == ["3"]
    sees(one, outage)
    now[0] += 60
    assert admit(one, owner=3).verdict == GO  # he asks again, and has it
    now[0] += 60
    blind(one, outage)
    assert admit(one, owner=4).verdict == FULL
    assert connection.zrange(key("slots"), 0, -1) == ["3", "4"]
    sees(one, outage)
    now[0] += 60
    assert admit(one, owner=5).verdict == GO  # another does
    assert connection.zrange(key("slots"), 0, -1) == ["3", "5"]


def test_what_is_owed_does_not_pile_up_and_a_child_owes_nothing() -> None:
    outage = Outage("default", lambda: 0.0)
    one = gate(most=3, outage=outage)
    outage.begin(TimeoutError())
    for owner in range(10_000):
        one.leave(owner)
    assert len(one._owed) <= 1000
    one.reset()
    assert not one._owed


@pytest.mark.parametrize("cache", ["default", "django_redis_builtin"])
def test_a_server_that_has_lost_its_scripts_is_given_them_again(own: Valkey, cache: str) -> None:
    one = gate("10/second", most=5, cache=cache)
    admit(one, owner=1)
    with redis.Redis.from_url(own.url) as connection:
        connection.script_flush()
        assert admit(one, owner=2).verdict == GO
        assert connection.keys("*slots")
        connection.script_flush()
        one.leave(2)
        one.leave(1)
        assert not connection.keys("*slots")


# What others leave under our keys


VALUES: dict[str, Callable[[redis.Redis, str], object]] = {
    "text": lambda connection, name: connection.set(name, "junk"),
    "number": lambda connection, name: connection.set(name, 7),
    "list": lambda connection, name: connection.rpush(name, "junk", "", "1e400"),
    "hash": lambda connection, name: connection.hset(name, "left", "junk"),
    "set": lambda connection, name: connection.sadd(name, "junk"),
    "zset": lambda connection, name: connection.zadd(name, {"junk": 1}),
}


@pytest.mark.parametrize("kind", ["log", "told", "slots", "waiting"])
@pytest.mark.parametrize("value", VALUES)
def test_what_is_anothers_under_our_key_harms_no_call_and_no_other_use_of_the_cache(
    connection: redis.Redis, kind: str, value: str
) -> None:
    VALUES[value](connection, key(kind))
    outage = Outage("default", time.time)
    one = gate("5/second", most=3, outage=outage)
    for owner in range(1, 4):
        assert admit(one, owner=owner).verdict == GO
    assert admit(one, owner=4).verdict in (FULL, GO)
    for owner in range(1, 5):
        one.leave(owner)
    one.hold("", 0.01)
    assert one.circuit() is None
    assert outage.count == 0


@pytest.mark.parametrize("refusal", ["anothers value", "no scripts"])
def test_limits_that_redis_refuses_to_share_are_warned_of_once(
    own: Valkey, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    one = gate("5/second", most=3, monotonic=lambda: now[0])
    with redis.Redis.from_url(own.url) as connection:
        if refusal == "no scripts":
            connection.execute_command("ACL", "SETUSER", "default", "-evalsha")
        else:
            connection.set(key("log"), "another's")
        for owner in range(1, 4):
            assert admit(one, owner=owner).verdict == GO
            one.leave(owner)
        one.hold("", 0.01)
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 1, said
        assert "shop: RATE_LIMIT and MAX_IN_FLIGHT are not shared" in said[0]
        assert ("evalsha" if refusal == "no scripts" else "WRONGTYPE") in said[0]
        # A while after it was last refused, it is another story.
        now[0] += 3600
        admit(one, owner=4)
        admit(one, owner=5)
        assert len(caplog.records) == 2


def test_a_cache_that_is_down_is_no_refusal(own: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    own.stop()
    admit(gate("5/second"))
    assert [record.name for record in caplog.records] == ["apiclient_app.store"]


@pytest.mark.parametrize("kind", ["circuit", "shut"])
def test_an_unreadable_circuit_is_closed_and_is_replaced(kind: str) -> None:
    one = gate()
    for garbage in ["junk", "1.AAAA", 7, 1.5, [1], {"a": 1}]:
        caches["default"].set(Identity("shop", "", MARK).key(kind), garbage)
        assert one.circuit() is None
    one.open(Circuit(1.0, inf if kind == "shut" else 5.0))
    assert one.circuit() is not None


# The circuit


def test_what_was_opened_by_hand_is_neither_closed_nor_replaced_by_a_process() -> None:
    one, other = gate(), gate()
    one.open(Circuit(1.0, inf))
    other.open(Circuit(2.0, time.time() + 9), 9.0)
    assert one.circuit() == Circuit(1.0, inf)
    other.recover()
    assert one.circuit() == Circuit(1.0, inf)
    other.close()
    assert one.circuit() is None


def test_what_was_opened_by_hand_stays_open_for_years(connection: redis.Redis) -> None:
    one = gate()
    one.open(Circuit(1.0, inf))
    one.open(Circuit(2.0, time.time() + 9), 9.0)
    year = 365 * 86_400_000
    assert connection.pttl(key("shut")) > 9 * year
    assert connection.pttl(key("circuit")) < year


def test_nobody_gets_a_probe_while_the_api_rests_and_then_one_does() -> None:
    one, other = gate(), gate()
    one.open(Circuit(time.time(), time.time() + 0.3), 0.3)
    assert not other.probe(1, 9.0)
    time.sleep(0.35)
    assert [g.probe(n, 9.0) for g, n in [(one, 1), (other, 2), (one, 3)]] == [True, False, False]
    other.unprobe(2)
    assert not other.probe(4, 9.0)


def test_a_prober_that_fails_late_takes_no_others_probe() -> None:
    one, other = gate(), gate()
    assert one.probe(1, 0.1)
    time.sleep(0.15)
    assert other.probe(2, 9.0)
    one.unprobe(1)
    assert not one.probe(3, 9.0)


# Processes that ask


@pytest.fixture
def asker(redis_url: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []

    def begin(**order: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.asker", json.dumps(order)],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "REDIS_URL": redis_url,
                "TEST_RUN": test_settings.RUN,
            },
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()
