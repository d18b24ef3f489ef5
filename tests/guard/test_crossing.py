"""A circuit shuts off all processes, lets one request try the API out, and closes for all."""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import Any

import pytest

from apiclient_app.exceptions import (
    CircuitOpen,
    DeadlineExceeded,
    RequestTimeout,
    ResponseTooLarge,
    StoreUnavailable,
    TransportError,
)
from apiclient_app.guard.circuit import Breaker, Circuit
from apiclient_app.steps import Announce, GateCall, Send

from .steps import LEASE, Answer, Bench, Stepped, asks

BREAKER = Breaker(failures=3, share=0.5, window=30.0, pause=10.0)
OK, DOWN = Answer(), Answer(500)
LOOK = GateCall("circuit")


class Cancelled(BaseException):
    """As asyncio's, a task's time limit, or Ctrl-C."""


@pytest.fixture
def bench() -> Bench:
    return Bench(breaker=BREAKER)


def closed(bench: Bench) -> None:
    """Have it known that the circuit is closed."""
    bench.sight.see(None, bench.clock.now)


def opened(bench: Bench, circuit: Circuit | None = None) -> Circuit:
    """Have another process's open circuit known."""
    circuit = circuit or Circuit(bench.clock.now, bench.clock.now + 10)
    bench.sight.see(circuit, bench.clock.now)
    return circuit


def failed(bench: Bench, times: int = 3) -> Stepped:
    for _ in range(times):
        call = bench.called()
        assert isinstance(call.step, Send)
        call.give(DOWN)
        bench.clock.now += 0.1
    return call


def refused(call: Stepped, value: Any = None) -> CircuitOpen:
    with pytest.raises(CircuitOpen) as error:
        call.give(value)
    return error.value


def test_a_closed_circuit_is_looked_at_every_memory_seconds(bench: Bench) -> None:
    call = bench.called()
    assert call.step == LOOK
    assert isinstance(call.give(None), Send)
    for _ in range(49):
        assert isinstance(bench.called().step, Send)
        bench.clock.now += 0.1
    bench.clock.now += 0.2
    assert bench.called().step == LOOK


def test_while_one_looks_the_others_do_not_wait_for_it(bench: Bench) -> None:
    assert bench.called().step == LOOK
    assert isinstance(bench.called().step, Send)


def test_an_open_circuit_is_looked_at_every_second(bench: Bench) -> None:
    opened(bench)
    with pytest.raises(CircuitOpen):
        bench.called()
    bench.clock.now += 1.1
    assert bench.called().step == LOOK


def test_a_clock_that_goes_back_makes_it_look(bench: Bench) -> None:
    closed(bench)
    bench.clock.now -= 3600
    assert bench.called().step == LOOK


def test_too_many_failures_open_it_and_have_it_rest(bench: Bench) -> None:
    closed(bench)
    call = failed(bench)
    assert asks(call.step, "open")
    circuit, rest = call.step.args
    assert rest == pytest.approx(10.0)
    assert circuit.until - circuit.at == pytest.approx(10.0)
    assert call.give(None)[0] == "done"
    with pytest.raises(CircuitOpen, match="breaker api close"):
        bench.called()


def test_an_open_circuit_says_when_it_will_be_tried(bench: Bench) -> None:
    opened(bench)
    bench.clock.now += 0.5
    with pytest.raises(CircuitOpen) as error:
        bench.called()
    assert error.value.retry_after == pytest.approx(9.5)
    assert error.value.sent is False


def test_the_clock_of_who_opened_it_makes_nobody_wait_for_an_hour(bench: Bench) -> None:
    opened(bench, Circuit(bench.clock.now + 3600, bench.clock.now + 3610))
    with pytest.raises(CircuitOpen) as error:
        bench.called()
    assert error.value.retry_after == 160.0
    bench.clock.now += 1.1
    call = bench.called()
    call.give(Circuit(bench.clock.now + 3600, bench.clock.now + 3610))
    assert asks(call.step, "probe")  # the cache knows how long it rests


def test_a_failure_makes_it_look_for_what_others_know(bench: Bench) -> None:
    closed(bench)
    bench.clock.now += 1.0
    failed(bench, times=1)
    assert bench.called().step == LOOK


def test_one_request_tries_the_api_out_and_the_others_are_refused(bench: Bench) -> None:
    circuit = opened(bench)
    bench.clock.now += 10
    prober = bench.called()
    assert asks(prober.give(circuit), "probe")
    assert prober.step.args[1] == LEASE
    with pytest.raises(CircuitOpen):
        bench.called()
    assert isinstance(prober.give(True), Send)
    with pytest.raises(CircuitOpen):
        bench.called()


def test_who_does_not_get_the_probe_is_refused(bench: Bench) -> None:
    circuit = opened(bench)
    bench.clock.now += 10
    call = bench.called()
    call.give(circuit)
    assert refused(call, value=False).retry_after == 1.0


def probing(bench: Bench) -> Stepped:
    circuit = opened(bench)
    bench.clock.now += 10
    call = bench.called()
    call.give(circuit)
    assert isinstance(call.give(True), Send)
    return call


def test_a_probe_that_succeeds_closes_it_for_all(bench: Bench) -> None:
    call = probing(bench)
    assert call.give(OK) == GateCall("recover")
    assert call.give(None) == ("done", OK)
    assert isinstance(bench.called().step, Send)


def test_a_probe_that_fails_opens_it_for_twice_as_long(bench: Bench) -> None:
    call = probing(bench)
    assert asks(call.give(DOWN), "open")
    circuit, rest = call.step.args
    assert (rest, circuit.count) == (20.0, 2)
    assert call.give(None) == ("done", DOWN)
    with pytest.raises(CircuitOpen):
        bench.called()


@pytest.mark.parametrize("why", [Cancelled(), DeadlineExceeded()])
def test_a_probe_that_is_interrupted_is_given_back(bench: Bench, why: BaseException) -> None:
    if isinstance(why, DeadlineExceeded):
        why.sent = False
    circuit = opened(bench)
    bench.clock.now += 10
    call = bench.called()
    owner = call.give(circuit).args[0]
    call.give(True)
    assert call.throw(why) == GateCall("unprobe", (owner,))
    with pytest.raises(type(why)):
        call.give(None)


def test_one_that_was_opened_by_hand_is_never_tried(bench: Bench) -> None:
    circuit = opened(bench, Circuit(bench.clock.now, inf))
    for _ in range(100):
        bench.clock.now += 3600
        call = bench.called()
        assert call.step == LOOK
        assert refused(call, circuit).retry_after is None


def test_one_that_is_closed_elsewhere_is_closed_here_and_its_failures_are_forgotten(
    bench: Bench,
) -> None:
    closed(bench)
    failed(bench).give(None)
    bench.clock.now += 1.1
    call = bench.called()
    assert isinstance(call.give(None), Send)
    assert call.give(DOWN)[0] == "done"
    assert failed(bench, times=1).step[0] == "done"


def test_with_the_store_down_each_process_is_on_its_own(bench: Bench) -> None:
    call = bench.called()
    assert isinstance(call.throw(StoreUnavailable()), Send)
    call.give(DOWN)
    call = failed(bench, times=2)
    assert asks(call.step, "open")
    assert call.throw(StoreUnavailable())[0] == "done"
    bench.clock.now += 1.1
    early = bench.called()
    assert early.step == LOOK
    assert asks(early.throw(StoreUnavailable()), "probe")
    with pytest.raises(CircuitOpen):
        early.throw(StoreUnavailable())
    bench.clock.now += 10
    prober = bench.called()
    prober.throw(StoreUnavailable())
    assert isinstance(prober.throw(StoreUnavailable()), Send)
    with pytest.raises(CircuitOpen):
        bench.called()
    assert prober.give(OK) == GateCall("recover")
    assert prober.throw(StoreUnavailable()) == ("done", OK)
    assert isinstance(bench.called().step, Send)


@pytest.mark.parametrize(
    ("came_of_it", "counts"),
    [
        (DOWN, True),
        (Answer(503), True),
        (TransportError("reset"), True),
        (RequestTimeout("no answer"), True),
        (Answer(404), False),
        (Answer(429), False),
        (ResponseTooLarge("long"), False),
    ],
)
def test_what_counts_is_what_says_that_the_api_is_down(
    bench: Bench, came_of_it: Any, counts: bool
) -> None:
    closed(bench)
    failed(bench, times=2)
    call = bench.called()
    if isinstance(came_of_it, BaseException):
        step = None
        with suppress(TransportError):
            step = call.throw(came_of_it)
    else:
        step = call.give(came_of_it)
    assert asks(step, "open") == counts


def test_who_lost_patience_before_anything_was_sent_says_nothing_of_the_api(bench: Bench) -> None:
    closed(bench)
    for _ in range(10):
        call = bench.called()
        late = DeadlineExceeded("late")
        late.sent = False
        with pytest.raises(DeadlineExceeded):
            call.throw(late)
    failed(bench, times=2)
    assert bench.sight.circuit is None


def test_a_token_that_cannot_be_had_says_nothing_of_the_api() -> None:
    bench = Bench(breaker=BREAKER, renews=True)
    closed(bench)
    for _ in range(10):
        call = bench.called()
        while not (asks(call.step, "open") or isinstance(call.step, Send)):
            if isinstance(call.step, Announce):
                call.give(None)
                continue
            with pytest.raises(TransportError):
                call.throw(TransportError("no token"))
            break
    assert bench.sight.circuit is None
    assert bench.sight.score.add(bench.clock.now, failed=True) is False
