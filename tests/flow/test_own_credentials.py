"""Refreshing with credentials of one's own beside the refresh token, or with two sets of them."""

from __future__ import annotations

from typing import Any

import pytest

from apiclient_app.auth import Secret
from apiclient_app.exceptions import TokenRefused, TokenUnavailable
from apiclient_app.rows import RowState

from .holding import Holding, granting, lost, password, refresh_token, sent, text_of


@pytest.fixture
def own() -> Holding:
    """A client that has a password too, a token of 1000 seconds, and "refresh-1"."""
    bench = Holding(auth=password(), first="")
    step = bench.seek()
    assert sent(step)["grant_type"] == "password"
    bench.reply(granting("access-1", "refresh-1"))
    return bench


def test_a_refresh_token_that_comes_with_a_password_is_kept(own: Holding) -> None:
    assert own.held == "refresh-1"
    own.dead()
    own.reply(granting("access-2", "refresh-2"))
    assert own.held == "refresh-2"


def test_a_grant_without_a_refresh_token_makes_no_row() -> None:
    bench = Holding(auth=password(), first="")
    bench.seek()
    bench.reply(granting("access-1"))
    assert bench.row.generation == 0


def test_a_refused_refresh_token_is_replaced_with_the_password(own: Holding) -> None:
    step = own.dead()
    assert sent(step)["grant_type"] == "refresh_token"
    step = own.reply({"error": "invalid_grant"}, 400)
    assert sent(step)["grant_type"] == "password"
    _, token = own.reply(granting("access-2", "refresh-2"))
    assert text_of(token) == "access-2"
    assert own.held == "refresh-2"
    assert own.row.attention == ""


def test_a_slow_refusal_leaves_time_for_the_password(own: Holding) -> None:
    own.dead()
    own.clock.now += own.renewal.token_timeout - 0.1
    own.clock.now += 1.0
    step = own.reply({"error": "invalid_grant"}, 400)
    assert sent(step)["grant_type"] == "password"
    assert step.until > own.clock.now


def test_in_doubt_the_password_is_used(own: Holding) -> None:
    own.dead()
    with pytest.raises(TokenUnavailable):
        own.lose(lost())
    own.clock.now += 5
    step = own.seek()
    assert sent(step)["grant_type"] == "password"
    own.reply(granting("access-2", "refresh-2"))
    assert (own.held, own.row.state) == ("refresh-2", RowState.HELD)


def test_in_doubt_a_password_without_a_new_refresh_token_ends_the_doubt(own: Holding) -> None:
    own.dead()
    with pytest.raises(TokenUnavailable):
        own.lose(lost())
    own.clock.now += 5
    own.seek()
    own.reply(granting("access-2"))
    assert own.row.state is RowState.EMPTY


def test_a_password_whose_reply_is_lost_is_no_doubt(own: Holding) -> None:
    own.dead()
    own.reply({"error": "invalid_grant"}, 400)
    with pytest.raises(TokenUnavailable):
        own.lose(lost())
    own.clock.now += 5
    assert sent(own.seek())["grant_type"] == "password"


def test_with_a_password_a_call_needs_no_database(own: Holding) -> None:
    own.table.down = True
    own.clock.now += 1001
    step = own.seek()
    assert sent(step)["grant_type"] == "password"
    assert own.reply(granting("access-2", "refresh-2"))[0] == "done"


def test_a_first_refresh_token_the_database_does_not_take_is_done_without() -> None:
    bench = Holding(auth=password(), first="")
    bench.seek()
    bench.table.down = True
    assert text_of(bench.reply(granting("access-1", "refresh-1"))[1]) == "access-1"
    bench.table.down = False
    bench.clock.now += 1001
    assert sent(bench.seek())["grant_type"] == "password"


def both(**options: Any) -> Holding:
    bench = Holding(auth=refresh_token(next=Secret({"client_secret": "n3xt"}), **options))
    object.__setattr__(bench.renewal, "successor", "mark of the next")
    return bench


def test_where_one_set_of_credentials_is_refused_the_other_is_tried_and_kept() -> None:
    bench = both()
    bench.seek()
    step = bench.reply({"error": "invalid_client"}, 401)
    assert sent(step)["refresh_token"] == "refresh-0"
    assert bench.reply(granting("access-1", "refresh-1"))[0] == "done"
    assert bench.renewal.switched
    other = bench.beside()
    object.__setattr__(other.renewal, "successor", "mark of the next")
    other.clock.now += 1001
    assert other.seek().request.headers != step
    assert other.renewal.switched


def test_a_reply_lost_by_the_second_set_is_a_doubt() -> None:
    bench = both()
    bench.seek()
    bench.reply({"error": "invalid_client"}, 401)
    with pytest.raises(TokenUnavailable):
        bench.lose(lost())
    assert bench.row.state is RowState.IN_DOUBT


def test_two_refused_sets_leave_the_refresh_token_as_it_was() -> None:
    bench = both()
    bench.seek()
    bench.reply({"error": "invalid_client"}, 401)
    with pytest.raises(TokenRefused, match="invalid_client"):
        bench.reply({"error": "invalid_client"}, 401)
    assert bench.row.state is RowState.HELD
    assert not bench.renewal.switched


AHEAD = "Mon, 12 Jan 1970 14:46:40 GMT"  # an hour ahead of the bench's clock


@pytest.mark.parametrize("how", ["client_secret_jwt", "client_secret_basic"])
def test_a_clock_that_is_wrong_is_learnt_and_what_holds_times_is_asked_again(how: str) -> None:
    secret = Secret("s3cret" * 8)
    bench = Holding(auth=refresh_token(client_auth=how, client_secret=secret))
    bench.seek()
    said = {"error": "invalid_client"}
    if how == "client_secret_basic":
        with pytest.raises(TokenRefused):
            bench.reply(said, 401, date=AHEAD)
    else:
        step = bench.reply(said, 401, date=AHEAD)
        assert sent(step)["refresh_token"] == "refresh-0"
        with pytest.raises(TokenRefused):
            bench.reply(said, 401, date=AHEAD)  # once, and not for ever
    assert bench.memory.offset == pytest.approx(3600, abs=1)


def test_the_second_set_is_not_asked_too_late() -> None:
    bench = both()
    bench.seek()
    bench.clock.now += bench.renewal.token_timeout + 0.1
    with pytest.raises(TokenRefused, match="invalid_client"):
        bench.reply({"error": "invalid_client"}, 401)
    assert bench.row.state is RowState.HELD
