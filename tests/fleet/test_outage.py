"""Redis goes away in mid run: calls go on, nothing spins, and all is mended when it is back."""

import time
from collections.abc import Callable
from logging import WARNING

import pytest

from project.valkey import Valkey
from tests.servers import Handle

from .crew import Fleet, Report

PROCESSES, THREADS = 2, 8
OUTAGE = 5.0

both_kinds = pytest.mark.parametrize("cache", ["default", "ignoring"])


def sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def load(crew: Fleet, seconds: float) -> float:
    """Start 80 calls a second."""
    return crew.start(threads=THREADS, every=0.2, seconds=seconds)


def complaints(crew: Fleet) -> list[int]:
    """How many lines of each worker's log are warnings or worse."""
    return [sum(line[0] >= WARNING for line in lines) for lines in crew.logs()]


def calm(report: Report, seconds: float) -> bool:
    """Whether no worker used much processor time: one that spins uses all there is."""
    return max(report.cpu) < 0.35 * seconds


@both_kinds
def test_calls_go_on_with_the_token_in_memory(
    api: Handle, valkey: Valkey, fleet: Callable[..., Fleet], cache: str
) -> None:
    crew = fleet(PROCESSES, valkey.url, api=api.config(CACHE=cache, MEMORY_SECONDS=1))
    began = load(crew, OUTAGE + 1)
    sleep_until(began + 1)
    valkey.stop()
    report = crew.collect()

    assert report.failed == []
    assert len(api.token_requests) == 1
    assert complaints(crew) == [1] * PROCESSES
    assert calm(report, OUTAGE + 1)


@both_kinds
def test_an_outage_costs_a_token_request_per_process_and_life(
    api: Handle, valkey: Valkey, fleet: Callable[..., Fleet], cache: str
) -> None:
    life, seconds = 3, OUTAGE + 7
    api.set(expires_in=life)
    crew = fleet(PROCESSES, valkey.url, api=api.config(CACHE=cache, MEMORY_SECONDS=1))
    began = load(crew, seconds)
    sleep_until(began + 1)
    valkey.stop()
    sleep_until(began + 1 + OUTAGE)
    valkey.start()
    report = crew.collect()

    assert report.failed == []
    assert complaints(crew) == [1] * PROCESSES
    assert len(api.token_requests) <= 1 + PROCESSES * seconds / (0.8 * life)
    assert calm(report, seconds)
    assert mended(api, crew)


def mended(api: Handle, crew: Fleet) -> bool:
    """Whether the fleet is one again: a new token costs one request."""
    api.set(expires_in=3600)
    api.expire_all()
    asked = len(api.token_requests)
    report = crew.burst(threads=THREADS)
    return not report.failed and len(api.token_requests) == asked + 1


@both_kinds
def test_a_first_token_can_be_obtained_without_redis(
    api: Handle, valkey: Valkey, fleet: Callable[..., Fleet], cache: str
) -> None:
    valkey.stop()
    crew = fleet(PROCESSES, valkey.url, api=api.config(CACHE=cache))
    report = crew.burst(threads=THREADS, calls=3)

    assert report.failed == []
    assert len(api.token_requests) == PROCESSES
    assert complaints(crew) == [1] * PROCESSES


@both_kinds
def test_redis_lost_while_the_lock_is_held_fails_no_call(
    api: Handle, valkey: Valkey, fleet: Callable[..., Fleet], cache: str
) -> None:
    api.set(token_delay=1)
    crew = fleet(PROCESSES, valkey.url, api=api.config(CACHE=cache))
    began = crew.start(threads=THREADS)
    sleep_until(began + 0.5)
    valkey.stop()
    report = crew.collect()

    assert report.failed == []
    assert len(api.token_requests) <= PROCESSES
    assert complaints(crew) == [1] * PROCESSES


@both_kinds
def test_a_redis_that_hangs_delays_calls_by_its_timeout(
    api: Handle, valkey: Valkey, fleet: Callable[..., Fleet], cache: str
) -> None:
    crew = fleet(PROCESSES, valkey.url, api=api.config(CACHE=cache, MEMORY_SECONDS=1))
    began = load(crew, OUTAGE)
    sleep_until(began + 1)
    valkey.pause()
    report = crew.collect()
    valkey.resume()

    assert report.failed == []
    assert len(api.token_requests) == 1
    assert complaints(crew) == [1] * PROCESSES
    assert report.slowest < 2.5  # SOCKET_TIMEOUT is 1
    assert calm(report, OUTAGE)
