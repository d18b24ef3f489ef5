"""A refresh that is interrupted: by Ctrl-C, by a task's time limit, by a worker's exit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apiclient_app.auth import Reply
from apiclient_app.rows import RowState

from .holding import Holding, granting, held, named, sent, text_of

STEPS = ["look", "acquire", "look", "read", "claim", "ask", "keep", "publish", "release"]
each_step = pytest.mark.parametrize("number", range(len(STEPS)), ids=lambda n: f"{n} {STEPS[n]}")


def stepped(bench: Holding, step: Any) -> Any:
    """Carry out one step, with the endpoint granting what is asked; give the next."""
    if named(step) != "ask":
        return bench.carry_out(step)
    bench.done.append("ask")
    now = bench.clock.now
    body = json.dumps(granting("access-2", "refresh-2")).encode()
    return bench.give(Reply(200, {}, body, now, now))


def interrupt(bench: Holding, number: int, *, after: bool) -> None:
    """Interrupt a refresh at this step, before or after it has had its effect."""
    bench.clock.now += 1001
    step = bench.begin(bench.seeking())
    for name in STEPS[:number]:
        assert named(step) == name
        step = stepped(bench, step)
    assert named(step) == STEPS[number]
    if after and named(step) != "ask":
        place: Any = bench.rows if named(step) in ("read", "claim", "keep") else bench.store
        getattr(place, step.method)(*step.args)
    with pytest.raises(KeyboardInterrupt):
        bench.on(bench.throw(KeyboardInterrupt()))


@each_step
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("same", [True, False], ids=["same process", "another"])
def test_an_interruption_loses_no_refresh_token(number: int, after: bool, same: bool) -> None:
    bench = held()
    interrupt(bench, number, after=after)
    bench.clock.now += 60
    next_one = bench if same else bench.beside()
    step = next_one.seek()
    if isinstance(step, tuple):
        assert text_of(step[1]) == "access-2"
        return
    # Once the reply was here, what it brought is what is sent next.
    came = STEPS.index("ask") < number
    assert sent(step)["refresh_token"] == ("refresh-2" if came else "refresh-1")


@each_step
def test_an_interruption_holds_nobody_up_for_longer_than_a_lease(number: int) -> None:
    bench = held()
    interrupt(bench, number, after=True)
    began, other = bench.clock.now, bench.beside()
    step = other.seek()
    assert isinstance(step, tuple) or sent(step)
    assert bench.clock.now - began < bench.renewal.lease + 0.2


def test_an_interrupted_request_leaves_a_doubt_and_no_claim() -> None:
    bench = held()
    interrupt(bench, STEPS.index("ask"), after=False)
    assert bench.row.state is RowState.IN_DOUBT
    assert bench.done[-2:] == ["let_go", "release"]


def test_an_interruption_between_two_tries_to_keep_loses_nothing_and_shows_nothing() -> None:
    bench = held()
    bench.dead()
    bench.table.down = True
    bench.reply(granting("access-2", "refresh-2"), to="sleep")
    with pytest.raises(KeyboardInterrupt) as caught:
        bench.on(bench.throw(KeyboardInterrupt()))
    # The frames of a database error hold the password of the database.
    assert caught.value.__context__ is None
    bench.table.down = False
    bench.clock.now += 60
    for one in (bench.beside(), bench):
        assert sent(one.seek())["refresh_token"] == "refresh-2"
        bench.clock.now += 60
