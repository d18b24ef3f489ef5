"""Whatever the order in which calls end: outcomes are given once, bounded, in order if asked."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.client.window import AHEAD, Window


@given(
    st.integers(0, 40),
    st.integers(1, 7),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_outcomes_are_given_once_and_bounded(
    calls: int, concurrency: int, ordered: bool, random: object
) -> None:
    window: Window[int] = Window(concurrency, ordered=ordered)
    choose: Callable[..., Any] = random.choice  # type: ignore[attr-defined]
    left, under_way, ended, taken = calls, list[int](), list[int](), list[int]()
    while left or under_way or window.ready:
        moves = ["begin"] * (left > 0 and window.free > 0)
        moves += ["end"] * bool(under_way) + ["take"] * window.ready
        move: str = choose(moves)
        if move == "begin":
            under_way.append(window.begin())
            left -= 1
        elif move == "end":
            number = choose(under_way)
            under_way.remove(number)
            ended.append(number)
            window.end(number, number)
        else:
            taken.append(window.take())
        assert window.busy == bool(under_way)
        assert len(under_way) <= concurrency
        assert len(ended) - len(taken) <= concurrency * (AHEAD + 1)
    assert sorted(taken) == list(range(calls))
    assert taken == (sorted(taken) if ordered else ended)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_consumer_who_takes_nothing_stops_it(ordered: bool) -> None:
    window: Window[int] = Window(3, ordered=ordered)
    begun = 0
    while window.free > 0:
        window.end(window.begin(), 0)
        begun += 1
    assert begun == 3 * AHEAD


def test_a_slow_first_call_holds_up_no_more_than_the_bound() -> None:
    window: Window[int] = Window(3, ordered=True)
    slow = window.begin()
    begun = 1
    while window.free > 0:
        window.end(window.begin(), 1)
        begun += 1
    assert (begun, window.ready) == (3 * AHEAD, False)
    window.end(slow, 0)
    assert [window.take() for _ in range(begun)] == [0, *[1] * (begun - 1)]
