"""Whatever was found to reach something, or once broke something, breaks nothing."""

from pathlib import Path

import pytest

from .corpus import CORPUS, LONGEST, MOST, inputs, name_of
from .targets import TARGETS, feed

INPUTS = list(inputs())


@pytest.mark.parametrize(
    ("target", "path"), INPUTS, ids=[f"{target}-{path.name}" for target, path in INPUTS]
)
def test_nothing_but_our_errors_comes_of_it(target: str, path: Path) -> None:
    feed(target, path.read_bytes())


def test_what_is_kept_is_small_and_each_input_once() -> None:
    assert {path.name for path in CORPUS.iterdir()} == TARGETS.keys()
    assert len(INPUTS) <= MOST
    for _, path in INPUTS:
        data = path.read_bytes()
        assert path.name == name_of(data)
        assert len(data) <= LONGEST
