"""The suite itself: its gate does what it is told, and it complains of what must not be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from project.valkey import Valkey
from tests.secrecy.canaries import Canaries

from .crew import Call, Calls
from .gate import Gate
from .growth import MEBIBYTE, Sample, growing
from .health import Health
from .outcome import SOCKETS, THREADS, Outcome
from .storm import heard


@pytest.fixture
def gate(valkey: Valkey) -> Iterator[Gate]:
    with Gate(valkey.port) as gate:
        yield gate


@pytest.fixture
def cache(gate: Gate) -> Iterator[Any]:
    """A client of a server behind the gate; it tries once."""
    once = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    with redis.Redis.from_url(gate.url, socket_timeout=0.3, retry=once) as client:
        client.set("key", "before")
        yield client


def test_an_open_gate_passes_on_what_is_large(cache: Any) -> None:
    cache.set("key", "x" * 1_000_000)
    assert len(cache.get("key")) == 1_000_000


def test_a_closed_gate_refuses_and_an_opened_one_takes_again(gate: Gate, cache: Any) -> None:
    gate.close()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            cache.get("key")
    gate.open()
    assert cache.get("key") == b"before"


def test_a_gate_that_cuts_lets_who_comes_back_in(gate: Gate, cache: Any) -> None:
    before = cache.client_id()
    gate.cut()
    assert cache.get("key") == b"before"
    assert cache.client_id() != before


def test_a_stalled_gate_says_nothing_and_passes_on_late_what_it_was_given(
    gate: Gate, cache: Any, valkey: Valkey
) -> None:
    gate.stall()
    with pytest.raises(redis.TimeoutError):
        cache.set("key", "late")
    with redis.Redis.from_url(valkey.url) as direct:
        assert direct.get("key") == b"before"
        gate.flow()
        deadline = time.monotonic() + 5
        while direct.get("key") != b"late":
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_slow_gate_takes_its_time_both_ways(gate: Gate, cache: Any) -> None:
    gate.delay = 0.05
    began = time.monotonic()
    cache.get("key")
    assert time.monotonic() - began >= 0.1


def test_a_gate_before_nobody_hangs_up(valkey: Valkey, gate: Gate, cache: Any) -> None:
    valkey.stop()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            cache.get("key")


WELL = Call(1, "get", "api", "ann", 0.0, 0.01, 200)
HEALTH = Health(cpu=1.0, memory=1, threads=11, files=50, sockets=40)
GOOD = Outcome(
    title="nothing happens",
    promised="nothing",
    full=True,
    seconds=10.0,
    processes=1,
    calls=Calls([WELL] * 10),
    planned=10.0,
    asked=[],
    stuck=0,
    revived=Calls([WELL]),
    revivals=5,
    revivals_allowed=5,
    lost=[],
    leaks=[],
    before={1: HEALTH},
    after={1: HEALTH},
)


def ended(end: str) -> Calls:
    return Calls([*[WELL] * 10, WELL._replace(end=end)])


def test_of_a_good_outcome_there_is_no_complaint() -> None:
    assert GOOD.complaints == []


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, calls=ended("WrongSubject: 'bob', not 'ann'")),
        replace(GOOD, calls=ended("KeyError: 'x'")),
        replace(GOOD, calls=ended("503")),
        replace(GOOD, planned=30.0),
        replace(GOOD, stuck=1),
        replace(GOOD, lost=["ann"]),
        replace(GOOD, leaks=["token in 1.log"]),
        replace(GOOD, revived=ended("TokenUnavailable: none")),
        replace(GOOD, revived=Calls()),
        replace(GOOD, revivals=6),
        replace(GOOD, after={1: replace(HEALTH, cpu=5.0)}),
        replace(GOOD, after={1: replace(HEALTH, threads=THREADS + 1)}),
        replace(GOOD, after={1: replace(HEALTH, sockets=SOCKETS + 1)}),
    ],
    ids=lambda bad: bad.complaints[0] if bad.complaints else "none",
)
def test_what_must_not_be_is_complained_of(bad: Outcome) -> None:
    assert len(bad.complaints) == 1


def test_a_typed_failure_is_a_scenario_s_own_business() -> None:
    assert replace(GOOD, calls=ended("TokenUnavailable: none")).complaints == []


def test_the_longest_stall_and_the_kinds_of_failures_are_told() -> None:
    calls = Calls([WELL, WELL._replace(elapsed=1.5, end="TransportError: reset")])
    assert replace(GOOD, calls=calls).cells[2:] == (
        "2",
        "1 (TransportError 1)",
        "0",
        "1.50 s",
    )


def test_a_secret_in_what_was_written_is_found(tmp_path: Path) -> None:
    canaries = Canaries()
    (tmp_path / "1.log").write_text(f"Authorization: {canaries.hatch('client secret')}")
    (tmp_path / "1.err").write_text("nothing")
    assert heard(tmp_path, canaries) == ["client secret in 1.log"]


def test_a_log_in_which_nothing_is_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.log").touch()
    (tmp_path / "1.err").touch()
    assert heard(tmp_path, Canaries()) == ["nothing in 1.log"]


def samples(*memory: float) -> list[Sample]:
    return [
        Sample(float(at), {1: replace(HEALTH, memory=int(mebibytes * MEBIBYTE))})
        for at, mebibytes in enumerate(memory)
    ]


def test_what_grows_in_the_last_third_is_told() -> None:
    assert growing(samples(50, 60, 80, 100, 100, 100, 100, 100, 101)) == []
    assert growing(samples(50, 60, 80, 100, 100, 100, 102, 104, 106)) == [
        "1: memory, MiB from 100.0 to 104.0"
    ]
