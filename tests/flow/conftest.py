from collections.abc import Iterator

import pytest

from .steps import Bench
from .world import exhaust


@pytest.fixture(autouse=True)
def _flows_end() -> Iterator[None]:
    """Let the flows that a test leaves in the middle come to their end."""
    yield
    while Bench.started:
        exhaust(Bench.started.pop())
