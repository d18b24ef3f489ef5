"""The test's side of the fleet: start it, order calls, read what came of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests import settings as test_settings


class Call(NamedTuple):
    """One call of one thread: when it began, how long it took, and its status or error."""

    worker: int
    path: str
    at: float
    elapsed: float
    end: int | str


@dataclass(frozen=True)
class Report:
    """What a burst came to. `cpu`: seconds of processor time, by worker."""

    calls: list[Call]
    cpu: list[float]

    @property
    def failed(self) -> list[Call]:
        return [call for call in self.calls if call.end != 200]

    @property
    def slowest(self) -> float:
        return max(call.elapsed for call in self.calls)

    def on(self, path: str) -> "Report":
        return Report([call for call in self.calls if call.path == path], self.cpu)


class Worker:
    """One process of the fleet."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def order(self, **order: Any) -> None:
        self._tell(order)

    def report(self) -> Any:
        """Give its next report; None if it has died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def ask(self, **order: Any) -> Any:
        self.order(**order)
        return self.report()

    def begin(self, **settings: Any) -> None:
        """Give it the settings that differ from the tests' own."""
        self._tell(settings)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def stopped(self) -> bool:
        """Whether it sleeps by SIGSTOP (see proc_pid_stat(5))."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def holds(self, inode: str) -> bool:
        """Whether this socket is its own."""
        socket = Path(f"socket:[{inode}]")
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if link.readlink() == socket:
                    return True
        return False

    def _tell(self, document: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()


class Fleet:
    """Workers that do the same at the same moment."""

    def __init__(self, workers: list[Worker]) -> None:
        self.workers = workers

    def burst(self, **order: Any) -> Report:
        """See `start`; waits for the end."""
        self.start(**order)
        return self.collect()

    def start(
        self,
        *,
        alias: str = "api",
        paths: Sequence[str] = ("echo",),
        threads: int = 16,
        calls: int = 1,
        every: float = 0.0,
        seconds: float = 0.0,
    ) -> float:
        """Have every thread call `calls` times, or for some seconds, once `every` so often.

        Thread n takes path n, round about. Gives the moment at which all begin.
        """
        at = time.time() + 0.2
        until = at + seconds if seconds else 0.0
        for worker in self.workers:
            worker.order(
                do="burst",
                alias=alias,
                paths=list(paths),
                threads=threads,
                calls=calls,
                every=every,
                at=at,
                until=until,
            )
        return at

    def collect(self) -> Report:
        """Wait for what was started. The calls of a worker that died are not in it."""
        reports = [worker.report() for worker in self.workers]
        alive = [(n, report) for n, report in enumerate(reports) if report is not None]
        calls = [Call(n, *call) for n, report in alive for call in report["calls"]]
        return Report(calls, [report["cpu"] for _, report in alive])

    def calling(self, port: int, *, source: int) -> Worker:
        """Give the worker whose loopback connection goes to this port from that one."""
        inode = _inode(source, port)
        return next(worker for worker in self.workers if worker.holds(inode))

    def logs(self) -> list[list[tuple[int, str, str]]]:
        """Give level, logger and text of what each worker's log said since the last time."""
        return [[(*line,) for line in worker.ask(do="logs")] for worker in self.workers]


@contextmanager
def sailing(redis_url: str, processes: int, api_clients: dict[str, Any]) -> Iterator[Fleet]:
    """Start a fleet whose processes have everything imported; it ends with the block."""
    environment = {**os.environ, "REDIS_URL": redis_url, "TEST_RUN": test_settings.RUN}
    with ExitStack() as stack:
        workers = [Worker(stack.enter_context(_process(environment))) for _ in range(processes)]
        for worker in workers:
            worker.begin(API_CLIENTS=api_clients)
        assert [worker.report() for worker in workers] == ["ready"] * processes
        yield Fleet(workers)


@contextmanager
def _process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _inode(source: int, port: int) -> str:
    """Give the inode of the near end of a loopback connection (see proc_pid_net(5))."""
    wanted = [f"0100007F:{number:04X}" for number in (source, port)]
    for line in Path("/proc/net/tcp").read_text().splitlines():
        columns = line.split()
        if columns[1:3] == wanted:
            return columns[9]
    raise LookupError(f"no connection from port {source} to port {port}")
