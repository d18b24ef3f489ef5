"""A request waits for its moment and its slot, and gives the slot back whatever happens."""

from __future__ import annotations

from math import inf

import pytest

from apiclient_app.exceptions import RateLimited, TransportError
from apiclient_app.guard.limiting import HORIZON
from apiclient_app.guard.line import LONGEST_TURN, STANDING, Place
from apiclient_app.guard.rates import LONGEST_TOLD, Told
from apiclient_app.steps import GateCall, Sleep, Wait

from .steps import LEASE, RATE, SEND, Answer, Bench, Stepped, asks, wish

OK = Answer()


class Cancelled(BaseException):
    """As asyncio's, a task's time limit, or Ctrl-C."""


def standing(bench: Bench) -> Stepped:
    """Begin one that finds no slot."""
    call = bench.limited()
    if asks(call.step, "admit"):
        call.full()
    assert isinstance(call.step, Wait)
    return call


def led() -> Bench:
    """Give a process of which one of many has its moment, far off."""
    bench = Bench(limit=RATE)
    first = bench.limited(patience=inf)
    first.late(500.0)
    first.go(500.0)
    return bench


def waited_for_nothing(bench: Bench, call: Stepped) -> None:
    for _ in range(1000):
        if asks(call.step, "admit"):
            call.full()
        else:
            bench.clock.now += call.step.seconds
            call.give(None)


def test_a_request_is_sent_at_once_where_it_may_go() -> None:
    call = Bench(limit=RATE).limited()
    assert wish(call.step)["longest"] == 30.0
    assert call.go() == SEND
    assert call.give(OK) == ("done", OK)


def test_a_request_sleeps_until_the_moment_that_is_reserved_for_it() -> None:
    call = Bench(limit=RATE).limited()
    assert call.go(2.5) == Sleep(2.5)
    assert call.give(None) == SEND


def test_a_request_whose_moment_is_beyond_its_patience_fails_and_says_when() -> None:
    call = Bench(limit=RATE).limited(patience=1.0)
    with pytest.raises(RateLimited, match=r"kept back by RATE_LIMIT.*was not sent") as failed:
        call.late(42.0)
    assert (failed.value.retry_after, failed.value.sent) == (42.0, False)


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (41.2, "42 s"), (3599.5, "3600 s")])
def test_when_to_try_again_is_said_in_whole_seconds(seconds: float, said: str) -> None:
    call = Bench(limit=RATE).limited(patience=0.1)
    with pytest.raises(RateLimited, match=rf" Try again in {said}\.$") as failed:
        call.late(seconds)
    assert failed.value.retry_after == seconds


def test_a_deadline_that_runs_bounds_the_wait() -> None:
    bench = Bench(limit=RATE)
    request = bench.request(deadline=2.0)
    request.start()
    bench.clock.now += 0.5
    limiting = bench.guard.limiting
    assert limiting is not None
    call = Stepped(limiting.limited(request, SEND))
    assert wish(call.step)["longest"] == 1.5


def test_the_time_of_a_request_runs_from_when_it_may_go() -> None:
    bench = Bench(limit=RATE)
    request = bench.request(deadline=2.0)
    limiting = bench.guard.limiting
    assert limiting is not None
    call = Stepped(limiting.limited(request, SEND))
    call.go(20.0)
    assert request.begun == 0
    assert call.give(None) == SEND
    assert request.begun == 1


def test_one_of_many_looks_a_little_ahead_and_never_fails() -> None:
    bench = led()
    call = bench.limited(patience=inf)
    for _ in range(50):
        assert wish(call.step)["longest"] == HORIZON
        slept = call.late(1000.0)
        assert isinstance(slept, Sleep)
        assert 1000.0 - HORIZON <= slept.seconds <= 1000.0
        bench.clock.now += slept.seconds
        call.give(None)
    assert call.go() == SEND


def test_of_many_one_stands_among_the_single_calls_and_then_the_next() -> None:
    bench = Bench(limit=RATE)
    first, second = bench.limited(patience=inf), bench.limited(patience=inf)
    first.late(5.0)
    assert wish(first.step)["longest"] == inf
    assert first.go(5.5) == Sleep(5.5)
    assert second.late(5.0).seconds < 5.5  # it only looks again
    assert first.give(None) == SEND
    second.give(None)
    second.late(5.0)
    assert wish(second.step)["longest"] == inf
    with pytest.raises(Cancelled):
        second.throw(Cancelled())
    assert not bench.queue.leading


def test_with_slots_the_first_that_is_late_asks_again_as_soon_as_it_is_worth_it() -> None:
    bench = Bench(limit=RATE, most=5)
    calls = [bench.limited() for _ in range(5)]
    pauses = [call.late(5.0).seconds for call in calls]
    assert pauses[0] == 5.0 - HORIZON / 2
    assert min(pauses[1:]) > pauses[0]
    with pytest.raises(Cancelled):
        calls[0].throw(Cancelled())
    calls[1].give(None)
    assert calls[1].late(5.0).seconds == 5.0 - HORIZON / 2


def test_those_who_come_late_do_not_all_ask_again_at_once() -> None:
    bench = led()
    calls = [bench.limited(patience=inf) for _ in range(20)]
    pauses = [call.late(10.0).seconds for call in calls]
    assert pauses == sorted(set(pauses))
    assert pauses[-1] - pauses[0] >= 19 * 0.1 * 0.5  # their pace, by the jitter


def test_one_of_many_that_comes_while_others_sleep_does_not_ask_before_them() -> None:
    """Or else the process that has most under way would get the most of what comes free."""
    bench = led()
    bench.limited(patience=inf).late(10.0)
    bench.clock.now += 4
    later = bench.limited(patience=inf)
    assert isinstance(later.step, Sleep)
    assert later.step.seconds >= 10.0 - HORIZON / 2 - 4 + 0.1 * 0.5
    bench.clock.now += later.step.seconds
    assert asks(later.give(None), "admit")
    assert asks(bench.limited().step, "admit")  # a single call has its own patience


def test_the_more_ask_in_vain_the_longer_each_sleeps_and_then_less_again() -> None:
    bench = led()
    call, others = bench.limited(patience=inf), [bench.limited(patience=inf) for _ in range(3)]
    for other in others:
        other.late(1.0)
    pauses = [call.late(1.0).seconds]
    for _ in range(30):
        call.give(None)
        pauses.append(call.late(1.0).seconds)
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 1.0 + 3 * 0.1 * 0.5 * 64
    for _ in range(40):
        bench.limited().go()
    call.give(None)
    assert call.late(1.0).seconds < pauses[5]


def test_whoever_sleeps_and_is_interrupted_holds_nobody_else_up() -> None:
    bench = led()
    call = bench.limited(patience=inf)
    call.late(10.0)
    assert bench.queue.late == 1
    with pytest.raises(Cancelled):
        call.throw(Cancelled())
    assert bench.queue.late == 0


@pytest.mark.parametrize("end", [OK, TransportError("cut"), Cancelled()])
def test_a_slot_is_given_back_whatever_comes_of_the_request(end: object) -> None:
    call = Bench(most=2).limited()
    owner = wish(call.step)["owner"]
    assert call.go() == SEND
    left = call.throw(end) if isinstance(end, BaseException) else call.give(end)
    assert left == GateCall("leave", (owner,))
    if isinstance(end, BaseException):
        with pytest.raises(type(end)):
            call.give(0)
    else:
        assert call.give(0) == ("done", OK)


@pytest.mark.parametrize("when", ["asking", "reserved"])
def test_a_slot_is_given_back_by_who_is_interrupted_before_he_sends(when: str) -> None:
    call = Bench(limit=RATE, most=2).limited()
    owner = wish(call.step)["owner"]
    if when == "reserved":
        assert call.go(0.3) == Sleep(0.3)
    assert call.throw(Cancelled()) == GateCall("leave", (owner,))
    with pytest.raises(Cancelled):
        call.give(0)


def test_who_was_never_let_in_gives_nothing_back() -> None:
    call = Bench(limit=RATE, most=2).limited(patience=1.0)
    with pytest.raises(RateLimited):
        call.late(2.0)  # and no step before that


def test_each_request_is_another_owner_also_after_a_fork() -> None:
    bench, owners = Bench(most=2), set()
    for _ in range(3):
        owners |= {wish(bench.limited().step)["owner"] for _ in range(3)}
        bench.queue.reset()
    assert len(owners) == 9


def test_a_slot_is_not_held_for_a_moment_far_off() -> None:
    """Those whose moment is now could have it meanwhile: other subjects have other allowances."""
    bench = Bench(limit=RATE, most=2)
    call = bench.limited()
    assert wish(call.step)["longest"] == HORIZON
    assert isinstance(call.late(20.0), Sleep)  # no error: it is within the call's patience
    bench.clock.now += 19.75
    assert wish(call.give(None))["longest"] == HORIZON


def test_a_lease_is_as_long_as_the_request_can_take_or_as_its_deadline() -> None:
    bench = Bench(most=2)
    assert wish(bench.limited().step)["lease"] == LEASE + LONGEST_TURN
    request = bench.request(deadline=3.0)
    request.start()
    limiting = bench.guard.limiting
    assert limiting is not None
    short = Stepped(limiting.limited(request, SEND))
    assert wish(short.step)["lease"] == 3.0 + 1 + LONGEST_TURN


# The line


def test_who_finds_no_slot_stands_in_line_and_only_the_first_looks() -> None:
    bench = Bench(most=1)
    first = bench.limited()
    assert isinstance(first.full(), Wait)
    assert 0 < first.step.seconds <= 0.25
    second = bench.limited()
    assert isinstance(second.step, Wait)  # without asking the gate
    assert second.step.seconds == STANDING
    bench.clock.now += 0.25
    assert wish(first.give(None))["waited"] is True
    assert isinstance(second.give(None), Wait)


def test_who_is_done_hands_his_slot_to_the_first_without_a_trip() -> None:
    bench = Bench(most=1)
    served = bench.limited()
    owner = wish(served.step)["owner"]
    served.go()
    first, second = standing(bench), standing(bench)
    bench.clock.now += 0.02
    version = first.step.on.version
    assert served.give(OK) == ("done", OK)
    assert first.step.on.version != version  # it wakes
    assert first.give(None) == SEND
    bench.clock.now += 0.02
    first.give(OK)
    assert second.give(None) == SEND
    assert second.give(OK) == GateCall("leave", (owner,))


def test_with_a_rate_limit_a_slot_that_was_handed_on_is_kept_while_its_moment_is_asked_for() -> (
    None
):
    bench = Bench(limit=RATE, most=1)
    served = bench.limited()
    owner = wish(served.step)["owner"]
    served.go()
    waiting = bench.limited()
    waiting.full()
    served.give(OK)
    assert wish(waiting.give(None))["owner"] == owner
    assert waiting.go() == SEND


def test_a_slot_goes_round_among_processes_when_the_turn_of_one_is_over() -> None:
    bench = Bench(most=1)
    served = bench.limited()
    served.go()
    handed = 0
    while True:
        waiting = bench.limited()
        if asks(waiting.step, "admit"):
            waiting.full()
        bench.clock.now += 0.02
        served.give(OK)
        if asks(served.step, "leave"):
            break
        handed += 1
        assert waiting.give(None) == SEND
        served = waiting
    assert 5 <= handed <= 15
    # Others wait: they go first. If none does, our own first looks at once.
    served.give(2)
    assert isinstance(waiting.give(None), Wait)
    served = bench.limited()
    bench.queue.line.gave_back(0, bench.clock.now)
    assert asks(waiting.give(None), "admit")


def test_a_slot_whose_lease_will_not_do_for_the_next_is_renewed() -> None:
    bench = Bench(most=1)
    request = bench.request(deadline=1.0)
    request.start()
    limiting = bench.guard.limiting
    assert limiting is not None
    short = Stepped(limiting.limited(request, SEND))
    short.go()
    waiting = bench.limited()
    waiting.full()
    short.give(OK)
    assert wish(waiting.give(None))["lease"] == LEASE + LONGEST_TURN


def test_who_is_given_a_slot_and_interrupted_at_that_moment_hands_it_on() -> None:
    bench = Bench(most=1)
    served = bench.limited()
    served.go()
    first, second = standing(bench), standing(bench)
    served.give(OK)
    with pytest.raises(Cancelled):
        first.throw(Cancelled())
    assert second.give(None) == SEND


def test_who_waits_and_is_interrupted_leaves_the_line() -> None:
    bench = Bench(most=1)
    first, second = standing(bench), standing(bench)
    with pytest.raises(Cancelled):
        first.throw(Cancelled())
    bench.clock.now += 0.25
    assert asks(second.give(None), "admit")


def test_who_does_not_come_back_is_passed_by() -> None:
    """Its thread has died, or its event loop was closed under it."""
    bench = Bench(most=1)
    served = bench.limited()
    served.go()
    _dead, second = standing(bench), standing(bench)
    for _ in range(5):
        bench.clock.now += STANDING
        if asks(second.give(None), "admit"):
            second.full()
    served.give(OK)
    while second.step != SEND:  # its turn was over; it finds the slot
        bench.clock.now += STANDING
        second.go() if asks(second.step, "admit") else second.give(None)


@pytest.mark.parametrize("newcomer", [False, True])
def test_those_who_were_away_for_long_stand_in_line_again(newcomer: bool) -> None:
    """The consumer of a map was slow, the loop was blocked, the process was stopped."""
    bench = Bench(most=1)
    bench.limited().go()
    away = [standing(bench) for _ in range(3)]
    bench.clock.now += 6
    if newcomer:
        bench.limited().full()
    for call in away:
        call.give(None)
    looks = 0
    for _ in range(10):
        for call in away:
            if asks(call.step, "admit"):
                call.full()
                looks += 1
    assert looks == (0 if newcomer else 1)  # the next look is after a pause
    assert all(isinstance(call.step, Wait) for call in away)
    assert len(bench.queue.line.places) == 3 + newcomer


def test_whoever_comes_back_late_and_first_keeps_the_place_that_he_had() -> None:
    bench = Bench(most=1)
    bench.limited().go()
    first, second = standing(bench), standing(bench)
    bench.clock.now += 6
    assert asks(first.give(None), "admit")
    assert isinstance(second.give(None), Wait)


def test_whoever_was_passed_by_while_he_looked_has_his_turn_again() -> None:
    """Redis was slow; meanwhile the next one went to the head."""
    bench = Bench(most=1)
    bench.limited().go()
    slow, second = standing(bench), standing(bench)
    bench.clock.now += 0.25
    assert asks(slow.give(None), "admit")
    bench.clock.now += 2.5
    assert asks(second.give(None), "admit")
    slow.full()
    later = standing(bench)
    assert second.go() == SEND
    bench.clock.now += 0.25
    assert asks(slow.give(None), "admit")
    assert isinstance(later.give(None), Wait)


def test_who_is_given_a_slot_as_he_goes_to_look_has_that_and_no_other() -> None:
    bench = Bench(most=1)
    served = bench.limited()
    owner = wish(served.step)["owner"]
    served.go()
    call = standing(bench)
    line, pause = bench.queue.line, bench.queue.line.pause

    def outrun(place: Place | None, now: float) -> float:
        served.give(OK)  # another thread
        return pause(place, now)

    bench.clock.now += 0.02
    line.pause = outrun  # type: ignore[method-assign]
    assert call.give(None) == SEND
    line.pause = pause  # type: ignore[method-assign]
    bench.clock.now += 0.2
    assert call.give(OK) == GateCall("leave", (owner,))


def test_who_is_looking_is_not_given_a_slot_beside_the_one_he_finds() -> None:
    bench = Bench(most=2)
    served = bench.limited()
    served.go()
    looking = bench.limited()
    looking.full()
    bench.clock.now += 0.25
    assert asks(looking.give(None), "admit")
    served.give(OK)
    assert asks(served.step, "leave")
    assert looking.go() == SEND


def test_whose_patience_ends_in_line_is_told_by_which_setting() -> None:
    bench = Bench(most=1)
    call = bench.limited(patience=1.0)
    call.full()
    with pytest.raises(RateLimited, match="MAX_IN_FLIGHT") as failed:
        waited_for_nothing(bench, call)
    assert failed.value.sent is False
    assert failed.value.retry_after is not None
    assert failed.value.retry_after >= 0.25


def test_the_more_processes_wait_the_more_seldom_each_looks() -> None:
    few, many = Bench(most=1).limited(), Bench(most=1).limited()
    few.full(waiting=1)
    many.full(waiting=40)
    assert many.step.seconds > 5 * few.step.seconds
    assert many.step.seconds <= 0.25


# What the API says


def test_what_the_api_tells_is_passed_on_once_and_less_the_time_since() -> None:
    bench = Bench(limit=RATE)
    limiting = bench.guard.limiting
    assert limiting is not None
    assert Stepped(limiting.learn(Answer(told=Told(7, 30.0)))).step == ("done", None)
    bench.clock.now += 10
    assert wish(bench.limited().step)["told"] == Told(7, 20.0)
    assert wish(bench.limited().step)["told"] is None


def test_what_the_api_told_is_forgotten_when_its_window_is_over() -> None:
    bench = Bench(limit=RATE)
    limiting = bench.guard.limiting
    assert limiting is not None
    Stepped(limiting.learn(Answer(told=Told(7, 30.0))))
    bench.clock.now += 31
    assert wish(bench.limited().step)["told"] is None


def test_what_the_api_tells_one_subject_is_not_told_for_another() -> None:
    bench = Bench(limit=RATE)
    limiting = bench.for_subject("ada").limiting
    assert limiting is not None
    Stepped(limiting.learn(Answer(told=Told(7, 30.0))))
    assert wish(bench.limited("bob").step)["told"] is None
    assert wish(bench.limited("ada").step)["told"] == Told(7, 30.0)


def test_the_news_of_very_many_subjects_do_not_pile_up() -> None:
    queue = Bench(limit=RATE).queue
    for number in range(10_000):
        queue.tell(str(number), Told(1, 1.0), 0.0)
    assert len(queue.told) <= 4096


@pytest.mark.parametrize("status", [429, 503])
def test_whoever_is_sent_away_holds_everybody(status: int) -> None:
    limiting = Bench(limit=RATE).for_subject("ada").limiting
    assert limiting is not None
    learnt = Stepped(limiting.learn(Answer(status, retry_after=9.0)))
    assert learnt.step == GateCall("hold", ("ada", 9.0))
    assert learnt.give(None) == ("done", None)


@pytest.mark.parametrize("asked", [LONGEST_TOLD + 1, 86_401.0, 9e10])
def test_whoever_asks_for_days_or_years_is_asked_again_after_an_hour(asked: float) -> None:
    """A date that is wrong would hold the process, or the fleet, until somebody restarts it."""
    limiting = Bench(limit=RATE).guard.limiting
    assert limiting is not None
    learnt = Stepped(limiting.learn(Answer(429, retry_after=asked)))
    assert learnt.step == GateCall("hold", ("", LONGEST_TOLD))


def test_an_allowance_that_is_used_up_holds_everybody() -> None:
    limiting = Bench(limit=RATE).guard.limiting
    assert limiting is not None
    learnt = Stepped(limiting.learn(Answer(told=Told(0, 12.0))))
    assert learnt.step == GateCall("hold", ("", 12.0))


@pytest.mark.parametrize("answer", [Answer(503), Answer(500, retry_after=9.0), Answer()])
def test_other_answers_hold_nobody(answer: Answer) -> None:
    limiting = Bench(limit=RATE).guard.limiting
    assert limiting is not None
    assert Stepped(limiting.learn(answer)).step == ("done", None)


def test_with_slots_alone_the_api_is_not_listened_to() -> None:
    limiting = Bench(most=2).guard.limiting
    assert limiting is not None
    assert Stepped(limiting.learn(Answer(429, retry_after=9.0))).step == ("done", None)


def test_a_request_with_a_timeout_of_its_own_has_its_slot_for_as_long() -> None:
    call = Bench(most=1).limited(lease=600.0)
    assert wish(call.step)["lease"] == 600.0 + LONGEST_TURN
    assert wish(Bench(most=1).limited().step)["lease"] == LEASE + LONGEST_TURN
