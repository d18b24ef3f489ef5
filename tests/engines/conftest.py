"""What the tests of the engines share."""

from collections.abc import Iterator

import pytest

from .listening import Listen, listening


@pytest.fixture
def listen() -> Iterator[Listen]:
    with listening() as start:
        yield start
