"""What is read back has the types it was written with, or is not read back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.kept import FAR, MOST, epoch, flag, parsed, text, whole

READERS: list[Callable[[Any], Any]] = [epoch, flag, text, whole]
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(VALUES, st.sampled_from(READERS))
def test_a_value_is_given_as_it_is_or_not_at_all(value: Any, read: Callable[[Any], Any]) -> None:
    try:
        found = read(value)
    except ValueError:
        return
    assert found == value
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (epoch, [None, True, "1", [], float("nan"), float("inf"), FAR, -FAR, 10**400]),
        (flag, [None, 0, 1, "true", []]),
        (text, [None, 0, b"a", [], "\ud800"]),
        (whole, [None, True, 1.0, "1", -1, MOST, 10**4000]),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_another_type_is_refused(read: Callable[[Any], Any], values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ValueError):  # noqa: PT011
            read(value)


def test_a_moment_may_be_whole() -> None:
    assert (epoch(1_800_000_000), epoch(-0.5)) == (1.8e9, -0.5)
    assert (whole(0), whole(MOST - 1)) == (0, MOST - 1)


@pytest.mark.parametrize(
    "kept", ["", "{", "nothing", "[" * 100_000, "9" * 5000], ids=lambda k: f"{len(k)}"
)
def test_what_is_no_json_is_a_value_error(kept: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parsed(kept)


def test_json_is_read() -> None:
    assert parsed('{"a": [1, null]}') == {"a": [1, None]}
