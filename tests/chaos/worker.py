"""A process of the suite; see `tests.fleet.worker`. CLOCK in its environment is the seconds by
which its machine's clock is ahead, LOG where everything goes that any logger says."""

from __future__ import annotations

import os
import time

from . import load  # before the clock is another

if ahead := float(os.environ.get("CLOCK", "0")):
    time.time = lambda: load.now() + ahead  # before anybody imports it

import logging
import sys
from typing import Any

from tests.fleet import worker


class Witness(logging.FileHandler):
    """Writes down all that a record carries."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record)!r}"


class Orders:
    """What a worker can be told to do. Each gives something in JSON types."""

    def __init__(self) -> None:
        logging.root.addHandler(Witness(os.environ["LOG"]))
        logging.root.setLevel(logging.DEBUG)
        self._load: load.Load | None = None

    def start(self, **order: Any) -> None:
        """Call from now on; see `Load`."""
        self._load = load.Load(**order)
        self._load.start()

    def stop(self) -> int:
        """End the calling; give how many callers did not come back."""
        return self._load.stop() if self._load else 0

    def burst(self, **order: Any) -> int:
        """Have every caller call once; give how many did not come back."""
        burst = load.Load(turns=1, **order)
        burst.start()
        return burst.wait()

    def migrate(self) -> None:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)

    def store(self, *, alias: str, subject: str, refresh_token: str) -> None:
        load.Target(alias, subject).client.store_refresh_token(refresh_token)


if __name__ == "__main__":
    worker.main(sys.stdin, sys.stdout, Orders)
