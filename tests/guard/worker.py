"""The demo's Celery, in a worker whose client may make three calls in three seconds."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from apiclient_app import RateLimited, clients
from project.celery import app

__all__ = ["app"]

settings.API_CLIENTS["planets"]["RATE_LIMIT"] = "3/3 seconds"


@app.task(name="tests.patient", bind=True, max_retries=10)
def patient(self: Any) -> tuple[int, float]:
    """Give how often it was retried, and how long its last try took."""
    began = time.monotonic()
    try:
        clients["planets"].get("planets/")
    except RateLimited as error:
        raise self.retry(countdown=error.retry_after, exc=error) from error
    return self.request.retries, time.monotonic() - began
