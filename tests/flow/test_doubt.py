"""Replies that never come: what may have been sent is in doubt, what was not is as it was."""

from __future__ import annotations

from typing import Any

import pytest

from apiclient_app.exceptions import InvalidRequest, TokenRefused, TokenUnavailable
from apiclient_app.rows import UNANSWERED, RowState

from .holding import Holding, granting, held, lost, sent, unsent
from .test_refreshing import UNUSED

GRACE = 30.0


@pytest.fixture
def bench() -> Holding:
    return held()


def test_what_was_not_sent_is_as_it_was(bench: Holding) -> None:
    bench.dead()
    with pytest.raises(TokenUnavailable):
        bench.lose(unsent())
    assert bench.row.state is RowState.HELD
    bench.clock.now += 5
    assert sent(bench.seek())["refresh_token"] == "refresh-1"


def test_what_cannot_be_built_is_not_sent(bench: Holding) -> None:
    bench.dead()
    with pytest.raises(TokenUnavailable):
        bench.lose(InvalidRequest("no such URL"))
    assert bench.row.state is RowState.HELD


def test_a_lost_reply_leaves_a_doubt(bench: Holding) -> None:
    bench.stale()
    assert bench.lose(lost())[0] == "done"
    assert bench.row.state is RowState.IN_DOUBT


def test_in_doubt_the_access_token_is_used_to_its_end_and_then_it_is_tried_once_more(
    bench: Holding,
) -> None:
    bench.stale()
    bench.lose(lost())
    while bench.clock.now < 1_001_000:
        for one in (bench, bench.beside()):
            assert one.seek()[0] == "done"
        bench.clock.now += 7
    assert sent(bench.seek())["refresh_token"] == "refresh-1"
    bench.reply(granting("access-2", "refresh-2"))
    assert bench.row.state is RowState.HELD


def test_a_doubt_holds_back_none_whose_token_was_refused(bench: Holding) -> None:
    bench.stale()
    bench.lose(lost())
    bench.clock.now += 40
    done, token = bench.seek()  # what stands now holds back those with a stale token
    assert done == "done"
    failure = bench.beside().store.look().failure
    assert failure is not None
    assert failure.until > bench.clock.now + 60
    step = bench.seek(rejected=token)
    assert sent(step)["refresh_token"] == "refresh-1"


def test_two_losses_behind_the_grace_need_a_person_and_are_tried_ever_more_rarely(
    bench: Holding,
) -> None:
    bench.dead()
    with pytest.raises(TokenUnavailable):
        bench.lose(lost())
    tries = []
    began = bench.clock.now
    while bench.clock.now < began + 7200:
        bench.clock.now += 10
        try:
            bench.seek()
        except TokenUnavailable:
            continue  # the cooldown of the last loss
        except TokenRefused as error:
            assert "store-refresh-token api" in str(error)
            continue
        tries.append(bench.clock.now)
        with pytest.raises(TokenUnavailable):
            bench.lose(lost())
        assert bench.row.attention == UNANSWERED
    assert 8 <= len(tries) <= 20
    bench.clock.now += 1000
    assert sent(bench.seek())["refresh_token"] == "refresh-1"
    bench.reply(granting("access-2", "refresh-2"))
    row = bench.row
    assert (row.attention, row.tries, row.retry_at) == ("", 0, 0.0)


def test_within_the_grace_a_lost_reply_is_asked_for_again_at_once() -> None:
    bench = held(GRACE)
    bench.dead()
    step = bench.lose(lost())
    assert sent(step)["refresh_token"] == "refresh-1"
    assert bench.reply(granting("access-2", "refresh-2"))[0] == "done"
    assert bench.held == "refresh-2"


@pytest.mark.parametrize("second", [lost, unsent])
def test_it_is_asked_for_again_once_and_then_left_in_doubt(second: Any) -> None:
    bench = held(GRACE)
    bench.dead()
    bench.lose(lost())
    with pytest.raises(TokenUnavailable):
        bench.lose(second())
    assert bench.row.state is RowState.IN_DOUBT


@pytest.mark.parametrize(("status", "said"), UNUSED.values(), ids=UNUSED)
def test_a_no_to_the_second_request_does_not_undo_the_doubt_of_the_first(
    status: int, said: Any
) -> None:
    bench = held(GRACE)
    bench.stale()
    bench.lose(lost())
    assert bench.reply(said, status)[0] == "done"
    assert bench.row.state is RowState.IN_DOUBT
    bench.clock.now += GRACE + 20  # behind the grace, and the access token lives
    assert bench.seek()[0] == "done"


def test_a_request_that_cannot_be_repeated_in_time_is_not() -> None:
    bench = held(GRACE)
    bench.dead()
    bench.clock.now += bench.renewal.lease - bench.renewal.token_timeout + 0.1
    with pytest.raises(TokenUnavailable):
        bench.lose(lost())
    assert bench.row.state is RowState.IN_DOUBT


def test_a_no_leaves_an_older_doubt_as_it_was(bench: Holding) -> None:
    bench.stale()
    bench.lose(lost())
    since = bench.row.asking_since
    bench.clock.now += 200
    assert sent(bench.seek())["refresh_token"] == "refresh-1"
    with pytest.raises(TokenUnavailable):
        bench.reply(b"", 503)
    row = bench.row
    assert row.state is RowState.IN_DOUBT
    assert row.asking_since == since


def test_a_refusal_by_one_path_puts_no_token_at_risk_that_another_path_took_just_now(
    bench: Holding,
) -> None:
    bench.stale()
    bench.lose(lost())
    bench.clock.now += 40
    _, token = bench.seek()
    bench.memory.accept(token, bench.clock.now)
    bench.done.clear()
    assert bench.seek(rejected=token) == ("done", None)  # the refusal is the API's answer
    assert "claim" not in bench.done
    bench.clock.now += 10  # nobody has seen it work since: it may be dead after all
    assert sent(bench.seek(rejected=token))["refresh_token"] == "refresh-1"
