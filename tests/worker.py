"""The demo's Celery, in a worker that calls the API before it forks: celery -A tests.worker."""

from celery.signals import worker_init

from apiclient_app import clients
from project.celery import app

__all__ = ["app"]


@worker_init.connect
def call_before_the_fork(**_: object) -> None:
    clients["planets"].get("planets/")
