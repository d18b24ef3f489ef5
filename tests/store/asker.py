"""A process that asks a gate from many threads: python -m tests.store.asker '{"times": 3, …}'.

Writes the moments that it was given, epoch seconds, as JSON; and with `keep` stays, slots and all.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from math import inf


def main(
    *,
    rates: list[str],
    threads: int,
    times: int,
    most: int | None = None,
    lease: float = 5.0,
    keep: bool = False,
) -> None:
    from .test_gate import gate

    one = gate(*rates, most=most)
    given: list[float] = []

    def ask(number: int) -> None:
        for turn in range(times):
            owner = os.getpid() * 1_000_000 + number * 1000 + turn if most else 0
            seconds = one.admit("", owner, inf, lease, None).seconds
            given.append(time.time() + seconds)

    crew = [threading.Thread(target=ask, args=(n,)) for n in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    sys.stdout.write(f"{json.dumps(given)}\n")
    sys.stdout.flush()
    if keep:
        time.sleep(3600)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    main(**json.loads(sys.argv[1]))
