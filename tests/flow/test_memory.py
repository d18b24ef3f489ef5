"""What a process knows, and who waits for it."""

from __future__ import annotations

import threading

import pytest

from apiclient_app.memory import Memory
from apiclient_app.records import Failure, Fruitless, View, next_failure, next_fruitless

from .steps import token

NOW = 1_000_000.0


def test_a_waiter_is_woken_by_a_change_and_not_by_a_look_that_shows_nothing_new() -> None:
    memory = Memory(5.0)
    memory.absorb(View(token=token(1)), NOW)
    version = memory.version
    memory.absorb(View(token=token(1)), NOW + 1)
    assert memory.version == version
    waiter = threading.Thread(target=memory.wait, args=(version, 10.0))
    waiter.start()
    memory.advance(token(2), NOW + 1)
    waiter.join(5)
    assert not waiter.is_alive()


def test_a_change_before_the_wait_is_not_missed() -> None:
    memory = Memory(5.0)
    version = memory.version
    memory.advance(token(1), NOW)
    memory.wait(version, 10.0)  # returns at once, or the test's time is up


def test_an_older_record_is_never_taken_back() -> None:
    memory = Memory(5.0)
    memory.advance(token(2), NOW)
    memory.absorb(View(token=token(1)), NOW)
    assert memory.token == token(2) or memory.generation == token(2).generation


def test_a_tombstoned_record_is_never_used_again() -> None:
    memory = Memory(5.0)
    memory.advance(token(2), NOW)
    memory.absorb(View(tombstone=token(2).generation), NOW)
    memory.absorb(View(token=token(2)), NOW)
    assert memory.token is None


def test_trust_ends_with_memory_seconds_and_with_the_fresh_time() -> None:
    memory = Memory(5.0)
    memory.absorb(View(token=token(1, now=NOW, life=10.0)), NOW)
    assert memory.trusted(NOW + 4.9) is not None
    assert memory.trusted(NOW + 5.0) is None
    memory.absorb(View(token=token(1, now=NOW, life=10.0)), NOW + 7)
    assert memory.trusted(NOW + 7.9) is not None
    assert memory.trusted(NOW + 8.0) is None  # stale from here on


def test_the_seat_is_one_owners_until_he_stands_or_his_lease_ends() -> None:
    memory = Memory(5.0)
    assert memory.sit(1, NOW, 3.0)
    assert not memory.sit(2, NOW, 3.0)
    assert memory.sit(1, NOW + 1, 3.0)
    assert memory.sit(2, NOW + 4, 3.0)
    memory.stand(1)  # too late: it is another's by now
    assert not memory.sit(3, NOW + 4, 3.0)
    memory.stand(2)
    assert memory.sit(3, NOW + 4, 3.0)


def test_the_cooldown_of_a_failure_doubles_up_to_its_limit_and_honours_retry_after() -> None:
    def fail(previous: Failure | None, **changes: object) -> Failure:
        told = {"error": "e", "description": "", "terminal": False, "now": NOW, "jitter": 0.5}
        return next_failure(previous, **{**told, **changes})  # type: ignore[arg-type]

    failure, waits = None, []
    for _ in range(8):
        failure = fail(failure)
        waits.append(failure.until - NOW)
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30])
    assert fail(None, retry_after=77.0).until - NOW == 77.0
    assert fail(None, retry_after=1e12).until - NOW == 3600.0
    assert fail(None, terminal=True).until - NOW == pytest.approx(10)


def test_fruitless_renewals_are_counted_once_per_record() -> None:
    marker, pauses = None, []
    for number in range(1, 9):
        marker = next_fruitless(marker, token(number), NOW)
        assert marker is not None
        assert next_fruitless(marker, token(number), NOW) is None
        pauses.append(marker.until - NOW)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


def test_records_survive_the_store_and_nothing_else_is_taken_for_one() -> None:
    failure, marker = Failure("e", "d", True, 1.0, 2.0, 3), Fruitless(1, 2, 3.0)
    assert Failure.load(failure.dump()) == failure
    assert Fruitless.load(marker.dump()) == marker
    for load in (Failure.load, Fruitless.load):
        with pytest.raises(ValueError, match="record"):
            load('{"something": "else"}')
