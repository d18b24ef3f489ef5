"""One call, stepped by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from apiclient_app.auth import NoAuth, Reply
from apiclient_app.exceptions import (
    BodyNotReplayable,
    StoreUnavailable,
    TokenRefused,
    TokenUnavailable,
    TransportError,
)
from apiclient_app.memory import Memory
from apiclient_app.records import Failure, Fruitless, View
from apiclient_app.steps import Ask, Send, Sleep, Wait

from .steps import EXPIRED, OK, Bench, is_call, token
from .world import ModelRequest, Refused


@dataclass(frozen=True)
class OneShot(ModelRequest):
    def rewind(self) -> bool:
        return False


def name_of(step: Send) -> str:
    assert step.token is not None
    return step.token.headers["X"].reveal()


def reply(bench: Bench, name: str = "token-9", life: str = "1000") -> Reply:
    return Reply(200, {}, f"{name} {life}".encode(), bench.clock.now)


def failure(bench: Bench, *, terminal: bool = False, seconds: float = 10.0) -> Failure:
    now = bench.clock.now
    return Failure("broken", "it is", terminal, now, now + seconds, 1)


def asked(bench: Bench) -> None:
    """Bring a call to where it asks for a token, under the lock."""
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View())
    bench.give(True)
    assert isinstance(bench.give(View()), Ask)


def test_the_hot_path_is_one_step() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    step = bench.begin(bench.calls.call(ModelRequest()))
    assert isinstance(step, Send)
    assert name_of(step) == "token-1"
    assert bench.give(OK) == ("done", OK)


def test_a_first_call_looks_locks_looks_again_asks_publishes_releases() -> None:
    bench = Bench()
    assert is_call(bench.begin(bench.calls.call(ModelRequest())), "look")
    assert is_call(bench.give(View()), "acquire")
    assert is_call(bench.give(True), "look")
    assert isinstance(bench.give(View(locked=True)), Ask)
    assert is_call(bench.give(reply(bench)), "publish")
    assert is_call(bench.give(True), "release")
    step = bench.give(True)
    assert isinstance(step, Send)
    assert name_of(step) == "token-9"
    assert [name for name, _ in bench.announced] == ["token_obtained"]


def test_late_401_uses_the_newer_token() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.calls.call(ModelRequest()))
    bench.knows(seen=token(2))
    step = bench.give(EXPIRED)
    assert isinstance(step, Send)
    assert name_of(step) == "token-2"
    assert bench.give(OK) == ("done", OK)


def test_a_newer_record_in_the_store_is_used_before_anything_is_asked() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.calls.call(ModelRequest()))
    assert is_call(bench.give(EXPIRED), "look")
    step = bench.give(View(token=token(2)))
    assert isinstance(step, Send)


def test_the_replay_is_the_last_word_and_marks_the_renewal_fruitless() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(EXPIRED)
    bench.give(View(token=token(2)))
    assert is_call(bench.give(EXPIRED), "look")
    step = bench.give(View(token=token(2)))
    assert is_call(step, "mark_fruitless")
    assert step.args[0].count == 1
    assert bench.give(None) == ("done", EXPIRED)
    assert [name for name, _ in bench.announced] == ["token_rejected", "token_rejected"]


def test_a_stored_record_that_is_dead_too_does_not_use_up_the_renewal() -> None:
    bench = Bench()
    bench.knows(seen=token(1, now=bench.clock.now - 20))
    older = token(2, now=bench.clock.now - 10)
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(EXPIRED)
    assert isinstance(bench.give(View(token=older)), Send)
    assert is_call(bench.give(EXPIRED), "look")
    assert is_call(bench.give(View(token=older)), "acquire")
    bench.give(True)
    assert isinstance(bench.give(View(token=older, locked=True)), Ask)
    bench.give(reply(bench))
    bench.give(True)
    step = bench.give(True)
    assert name_of(step) == "token-9"
    assert bench.give(OK) == ("done", OK)


def test_a_still_newer_record_already_stored_earns_one_more_replay() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(EXPIRED)
    bench.give(View(token=token(2)))
    bench.give(EXPIRED)
    step = bench.give(View(token=token(3)))
    assert isinstance(step, Send)
    assert bench.give(OK) == ("done", OK)


def test_a_standing_marker_makes_the_401_the_answer() -> None:
    bench = Bench()
    marker = Fruitless(1, 3, bench.clock.now + 8)
    bench.memory.absorb(View(token=token(1), fruitless=marker), bench.clock.now)
    bench.begin(bench.calls.call(ModelRequest()))
    assert bench.give(EXPIRED) == ("done", EXPIRED)


@pytest.mark.parametrize(("ended", "forgotten"), [(1.0, False), (11.0, True)])
def test_a_series_of_fruitless_renewals_ends_when_it_has_rested(
    ended: float, forgotten: bool
) -> None:
    bench = Bench()
    marker = Fruitless(1, 3, bench.clock.now - ended)
    bench.memory.absorb(View(token=token(1), fruitless=marker), bench.clock.now)
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(EXPIRED)
    bench.give(View(token=token(2), fruitless=marker))
    assert is_call(bench.give(OK), "clear_fruitless") is forgotten
    assert (bench.memory.fruitless is None) is forgotten


def test_what_worked_here_and_stopped_working_is_renewed_in_spite_of_the_marker() -> None:
    bench = Bench()
    seen = token(1)
    bench.memory.accept(seen, bench.clock.now - 6)
    marker = Fruitless(1, 3, bench.clock.now + 8)
    bench.memory.absorb(View(token=seen, fruitless=marker), bench.clock.now)
    bench.begin(bench.calls.call(ModelRequest()))
    assert is_call(bench.give(EXPIRED), "look")


def test_a_stale_token_is_renewed_by_one_and_used_by_the_others() -> None:
    bench = Bench()
    stale = token(1, now=bench.clock.now - 850)
    bench.knows(seen=stale)
    renewing = bench.calls.call(ModelRequest())
    assert is_call(bench.begin(renewing), "look")
    other = bench.begin(bench.calls.call(ModelRequest()))
    assert isinstance(other, Send)
    assert other.token is stale


def test_a_failed_renewal_of_a_stale_token_fails_no_call() -> None:
    bench = Bench()
    stale = token(1, now=bench.clock.now - 850)
    bench.knows(seen=stale)
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View(token=stale))
    bench.give(True)
    bench.give(View(token=stale, locked=True))
    assert is_call(bench.throw(TransportError("gone")), "fail")
    assert is_call(bench.give(True), "release")
    step = bench.give(True)
    assert isinstance(step, Send)
    assert step.token is stale
    assert isinstance(bench.begin(bench.calls.call(ModelRequest())), Send)


def test_within_its_leeway_a_token_is_better_than_none() -> None:
    bench = Bench()
    spent = token(1, now=bench.clock.now - 980)
    assert spent.usable_until <= bench.clock.now < spent.expires_at
    bench.memory.absorb(View(token=spent, failure=failure(bench)), bench.clock.now)
    assert isinstance(bench.begin(bench.calls.call(ModelRequest())), Send)


def test_a_recorded_failure_is_raised_without_asking() -> None:
    bench = Bench()
    bench.memory.absorb(View(failure=failure(bench)), bench.clock.now)
    with pytest.raises(TokenUnavailable) as caught:
        bench.begin(bench.calls.call(ModelRequest()))
    assert caught.value.retry_after == pytest.approx(10)


def test_a_terminal_failure_is_raised_as_refused() -> None:
    bench = Bench()
    bench.memory.absorb(View(failure=failure(bench, terminal=True)), bench.clock.now)
    with pytest.raises(TokenRefused) as caught:
        bench.begin(bench.calls.call(ModelRequest()))
    assert caught.value.error == "broken"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_rejected_token_and_a_failed_renewal_are_token_unavailable_from_unauthorized(
    terminal: bool,
) -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(EXPIRED)
    with pytest.raises(TokenUnavailable) as caught:
        bench.give(View(token=token(1), failure=failure(bench, terminal=terminal)))
    assert isinstance(caught.value.__cause__, Refused)


def test_a_one_shot_body_is_not_replayed_but_the_token_is_renewed() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.calls.call(OneShot()))
    bench.knows(seen=token(2))
    with pytest.raises(BodyNotReplayable) as caught:
        bench.give(EXPIRED)
    assert isinstance(caught.value.__cause__, Refused)


def test_an_interrupted_token_request_releases_the_lock_and_the_seat() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View())
    bench.give(True)
    assert isinstance(bench.give(View(locked=True)), Ask)
    assert is_call(bench.throw(KeyboardInterrupt()), "release")
    with pytest.raises(KeyboardInterrupt):
        bench.give(True)
    assert bench.memory.sit(1, bench.clock.now, 1.0)


def test_an_interruption_while_the_lock_is_being_taken_releases_it() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    assert is_call(bench.give(View()), "acquire")
    assert is_call(bench.throw(KeyboardInterrupt()), "release")


def test_a_holder_with_too_little_of_its_lease_left_does_not_ask() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View())
    bench.give(True)
    bench.clock.now += 2.1
    assert is_call(bench.give(View(locked=True)), "release")
    assert isinstance(bench.give(True), Sleep)


def test_a_lost_lock_publishes_nothing_and_looks_again() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View())
    bench.give(True)
    bench.give(View(locked=True))
    assert is_call(bench.give(reply(bench)), "publish")
    assert is_call(bench.give(False), "release")
    assert isinstance(bench.give(True), Sleep)
    assert bench.memory.token is None
    assert is_call(bench.give(None), "look")
    bench.clock.now += 1
    step = bench.give(View(token=token(3)))
    assert isinstance(step, Send)


def test_a_failure_after_the_lock_was_lost_is_nobodys_business() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View())
    bench.give(True)
    bench.give(View(locked=True))
    assert is_call(bench.throw(TransportError("late")), "fail")
    bench.give(False)
    assert bench.memory.failure is None


def test_without_a_store_the_seat_is_lock_enough() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    assert isinstance(bench.throw(StoreUnavailable()), Ask)
    # Nothing is written without a lock: the next look that finds the store puts it there.
    assert isinstance(bench.give(reply(bench)), Send)


def test_who_waits_leaves_when_the_record_lands() -> None:
    bench = Bench()
    bench.memory.sit(7, bench.clock.now, 5.0)
    step = bench.begin(bench.calls.call(ModelRequest()))
    assert isinstance(step, Wait)
    assert step.seconds <= 1.0
    bench.memory.advance(token(1), bench.clock.now)
    assert bench.memory.version != step.version
    assert isinstance(bench.give(None), Send)


def test_when_patience_ends_the_store_is_read_once_more() -> None:
    bench = Bench()
    bench.memory.sit(7, bench.clock.now, 1000.0)
    bench.begin(bench.calls.call(ModelRequest()))
    bench.clock.now += bench.renewal.patience
    assert is_call(bench.give(None), "look")
    assert isinstance(bench.give(View(token=token(1))), Send)


def test_when_patience_ends_with_nothing_the_error_says_so() -> None:
    bench = Bench()
    bench.memory.sit(7, bench.clock.now, 1000.0)
    bench.begin(bench.calls.call(ModelRequest()))
    bench.clock.now += bench.renewal.patience
    bench.give(None)
    with pytest.raises(TokenUnavailable, match="another worker"):
        bench.give(View())


def test_what_the_cache_evicted_is_put_back_under_the_lock() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.clock.now += 6
    assert is_call(bench.begin(bench.calls.call(ModelRequest())), "look")
    assert is_call(bench.give(View()), "acquire")
    assert is_call(bench.give(True), "look")
    assert is_call(bench.give(View(locked=True)), "publish")
    assert is_call(bench.give(True), "release")
    assert isinstance(bench.give(True), Send)


def test_a_tombstone_is_obeyed_and_nothing_is_put_back() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.clock.now += 6
    bench.begin(bench.calls.call(ModelRequest()))
    assert is_call(bench.give(View(tombstone=token(1).generation)), "acquire")
    bench.give(True)
    assert isinstance(bench.give(View(tombstone=token(1).generation)), Ask)
    bench.clock.now -= 3600  # a clock that runs behind makes no record the tombstone covers
    step = bench.give(reply(bench))
    assert step.args[1].generation > token(1).generation


def test_a_secret_in_a_failure_is_redacted_before_it_is_recorded() -> None:
    bench = Bench()
    asked(bench)
    step = bench.throw(TransportError("no way with s3cret"))
    assert step.args[1].description == "no way with ***"


def test_a_reply_that_the_backend_cannot_read_is_a_failure_not_a_crash() -> None:
    bench = Bench()
    asked(bench)
    step = bench.give(reply(bench, life="soon"))
    assert is_call(step, "fail")
    assert step.args[1].error == "unreadable"


def test_a_refusal_by_the_token_endpoint_is_terminal_and_keeps_its_words() -> None:
    bench = Bench()
    asked(bench)
    step = bench.throw(TokenRefused("invalid_client", "who are you, s3cret?"))
    recorded = step.args[1]
    assert recorded.terminal
    assert (recorded.error, recorded.description) == ("invalid_client", "who are you, ***?")
    bench.give(True)
    with pytest.raises(TokenRefused, match=r"invalid_client.*API_CLIENTS\['api'\]"):
        bench.give(True)


def test_a_token_error_without_a_code_is_called_unavailable() -> None:
    bench = Bench()
    asked(bench)
    step = bench.throw(TokenUnavailable("not today", retry_after=90))
    assert step.args[1].error == "unavailable"
    assert step.args[1].until == bench.clock.now + 90


def test_a_third_dead_record_is_the_last_word_too() -> None:
    bench = Bench()
    now = bench.clock.now
    stored = [token(n, now=now - 40 + 10 * n) for n in (1, 2, 3)]
    bench.knows(seen=stored[0])
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(EXPIRED)
    assert name_of(bench.give(View(token=stored[1]))) == "token-2"
    assert is_call(bench.give(EXPIRED), "look")
    assert name_of(bench.give(View(token=stored[2]))) == "token-3"
    assert is_call(bench.give(EXPIRED), "look")
    assert is_call(bench.give(View(token=stored[2])), "mark_fruitless")
    assert bench.give(None) == ("done", EXPIRED)


def test_a_long_renewal_does_not_hide_a_revocation_from_the_others() -> None:
    bench = Bench(memory=Memory(2.0))
    stale = token(1, now=bench.clock.now - 850)
    bench.knows(seen=stale)
    bench.begin(bench.calls.call(ModelRequest()))
    bench.give(View(token=stale))
    bench.give(True)
    assert isinstance(bench.give(View(token=stale, locked=True)), Ask)
    bench.clock.now += 3
    assert is_call(bench.begin(bench.calls.call(ModelRequest())), "look")
    assert isinstance(bench.give(View(token=stale, locked=True)), Send)


def test_a_lock_that_another_took_first_is_waited_out() -> None:
    bench = Bench()
    bench.begin(bench.calls.call(ModelRequest()))
    assert is_call(bench.give(View()), "acquire")
    assert isinstance(bench.give(False), Sleep)


def test_an_eviction_that_another_mended_first_is_left_alone() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.clock.now += 6
    bench.begin(bench.calls.call(ModelRequest()))
    assert is_call(bench.give(View()), "acquire")
    bench.give(True)
    assert is_call(bench.give(View(token=token(1), locked=True)), "release")


def test_static_credentials_are_sent_and_nothing_else_is_done() -> None:
    bench = Bench(auth=NoAuth())
    step = bench.begin(bench.calls.call(ModelRequest()))
    assert isinstance(step, Send)
    assert step.token is None
    assert bench.give(EXPIRED) == ("done", EXPIRED)
