"""The demo's Celery, in a worker that makes many calls before it forks: celery -A …."""

from celery.signals import worker_init

from apiclient_app import clients
from project.celery import app

__all__ = ["app"]

PATHS = ["planets/"] * 10


@worker_init.connect
def map_before_the_fork(**_: object) -> None:
    list(clients["planets"].map(PATHS, concurrency=3))


@app.task(name="tests.many")
def many() -> list[int]:
    return [response.status_code for response in clients["planets"].map(PATHS, concurrency=3)]
