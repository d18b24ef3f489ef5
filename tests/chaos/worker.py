"""A process of the suite; see `tests.fleet.worker`. CLOCK in its environment is the seconds by
which its machine's clock is ahead, LOG where everything goes that any logger says."""

from __future__ import annotations

import os
import time

from . import load  # before the clock is another

if ahead := float(os.environ.get("CLOCK", "0")):
    time.time = lambda: load.now() + ahead  # before anybody imports it

import signal
import sys
import threading
from typing import Any

from tests.fleet import worker

from .witness import overhear


class Orders:
    """What a worker can be told to do. Each gives something in JSON types."""

    def __init__(self) -> None:
        overhear()
        self._load: load.Load | None = None
        self._children: list[int] = []

    def start(self, **order: Any) -> None:
        """Call from now on; see `Load`."""
        self._load = load.Load(**order)
        self._load.start()

    def fork(self, **order: Any) -> int:
        """Fork a process that calls too; give its id."""
        if pid := os.fork():
            self._children.append(pid)
            return pid
        over, parent = threading.Event(), os.getppid()
        signal.signal(signal.SIGTERM, lambda *_: over.set())
        self.start(**order)
        while not over.wait(0.5):
            if os.getppid() != parent:
                os._exit(1)  # it was killed
        os._exit(self.stop())

    def reap(self) -> int:
        """End those that were forked; give how many callers did not come back."""
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        ends = [os.waitpid(pid, 0)[1] for pid in self._children]
        self._children = []
        return sum(os.waitstatus_to_exitcode(end) for end in ends)

    def stop(self) -> int:
        """End the calling; give how many callers did not come back."""
        return self._load.stop() if self._load else 0

    def burst(self, **order: Any) -> int:
        """Have every caller call once; give how many did not come back."""
        burst = load.Load(turns=1, **order)
        burst.start()
        return burst.wait()

    def rotate(self, *, alias: str, subject: str) -> str:
        """Give the new token's id."""
        return str(load.Target(alias, subject).client.rotate_token().id)

    def migrate(self) -> None:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)

    def store(self, *, alias: str, subject: str, refresh_token: str) -> None:
        load.Target(alias, subject).client.store_refresh_token(refresh_token)


if __name__ == "__main__":
    worker.main(sys.stdin, sys.stdout, Orders)
