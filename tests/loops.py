"""Tests that are coroutines."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any


def looped(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop of its own."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


async def until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    """Wait for what is about to be; give whether it came to be."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return condition()
