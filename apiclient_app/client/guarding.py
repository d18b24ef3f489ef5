"""From a client's settings to what guards its calls; nothing where nothing is set."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from apiclient_app.auth import replies
from apiclient_app.conf import ClientConfig
from apiclient_app.engines.timeouts import timeouts
from apiclient_app.flow import CallFlow
from apiclient_app.guard import Guard
from apiclient_app.guard.backlog import Queue
from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.crossing import Crossing, Sight
from apiclient_app.guard.limiting import Limiting
from apiclient_app.guard.rates import TELLING, Told, told
from apiclient_app.guard.retries import Budget

TASK_PATIENCE = 1.0  # seconds that a Celery task is kept back for; it had better be retried
LEASE_MARGIN = 5.0
NAMED = (b"\nratelimit", b"\nx-ratelimit", b"\nx-rate-limit")
LONG = 30.0  # where TIMEOUT says nothing


@dataclass(frozen=True, slots=True)
class Common:
    """What the calls of one client have in common in this process, whatever the subject."""

    budget: Budget
    queue: Queue
    sight: Sight

    @classmethod
    def of(cls, config: ClientConfig) -> Common:
        share = config.retry.budget if config.retry else 0.0
        return cls(Budget(share), Queue(), Sight(config.breaker))


def guard_for(
    config: ClientConfig, calls: CallFlow, common: Common, jitter: Any, whose: str
) -> Guard | None:
    """Give what guards the calls of a client or subject; None where nothing is to."""
    limited = config.limited
    if not limited and config.retry is None and config.breaker is None:
        return None
    return Guard(
        calls=calls,
        retry=config.retry,
        budget=common.budget,
        crossing=_crossing(config, config.breaker, common, jitter) if config.breaker else None,
        limiting=_limiting(config, common, jitter, whose) if limited else None,
        jitter=jitter,
        asked=asked,
    )


def _crossing(config: ClientConfig, breaker: Breaker, common: Common, jitter: Any) -> Crossing:
    return Crossing(
        alias=config.alias,
        breaker=breaker,
        sight=common.sight,
        every=config.memory_seconds,
        lease=lease(config.timeout),
        clock=time.time,
        jitter=jitter,
    )


def _limiting(config: ClientConfig, common: Common, jitter: Any, whose: str) -> Limiting:
    limit = config.rate_limit
    return Limiting(
        alias=config.alias,
        whose=whose if limit is not None and limit.per_subject else "",
        limit=limit,
        most=config.max_in_flight,
        lease=lease(config.timeout),
        queue=common.queue,
        clock=time.monotonic,
        jitter=jitter,
        told=heard,
        asked=asked,
    )


def lease(timeout: Any) -> float:
    """Give the seconds after which a request that has not ended is given up by the others."""
    return longest(timeout) + LEASE_MARGIN


def longest(timeout: Any) -> float:
    """Give how many seconds a request may take with this timeout; ValueError for none."""
    return sum(LONG if part is None else part for part in timeouts(timeout))


def in_task() -> bool:
    """Whether a Celery worker is running a task in this thread."""
    celery = sys.modules.get("celery")
    task: Any = getattr(celery, "current_task", None)
    return bool(task) and not task.request.called_directly


def asked(response: Any) -> float | None:
    """Give the seconds of a response's Retry-After."""
    return replies.asked(response.headers, time.time())


def heard(response: Any) -> Told | None:
    """Give what a response says of the API's limits."""
    # Most say nothing, and that is found without taking their heads apart.
    says = getattr(response, "says", None)
    if says is not None:
        if not any(map(says, NAMED)):
            return None
    elif TELLING.isdisjoint(response.headers._store):
        return None
    return told(response.headers, time.time())
