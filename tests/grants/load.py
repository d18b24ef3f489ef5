"""How much is tried, and the moments at which tokens end."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from .crew import Calls
from .provider.handle import Provider, Seen


@dataclass(frozen=True)
class Scale:
    """So many processes of so many threads, each with a call every so many seconds."""

    processes: int
    threads: int
    every: float
    expiries: int


BRIEF = Scale(3, 4, 0.1, 5)
SHORT = Scale(4, 4, 0.1, 10)
FULL = Scale(8, 8, 0.4, 200)

at_length = [pytest.mark.chaos, pytest.mark.timeout(1800)]


def scales(short: Scale) -> Any:
    """Run a test at this scale, and at full length where there is time for it."""
    cases = [pytest.param(short, id="short"), pytest.param(FULL, id="full", marks=at_length)]
    return pytest.mark.parametrize("scale", cases)


def expiries(provider: Provider, times: int, *, settle: bool = True) -> Iterator[int]:
    """End the access tokens so many times, at random moments at least a second apart.

    Gives the number of each at once, and waits until all is well after the last. A machine so
    busy that a second is not enough gets more (`settle`): no call is to meet two of them.
    """
    for number in range(1, times + 1):
        time.sleep(random.uniform(1.0, 1.5))
        wait_for(lambda: not settle or provider.settled())
        provider.expire()
        yield number
    time.sleep(1)
    wait_for(lambda: not settle or provider.settled())


def wait_for(what: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def figures(calls: Calls, seen: Seen, expired: int) -> str:
    return (
        f"{expired} expiries, {len(calls)} calls, {len(calls.failed)} failed, slowest "
        f"{calls.slowest:.2f} s; {len(seen.asked)} token requests, {seen.issued} tokens issued, "
        f"{len(seen.repeated)} refresh tokens sent again, {seen.reused} of them refused"
    )
