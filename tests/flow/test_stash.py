"""A refresh without a database: nothing is sent, or what came is stashed; and nothing is lost."""

from __future__ import annotations

import pytest

from apiclient_app.auth import Secret
from apiclient_app.exceptions import TokenRefused, TokenUnavailable
from apiclient_app.rows import RowState

from .holding import Holding, granting, held, lost, sent, text_of

GRACE = 30.0


@pytest.fixture
def bench() -> Holding:
    return held()


def test_without_a_database_nothing_is_sent(bench: Holding) -> None:
    bench.table.down = True
    bench.clock.now += 1001
    with pytest.raises(TokenUnavailable, match="the database is down") as caught:
        bench.seek()
    assert caught.value.error == "database_unavailable"
    assert "ask" not in bench.done
    bench.table.down = False
    bench.clock.now += 5
    assert sent(bench.seek())["refresh_token"] == "refresh-1"


def test_a_claim_that_is_not_written_is_no_licence_to_send(bench: Holding) -> None:
    bench.clock.now += 1001
    step = bench.go(bench.seeking(), to="claim")
    bench.table.down = True
    with pytest.raises(TokenUnavailable, match="the database is down"):
        bench.on(step)
    assert "ask" not in bench.done


def test_a_claim_whose_confirmation_was_lost_ends_with_its_lease(bench: Holding) -> None:
    bench.clock.now += 1001
    step = bench.go(bench.seeking(), to="claim")
    bench.rows.claim(*step.args)
    bench.table.down = True
    with pytest.raises(TokenUnavailable):
        bench.on(step)
    bench.table.down = False
    bench.clock.now += bench.renewal.lease
    assert sent(bench.seek())["refresh_token"] == "refresh-1"


def test_a_successor_that_is_not_taken_is_stashed_and_the_token_goes_out(bench: Holding) -> None:
    bench.dead()
    bench.table.down = True
    _, token = bench.reply(granting("access-2", "refresh-2"))
    assert text_of(token) == "access-2"
    assert bench.done[-3:] == ["stash", "publish", "release"]
    bench.table.down = False
    assert bench.held == "refresh-1"
    for one in (bench, bench.beside()):
        assert one.seek()[0] == "done"
    bench.clock.now += 1001
    other = bench.beside()
    assert sent(other.seek())["refresh_token"] == "refresh-2"
    other.reply(granting("access-3", "refresh-3"))
    assert other.held == "refresh-3"
    assert other.store.look().stash is None


def test_a_stash_is_kept_in_memory_where_the_cache_is_down_too(bench: Holding) -> None:
    bench.dead()
    bench.table.down = bench.cache.down = True
    assert bench.reply(granting("access-2", "refresh-2"))[0] == "done"
    bench.table.down = bench.cache.down = False
    bench.clock.now += 1001
    assert sent(bench.seek())["refresh_token"] == "refresh-2"


def test_a_stash_of_a_row_that_has_gone_on_is_not_used(bench: Holding) -> None:
    bench.dead()
    bench.table.down = True
    bench.reply(granting("access-2", "refresh-2"))
    bench.table.down = False
    bench.rows.put(Secret("refresh-9"))
    bench.clock.now += 1001
    step = bench.seek()
    assert sent(step)["refresh_token"] == "refresh-9"
    assert bench.memory.stash is not None


def test_a_stash_does_not_hide_a_new_refresh_token_in_the_settings(bench: Holding) -> None:
    bench.dead()
    bench.table.down = True
    bench.reply(granting("access-2", "refresh-2"))
    bench.table.down = False
    bench.clock.now += 1001
    deployed = bench.beside(first="refresh-of-a-new-consent")
    assert sent(deployed.seek())["refresh_token"] == "refresh-of-a-new-consent"


def test_a_refusal_that_cannot_be_written_is_told_all_the_same(bench: Holding) -> None:
    bench.dead()
    bench.table.down = True
    with pytest.raises(TokenRefused, match="store-refresh-token"):
        bench.reply({"error": "invalid_grant"}, 400)


def test_a_loss_that_cannot_be_written_is_a_doubt_when_the_lease_ends(bench: Holding) -> None:
    bench.dead()
    bench.table.down = True
    with pytest.raises(TokenUnavailable):
        bench.lose(lost())
    bench.table.down = False
    before = bench.row
    assert before.state is RowState.ASKING
    bench.clock.now += bench.renewal.lease
    assert bench.row.state is RowState.IN_DOUBT


def test_who_was_given_up_brings_the_only_successor_there_is(bench: Holding) -> None:
    bench.dead()
    bench.clock.now += 60
    step = bench.reply(granting("access-2", "refresh-2"), to="keep")
    before = bench.row
    assert before.state is RowState.IN_DOUBT
    with pytest.raises(TokenUnavailable):  # his access token is nobody's any more
        bench.on(step)
    assert bench.held == "refresh-2"
    assert bench.row.state is RowState.HELD


def test_who_comes_later_than_another_s_successor_keeps_nothing() -> None:
    bench = held(GRACE)
    bench.dead()
    bench.clock.now += 5
    other = bench.beside()
    assert sent(other.seek())["refresh_token"] == "refresh-1"
    other.reply(granting("access-3", "refresh-3"))
    _, token = bench.reply(granting("access-2", "refresh-2"))
    assert bench.held == "refresh-3"
    assert text_of(token) == "access-3"


def test_without_a_cache_the_row_alone_keeps_two_apart(bench: Holding) -> None:
    bench.cache.down = True
    bench.dead()
    other = bench.beside()
    other.go(other.seeking(), to="sleep")
    assert other.done == ["look", "read"]
