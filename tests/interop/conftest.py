"""One OAuth server for all of these tests, as new for each."""

from collections.abc import Iterator

import pytest

from .authority import Authority, serving


@pytest.fixture(scope="session")
def _authority() -> Iterator[Authority]:
    with serving() as authority:
        yield authority


@pytest.fixture
def authority(_authority: Authority) -> Authority:
    _authority.reset()
    return _authority
