"""Measures contenders side by side: in one process, in turn, in a new order each round."""

import gc
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles

from .contenders import Call, Contender
from .nginx import Api

WARM_UP = 50
TURN = 20


@dataclass
class Measured:
    """What one contender took, in µs a call: one figure for each round."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.wall)

    @property
    def cpu_median(self) -> float:
        return median(self.cpu)

    @property
    def quartiles(self) -> tuple[float, float]:
        low, _, high = quantiles(self.wall, n=4, method="inclusive")
        return low, high


def interleaved(
    contenders: Sequence[Contender], api: Api, rounds: int, calls: int
) -> list[Measured]:
    """Let each contender make `calls` calls in each of `rounds` rounds."""
    with ExitStack() as stack:
        running = [(Measured(c.name), stack.enter_context(c.ready(api))) for c in contenders]
        for _, call in running:
            warm_up(call)
        for _ in range(rounds):
            one_round(running, calls)
        return [measured for measured, _ in running]


def one_round(running: Sequence[tuple[Measured, Call]], calls: int) -> None:
    """Have short turns, so that whatever else the machine does meets all alike."""
    turns = max(1, calls // TURN)
    times: dict[str, list[tuple[float, float]]] = {measured.name: [] for measured, _ in running}
    gc.collect()
    for _ in range(turns):
        for measured, call in random.sample(running, len(running)):
            times[measured.name].append(timed(call, TURN))
    for measured, _ in running:
        wall, cpu = zip(*times[measured.name], strict=True)
        measured.wall.append(fmean(wall))
        measured.cpu.append(fmean(cpu))


def warm_up(call: Call) -> None:
    for _ in range(WARM_UP):
        response = call()
        if response.status_code != 200 or response.json()["id"] != 42:
            raise SystemExit(f"not the expected answer: {response.status_code} {response.text}")


def timed(call: Call, calls: int) -> tuple[float, float]:
    """Give µs a call, by the clock on the wall and in this process's own CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / calls * 1e6, cpu / calls * 1e6
