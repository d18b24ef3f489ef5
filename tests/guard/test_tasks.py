"""Inside a Celery task nobody sleeps for long: the error says when, and the task is retried."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry

from apiclient_app import RateLimited, clients
from project.demo.fleet import Fleet
from tests.conftest import Configure
from tests.servers import Handle


@pytest.fixture
def eager() -> Iterator[Celery]:
    with Celery("eager", set_as_current=False) as app:
        app.conf.task_always_eager = True
        yield app


def call() -> int:
    return clients["api"].get("echo").status_code


@pytest.fixture
def spent(api: Handle, api_clients: Configure) -> None:
    """A client whose next call may go in two seconds."""
    api.set(open=True)
    base = {"BASE_URL": api.base_url, "TIMEOUT": 5}
    api_clients(api={**base, "RATE_LIMIT": "1/2 seconds"})
    assert call() == 200


def test_a_task_is_told_when_to_come_back(spent: None, eager: Celery) -> None:
    began = time.monotonic()
    with pytest.raises(RateLimited) as error:
        eager.task(call).apply(throw=True)
    assert time.monotonic() - began < 1
    assert error.value.sent is False
    assert error.value.retry_after == pytest.approx(2, abs=0.9)


def test_a_task_may_wait_for_a_moment(api: Handle, api_clients: Configure, eager: Celery) -> None:
    api.set(open=True)
    api_clients(api={"BASE_URL": api.base_url, "RATE_LIMIT": "2/second"})
    assert [call(), call()] == [200, 200]
    assert eager.task(call).apply(throw=True).get() == 200


def test_outside_a_task_a_call_waits_as_long_as_a_request_may_take(spent: None) -> None:
    began = time.monotonic()
    assert call() == 200
    assert time.monotonic() - began == pytest.approx(2, abs=0.7)


def test_a_task_function_that_is_called_as_a_function_is_no_task(
    spent: None, eager: Celery
) -> None:
    assert eager.task(call)() == 200


def test_a_call_waits_no_longer_than_its_deadline(spent: None) -> None:
    began = time.monotonic()
    with pytest.raises(RateLimited):
        clients["api"].get("echo", deadline=1.0)
    assert time.monotonic() - began < 0.8


def test_the_seconds_are_what_retry_takes(spent: None, eager: Celery) -> None:
    def patient(self: Any) -> int:
        try:
            return call()
        except RateLimited as error:
            raise self.retry(countdown=error.retry_after, exc=error) from error

    task = eager.task(bind=True, max_retries=3)(patient)
    with pytest.raises(Retry) as asked:
        task.apply(retries=0, task_id="one", throw=True, ignore_result=True)
    assert asked.value.when == pytest.approx(2, abs=0.9)


def test_tasks_of_a_real_worker_come_back_when_they_may(redis_url: str) -> None:
    with Fleet(redis_url) as fleet:
        fleet.start_provider()
        fleet.start_worker("--pool=prefork", "--concurrency=2", app="tests.guard.worker")
        fleet.wait()
        with Celery("tests", broker=fleet.redis_url, backend=fleet.redis_url) as app:
            prefix = {"global_keyprefix": f"{fleet.run}:"}
            app.conf.broker_transport_options = prefix
            app.conf.result_backend_transport_options = prefix
            sent = [app.send_task("tests.patient") for _ in range(6)]
            ended = [task.get(timeout=30) for task in sent]
            app.backend.result_consumer.stop()
            app.backend.client.close()

    assert all(seconds < 2 for _, seconds in ended)  # none slept for its turn
    assert sum(retries > 0 for retries, _ in ended) >= 3
