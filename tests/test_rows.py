"""What may be done with a refresh token, decided from its row alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.auth import Secret
from apiclient_app.rows import (
    DOUBT_LIMIT,
    DOUBT_PAUSE,
    UNANSWERED,
    Plan,
    Row,
    RowState,
    next_try,
    plan,
)

NOW = 1_000_000.0
GRACE = 30.0
HELD = Row(now=NOW, generation=1, refresh_token=Secret("hunter2"))
ASKING = replace(HELD, asking_since=NOW - 1, owner=7, leased_until=NOW + 10)
DOUBTFUL = replace(ASKING, asking_since=NOW - 60, leased_until=NOW - 48)
REFUSED = replace(HELD, attention="refused: invalid_grant")
UNREADABLE = replace(HELD, refresh_token=None, unreadable=True)
EMPTY = replace(HELD, refresh_token=None)


def planned(row: Row, **known: Any) -> Plan:
    """Decide for a client with nothing but the row, whose access token is dead."""
    usual = {"obtains": False, "grace": 0.0, "dead": True, "ordered": False}
    return plan(row, **{**usual, **known})


def test_a_held_refresh_token_is_sent() -> None:
    assert planned(HELD) is Plan.REFRESH
    assert planned(HELD, dead=False) is Plan.REFRESH
    assert planned(HELD, obtains=True) is Plan.REFRESH


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("obtains", [False, True])
@pytest.mark.parametrize("row", [ASKING, replace(REFUSED, leased_until=NOW + 1)])
def test_what_another_asks_with_is_left_alone_whoever_wants_it(
    row: Row, obtains: bool, ordered: bool
) -> None:
    assert planned(row, obtains=obtains, ordered=ordered, grace=GRACE) is Plan.BUSY


def test_a_claim_ends_with_its_lease_and_no_sooner() -> None:
    assert replace(ASKING, now=ASKING.leased_until - 0.001).claimed
    assert not replace(ASKING, now=ASKING.leased_until).claimed


@pytest.mark.parametrize("ordered", [False, True])
def test_what_no_key_opens_is_neither_sent_nor_given_up(ordered: bool) -> None:
    assert planned(UNREADABLE, ordered=ordered) is Plan.UNREADABLE
    assert planned(UNREADABLE, ordered=ordered, obtains=True) is Plan.OBTAIN


@pytest.mark.parametrize("row", [EMPTY, Row(now=NOW)])
@pytest.mark.parametrize("ordered", [False, True])
def test_without_a_refresh_token_own_credentials_count_or_a_person(
    row: Row, ordered: bool
) -> None:
    assert planned(row, ordered=ordered) is Plan.STOPPED
    assert planned(row, ordered=ordered, obtains=True) is Plan.OBTAIN


def test_a_refused_one_is_sent_again_by_order_only() -> None:
    assert planned(REFUSED, grace=GRACE) is Plan.STOPPED
    assert planned(REFUSED, obtains=True) is Plan.OBTAIN
    assert planned(REFUSED, ordered=True) is Plan.REFRESH
    assert planned(REFUSED, ordered=True, obtains=True) is Plan.OBTAIN


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize("obtains", [False, True])
def test_in_doubt_it_is_sent_again_within_the_grace(dead: bool, obtains: bool) -> None:
    row = replace(DOUBTFUL, asking_since=NOW - GRACE + 0.001)
    assert planned(row, grace=GRACE, dead=dead, obtains=obtains) is Plan.REFRESH


def test_the_grace_ends_on_the_second() -> None:
    row = replace(DOUBTFUL, asking_since=NOW - GRACE)
    assert planned(row, grace=GRACE, dead=False) is Plan.LATER
    assert planned(row, grace=GRACE, dead=False, obtains=True) is Plan.OBTAIN


def test_in_doubt_behind_the_grace_the_access_token_is_used_to_its_end() -> None:
    assert planned(DOUBTFUL, dead=False) is Plan.LATER
    assert planned(DOUBTFUL, dead=True) is Plan.REFRESH


def test_in_doubt_own_credentials_put_no_grant_at_risk() -> None:
    assert planned(DOUBTFUL, obtains=True) is Plan.OBTAIN
    assert planned(DOUBTFUL, obtains=True, dead=False) is Plan.OBTAIN


def test_a_person_may_send_what_is_in_doubt_at_any_time() -> None:
    row = replace(DOUBTFUL, attention=UNANSWERED, retry_at=NOW + 900)
    assert planned(row, ordered=True) is Plan.REFRESH
    assert planned(row, ordered=True, dead=False) is Plan.REFRESH


def test_what_got_no_answer_twice_waits_for_its_turn() -> None:
    row = replace(DOUBTFUL, attention=UNANSWERED, tries=1, retry_at=NOW + 0.001)
    assert planned(row) is Plan.STOPPED
    assert planned(replace(row, retry_at=NOW)) is Plan.REFRESH
    assert planned(replace(row, retry_at=NOW), dead=False) is Plan.LATER


def test_a_first_loss_is_a_doubt_and_no_more() -> None:
    assert next_try(HELD, 0.0) == ("", 0, 0.0)
    assert next_try(replace(DOUBTFUL, asking_since=NOW - 5), GRACE) == ("", 0, 0.0)


def test_a_loss_behind_the_grace_needs_a_person() -> None:
    attention, tries, retry_at = next_try(DOUBTFUL, 0.0)
    assert (attention, tries, retry_at) == (UNANSWERED, 1, NOW + DOUBT_PAUSE)
    assert replace(DOUBTFUL, attention=attention).state is RowState.ATTENTION


@given(st.integers(0, 10**6))
def test_it_is_tried_ever_more_rarely_and_never_given_up(tries: int) -> None:
    _, counted, retry_at = next_try(replace(DOUBTFUL, tries=tries), 0.0)
    assert counted == tries + 1
    pause = retry_at - NOW
    assert pause == min(DOUBT_LIMIT, DOUBT_PAUSE * 2 ** min(tries, 20))


ROWS = st.builds(
    Row,
    now=st.just(NOW),
    generation=st.integers(0, 3),
    refresh_token=st.sampled_from([None, Secret("hunter2")]),
    asking_since=st.none() | st.floats(NOW - 100, NOW),
    leased_until=st.floats(NOW - 20, NOW + 20),
    attention=st.sampled_from(["", UNANSWERED, "refused: invalid_grant"]),
    retry_at=st.floats(NOW - 20, NOW + 20),
    unreadable=st.booleans(),
)


@given(ROWS, st.booleans(), st.sampled_from([0.0, GRACE]), st.booleans(), st.booleans())
def test_no_plan_sends_what_is_not_there_or_another_s_or_beyond_its_grace_unasked(
    row: Row, obtains: bool, grace: float, dead: bool, ordered: bool
) -> None:
    chosen = plan(row, obtains=obtains, grace=grace, dead=dead, ordered=ordered)
    assert (chosen is Plan.BUSY) == row.claimed
    if chosen is Plan.REFRESH:
        assert row.refresh_token is not None
        assert not row.unreadable
        assert not row.claimed
        # A reuse can cost no access token that is alive, but by order.
        assert row.in_grace(grace) or dead or ordered
    if chosen is Plan.OBTAIN:
        assert obtains
    if chosen is Plan.LATER:
        assert not dead


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (HELD, RowState.HELD),
        (ASKING, RowState.ASKING),
        (DOUBTFUL, RowState.IN_DOUBT),
        (REFUSED, RowState.ATTENTION),
        (replace(DOUBTFUL, attention=UNANSWERED), RowState.ATTENTION),
        (EMPTY, RowState.EMPTY),
        (Row(now=NOW), RowState.EMPTY),
        (UNREADABLE, RowState.UNREADABLE),
        (replace(UNREADABLE, leased_until=NOW + 1), RowState.UNREADABLE),
        (replace(REFUSED, leased_until=NOW + 1), RowState.ASKING),
        (replace(EMPTY, attention="refused: invalid_grant"), RowState.ATTENTION),
    ],
)
def test_its_state_is_told_in_one_word(row: Row, state: RowState) -> None:
    assert row.state is state


def test_a_row_shows_no_refresh_token() -> None:
    assert "hunter2" not in f"{HELD!r}{HELD}"
