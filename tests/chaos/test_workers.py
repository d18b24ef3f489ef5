"""Workers die, fall asleep, and have the wrong time; the others go on."""

import time
from signal import SIGCONT, SIGSTOP

from .lengths import also_short, only_full
from .load import TARGETS
from .storm import LEASE, Storm

HOUR = 3600.0
TOKEN_DELAY = 1.0


@only_full
def test_clocks_an_hour_off_fail_no_call(storm: Storm) -> None:
    life = storm.seconds / 4
    storm.api.set(dated=True, expires_in=life)
    half = storm.scale.processes // 2
    storm.crew.muster(half, clock=HOUR)
    storm.crew.muster(half, clock=-HOUR)
    storm.begin(
        "clocks an hour ahead in half of the processes, an hour behind in the others",
        "0 failed, one token request for all in each life of a token",
    )
    storm.wait(1)
    # What Date says is known to a second: machines tell a token from one that is as old as that
    # by no more. One that is revoked so soon costs a call its 401.
    outcome = storm.end(rest=3)

    assert outcome.complaints == []
    assert outcome.failed == []
    assert max(outcome.asked_for.values()) <= storm.lives(life)
    assert outcome.calls.stall < 1


@also_short
def test_a_worker_killed_while_it_renews_costs_its_lease(storm: Storm) -> None:
    storm.api.set(token_delay=TOKEN_DELAY)
    storm.begin(
        "workers SIGKILLed while they renew",
        "0 failed in the others, at most one token request more; no stall above the lease and 2 s",
    )
    kills, asked = 0, 0
    while time.time() < storm.began + storm.seconds - LEASE:
        before = len(storm.asked)
        storm.api.expire_all()
        storm.crew.dismiss(storm.asker(among=before + 1))
        kills += 1
        asked += 2 * len(TARGETS)
        storm.crew.muster(1)
        time.sleep(LEASE + TOKEN_DELAY + 1)
    storm.wait_until(storm.seconds)
    outcome = storm.end()

    assert kills > 0
    assert outcome.complaints == []
    assert outcome.failed == []
    assert len(outcome.asked) <= asked
    assert outcome.calls.stall < LEASE + 2 * TOKEN_DELAY + 1


@only_full
def test_a_worker_stopped_past_its_lease_publishes_nothing_late(storm: Storm) -> None:
    storm.api.set(token_delay=TOKEN_DELAY)
    storm.begin(
        "workers SIGSTOPped while they renew, and resumed past their lease",
        "0 failed, at most one token request more; no stall in the others above the lease and 2 s",
    )
    stops, sleepers = 0, []
    while time.time() < storm.began + storm.seconds - 2 * LEASE:
        before = len(storm.asked)
        storm.api.expire_all()
        sleeper = storm.asker(among=before + 1)
        sleeper.signal(SIGSTOP)
        time.sleep(LEASE + 2)
        sleeper.signal(SIGCONT)
        stops += 1
        sleepers.append(sleeper.process.pid)
        time.sleep(3)
    storm.wait_until(storm.seconds)
    outcome = storm.end()

    assert stops > 0
    assert outcome.complaints == []
    assert outcome.failed == []
    assert len(outcome.asked) <= 2 * len(TARGETS) * stops
    awake = {w.process.pid for w in storm.crew.workers} - set(sleepers)
    assert outcome.calls.of(*awake).stall < LEASE + 2 * TOKEN_DELAY + 1
