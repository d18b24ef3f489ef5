"""What people order done with a grant: store, revoke, switch; also while it is being renewed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from apiclient_app.auth import OptionError, Secret
from apiclient_app.exceptions import TokenError, TokenRefused, TokenUnavailable
from apiclient_app.rows import RowState
from apiclient_app.steps import Ask
from apiclient_app.store.rows import Rows
from apiclient_app.store.seal import Seal

from .holding import Holding, granting, held, lost, named, password, refresh_token, sent, text_of
from .world import ModelResponse

REVOKING = {"revocation_url": "https://provider.example/revoke"}


@pytest.fixture
def bench() -> Holding:
    return held()


def revocable() -> Holding:
    bench = Holding(auth=refresh_token(**REVOKING))
    bench.holds("access-1")
    return bench


def store(bench: Holding, value: str = "refresh-9") -> Any:
    return bench.go(bench.orders.store(Secret(value)))


def finish(bench: Holding, step: Any) -> list[str]:
    """Let the provider revoke what it is asked to; give the tokens."""
    revoked = []
    while isinstance(step, Ask):
        revoked.append(sent(step)["token"])
        step = bench.reply({})
    return revoked


# Storing a refresh token


def test_a_stored_refresh_token_is_the_beginning_of_a_new_grant(bench: Holding) -> None:
    assert store(bench) == ("done", None)
    for one in (bench, bench.beside()):
        assert one.memory.token is None or not one.memory.trusted(bench.clock.now)
    other = bench.beside()
    assert sent(other.seek())["refresh_token"] == "refresh-9"
    other.reply(granting("access-9", "refresh-10"))
    assert text_of(bench.seek()[1]) == "access-9"


def test_another_process_forgets_the_old_token_within_its_memory(bench: Holding) -> None:
    other = bench.beside()
    other.seek()
    store(bench)
    bench.clock.now += 5.1
    assert sent(other.seek())["refresh_token"] == "refresh-9"


def test_a_stored_refresh_token_mends_a_refused_one_at_once(bench: Holding) -> None:
    bench.dead()
    with pytest.raises(TokenRefused):
        bench.reply({"error": "invalid_grant"}, 400)
    other = bench.beside()
    store(other)
    row = bench.row
    assert (row.state, row.attention, row.tries) == (RowState.HELD, "", 0)
    assert sent(other.seek())["refresh_token"] == "refresh-9"
    other.reply(granting("access-9"))
    bench.clock.now += 5.1  # its own memory of the failure
    assert text_of(bench.seek()[1]) == "access-9"


def test_a_stored_refresh_token_mends_an_unanswered_one_at_once(bench: Holding) -> None:
    bench.dead()
    with pytest.raises(TokenUnavailable):
        bench.lose(lost())
    bench.clock.now += 5
    bench.seek()
    with pytest.raises(TokenUnavailable):
        bench.lose(lost())
    before = bench.row
    assert before.state is RowState.ATTENTION
    store(bench)
    assert sent(bench.seek())["refresh_token"] == "refresh-9"


def test_a_stored_refresh_token_replaces_one_that_no_key_opens(bench: Holding) -> None:
    bench.rows = Rows(bench.table, "grant", "api", "", Seal(["another key"]))
    before = bench.row
    assert before.state is RowState.UNREADABLE
    store(bench)
    assert bench.held == "refresh-9"


@pytest.mark.parametrize("reply", ["granted", "refused", "lost", "interrupted"])
def test_a_renewal_under_way_does_not_undo_it(bench: Holding, reply: str) -> None:
    other = bench.beside()
    other.seek()
    bench.clock.now += 1001
    other.seek()
    step = bench.go(bench.orders.store(Secret("refresh-9")), to="sleep")  # the lock is taken
    assert bench.held == "refresh-9"
    outcome: Any = None
    try:
        if reply == "granted":
            outcome = other.reply(granting("access-2", "refresh-2"))
        elif reply == "refused":
            outcome = other.reply({"error": "invalid_grant"}, 400)
        elif reply == "lost":
            other.lose(lost())
        else:
            other.lose(KeyboardInterrupt())
    except (TokenError, KeyboardInterrupt):
        pass
    if outcome is not None:
        assert sent(outcome)["refresh_token"] == "refresh-9"
        other.reply(granting("access-9", "refresh-10"))
    bench.on(step)
    assert bench.held in ("refresh-9", "refresh-10")
    assert bench.row.state is RowState.HELD
    bench.clock.now += 6
    for one in (bench, other, bench.beside()):
        step = one.seek()
        if isinstance(step, Ask):
            assert sent(step)["refresh_token"] == bench.held
            one.reply(granting("access-11", "refresh-11"))
    assert bench.held == "refresh-11"


def test_the_token_of_the_old_grant_does_not_come_after_it(bench: Holding) -> None:
    other = bench.beside()
    other.seek()
    bench.clock.now += 1001
    other.seek()
    step = other.reply(granting("access-2", "refresh-2"), to="publish")
    bench.go(bench.orders.store(Secret("refresh-9")), to="sleep")
    ordered = bench.flow
    other.on(step)
    bench.flow = ordered
    bench.on(bench.give(None))
    bench.clock.now += 6
    assert sent(bench.beside().seek())["refresh_token"] == "refresh-9"
    assert sent(other.seek())["refresh_token"] == "refresh-9"


def test_without_a_database_nothing_is_stored_and_said_so(bench: Holding) -> None:
    bench.table.down = True
    with pytest.raises(TokenUnavailable, match="as it was") as caught:
        store(bench)
    assert caught.value.error == "database_unavailable"
    assert bench.memory.token is not None
    bench.table.down = False
    assert bench.held == "refresh-1"


def test_without_a_cache_it_is_stored_all_the_same(bench: Holding) -> None:
    bench.cache.down = True
    assert store(bench) == ("done", None)
    assert bench.held == "refresh-9"
    assert sent(bench.seek())["refresh_token"] == "refresh-9"


def test_that_a_lock_is_taken_for_long_does_not_hide_that_it_was_stored(bench: Holding) -> None:
    step = bench.go(bench.orders.store(Secret("refresh-9")), to="acquire")
    said = ""
    try:
        while not isinstance(step, tuple):
            step = bench.give(False) if named(step) == "acquire" else bench.carry_out(step)
    except TokenUnavailable as error:
        said = str(error)
    assert "nothing was changed" not in said
    assert bench.held == "refresh-9"


def test_a_stash_from_before_is_forgotten(bench: Holding) -> None:
    bench.dead()
    bench.table.down = True
    bench.reply(granting("access-2", "refresh-2"))
    bench.table.down = False
    other = bench.beside()
    store(other)
    assert other.store.look().stash is None
    bench.clock.now += 6
    assert sent(bench.seek())["refresh_token"] == "refresh-9"


# Revoking


def test_revoking_forgets_and_revokes_both_tokens() -> None:
    bench = revocable()
    revoked = finish(bench, bench.go(bench.orders.revoke()))
    assert revoked == ["refresh-1", "access-1"]
    assert bench.held == ""
    assert bench.row.state is RowState.EMPTY
    for one in (bench, bench.beside()):
        with pytest.raises(TokenRefused, match="Authorise, and store the refresh token") as caught:
            one.seek()
        assert caught.value.error == "no_refresh_token"


def test_a_seed_in_the_settings_does_not_come_back_after_a_revocation() -> None:
    bench = Holding(auth=refresh_token(**REVOKING))  # its seed was never used
    revoked = finish(bench, bench.go(bench.orders.revoke()))
    assert revoked == ["refresh-0"]
    with pytest.raises(TokenRefused):
        bench.beside().seek()


@pytest.mark.parametrize("moment", ["acquire", "clear", "ask"])
def test_a_renewal_between_its_steps_does_not_bring_the_grant_back(moment: str) -> None:
    bench = revocable()
    other = bench.beside()
    other.seek()
    step = bench.go(bench.orders.revoke(), to=moment)
    bench.clock.now += 6
    with suppress(TokenError):
        if isinstance(other.seek(rejected=other.memory.token), Ask):
            other.reply(granting("access-2", "refresh-2"))
    finish(bench, bench.on(step) if moment != "ask" else step)
    bench.clock.now += 6
    for one in (bench, other, bench.beside()):
        with pytest.raises(TokenError):
            one.seek()


def test_a_renewal_under_way_is_waited_for_and_revoked() -> None:
    bench = revocable()
    other = bench.beside()
    other.seek()
    bench.clock.now += 1001
    other.seek()
    step = bench.go(bench.orders.revoke(), to="sleep")
    other.reply(granting("access-2", "refresh-2"))
    revoked = finish(bench, bench.on(step))
    assert revoked == ["refresh-2", "access-2"]


def test_a_stashed_refresh_token_is_revoked_and_does_not_come_back() -> None:
    bench = revocable()
    bench.dead()
    bench.table.down = True
    bench.reply(granting("access-2", "refresh-2"))
    bench.table.down = False
    bench.clock.now += 10  # the claim has ended
    revoked = finish(bench, bench.go(bench.orders.revoke()))
    assert "refresh-2" in revoked
    assert bench.store.look().stash is None
    with pytest.raises(TokenRefused):
        bench.beside().seek()


def test_a_stash_without_a_row_does_not_come_back_after_a_revocation() -> None:
    bench = Holding(auth=password(**REVOKING), first="")
    bench.seek()
    bench.table.down = True
    step = bench.reply(granting("access-1", "refresh-1"), to="stash")
    bench.table.down = False
    bench.on(step)
    finish(bench, bench.go(bench.orders.revoke()))
    for one in (bench, bench.beside()):
        assert sent(one.seek())["grant_type"] == "password"
        with pytest.raises(TokenUnavailable):
            one.lose(lost())
        bench.clock.now += 5


def test_without_a_database_the_access_token_is_forgotten_and_the_rest_said() -> None:
    bench = revocable()
    bench.table.down = True
    step = bench.go(bench.orders.revoke())
    assert sent(step)["token"] == "access-1"
    with pytest.raises(TokenUnavailable, match="the refresh token is as it was"):
        bench.reply({})
    assert bench.memory.token is None
    bench.table.down = False
    assert bench.held == "refresh-1"


def test_a_provider_that_refuses_to_revoke_one_is_asked_to_revoke_the_other() -> None:
    bench = revocable()
    step = bench.go(bench.orders.revoke())
    assert sent(step)["token"] == "refresh-1"
    step = bench.reply(b"", 503)
    assert sent(step)["token"] == "access-1"
    with pytest.raises(TokenUnavailable, match="answered 503"):
        bench.reply({})


# Rotating


def test_a_rotation_keeps_the_successor_and_has_nothing_revoked() -> None:
    bench = revocable()
    step = bench.go(bench.orders.rotate(wait=True))
    assert sent(step)["refresh_token"] == "refresh-1"
    done, token = bench.reply(granting("access-2", "refresh-2"))
    assert (done, text_of(token), bench.held) == ("done", "access-2", "refresh-2")
    assert bench.store.look().due == ()


def test_a_rotation_tries_what_would_not_be_tried_by_itself(bench: Holding) -> None:
    bench.dead()
    with pytest.raises(TokenRefused):
        bench.reply({"error": "invalid_grant"}, 400)
    step = bench.go(bench.orders.rotate(wait=False))
    assert sent(step)["refresh_token"] == "refresh-1"
    bench.reply(granting("access-2", "refresh-2"))
    assert (bench.held, bench.row.attention) == ("refresh-2", "")


@pytest.mark.parametrize("reply", [503, 429])
def test_a_rotation_that_comes_to_nothing_leaves_the_row_in_need_of_attention(
    bench: Holding, reply: int
) -> None:
    bench.dead()
    with pytest.raises(TokenRefused):
        bench.reply({"error": "invalid_grant"}, 400)
    bench.go(bench.orders.rotate(wait=False))
    with pytest.raises(TokenUnavailable):
        bench.reply(b"", reply)
    assert bench.row.attention == "refused: invalid_grant"


# Switching to the next credentials


def with_next(**options: Any) -> Holding:
    bench = Holding(auth=refresh_token(next=Secret({"client_secret": "n3xt"}), **options))
    return knowing(bench)


def knowing(bench: Holding) -> Holding:
    object.__setattr__(bench.renewal, "successor", "mark of the next")
    return bench


def authorization(step: Any) -> str:
    assert isinstance(step, Ask)
    return str(step.request.headers["Authorization"])


def switchable(**options: Any) -> Holding:
    bench = with_next(**options)
    bench.holds("access-1")
    return bench


def test_next_credentials_that_are_taken_are_used_everywhere() -> None:
    bench = switchable()
    step = bench.go(bench.orders.switch(None))
    assert (
        authorization(step)
        == bench.auth.successor.refresh_request(Secret("x")).headers["Authorization"]
    )
    _, token = bench.reply(granting("access-2", "refresh-2"))
    assert text_of(token) == "access-2"
    other = knowing(bench.beside())
    bench.clock.now += 1001
    assert authorization(other.seek()) == authorization(step)


def test_next_credentials_that_are_refused_change_nothing() -> None:
    bench = switchable()
    step = bench.go(bench.orders.switch(None))
    first = authorization(step)
    step = bench.reply({"error": "invalid_client"}, 401)
    assert authorization(step) != first
    with pytest.raises(TokenRefused, match="refuses the next credentials") as caught:
        bench.reply(granting("access-2", "refresh-2"))
    assert caught.value.error == "next_refused"
    assert not bench.renewal.switched
    assert knowing(bench.beside()).store.look().switched == ""
    assert bench.held == "refresh-2"


FAILING: dict[str, Any] = {
    "lost": lambda bench: bench.lose(lost()),
    "503": lambda bench: bench.reply(b"", 503),
    "both refused": lambda bench: (
        bench.reply({"error": "invalid_client"}, 401),
        bench.reply({"error": "invalid_client"}, 401),
    ),
    "interrupted": lambda bench: bench.lose(KeyboardInterrupt()),
}


@pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
def test_next_credentials_that_are_not_proven_are_not_in_use(failing: Any) -> None:
    bench = switchable()
    bench.go(bench.orders.switch(None))
    with pytest.raises((TokenError, KeyboardInterrupt)):
        failing(bench)
    assert not bench.renewal.switched
    assert bench.store.look().switched == ""


def test_a_row_that_needs_attention_does_not_switch() -> None:
    bench = switchable()
    bench.rows.clear()
    with pytest.raises(TokenRefused):
        bench.go(bench.orders.switch(None))
    assert not bench.renewal.switched


def test_next_credentials_of_another_client_do_not_cost_the_grant() -> None:
    # A refresh token is bound to the client it was issued to (RFC 6749 section 6).
    with pytest.raises(OptionError, match="its client's alone"):
        refresh_token(next=Secret({"client_id": "b", "client_secret": "n3xt"}))


def test_where_the_credentials_obtain_they_are_proven_before_anything_changes() -> None:
    bench = knowing(Holding(auth=password(next=Secret({"client_secret": "n3xt"})), first=""))
    bench.seek()
    bench.reply(granting("access-1", "refresh-1"))
    check = object()
    step = bench.go(bench.orders.switch(check), to="ask")
    assert sent(step)["grant_type"] == "password"
    step = bench.reply(granting("access-2", "refresh-2"), to="send")
    assert step.request is check
    assert text_of(step.token) == "access-2"
    before = bench.store.look()
    assert (before.switched, before.token) == ("", bench.memory.token)
    _, token = bench.on(bench.give(ModelResponse(200)))
    assert text_of(token) == "access-2"
    assert bench.renewal.switched
    assert bench.held == "refresh-2"  # that of the old grant may be bound to the old client


def test_a_token_of_the_next_credentials_that_the_api_refuses_changes_nothing() -> None:
    bench = knowing(Holding(auth=password(next=Secret({"client_secret": "n3xt"})), first=""))
    bench.seek()
    bench.reply(granting("access-1", "refresh-1"))
    object.__setattr__(bench.orders, "works", lambda response: response.status_code < 400)
    bench.go(bench.orders.switch(object()))
    bench.reply(granting("access-2", "refresh-2"), to="send")
    with pytest.raises(TokenRefused, match="403") as caught:
        bench.on(bench.give(ModelResponse(403)))
    assert caught.value.error == "next_unfit"
    assert (bench.held, bench.renewal.switched) == ("refresh-1", False)
    assert text_of(bench.seek()[1]) == "access-1"


def test_there_is_nothing_to_switch_to_twice(bench: Holding) -> None:
    with pytest.raises(TokenRefused, match="there are no next credentials"):
        bench.go(bench.orders.switch(None))
    other = switchable()
    other.go(other.orders.switch(None))
    other.reply(granting("access-2", "refresh-2"))
    with pytest.raises(TokenRefused, match="they are in use"):
        other.go(other.orders.switch(None))


def obtaining() -> Holding:
    """A client with a password and next credentials, and a token."""
    bench = knowing(Holding(auth=password(next=Secret({"client_secret": "n3xt"})), first=""))
    bench.seek()
    bench.reply(granting("access-1", "refresh-1"))
    return bench


@pytest.mark.parametrize("failing", ["lost", "503", "both refused"])
def test_next_credentials_that_obtain_nothing_change_nothing(failing: str) -> None:
    bench = obtaining()
    bench.go(bench.orders.switch(None))
    with pytest.raises(TokenRefused, match="nothing was changed: they obtain no token") as caught:
        FAILING[failing](bench)
    assert caught.value.error == "next_refused"
    assert (bench.held, bench.renewal.switched) == ("refresh-1", False)


def test_a_switch_whose_lock_was_lost_is_published_again() -> None:
    bench = obtaining()
    bench.go(bench.orders.switch(None))
    bench.reply(granting("access-2", "refresh-2"), to="publish")
    assert named(bench.give(False)) == "release"
    _, token = bench.on(bench.give(False))
    assert text_of(token) == "access-2"
    assert (bench.held, bench.renewal.switched) == ("refresh-2", True)
    assert text_of(bench.beside().seek()[1]) == "access-2"


def test_without_a_cache_a_switch_is_this_process_s_own() -> None:
    bench = obtaining()
    bench.cache.down = True
    bench.go(bench.orders.switch(None))
    bench.reply(granting("access-2", "refresh-2"))
    assert bench.renewal.switched
    assert bench.held == "refresh-2"
