"""A process of the crew. Each call is a line in a ledger, so that it outlives its process."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from tests.fleet import worker


@dataclass(frozen=True)
class Steady:
    """Threads that call until they are told to stop: one call each, every so many seconds."""

    ledger: int
    caller: str
    subjects: list[str]
    every: float
    over: threading.Event

    def run(self, number: int, threads: int) -> None:
        from .callers import CALLERS

        call = CALLERS[self.caller]
        subject = self.subjects[number % len(self.subjects)]
        pause = self.every * number / threads  # each at his own moment, as callers are
        while not self.over.wait(pause):
            began, clock = time.time(), time.perf_counter()
            try:
                end: int | str = call(subject)
            except Exception as error:  # noqa: BLE001  # whatever it is, the test shall see it
                end = f"{type(error).__name__}: {error}"
            elapsed = time.perf_counter() - clock
            line = json.dumps([os.getpid(), subject, began, elapsed, end])
            os.write(self.ledger, f"{line}\n".encode())
            pause = max(0.0, self.every - elapsed)


class Orders(worker.Orders):
    """What the crew can have a worker do. Each gives something in JSON types."""

    def migrate(self) -> None:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)

    def start(
        self, *, ledger: str, caller: str, subjects: list[str], threads: int, every: float
    ) -> None:
        """Have threads call from now on; thread n for subject n, round about."""
        opened = os.open(ledger, os.O_WRONLY | os.O_APPEND)
        self._over = threading.Event()
        steady = Steady(opened, caller, subjects, every, self._over)
        self._threads = [
            threading.Thread(target=steady.run, args=(n, threads), daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def inspect(self, *, subject: str = "") -> dict[str, Any]:
        from .callers import client

        return dict(client(subject).inspect().as_dict())

    def store(self, *, refresh_token: str, subject: str = "") -> None:
        from .callers import client

        client(subject).store_refresh_token(refresh_token)

    def visits(self) -> int:
        """How many rows the views wrote that were not rolled back."""
        from django.contrib.auth.models import Group

        return Group.objects.count()


if __name__ == "__main__":
    worker.main(sys.stdin, sys.stdout, Orders)
