"""Refreshing, stepped by hand: what is asked, kept and published, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from apiclient_app.auth import AuthBackend, Grant, Reply, Secret, TokenRequest
from apiclient_app.exceptions import TokenRefused, TokenUnavailable
from apiclient_app.rows import RowState
from apiclient_app.store.seal import Seal

from .holding import Holding, granting, held, password, refresh_token, sent, text_of


@pytest.fixture
def bench() -> Holding:
    return held()


def test_the_claim_is_written_before_the_request_is_sent(bench: Holding) -> None:
    step = bench.stale()
    assert sent(step)["refresh_token"] == "refresh-1"
    assert bench.done[-1] == "claim"
    row = bench.row
    assert row.state is RowState.ASKING
    assert row.asking_since == row.now


def test_the_successor_is_kept_before_the_access_token_is_published(bench: Holding) -> None:
    bench.stale()
    _, token = bench.reply(granting("access-2", "refresh-2"))
    assert text_of(token) == "access-2"
    assert bench.done[bench.done.index("ask") :] == ["ask", "keep", "publish", "release"]
    assert bench.held == "refresh-2"
    assert bench.row.state is RowState.HELD
    assert [name for name, _ in bench.announced] == ["token_obtained"]


@pytest.mark.parametrize("empty", [None, "", "  ", 0.5, [], {}, False])
def test_a_reply_without_a_refresh_token_keeps_the_old_one(bench: Holding, empty: Any) -> None:
    bench.stale()
    said = {**granting("access-2"), "refresh_token": empty}
    assert bench.reply(said)[0] == "done"
    assert bench.held == "refresh-1"
    assert bench.row.state is RowState.HELD


@dataclass(frozen=True)
class Own(AuthBackend):
    """A backend of one's own, that takes what the reply has for a refresh token as it is."""

    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        return TokenRequest("POST", "token", form={"refresh_token": refresh_token.reveal()})

    def read(self, reply: Reply) -> Grant:
        said = reply.json()
        return Grant({"X": said["access_token"]}, 1000, refresh_token=said.get("refresh_token"))


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_no_backend_of_one_s_own_can_have_an_empty_one_kept(empty: Any) -> None:
    bench = Holding(auth=Own())
    assert sent(bench.seek())["refresh_token"] == "refresh-0"
    bench.reply({"access_token": "access-1", "refresh_token": empty})
    assert bench.held == "refresh-0"


def test_nobody_else_sends_what_one_asks_with(bench: Holding) -> None:
    bench.stale()
    other = bench.beside()
    bench.clock.now += bench.renewal.lease - 3
    bench.cache.flush()  # the lock and the access token are gone; the row is not
    assert other.go(other.seeking(), to="sleep") is not None
    assert other.done[-2:] == ["read", "release"]
    assert "ask" not in other.done


UNUSED = {
    "invalid_client": (401, {"error": "invalid_client"}),
    "temporarily unavailable": (400, {"error": "temporarily_unavailable"}),
    "429": (429, b""),
    "503": (503, b"<html>down</html>"),
    "425": (425, b""),
    "302": (302, b""),
    "400 without a word": (400, b""),
    "404": (404, b"<html>"),
    "an error with 200": (200, {"error": "temporarily_unavailable"}),
    "a scope that is not to be had": (400, {"error": "invalid_scope"}),
}

UNCERTAIN = {
    "500": (500, b""),
    "502": (502, b"<html>bad gateway</html>"),
    "504": (504, b""),
    "408": (408, b""),
    "500 with a word": (500, {"error": "server_error"}),
    "HTML with 200": (200, b"<html>log in</html>"),
    "nothing with 200": (200, b""),
    "null with 200": (200, b"null"),
    "no token with 200": (200, {"expires_in": 3600}),
    "another type, and no refresh token": (200, {"access_token": "x", "token_type": "mac"}),
    "a token no header may have": (200, {"access_token": "x\r\ny"}),
    "201 without a word": (201, b""),
}


@pytest.mark.parametrize(("status", "said"), UNUSED.values(), ids=UNUSED)
def test_where_the_provider_said_no_the_refresh_token_is_as_it_was(
    bench: Holding, status: int, said: Any
) -> None:
    before = bench.row
    bench.dead()
    with pytest.raises((TokenUnavailable, TokenRefused)):
        bench.reply(said, status)
    row = bench.row
    assert row.state is RowState.HELD
    assert (row.generation, bench.held) == (before.generation, "refresh-1")
    bench.clock.now += 100
    assert sent(bench.seek())["refresh_token"] == "refresh-1"


@pytest.mark.parametrize(("status", "said"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_where_it_may_have_been_used_the_row_is_in_doubt(
    bench: Holding, status: int, said: Any
) -> None:
    bench.stale()
    assert bench.reply(said, status)[0] == "done"  # the token is still good for those who call
    row = bench.row
    assert row.state is RowState.IN_DOUBT
    assert bench.held == "refresh-1"
    assert row.attention == ""


@pytest.mark.parametrize(
    "said",
    [
        {"access_token": "x", "token_type": "mac", "refresh_token": "refresh-2"},
        {"refresh_token": "refresh-2"},
        {"access_token": "x\r\ny", "refresh_token": "refresh-2"},
        {"access_token": None, "refresh_token": "refresh-2"},
    ],
)
def test_a_successor_is_kept_though_the_access_token_cannot_be_used(
    bench: Holding, said: Any
) -> None:
    bench.dead()
    with pytest.raises(TokenUnavailable):
        bench.reply(said)
    assert bench.held == "refresh-2"
    assert bench.row.state is RowState.HELD


def test_a_refused_grant_needs_a_person_and_is_asked_for_no_more(bench: Holding) -> None:
    bench.dead()
    with pytest.raises(TokenRefused, match="store-refresh-token api") as caught:
        bench.reply({"error": "invalid_grant"}, 400)
    assert caught.value.error == "needs_attention"
    row = bench.row
    assert row.state is RowState.ATTENTION
    assert row.attention == "refused: invalid_grant"
    assert bench.held == "refresh-1"  # nothing is deleted
    for _ in range(50):
        bench.clock.now += 61
        for one in (bench, bench.beside()):
            with pytest.raises(TokenRefused):
                one.seek()
            assert "ask" not in one.done[-8:]


def test_which_error_codes_end_a_grant_is_configurable() -> None:
    terminal = ("invalid_request",)
    bench = Holding(auth=refresh_token(terminal_errors=terminal))
    bench.holds("access-1")
    bench.dead()
    with pytest.raises(TokenRefused):
        bench.reply({"error": "invalid_request"}, 400)
    assert bench.row.attention == "refused: invalid_request"


def test_one_that_a_sibling_has_replaced_is_not_refused_for_good(bench: Holding) -> None:
    bench.dead()
    bench.rows.put(Secret("refresh-9"))
    step = bench.reply({"error": "invalid_grant"}, 400)
    assert sent(step)["refresh_token"] == "refresh-9"
    assert bench.reply(granting("access-9", "refresh-10"))[0] == "done"
    assert bench.held == "refresh-10"
    assert bench.row.attention == ""


def test_an_error_that_no_backend_should_raise_leaves_a_doubt_and_no_claim() -> None:
    class Odd(Own):
        def read(self, reply: Reply) -> Grant:
            raise RuntimeError("odd")

    bench = Holding(auth=Odd())
    bench.seek()
    with pytest.raises(RuntimeError):
        bench.reply({})
    assert bench.row.state is RowState.IN_DOUBT


def locked_away(bench: Holding) -> None:
    """Have the row sealed with a key that is not there any more."""
    bench.rows = replace(bench.rows, seal=Seal(["a key of today"]))


def test_a_row_that_no_key_opens_is_neither_used_nor_overwritten(bench: Holding) -> None:
    good = bench.rows
    locked_away(bench)
    bench.clock.now += 1001
    for _ in range(2):
        with pytest.raises(TokenUnavailable, match="SECRET_KEY_FALLBACKS") as caught:
            bench.seek()
        assert caught.value.error == "unreadable_row"
        bench.clock.now += 5
    bench.rows = good
    assert sent(bench.seek())["refresh_token"] == "refresh-1"


def test_what_no_key_opens_is_replaced_where_there_is_a_password() -> None:
    bench = Holding(auth=password(), first="")
    bench.seek()
    bench.reply(granting("access-1", "refresh-1"))
    locked_away(bench)
    bench.clock.now += 1001
    assert sent(bench.seek())["grant_type"] == "password"
    bench.reply(granting("access-2", "refresh-2"))
    assert (bench.held, bench.row.state) == ("refresh-2", RowState.HELD)


def test_a_request_that_the_backend_cannot_build_leaves_the_row_as_it_was() -> None:
    class Odd(Own):
        def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
            raise ValueError("no such key")

    bench = Holding(auth=Odd())
    with pytest.raises(TokenUnavailable, match="no such key"):
        bench.seek()
    assert bench.row.state is RowState.HELD
    assert "ask" not in bench.done
