"""A task in a process of its own, to see what memory it takes: `in_child(task, site)`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from .api import Api
from .missing import Missing
from .site import Site, set_up

KIBIBYTES = 1024.0


@dataclass(frozen=True)
class Outcome:
    """The peak of what it held in memory (resident), in MiB, and how long the task took."""

    peak: float
    seconds: float
    missing: str = ""


def in_child(task: Callable[..., None], site: Site, **arguments: Any) -> Outcome:
    """Run `task(site, **arguments)`, a function of a module, with Django; raises Missing."""
    order = {
        "task": [task.__module__, task.__name__],
        "site": asdict(site),
        "arguments": arguments,
    }
    words = [sys.executable, "-m", "benchmarks.child"]
    done = subprocess.run(words, input=json.dumps(order), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{task.__name__} {arguments} failed in its process: see above.")
    outcome = Outcome(**json.loads(done.stdout))
    if outcome.missing:
        raise Missing(outcome.missing)
    return outcome


def main() -> None:
    order = json.load(sys.stdin)
    site = Site([Api(**api) for api in order["site"]["apis"]], order["site"]["redis_url"])
    set_up(site)
    module, name = order["task"]
    task, missing, began = getattr(import_module(module), name), "", time.perf_counter()
    try:
        task(site, **order["arguments"])
    except Missing as error:
        missing = str(error)
    json.dump(asdict(Outcome(peak(), time.perf_counter() - began, missing)), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # all is said, and pyreqwest's threads may abort an interpreter that ends


def peak() -> float:
    """Give MiB. Not what getrusage says: that begins with what the parent held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / KIBIBYTES
    raise SystemExit("Memory is measured on Linux only.")


if __name__ == "__main__":
    main()
