"""The test's side of the processes that call: start, replace, tell, and read what came of it."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Any, NamedTuple

from tests import settings as test_settings
from tests.fleet.crew import Fleet, Worker

THREADS, EVERY = 8, 0.4  # of each process, beside those that map and await
HEADSTART = 0.2  # seconds until all begin


class Call(NamedTuple):
    """One call: how and for whom it was made, when, for how long, and 200 or what came instead."""

    process: int
    how: str
    alias: str
    subject: str
    at: float
    elapsed: float
    end: int | str


class Calls(list[Call]):
    """What became of the calls."""

    @property
    def failed(self) -> "Calls":
        return Calls(call for call in self if call.end != 200)

    @property
    def kinds(self) -> Counter[str]:
        """How many failed, by the name of the error."""
        return Counter(str(call.end).partition(":")[0] for call in self.failed)

    @property
    def stall(self) -> float:
        """How long the longest took."""
        return max((call.elapsed for call in self), default=0.0)

    def between(self, begin: float, end: float) -> "Calls":
        """Give those that were begun and ended then."""
        return Calls(c for c in self if begin <= c.at and c.at + c.elapsed <= end)

    def since(self, moment: float) -> "Calls":
        return Calls(call for call in self if call.at >= moment)

    def of(self, *processes: int) -> "Calls":
        return Calls(call for call in self if call.process in processes)


class Crew:
    """Processes with a cache and a database in common. All that they say is kept in a folder."""

    program = "tests.chaos.worker"

    def __init__(self, folder: Path, redis_url: str, settings: Mapping[str, Any]) -> None:
        self.folder, self.settings = folder, dict(settings)
        self.workers: list[Worker] = []
        self.forked: list[int] = []
        self.ledger = folder / "ledger"
        self.ledger.touch()
        self._redis_url = redis_url
        self._launched = 0
        self._loaded = False

    def muster(self, processes: int, *, clock: float = 0.0, **settings: Any) -> list[Worker]:
        """Add workers, with settings and a clock of their own; they call if the others do."""
        added = [self._launch(clock) for _ in range(processes)]
        for number, worker in enumerate(added, len(self.workers)):
            worker.begin(**with_engine(number, {**self.settings, **settings}))
        for worker in added:
            assert worker.report() == "ready"
        self.workers += added
        if self._loaded:
            self._order(added, do="start", begins=time.time())
        return added

    def start(self) -> None:
        self._loaded = True
        self._order(self.workers, do="start", begins=time.time() + HEADSTART)

    def stop(self) -> int:
        """End the calling; give how many callers did not come back."""
        self._loaded = False
        self.forked = []
        return int(sum(self.ask(do="stop")) + sum(self.ask(do="reap")))

    def fork(self, worker: Worker) -> None:
        """Have a worker fork a process that calls too."""
        self.forked += self._order([worker], do="fork", begins=time.time())

    @property
    def processes(self) -> list[int]:
        """Give the ids of all that there are."""
        return [*(worker.process.pid for worker in self.workers), *self.forked]

    def environment(self, log: Path) -> dict[str, str]:
        """Give what a process needs to know, also one that is not of the crew."""
        return {
            **os.environ,
            "REDIS_URL": self._redis_url,
            "TEST_RUN": test_settings.RUN,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "SETTINGS": json.dumps(self.settings),
            "LEDGER": str(self.ledger),
            "LOG": str(log),
        }

    def burst(self) -> Calls:
        """Have every caller of all make one call, all at the same moment."""
        begins = time.time() + HEADSTART
        stuck = self._order(self.workers, do="burst", begins=begins)
        assert sum(stuck) == 0
        return self.calls().since(begins - HEADSTART)

    def _order(self, workers: list[Worker], **order: Any) -> list[Any]:
        load = {"ledger": str(self.ledger), "threads": THREADS, "every": EVERY}
        return self.ask(workers, **load, **order)

    def ask(self, workers: list[Worker] | None = None, **order: Any) -> list[Any]:
        """Have all of them do something at once, or those; give what they report."""
        asked = self.workers if workers is None else workers
        for worker in asked:
            worker.order(**order)
        return [worker.report() for worker in asked]

    def calls(self) -> Calls:
        """Give the calls so far, also of workers that are dead."""
        lines = self.ledger.read_text().splitlines()
        return Calls(Call(*json.loads(line)) for line in lines)

    def calling(self, port: int, *, source: int) -> Worker:
        """Give the worker whose loopback connection goes to this port from that one."""
        return Fleet(self.workers).calling(port, source=source)

    def replace(self, worker: Worker, **settings: Any) -> None:
        """Have a worker end its calls and go, as when the site is deployed anew."""
        assert self.ask([worker], do="stop") == [0]
        self.dismiss(worker)
        self.muster(1, **settings)

    def dismiss(self, worker: Worker) -> None:
        """Kill a worker."""
        self.workers.remove(worker)
        worker.signal(SIGKILL)
        with worker.process:
            pass

    def _launch(self, clock: float) -> Worker:
        self._launched += 1
        log = self.folder / f"{self._launched}.log"
        with log.with_suffix(".err").open("wb") as errors:
            return Worker(
                subprocess.Popen(
                    [sys.executable, "-m", self.program],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env={**self.environment(log), "CLOCK": str(clock)},
                )
            )


@contextmanager
def mustered(folder: Path, redis_url: str, settings: Mapping[str, Any]) -> Iterator[Crew]:
    """Give a crew that ends with the block."""
    crew = Crew(folder, redis_url, settings)
    try:
        yield crew
    finally:
        for worker in list(crew.workers):
            crew.dismiss(worker)


def with_engine(number: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Have every second process make its single calls with libcurl."""
    engine = "requests" if number % 2 else "curl"
    clients = settings["API_CLIENTS"].items()
    return settings | {"API_CLIENTS": {n: {**client, "ENGINE": engine} for n, client in clients}}
