"""Processes die and replies get lost: what the provider's grace allows is mended by itself."""

import random
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.fleet.crew import Worker

from .crew import Crew
from .line import Line
from .load import BRIEF, FULL, Scale, at_length, expiries, figures, wait_for
from .provider.handle import Provider

Crews = Callable[..., Crew]
Lines = Callable[..., Line]
Tell = Callable[[str], None]

TOKEN_TIMEOUT = 1  # the claim of a dead process ends after that and two seconds
DELAY = 0.2
MEMORY_SECONDS = 1


@pytest.mark.parametrize(
    ("scale", "kills"),
    [pytest.param(BRIEF, 2, id="short"), pytest.param(FULL, 40, id="full", marks=at_length)],
)
def test_killed_processes_lose_no_grant(
    lenient: Provider, crew: Crews, line: Lines, tell: Tell, scale: Scale, kills: int
) -> None:
    slow = line(lenient, DELAY)
    api = lenient.client(lenient.mint(), token_url=slow.token_url)
    workers = crew(scale.processes, api={**api, "TOKEN_TIMEOUT": TOKEN_TIMEOUT})
    workers.start(threads=scale.threads, every=scale.every)
    due = random.sample(range(1, scale.expiries), kills)
    for expired in expiries(lenient, scale.expiries):
        if expired in due[: kills // 2]:
            workers.replace(whoever_asks(slow, workers))
        elif expired in due:
            workers.replace(random.choice(workers.workers))
    calls, seen = workers.stop(), lenient.seen()

    tell(f"{kills} processes killed: {figures(calls, seen, expired)}")
    assert seen.alive == ["ann"]
    assert seen.reused == 0
    assert len(seen.repeated) <= kills
    assert calls.failed == []


def whoever_asks(slow: Line, workers: Crew) -> Worker:
    """Give the worker that asks for a token, if there is time to tell which one it is."""
    source = slow.asking(1.0)
    time.sleep(random.uniform(0.0, DELAY))
    with suppress(LookupError, StopIteration):  # he has his answer
        return workers.calling(slow.port, source=source or 0)
    return workers.workers[0]


@pytest.mark.parametrize(
    ("scale", "losses"),
    [pytest.param(BRIEF, 2, id="short"), pytest.param(FULL, 20, id="full", marks=at_length)],
)
def test_lost_replies_are_asked_for_again_in_the_grace_window(
    lenient: Provider, crew: Crews, line: Lines, tell: Tell, scale: Scale, losses: int
) -> None:
    bad = line(lenient)
    api = lenient.client(lenient.mint(), token_url=bad.token_url)
    workers = crew(scale.processes, api=api)
    workers.start(threads=scale.threads, every=scale.every)
    due = set(random.sample(range(1, scale.expiries), losses))
    for expired in expiries(lenient, scale.expiries):
        if expired in due:
            bad.lose()  # the reply that is on its way, or else the next
    calls, seen = workers.stop(), lenient.seen()

    tell(f"{bad.lost} replies lost: {figures(calls, seen, expired)}")
    assert bad.lost == losses
    assert seen.alive == ["ann"]
    assert seen.reused == 0
    assert losses <= len(seen.repeated) <= 2 * losses
    assert calls.failed == []


@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=at_length)])
def test_without_grace_a_lost_reply_needs_a_person_and_one_refresh_token(
    strict: Provider, crew: Crews, line: Lines, tell: Tell, seconds: int
) -> None:
    bad = line(strict)
    api = strict.client(strict.mint(), token_url=bad.token_url)
    workers = crew(BRIEF.processes, api={**api, "MEMORY_SECONDS": MEMORY_SECONDS})
    workers.start(threads=BRIEF.threads, every=BRIEF.every)
    wait_for(lambda: len(workers.calls()) > 100)
    asked = len(strict.seen().asked)
    bad.lose()
    strict.expire()
    wait_for(lambda: workers.ask("inspect")["grant"] == "needs attention")
    noticed = time.time()
    time.sleep(seconds)
    storm = strict.seen().asked[asked:]
    workers.ask("store", refresh_token=strict.mint())
    stored = time.time()
    time.sleep(MEMORY_SECONDS + 3)
    calls = workers.stop()

    errors = {str(call.end) for call in calls.since(noticed).failed}
    tell(
        f"a reply lost without grace: {len(storm)} token requests in {seconds} s, "
        f"{len(calls.failed)} calls failed: {errors}"
    )
    assert len(storm) <= 3
    assert len(errors) == 1
    assert "store-refresh-token api" in errors.pop()
    assert calls.since(stored + MEMORY_SECONDS + 1).failed == []
    assert len(calls.since(stored + MEMORY_SECONDS + 1)) > 100
