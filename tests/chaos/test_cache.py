"""The cache fails in every way it can: calls go on with what the processes have in memory."""

import time

import redis

from .lengths import also_short, only_full
from .load import TARGETS
from .storm import Storm

SOCKET_TIMEOUT = 1.0  # of tests.settings
STALL = 10.0
WRITES_REFUSED = {"maxmemory": "1", "maxmemory-policy": "noeviction"}


def life(storm: Storm) -> float:
    """So short that tokens end while the cache is away."""
    return max(4.0, storm.seconds / 4)


def each_for_itself(storm: Storm) -> int:
    """The token requests of processes that see nothing of each other."""
    return len(TARGETS) * storm.scale.processes * storm.lives(life(storm))


@also_short
def test_a_cache_that_is_killed_and_restarted_fails_no_call(storm: Storm) -> None:
    storm.api.set(expires_in=life(storm))
    storm.begin(
        "cache killed and restarted",
        "0 failed, no stall above 1 s; without it each process renews for itself",
    )
    storm.wait(0.1)
    storm.valkey.stop()
    storm.wait(0.35)
    storm.valkey.start()
    storm.wait(0.55)
    outcome = storm.end()

    assert outcome.complaints == []
    assert max(storm.complaints()) == 1
    assert outcome.failed == []
    assert outcome.calls.stall < 1
    assert len(outcome.asked) <= each_for_itself(storm)


@only_full
def test_a_cache_that_stalls_fails_no_call(storm: Storm) -> None:
    storm.api.set(expires_in=life(storm))
    storm.begin(
        "cache stalled for 10 s", "0 failed, no stall above 2.5 s (SOCKET_TIMEOUT of the cache: 1)"
    )
    storm.wait(0.2)
    storm.gate.stall()
    time.sleep(STALL)
    storm.gate.flow()
    storm.wait_until(storm.seconds)
    outcome = storm.end()

    assert outcome.complaints == []
    assert max(storm.complaints()) == 1
    assert outcome.failed == []
    assert outcome.calls.stall < 2.5 * SOCKET_TIMEOUT
    assert len(outcome.asked) <= each_for_itself(storm)


@only_full
def test_a_cache_that_is_slow_costs_its_trips_and_nothing_else(storm: Storm) -> None:
    storm.api.set(expires_in=life(storm))
    storm.gate.delay = 0.1
    storm.begin("cache slow: 200 ms a trip", "0 failed, no stall above 2 s, one renewal for all")
    storm.wait(1)
    storm.gate.delay = 0.0
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert outcome.calls.stall < 2
    assert len(outcome.asked) <= len(TARGETS) * storm.lives(life(storm))


@only_full
def test_connections_to_the_cache_that_are_cut_fail_no_call(storm: Storm) -> None:
    storm.api.set(expires_in=life(storm))
    storm.begin("cache connections cut every second", "0 failed, no stall above 1 s")
    while time.time() < storm.began + 0.7 * storm.seconds:
        time.sleep(1)
        storm.gate.cut()
    storm.wait_until(storm.seconds)
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert outcome.calls.stall < 1
    assert len(outcome.asked) <= each_for_itself(storm)


@only_full
def test_a_cache_that_is_flushed_gets_its_tokens_back(storm: Storm) -> None:
    storm.begin("cache flushed every 5 s", "0 failed, no stall above 1 s, 0 token requests")
    with redis.Redis.from_url(storm.valkey.url) as server:
        while time.time() < storm.began + 0.9 * storm.seconds:
            time.sleep(5)
            server.flushall()
    storm.wait_until(storm.seconds)
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert outcome.calls.stall < 1
    assert outcome.asked == []


@only_full
def test_a_cache_that_is_full_fails_no_call(storm: Storm) -> None:
    storm.api.set(expires_in=life(storm))
    storm.begin(
        "cache full: writes refused",
        "0 failed, no stall above 1 s; without it each process renews for itself",
    )
    storm.wait(0.1)
    with redis.Redis.from_url(storm.valkey.url) as server:
        before = server.config_get(*WRITES_REFUSED)
        for name, value in WRITES_REFUSED.items():
            server.config_set(name, value)
        storm.wait(0.5)
        for name, value in before.items():
            server.config_set(name, value)
    storm.wait_until(storm.seconds)
    outcome = storm.end()

    assert outcome.complaints == []
    assert max(storm.complaints()) == 1
    assert outcome.failed == []
    assert outcome.calls.stall < 1
    assert len(outcome.asked) <= each_for_itself(storm)
