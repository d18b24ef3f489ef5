"""When a call is sent again, after how long, and that retries stay a share of the calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.guard.retries import RESERVE, Budget, Retry

JITTERS = st.floats(0, 1)


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0)])
def test_the_pause_doubles_and_is_drawn_from_all_of_it(attempt: int, longest: float) -> None:
    retry = Retry(attempts=9)
    assert retry.pause(attempt, 0.0) == 0.0
    assert retry.pause(attempt, 0.25) == longest / 4
    assert retry.pause(attempt, 1.0) == longest


@given(st.integers(1, 10**9), JITTERS, st.floats(0.01, 60), st.floats(0.01, 600))
def test_no_pause_is_above_the_longest(
    attempt: int, jitter: float, backoff: float, longest: float
) -> None:
    retry = Retry(attempts=10**9 + 1, backoff=backoff, longest=longest)
    pause = retry.pause(attempt, jitter)
    assert pause is not None
    assert 0 <= pause <= longest


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_there_are_as_many_attempts_as_are_set_and_the_last_is_final(attempts: int) -> None:
    retry = Retry(attempts=attempts)
    assert all(retry.pause(attempt, 0.5) is not None for attempt in range(1, attempts))
    assert retry.pause(attempts, 0.5) is None
    assert retry.pause(attempts, 0.5, asked=0.0) is None
    assert retry.pause(attempts + 1, 0.5) is None


@given(JITTERS, st.floats(0, 30))
def test_what_the_server_asks_for_is_never_shortened(jitter: float, asked: float) -> None:
    pause = Retry().pause(1, jitter, asked)
    assert pause is not None
    # And not all who were sent away together come back together.
    assert pause == asked + 0.5 * jitter


@pytest.mark.parametrize("asked", [30.01, 3600.0, 3e8, float("inf")])
def test_who_is_asked_to_wait_for_too_long_does_not_ask_again(asked: float) -> None:
    assert Retry(longest=30.0).pause(1, 0.5, asked) is None


def test_what_may_be_sent_twice_is_by_default_what_http_calls_idempotent() -> None:
    retry = Retry()
    assert {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} <= retry.methods
    assert retry.methods.isdisjoint({"POST", "PATCH"})
    assert retry.statuses.isdisjoint({400, 401, 403, 404, 409, 500, 501})


def test_a_new_process_has_retries_in_reserve() -> None:
    budget = Budget(0.2)
    assert [budget.spend() for _ in range(int(RESERVE) + 1)] == [True] * 10 + [False]


def test_every_call_earns_a_share_of_a_retry() -> None:
    budget = Budget(0.25)
    while budget.spend():
        pass
    for _ in range(3):
        budget.earn()
        assert not budget.spend()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()


def test_no_more_is_saved_than_the_reserve() -> None:
    budget = Budget(1.0)
    for _ in range(1000):
        budget.earn()
    assert sum(budget.spend() for _ in range(1000)) == RESERVE


def test_without_a_share_there_is_the_reserve_and_no_more() -> None:
    budget = Budget(0.0)
    spent = 0
    for _ in range(1000):
        budget.earn()
        spent += budget.spend()
    assert spent == RESERVE


@given(st.floats(0, 1), st.lists(st.booleans(), max_size=300))
def test_retries_stay_a_share_of_the_calls(share: float, calls: list[bool]) -> None:
    budget, spent = Budget(share), 0
    for number, failed in enumerate(calls, 1):
        budget.earn()
        spent += failed and budget.spend()
        assert spent <= RESERVE + share * number
