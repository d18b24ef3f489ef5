"""The test's side of the workers: start them, kill some, read what came of their calls."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Any, NamedTuple

from tests import settings as test_settings
from tests.fleet.crew import Fleet, Worker


class Call(NamedTuple):
    """One call of one thread: when it began, how long it took, and 200 or what came instead."""

    process: int
    subject: str
    at: float
    elapsed: float
    end: int | str


class Calls(list[Call]):
    """What became of the calls."""

    @property
    def failed(self) -> list[Call]:
        return [call for call in self if call.end != 200]

    @property
    def slowest(self) -> float:
        return max(call.elapsed for call in self)

    def since(self, moment: float) -> "Calls":
        """Give those that began then or later."""
        return Calls(call for call in self if call.at >= moment)


class Crew:
    """Processes with a database and a cache in common, whose threads call steadily."""

    def __init__(self, ledger: Path, redis_url: str, settings: dict[str, Any]) -> None:
        self._ledger = ledger
        self._environment = {
            **os.environ,
            "REDIS_URL": redis_url,
            "TEST_RUN": test_settings.RUN,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        self._settings = settings
        self._load: dict[str, Any] = {}
        self.workers: list[Worker] = []
        ledger.touch()

    def muster(self, processes: int, **settings: Any) -> None:
        """Add workers, with settings of their own where some are given."""
        for _ in range(processes):
            self.workers.append(self._launch())
            self.workers[-1].begin(**{**self._settings, **settings})
        for worker in self.workers[-processes:]:
            assert worker.report() == "ready"

    def start(
        self,
        *,
        caller: str = "directly",
        subjects: Sequence[str] = ("",),
        threads: int = 4,
        every: float = 0.2,
    ) -> None:
        """Have the threads of all workers call until `stop`: see `callers`."""
        self._load = {
            "do": "start",
            "ledger": str(self._ledger),
            "caller": caller,
            "subjects": list(subjects),
            "threads": threads,
            "every": every,
        }
        for worker in self.workers:
            worker.ask(**self._load)

    def stop(self) -> Calls:
        """End the calling; give what became of all calls so far."""
        for worker in self.workers:
            worker.order(do="stop")
        for worker in self.workers:
            worker.report()
        return self.calls()

    def calls(self) -> Calls:
        """Give the calls so far, also of workers that are dead."""
        lines = self._ledger.read_text().splitlines()
        return Calls(Call(*json.loads(line)) for line in lines)

    def calling(self, port: int, *, source: int) -> Worker:
        """Give the worker whose loopback connection goes to this port from that one."""
        return Fleet(self.workers).calling(port, source=source)

    def replace(self, dead: Worker) -> None:
        """Kill a worker, and start one in its place that calls as it did."""
        dead.signal(SIGKILL)
        end(dead)
        self.workers.remove(dead)
        self.muster(1)
        self.workers[-1].ask(**self._load)

    def ask(self, do: str, **order: Any) -> Any:
        """Have one of them do something, and give what it reports."""
        return self.workers[0].ask(do=do, **order)

    def disband(self) -> None:
        for worker in self.workers:
            worker.signal(SIGKILL)
        for worker in self.workers:
            end(worker)

    def _launch(self) -> Worker:
        return Worker(
            subprocess.Popen(
                [sys.executable, "-m", "tests.grants.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self._environment,
            )
        )


@contextmanager
def mustered(
    folder: Path, redis_url: str, processes: int, settings: dict[str, Any]
) -> Iterator[Crew]:
    """Start workers with an empty database; they end with the block."""
    crew = Crew(folder / "ledger", redis_url, settings)
    try:
        crew.muster(processes)
        crew.ask("migrate")
        yield crew
    finally:
        crew.disband()


def end(worker: Worker) -> None:
    """Return when it is gone."""
    with worker.process:
        pass
