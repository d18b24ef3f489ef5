"""Whoever holds the renewal lock may die or fall asleep: the others go on without him."""

import time
from collections.abc import Callable
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
import redis

from tests import settings as test_settings
from tests.servers import Handle, Reply

from .crew import Fleet, Worker

GRANTED = '{"access_token": "{token}", "expires_in": 3600}'
DOZE = '{"access_token": "{token}", "expires_in": 3600, "doze": true}'
LEASE_MARGIN = 2  # the lease is TOKEN_TIMEOUT and this


def holder(api: Handle, crew: Fleet) -> Worker:
    """Wait for the first token request; give the worker that asks."""
    while not (asked := api.token_requests):
        time.sleep(0.01)
    return crew.calling(api.port, source=asked[0]["peer"])


def stored(url: str) -> dict[bytes, bytes | None]:
    """What this run has in Redis."""
    with redis.Redis.from_url(url) as connection:
        keys = sorted(connection.scan_iter(f"*{test_settings.RUN}*"))
        return {key: connection.get(key) for key in keys}


@pytest.mark.parametrize("revoke_older", [False, True])
def test_a_holder_killed_while_it_asks_costs_its_lease(
    api: Handle, fleet: Callable[..., Fleet], redis_url: str, revoke_older: bool
) -> None:
    api.set(revoke_older=revoke_older)
    api.script("/token", Reply(style="hang"))
    crew = fleet(api=api.config(TOKEN_TIMEOUT=1))
    crew.start()
    holder(api, crew).signal(SIGKILL)

    report = crew.collect()

    assert report.failed == []
    assert len(report.calls) == 48
    assert len(api.token_requests) == 2
    assert report.slowest <= 1 + LEASE_MARGIN + 1  # one more for polling and a busy machine
    assert not [key for key in stored(redis_url) if b"lock" in key]


@pytest.mark.parametrize("revoke_older", [False, True])
def test_a_holder_stopped_while_it_asks_publishes_nothing_late(
    api: Handle, fleet: Callable[..., Fleet], redis_url: str, revoke_older: bool
) -> None:
    api.set(revoke_older=revoke_older)
    api.script("/token", Reply(body=GRANTED, delay=0.8))
    crew = fleet(api=api.config(TOKEN_TIMEOUT=1))
    crew.start()
    sleeper = holder(api, crew)
    sleeper.signal(SIGSTOP)
    oversleeps(api, crew, sleeper, redis_url)


@pytest.mark.parametrize("revoke_older", [False, True])
def test_a_holder_stopped_before_it_publishes_publishes_nothing_late(
    api: Handle, fleet: Callable[..., Fleet], redis_url: str, revoke_older: bool
) -> None:
    api.set(revoke_older=revoke_older)
    api.script("/token", Reply(body=DOZE))
    crew = fleet(api=api.config("tests.fleet.dozing.Dozing", TOKEN_TIMEOUT=1))
    crew.start()
    while not (stopped := [worker for worker in crew.workers if worker.stopped]):
        time.sleep(0.01)
    oversleeps(api, crew, stopped[0], redis_url)


def oversleeps(api: Handle, crew: Fleet, sleeper: Worker, redis_url: str) -> None:
    """The others get a token of their own; when the sleeper awakes, he takes theirs."""
    others = Fleet([worker for worker in crew.workers if worker is not sleeper]).collect()
    assert others.failed == []
    assert len(others.calls) == 48
    before = stored(redis_url)

    sleeper.signal(SIGCONT)
    awoken = Fleet([sleeper]).collect()

    assert stored(redis_url) == before
    assert awoken.failed == []
    assert crew.burst().failed == []
    assert len(api.token_requests) == 2
