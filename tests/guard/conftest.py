from collections.abc import Iterator

import pytest

from tests.flow.world import exhaust

from .steps import Stepped


@pytest.fixture(autouse=True)
def _flows_end() -> Iterator[None]:
    """Let the flows that a test leaves in the middle come to their end."""
    yield
    while Stepped.started:
        exhaust(Stepped.started.pop())
