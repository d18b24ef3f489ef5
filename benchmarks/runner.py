"""Measures contenders side by side: in one process, in turn, in a new order each round."""

import gc
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import fmean

from .api import Api
from .contenders import Answer, Call, Contender
from .measured import Field, Measured
from .missing import Missing

WARM_UP = 50
TURN = 20


def interleaved(contenders: Sequence[Contender], api: Api, rounds: int, calls: int) -> Field:
    """Let each contender make `calls` calls in each of `rounds` rounds."""
    field = Field()
    with ExitStack() as stack:
        running = []
        for contender in contenders:
            try:
                call = stack.enter_context(contender.ready(api))
            except Missing as missing:
                field.skipped[contender.name] = str(missing)
            else:
                running.append((Measured(contender.name), call))
        for _, call in running:
            warm_up(call)
        for _ in range(rounds):
            one_round(running, calls)
        field.measured = [measured for measured, _ in running]
    return field


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
        measured.took(fmean(wall), fmean(cpu))


def warm_up(call: Call) -> None:
    for _ in range(WARM_UP):
        response = call()
        if not good(response):
            raise SystemExit(f"not the expected answer: {response.status_code} {response.json()}")


def good(response: Answer) -> bool:
    """Look at the status, and read the body."""
    return response.status_code == 200 and bool(response.json()["id"] == 42)


def timed(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """Give µs a call, by the clock on the wall and in this process's own CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / calls * 1e6, cpu / calls * 1e6
