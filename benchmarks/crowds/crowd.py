"""Ways to make many calls at once: what a crowd is, and how it takes its turn."""

import gc
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.api import Api
from benchmarks.measured import Field, Measured
from benchmarks.missing import Missing
from benchmarks.runner import timed

Run = Callable[[int], int]
"""Makes so many calls, reads every body, and gives how many answers were good."""


@dataclass(frozen=True)
class Crowd:
    """`ready` opens what it needs for so many calls in flight; raises Missing.

    It plays in one round of `every`. One that is not `bounded` has all its calls in flight.
    """

    name: str
    ready: Callable[[Api, int], AbstractContextManager[Run]]
    every: int = 1
    bounded: bool = True


def in_turn(crowds: Sequence[Crowd], api: Api, concurrency: int, rounds: int, calls: int) -> Field:
    """Let each crowd make `calls` calls in each of `rounds` rounds, in a new order each time."""
    field = Field()
    playing = [(Measured(crowd.name), crowd) for crowd in crowds]
    for number in range(rounds):
        for measured, crowd in random.sample(playing, len(playing)):
            if number % crowd.every == 0 and crowd.name not in field.skipped:
                try:
                    measured.took(*turn(crowd, api, concurrency, calls))
                except Missing as missing:
                    field.skipped[crowd.name] = str(missing)
    field.measured = [measured for measured, _ in playing if measured.wall]
    return field


def turn(crowd: Crowd, api: Api, concurrency: int, calls: int) -> tuple[float, float]:
    """Open, connect, make the calls; give µs a call, by the clock and in own CPU time."""
    with crowd.ready(api, concurrency) as run:
        expect(crowd, run, concurrency)
        gc.collect()
        wall, cpu = timed(lambda: expect(crowd, run, calls), 1)
    return wall / calls, cpu / calls


def expect(crowd: Crowd, run: Run, calls: int) -> None:
    answered = run(calls)
    if answered != calls:
        raise SystemExit(f"{crowd.name}: {answered} good answers to {calls} calls")
