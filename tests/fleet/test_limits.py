"""What RATE_LIMIT and MAX_IN_FLIGHT promise to the API, as the API sees it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .crew import Fleet
from .toll import Count, Toll, tolling

TIMEOUT = 30


@pytest.fixture
def toll() -> Iterator[Toll]:
    with tolling() as toll:
        yield toll


def warm(crew: Fleet, toll: Toll) -> None:
    """Have everything imported, connected and made, without a call of `api`."""
    for worker in crew.workers:
        now = time.time()
        many = {"concurrency": 2, "at": now, "until": now + 0.1}
        worker.order(do="fan_out", alias="warm", path="0/warm", **many)
        worker.order(do="fan_out", alias="api", path="", concurrency=2, at=now, until=now)
    for worker in crew.workers:
        assert [worker.report() for _ in range(2)][1] == 0
    crew.burst(alias="warm", paths=["0/warm"], threads=4)
    toll.count()


def full_speed(crew: Fleet, toll: Toll, seconds: float, ms: int = 0, threads: int = 8) -> Count:
    """Have each second worker call from threads, the others with `map`; give what arrived."""
    at = time.time() + 0.5
    for number, worker in enumerate(crew.workers):
        order: dict[str, Any] = {"alias": "api", "at": at, "until": at + seconds}
        path = f"{ms}/{number}"
        if number % 2:
            worker.order(do="fan_out", path=path, concurrency=4 * threads, **order)
        else:
            worker.order(do="burst", paths=[path], threads=threads, calls=0, every=0, **order)
    for worker in crew.workers:
        report = worker.report()
        assert isinstance(report, int) or all(call[-1] == 200 for call in report["calls"]), report
    count = toll.count()
    first = count.moments[0]
    count.arrivals = [each for each in count.arrivals if each[0] < first + seconds]
    return count


@pytest.mark.parametrize(
    ("processes", "seconds", "over"),
    # In five seconds, a few that are late on their way are more than one in a hundred.
    [(4, 5, 1.03), pytest.param(16, 30, 1.01, marks=pytest.mark.chaos)],
)
def test_a_rate_is_kept_and_used_whoever_calls(
    toll: Toll,
    fleet: Callable[..., Fleet],
    tell: Callable[[str], None],
    processes: int,
    seconds: int,
    over: float,
) -> None:
    settings = {"BASE_URL": toll.origin, "TIMEOUT": TIMEOUT}
    crew = fleet(processes, api={**settings, "RATE_LIMIT": "100/second"}, warm=settings)
    warm(crew, toll)
    count = full_speed(crew, toll, seconds)

    allowed, arrived = 100 * seconds, len(count.arrivals)
    shares = sorted(count.by().values())
    tell(
        f"100/second for {seconds} s, {processes} processes: {arrived} of {allowed} "
        f"({arrived / allowed:.1%}), at most {count.densest(1.0)} in any second as the server "
        f"sees it; {shares[0]} to {shares[-1]} a process"
    )
    assert arrived <= allowed * over
    assert arrived >= allowed * 0.97
    assert len(shares) == processes


def test_slots_are_used_and_no_process_starves(
    toll: Toll, fleet: Callable[..., Fleet], tell: Callable[[str], None]
) -> None:
    settings = {"BASE_URL": toll.origin, "TIMEOUT": TIMEOUT}
    crew = fleet(4, api={**settings, "MAX_IN_FLIGHT": 4}, warm=settings)
    warm(crew, toll)
    free = crew.burst(alias="warm", paths=["20/free"], threads=1, seconds=3)
    toll.count()
    count = full_speed(crew, toll, 5, ms=20)

    rate, unlimited = len(count.arrivals) / 5, len(free.calls) / 3
    shares = sorted(count.by().values())
    tell(
        f"4 slots, 20 ms, 4 processes x 8 for 5 s: {rate:.0f} calls a second of 200, "
        f"{unlimited:.0f} by four threads without a limit; {shares[0]} to {shares[-1]} a process"
    )
    assert count.most == 4
    assert rate >= 0.9 * min(200.0, unlimited)
    assert shares[0] >= 0.3 * shares[-1]


def test_three_processes_take_turns_at_one_slot(
    toll: Toll, fleet: Callable[..., Fleet], tell: Callable[[str], None]
) -> None:
    settings = {"BASE_URL": toll.origin, "TIMEOUT": TIMEOUT}
    crew = fleet(3, api={**settings, "MAX_IN_FLIGHT": 1}, warm=settings)
    warm(crew, toll)
    count = full_speed(crew, toll, 10, ms=5)

    waits = [count.longest_wait(str(number)) for number in range(3)]
    tell(f"one slot, 3 processes for 10 s: {dict(count.by())}, longest without {max(waits):.1f} s")
    assert count.most == 1
    assert max(waits) <= 3.0


def test_the_slots_of_a_killed_worker_return_within_their_lease(
    toll: Toll, fleet: Callable[..., Fleet], tell: Callable[[str], None]
) -> None:
    timeout, margin = 2.0, 6.0  # connect and read together; what a lease adds, and a turn
    settings = {"BASE_URL": toll.origin, "TIMEOUT": (0.5, 1.5)}
    crew = fleet(2, api={**settings, "MAX_IN_FLIGHT": 4}, warm=settings)
    warm(crew, toll)
    killed, other = crew.workers
    Fleet([killed]).start(paths=["60000/killed"], threads=4)
    arrived = 0
    while arrived < 4:
        arrived += len(toll.count().arrivals)
    killed.signal(signal.SIGKILL)
    began = time.time()
    many = {"concurrency": 8, "at": began, "until": began + 0.5}
    made = other.ask(do="fan_out", alias="api", path="0/other", **many)

    took = time.time() - began
    tell(f"the slots of a killed worker were free after {took:.1f} s; lease {timeout + margin} s")
    assert made >= 4
    assert 1.0 < took <= timeout + margin + 0.5
