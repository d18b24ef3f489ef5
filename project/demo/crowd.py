"""Many callers at once: threads that call the site, and tasks for the worker."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from celery.result import AsyncResult

from project import tasks

from .fleet import fetch

THREADS = 32
TASKS_AT_ONCE = 8
PAUSE = 0.5  # seconds between two calls of one caller
PATIENCE = 30.0
NAMES = ["mercury", "venus", "earth", "mars", "jupiter", "saturn", "uranus", "neptune"]

Outcome = int | str  # the id of the process that made the call; or what went wrong


@dataclass(frozen=True)
class Tally:
    """What became of the calls, as their callers saw it."""

    by_site: list[Outcome]
    by_worker: list[Outcome]

    @property
    def all(self) -> list[Outcome]:
        return self.by_site + self.by_worker

    @property
    def failures(self) -> list[str]:
        return [outcome for outcome in self.all if isinstance(outcome, str)]

    @property
    def processes(self) -> set[int]:
        return {outcome for outcome in self.all if isinstance(outcome, int)}


class Crowd:
    """Threads and tasks that begin at the same moment. For one use."""

    def __init__(self, site_url: str) -> None:
        self._site_url = site_url
        self._start = threading.Barrier(THREADS + 1)
        self._over = threading.Event()

    def call(self, until: float = 0.0) -> Tally:
        """Call once each; then again and again, until then (epoch seconds)."""
        with ThreadPoolExecutor(THREADS + 1) as pool:
            try:
                sent = pool.submit(self._send_tasks, until)
                callers = [pool.submit(self._call_site, until) for _ in range(THREADS)]
                by_site = list(chain.from_iterable(caller.result() for caller in callers))
                deadline = time.time() + PATIENCE
                by_worker = [outcome(result_of, task, deadline) for task in sent.result()]
            finally:
                self._over.set()  # after Ctrl-C, nobody calls on until the end
        return Tally(by_site, by_worker)

    def _call_site(self, until: float) -> list[Outcome]:
        return [outcome(self._ask_site, name) for name in self._rounds(until)]

    def _ask_site(self, name: str) -> Any:
        return fetch(f"{self._site_url}/planets/{name}/").json()

    def _send_tasks(self, until: float) -> list[AsyncResult]:
        return [
            tasks.planet.delay(name) for name in self._rounds(until) for _ in range(TASKS_AT_ONCE)
        ]

    def _rounds(self, until: float) -> Iterator[str]:
        self._start.wait(PATIENCE)
        for number in count():
            yield NAMES[number % len(NAMES)]
            if time.time() > until or self._over.wait(PAUSE):
                return


def result_of(task: AsyncResult, deadline: float) -> Any:
    if (seconds := deadline - time.time()) <= 0:
        raise TimeoutError("no result")
    return task.get(timeout=seconds)


def outcome(call: Callable[..., Any], *values: object) -> Outcome:
    try:
        return int(call(*values)["process"])
    except Exception as error:  # noqa: BLE001 - any failure is a failed call, to be counted
        return repr(error)
