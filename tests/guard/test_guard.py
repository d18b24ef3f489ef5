"""Each request of a call passes the guard: the first, a replay, and a retry."""

from __future__ import annotations

import pytest

from apiclient_app.exceptions import CircuitOpen, DeadlineExceeded, RateLimited, TransportError
from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.retries import RESERVE, Retry
from apiclient_app.steps import Announce, GateCall, Send, Sleep
from tests.flow.steps import token

from .steps import RATE, Answer, Bench, Stepped, asks

OK = Answer()


def passed(call: Stepped, methods: list[str]) -> Stepped:
    """Give the gate's answers until something is sent; note what it was asked."""
    while isinstance(call.step, GateCall | Announce):
        if isinstance(call.step, Announce):
            call.give(None)
            continue
        methods.append(call.step.method)
        if call.step.method == "admit":
            call.go()
        else:
            call.give(None)
    return call


def test_a_replay_passes_the_limits_as_the_first_did() -> None:
    bench = Bench(limit=RATE, most=2, renews=True)
    bench.tokens.knows(seen=token(1))
    call, methods = bench.called(), list[str]()
    assert isinstance(passed(call, methods).step, Send)
    bench.tokens.knows(seen=token(2))
    call.give(Answer(401))
    assert isinstance(passed(call, methods).step, Send)
    call.give(OK)
    assert passed(call, methods).step == ("done", OK)
    assert methods == ["admit", "leave", "admit", "leave"]


def test_a_retry_passes_limits_and_circuit_and_holds_no_slot_while_it_waits() -> None:
    bench = Bench(limit=RATE, most=2, retry=Retry(), breaker=Breaker())
    call, methods = bench.called(), list[str]()
    passed(call, methods)
    call.give(Answer(503))
    assert isinstance(passed(call, methods).step, Sleep)
    assert methods == ["circuit", "admit", "leave"]
    call.give(None)
    assert isinstance(passed(call, methods).step, Send)
    call.give(OK)
    assert passed(call, methods).step == ("done", OK)
    assert methods == ["circuit", "admit", "leave", "admit", "leave"]


def test_what_is_kept_back_is_not_retried_and_does_not_count_for_the_circuit() -> None:
    bench = Bench(limit=RATE, retry=Retry(), breaker=Breaker(failures=1, share=0.01))
    bench.sight.see(None, bench.clock.now)
    for _ in range(5):
        with pytest.raises(RateLimited):
            bench.called(patience=1.0).late(9.0)
    assert bench.sight.circuit is None


def test_while_the_circuit_is_open_nothing_is_taken_of_the_allowance() -> None:
    bench = Bench(limit=RATE, most=2, breaker=Breaker(failures=1))
    bench.sight.see(None, bench.clock.now)
    call, methods = bench.called(), list[str]()
    passed(call, methods)
    with pytest.raises(TransportError):
        opening(call)
    with pytest.raises(CircuitOpen):
        bench.called()  # without any step


def opening(call: Stepped) -> None:
    call.throw(TransportError("reset"))
    while True:
        call.give(None)


def test_a_call_without_limits_asks_nobody_and_its_time_begins_at_once() -> None:
    bench = Bench(retry=Retry())
    request = bench.request(deadline=1.0)
    call = Stepped(bench.guard.call(request))
    assert isinstance(call.step, Send)
    assert request.begun == 1


def test_an_answer_is_learnt_from_after_its_slot_was_given_back() -> None:
    bench = Bench(limit=RATE, most=2)
    call = bench.called()
    call.go()
    assert asks(call.give(Answer(429, retry_after=3.0)), "leave")
    assert call.give(0) == GateCall("hold", ("", 3.0))


def test_what_is_kept_back_after_an_attempt_does_not_say_that_nothing_was_sent() -> None:
    bench = Bench(limit=RATE, retry=Retry(), breaker=Breaker(failures=1))
    bench.sight.see(None, bench.clock.now)
    call = bench.called(patience=1.0)
    call.go()
    call.give(Answer(503))
    assert isinstance(passed(call, []).step, Sleep)
    with pytest.raises(CircuitOpen) as refused:
        call.give(None)
    assert refused.value.sent

    other = Bench(limit=RATE, retry=Retry())
    call = other.called(patience=1.0)
    call.go()
    call.give(Answer(503))
    call.give(None)
    with pytest.raises(RateLimited) as late:
        call.late(9.0)
    assert late.value.sent


def test_a_replay_that_is_kept_back_does_not_say_that_nothing_was_sent() -> None:
    bench = Bench(limit=RATE, renews=True)
    bench.tokens.knows(seen=token(1))
    call = bench.called(patience=1.0)
    call.go()
    bench.tokens.knows(seen=token(2))
    call.give(Answer(401))
    with pytest.raises(RateLimited) as late:
        passed_announcements(call).late(9.0)
    assert late.value.sent


def passed_announcements(call: Stepped) -> Stepped:
    while isinstance(call.step, Announce):
        call.give(None)
    return call


def test_time_that_is_over_in_our_own_line_says_nothing_of_the_api() -> None:
    bench = Bench(limit=RATE, retry=Retry(), breaker=Breaker(failures=2, share=0.01))
    bench.sight.see(None, bench.clock.now)
    for _ in range(5):
        call = bench.called()
        call.go()
        call.give(Answer(200))  # which fills the window with successes
    call = bench.called(deadline=5.0)
    call.go()
    call.give(Answer(503))
    assert isinstance(passed(call, []).step, Sleep)
    call.give(None)
    late = DeadlineExceeded("late")  # of the whole call: an attempt before it was sent
    with pytest.raises(DeadlineExceeded):
        call.throw(late)
    assert bench.sight.circuit is None


def test_a_body_that_cannot_be_sent_twice_costs_nothing_of_the_budget() -> None:
    bench = Bench(retry=Retry())
    for _ in range(3):
        call = bench.called(rewindable=False)
        assert call.give(Answer(503)) == ("done", Answer(503))
    assert sum(bench.guard.budget.spend() for _ in range(20)) == RESERVE
