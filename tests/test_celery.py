"""Clients in a real Celery worker, of either pool."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from project.demo.fleet import Fleet

TASKS = 32


@pytest.fixture
def fleet(redis_url: str) -> Iterator[Fleet]:
    with Fleet(redis_url) as fleet:
        fleet.start_provider()
        yield fleet


@pytest.fixture
def celery(fleet: Fleet) -> Iterator[Celery]:
    """What sends tasks to the demo's worker."""
    prefix = {"global_keyprefix": f"{fleet.run}:"}
    with Celery("tests", broker=fleet.redis_url, backend=fleet.redis_url) as app:
        app.conf.broker_transport_options = prefix
        app.conf.result_backend_transport_options = prefix
        yield app
        app.backend.result_consumer.stop()
        app.backend.client.close()


def processes_of(celery: Celery, number: int = TASKS) -> set[int]:
    """Run so many tasks; give the ids of the processes that they ran in."""
    sent = [celery.send_task("project.tasks.planet", ["earth"]) for _ in range(number)]
    results: list[dict[str, Any]] = [task.get(timeout=30) for task in sent]
    assert {result["name"] for result in results} == {"Earth"}
    return {result["process"] for result in results}


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_worker_shares_its_first_process_token(fleet: Fleet, celery: Celery, pool: str) -> None:
    fleet.start_worker(f"--pool={pool}", "--concurrency=4", app="tests.worker")
    fleet.wait()

    processes = processes_of(celery)

    assert (len(processes) > 1) == (pool == "prefork")
    assert fleet.seen() == {"token_requests": 1, "calls": TASKS + 1, "calls_200": TASKS + 1}


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_no_task_fails_when_the_token_ends(fleet: Fleet, celery: Celery, pool: str) -> None:
    fleet.start_worker(f"--pool={pool}", "--concurrency=4", app="tests.worker")
    fleet.wait()
    processes_of(celery)
    before = fleet.seen()

    fleet.expire_tokens()
    processes_of(celery)

    cost = fleet.seen() - before
    assert cost["token_requests"] == 1
    assert cost["calls_200"] == TASKS
    assert cost["calls_401"] >= 1


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_tasks_make_many_calls_at_once(fleet: Fleet, celery: Celery, pool: str) -> None:
    fleet.start_worker(f"--pool={pool}", "--concurrency=4", app="tests.mapping_worker")
    fleet.wait()
    sent = [celery.send_task("tests.many") for _ in range(8)]

    assert [task.get(timeout=30) for task in sent] == [[200] * 10] * 8
    assert fleet.seen() == {"token_requests": 1, "calls": 90, "calls_200": 90}
