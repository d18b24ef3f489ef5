"""How much is tried, and the moments at which tokens end."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .provider.handle import Provider


@dataclass(frozen=True)
class Scale:
    """So many processes of so many threads, each with a call every so many seconds."""

    processes: int
    threads: int
    every: float
    expiries: int


SHORT = Scale(4, 4, 0.1, 10)
FULL = Scale(8, 8, 0.4, 200)

scales = pytest.mark.parametrize(
    "scale",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(FULL, id="full", marks=[pytest.mark.chaos, pytest.mark.timeout(1800)]),
    ],
)


def expiries(provider: Provider, times: int) -> Iterator[int]:
    """End the access token so many times, at random moments at least a second apart.

    Gives the number of each at once, and another second after the last. What found no token
    alive does not count; ends early when that goes on.
    """
    number, fruitless = 0, 0
    while number < times and fruitless < 30:
        time.sleep(random.uniform(1.0, 1.5))
        if provider.expire():
            number, fruitless = number + 1, 0
            yield number
        else:
            fruitless += 1
    time.sleep(1)
