"""Rotation and revocation, stepped by hand."""

from __future__ import annotations

import pytest

from apiclient_app.auth import Reply, TokenRequest
from apiclient_app.exceptions import StoreUnavailable, TokenUnavailable, TransportError
from apiclient_app.records import Due, Failure, View
from apiclient_app.steps import Ask, Sleep
from apiclient_app.tokens import Token

from .steps import Bench, is_call, token
from .world import ModelAuth


class Revoking(ModelAuth):
    def revocation_request(self, token: Token) -> TokenRequest | None:
        return TokenRequest("POST", f"revoke/{token.headers['X'].reveal()}")


def granted(bench: Bench) -> Reply:
    return Reply(200, {}, b"token-9 1000", bench.clock.now)


def test_a_rotation_is_not_held_back_by_a_recorded_failure() -> None:
    bench = Bench()
    now = bench.clock.now
    stands = Failure("broken", "", False, now, now + 60, 5)
    seen = View(token=token(1), failure=stands)
    assert is_call(bench.begin(bench.orders.rotate(wait=False)), "look")
    assert is_call(bench.give(seen), "look")
    assert is_call(bench.give(seen), "look")
    assert is_call(bench.give(seen), "acquire")
    bench.give(True)
    assert isinstance(bench.give(seen), Ask)


def test_a_rotation_that_finds_a_newer_record_after_its_lock_is_done() -> None:
    bench = Bench()
    seen = View(token=token(1))
    bench.begin(bench.orders.rotate(wait=False))
    bench.give(seen)
    bench.give(seen)
    bench.give(seen)
    bench.give(True)
    assert is_call(bench.give(View(token=token(2))), "release")
    done, new = bench.give(True)
    assert done == "done"
    assert new.headers["X"].reveal() == "token-2"


def test_a_rotation_owes_the_old_token_to_the_provider() -> None:
    bench = Bench(auth=Revoking())
    seen = View(token=token(1))
    bench.begin(bench.orders.rotate(wait=False))
    for value in (seen, seen, seen, True):
        bench.give(value)
    bench.give(seen)
    step = bench.give(granted(bench))
    assert is_call(step, "publish")
    assert step.args[2].headers["X"].reveal() == "token-1"


def test_what_is_due_is_struck_off_before_the_provider_is_told() -> None:
    bench = Bench(auth=Revoking())
    due = View(token=token(2), due=(Due(token(1), bench.clock.now - 1),))
    bench.begin(bench.orders.current())
    assert is_call(bench.give(due), "acquire")
    assert is_call(bench.give(True), "look")
    assert is_call(bench.give(due), "settle")
    assert is_call(bench.give(True), "release")
    step = bench.give(True)
    assert isinstance(step, Ask)
    assert step.request.url == "revoke/token-1"
    assert bench.throw(TransportError("gone"))[1].headers["X"].reveal() == "token-2"


def test_asking_for_the_token_puts_back_what_was_evicted() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.orders.current())
    assert is_call(bench.give(View()), "acquire")
    assert is_call(bench.give(True), "look")
    assert is_call(bench.give(View(locked=True)), "publish")
    bench.give(True)
    done, current = bench.give(True)
    assert done == "done"
    assert current.headers["X"].reveal() == "token-1"


def test_what_is_not_due_yet_is_left_alone() -> None:
    bench = Bench(auth=Revoking())
    later = View(token=token(2), due=(Due(token(1), bench.clock.now + 1),))
    bench.begin(bench.orders.current())
    done, current = bench.give(later)
    assert done == "done"
    assert current.headers["X"].reveal() == "token-2"


def test_a_waiting_rotation_waits_until_no_process_holds_the_old_token() -> None:
    bench = Bench(auth=Revoking())
    seen = View(token=token(1))
    bench.begin(bench.orders.rotate(wait=True))
    for value in (seen, seen, seen, True, seen, granted(bench), True):
        bench.give(value)
    step = bench.give(True)
    assert isinstance(step, Sleep)
    assert step.seconds == 5.0
    assert is_call(bench.give(None), "look")
    done, new = bench.give(View())
    assert done == "done"
    assert new.headers["X"].reveal() == "token-9"


def test_a_revocation_buries_all_that_was_made_by_now() -> None:
    bench = Bench()
    bench.begin(bench.orders.revoke())
    bench.give(True)
    step = bench.give(View(token=token(1)))
    assert is_call(step, "bury")
    assert step.args[1] >= token(1).generation
    bench.give(True)
    assert bench.give(True) == ("done", None)
    assert bench.memory.token is None
    assert [name for name, _ in bench.announced] == ["token_revoked"]


def test_a_revocation_waits_for_a_renewal_under_way() -> None:
    bench = Bench()
    assert is_call(bench.begin(bench.orders.revoke()), "acquire")
    assert isinstance(bench.give(False), Sleep)
    assert is_call(bench.give(None), "acquire")


def test_a_revocation_gives_up_when_its_patience_ends() -> None:
    bench = Bench()
    bench.begin(bench.orders.revoke())
    bench.give(False)
    bench.clock.now += bench.renewal.patience
    with pytest.raises(TokenUnavailable, match="nothing was changed"):
        bench.give(None)


def test_a_revocation_without_a_store_forgets_here_and_says_so() -> None:
    bench = Bench()
    bench.knows(seen=token(1))
    bench.begin(bench.orders.revoke())
    bench.throw(StoreUnavailable())
    bench.throw(StoreUnavailable())
    bench.throw(StoreUnavailable())
    with pytest.raises(TokenUnavailable, match="this process only"):
        bench.throw(StoreUnavailable())
    assert bench.memory.token is None


def test_a_provider_that_cannot_be_told_is_an_error_after_the_token_is_forgotten() -> None:
    bench = Bench(auth=Revoking())
    bench.begin(bench.orders.revoke())
    bench.give(True)
    bench.give(View(token=token(1)))
    bench.give(True)
    assert isinstance(bench.give(True), Ask)
    with pytest.raises(TokenUnavailable, match="answered 503"):
        bench.give(Reply(503))
    assert bench.memory.token is None


def test_a_rotation_that_fails_says_so_and_the_old_token_stays() -> None:
    bench = Bench()
    seen = View(token=token(1))
    bench.begin(bench.orders.rotate(wait=False))
    for value in (seen, seen, seen, True):
        bench.give(value)
    bench.give(seen)
    bench.throw(TransportError("gone"))
    bench.give(True)
    with pytest.raises(TokenUnavailable, match="gone"):
        bench.give(True)
    assert bench.memory.token is not None


def test_a_revocation_whose_lock_was_lost_is_done_again() -> None:
    bench = Bench()
    bench.begin(bench.orders.revoke())
    bench.give(True)
    bench.give(View(token=token(1)))
    assert is_call(bench.give(False), "release")
    assert isinstance(bench.give(True), Sleep)
    assert is_call(bench.give(None), "acquire")


def test_what_another_struck_off_first_is_not_revoked_twice() -> None:
    bench = Bench(auth=Revoking())
    due = View(token=token(2), due=(Due(token(1), bench.clock.now - 1),))
    bench.begin(bench.orders.current())
    bench.give(due)
    bench.give(True)
    bench.give(due)
    assert is_call(bench.give(False), "release")
    done, _ = bench.give(True)
    assert done == "done"


def test_a_revocation_has_the_provider_revoke_what_was_still_due_too() -> None:
    bench = Bench(auth=Revoking())
    bench.begin(bench.orders.revoke())
    bench.give(True)
    bench.give(View(token=token(2), due=(Due(token(1), bench.clock.now + 9),)))
    bench.give(True)
    urls = []
    step = bench.give(True)
    while isinstance(step, Ask):
        urls.append(step.request.url)
        step = bench.give(Reply(200))
    assert urls == ["revoke/token-2", "revoke/token-1"]


def test_a_provider_that_does_not_answer_is_named_with_its_cause() -> None:
    bench = Bench(auth=Revoking())
    bench.begin(bench.orders.revoke())
    for value in (True, View(token=token(1)), True):
        bench.give(value)
    assert isinstance(bench.give(True), Ask)
    with pytest.raises(TokenUnavailable, match="did not answer") as caught:
        bench.throw(TransportError("cable cut"))
    assert "cable cut" in str(caught.value.__cause__)


def test_what_a_backend_cannot_revoke_is_only_struck_off() -> None:
    bench = Bench()
    due = View(token=token(2), due=(Due(token(1), bench.clock.now - 1),))
    bench.begin(bench.orders.current())
    for value in (due, True, due, True):
        bench.give(value)
    done, _ = bench.give(True)
    assert done == "done"
