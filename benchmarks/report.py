"""The tables of a run, in Markdown."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from . import nginx
from .contenders import REFERENCE
from .runner import TURN, Measured

PACKAGES = ("Django", "requests", "urllib3", "django-redis")


@dataclass(frozen=True)
class Run:
    """What was measured, under which circumstances."""

    rounds: int
    calls: int
    load: tuple[float, float]  # before and after
    valkey: str
    field: Sequence[Measured]
    layer: Sequence[tuple[str, str]]


def markdown(run: Run) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"""\
# Results

Ratios count; microseconds belong to the machine. What each line means, where the time goes and
how to add a contender: [README.md](README.md).

- Date: {datetime.now(UTC):%Y-%m-%d}
- Python {platform.python_version()}, {packages}, nginx {nginx.version()}, Valkey {run.valkey}
- {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {len(os.environ)} variables in \
the environment; load average {run.load[0]:.1f} before, {run.load[1]:.1f} after
- {run.rounds} rounds in one process; in each, every contender made {run.calls} calls, in \
turns of {TURN}, in a new order each time

## One call

A tiny JSON document over loopback, connections kept. µs per call.

{contenders_table(run.field)}
## Our own layer

{table(("", ""), run.layer)}
## To repeat

```
apt-get install nginx-light   # if there is no nginx; it need not run
make bench                    # prints these tables; make bench WRITE=1 writes them here
```
"""


def contenders_table(field: Sequence[Measured]) -> str:
    reference = next(measured for measured in field if measured.name == REFERENCE)
    rows = []
    for measured in field:
        low, high = measured.quartiles
        rows.append(
            (
                measured.name,
                f"{measured.median:.0f}",
                f"{low:.0f} to {high:.0f}",
                f"{min(measured.wall):.0f} to {max(measured.wall):.0f}",
                f"**{measured.median / reference.median:.2f}**",
                f"{measured.cpu_median:.0f}",
                f"{measured.cpu_median / reference.cpu_median:.2f}",
            )
        )
    head = ("", "median", "quartiles", "range", "ratio", "own CPU", "ratio")
    return table(head, rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rules = [":--", *["--:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rules, *rows))
