"""A process of the fleet: reads orders from stdin, one JSON line each, and reports to stdout.

The first line is the settings that differ from the tests' own. `Orders` are what the others may
say.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import IO, Any


class Remembered(logging.Handler):
    """Keeps what our own loggers say."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: list[list[Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append([record.levelno, record.name, record.getMessage()])


class Orders:
    """What the fleet can have a worker do. Each gives something in JSON types."""

    def __init__(self) -> None:
        self.log = Remembered()
        logger = logging.getLogger("apiclient_app")
        logger.addHandler(self.log)
        logger.setLevel(logging.INFO)

    def burst(
        self,
        *,
        alias: str,
        paths: list[str],
        threads: int,
        calls: int,
        every: float,
        at: float,
        until: float,
    ) -> dict[str, Any]:
        """Call from many threads, all beginning at `at`: `calls` times each, or until `until`."""
        made: list[list[Any]] = []
        used = time.process_time()

        def caller(number: int) -> None:
            path = paths[number % len(paths)]
            for turn in count():
                # Each at his own moment, as callers are, but all of them at once in turn 0.
                due = at + turn * every + (every * number / threads if turn else 0.0)
                time.sleep(max(0.0, due - time.time()))
                if (until and time.time() >= until) or (not until and turn >= calls):
                    return
                made.append([path, *call(alias, path)])

        crew = [threading.Thread(target=caller, args=(n,)) for n in range(threads)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()
        return {"calls": made, "cpu": time.process_time() - used}

    def fan_out(self, *, alias: str, path: str, concurrency: int, at: float, until: float) -> int:
        """Make calls with `map` from `at` to `until`, as many as may go; give their number."""
        from apiclient_app import clients

        def paths() -> Iterator[str]:
            while time.time() < until:
                yield path

        time.sleep(max(0.0, at - time.time()))
        made = clients[alias].map(paths(), concurrency=concurrency, ordered=False)
        return sum(response.status_code == 200 for response in made)

    def rotate(self, *, alias: str) -> str:
        """Give the new token's id."""
        from apiclient_app import clients

        return clients[alias].rotate_token().id

    def logs(self) -> list[list[Any]]:
        """Give level, logger and text of what was said since the last time."""
        said, self.log.said = self.log.said, []
        return said


def call(alias: str, path: str) -> tuple[float, float, int | str]:
    """When, for how long, and with which end: a status or the text of an error."""
    from apiclient_app import clients

    began, clock = time.time(), time.perf_counter()
    try:
        end: int | str = clients[alias].get(path, raise_for_status=False).status_code
    except Exception as error:  # noqa: BLE001  # whatever it is, the test shall see it
        end = f"{type(error).__name__}: {error}"
    return began, time.perf_counter() - clock, end


def main(orders: IO[str], reports: IO[str], kind: Callable[[], object] = Orders) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings

    for name, value in json.loads(orders.readline()).items():
        setattr(settings, name, value)
    django.setup()
    obey = kind()
    print(json.dumps("ready"), file=reports, flush=True)
    for line in orders:
        order = json.loads(line)
        report = getattr(obey, order.pop("do"))(**order)
        print(json.dumps(report), file=reports, flush=True)


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
