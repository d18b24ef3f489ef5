"""What one call of `map` costs when there are ever more of them."""

import random
from statistics import median

from benchmarks.bench import REQUESTS, Bench, Part
from benchmarks.crowds import turn
from benchmarks.crowds.ours import MAP
from benchmarks.measured import Measured
from benchmarks.missing import Missing
from benchmarks.tables import left_out, table

CONCURRENCY = 60
SIZES = 100, 1_000, 10_000, 100_000
AT_LEAST = 3_000  # calls of a kind in a round


def ever_more(bench: Bench) -> Part:
    rounds = bench.rounds_or(5, quick=2)
    found = {size: Measured(f"{size:,}") for size in (SIZES[:-1] if bench.quick else SIZES)}
    try:
        for _ in range(rounds):
            for size in random.sample(list(found), len(found)):
                found[size].took(*several(bench, size))
    except Missing as missing:
        return Part(left_out({"client.map": str(missing)}))
    text = f"""\
µs per call of `client.map`, {CONCURRENCY} in flight. Rounds: {rounds}, in a new order each time;
where there are few calls, `map` is called several times.

{table(("calls", "median", "quartiles", "own CPU"), [line(each) for each in found.values()])}"""
    return Part(text, (*REQUESTS, "pycurl"))


def several(bench: Bench, size: int) -> tuple[float, float]:
    times = max(1, AT_LEAST // size)
    wall, cpu = zip(*(turn(MAP, bench.api, CONCURRENCY, size) for _ in range(times)), strict=True)
    return median(wall), median(cpu)


def line(measured: Measured) -> tuple[str, ...]:
    low, high = measured.quartiles
    return (
        measured.name,
        f"{measured.median:.1f}",
        f"{low:.1f} to {high:.1f}",
        f"{measured.cpu_median:.1f}",
    )
