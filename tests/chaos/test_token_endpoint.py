"""The token endpoint fails: with a token nobody notices, without one all are told at once."""

import time
from statistics import median

import pytest

from tests.servers import Handle, Reply

from .lengths import only_full
from .load import TARGETS
from .storm import TOKEN_TIMEOUT, Storm

HTML = Reply(body="<html><title>Down for maintenance</title></html>")
TROUBLES = {"503": Reply(503), "hanging": Reply(style="hang"), "HTML": HTML}
DEADLINE = 1.0
LONGEST_COOLDOWN = 36  # 30 s and their jitter


def break_off(api: Handle, trouble: str) -> None:
    if trouble == "half a reply":
        api.set(token_style="cut")
    else:
        api.always("/token", TROUBLES[trouble])


def mend(api: Handle) -> None:
    api.set(token_style="whole")
    api.usual("/token")


@only_full
@pytest.mark.parametrize("trouble", ["503", "hanging", "HTML", "half a reply"])
def test_a_token_endpoint_in_trouble_fails_no_call_while_the_token_lives(
    storm: Storm, trouble: str
) -> None:
    # Stale after four fifths of it: some seconds before the end, and dead some seconds after.
    storm.api.set(expires_in=1.05 * storm.seconds + 5)
    storm.begin(
        f"token endpoint: {trouble} for {storm.seconds:.0f} s, a valid token held",
        "0 failed, no stall but of the caller who asks; at most 6 token requests a token",
    )
    break_off(storm.api, trouble)
    storm.wait_until(storm.seconds)
    mend(storm.api)
    storm.wait(0.2)
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert outcome.calls.stall < TOKEN_TIMEOUT + 1
    assert len(TARGETS) < len(outcome.asked)  # it was tried
    assert max(outcome.asked_for.values()) <= 6


@only_full
@pytest.mark.parametrize("trouble", ["503", "hanging"])
def test_without_a_token_all_are_told_so_at_once(storm: Storm, trouble: str) -> None:
    break_off(storm.api, trouble)
    storm.begin(
        f"token endpoint: {trouble} for {storm.seconds:.0f} s, no token",
        "each call a TokenUnavailable, half of them within 20 ms; at most 10 token requests a "
        f"token; back within {LONGEST_COOLDOWN} s",
        cold=True,
    )
    storm.wait_until(storm.seconds)
    during = storm.crew.calls()
    mend(storm.api)
    mended = time.time()
    time.sleep(LONGEST_COOLDOWN)
    outcome = storm.end()

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) == {"TokenUnavailable"}
    assert len(during.failed) == len(during)
    assert median(call.elapsed for call in during) < 0.02
    assert outcome.calls.stall < 2 * TOKEN_TIMEOUT + 1
    assert max(outcome.asked_for.values()) <= 10
    assert outcome.calls.since(mended + LONGEST_COOLDOWN - 1).failed == []


@only_full
def test_a_deadline_holds_where_the_token_endpoint_hangs(storm: Storm) -> None:
    storm.configure(DEADLINE=DEADLINE)
    break_off(storm.api, "hanging")
    storm.begin(
        f"token endpoint: hanging for {storm.seconds:.0f} s, no token, DEADLINE: {DEADLINE:.0f}",
        f"no call above {DEADLINE + 0.5:.1f} s, each a TokenUnavailable or DeadlineExceeded",
        cold=True,
    )
    storm.wait_until(storm.seconds)
    during = storm.crew.calls()
    mend(storm.api)
    time.sleep(LONGEST_COOLDOWN)
    outcome = storm.end()

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) <= {"TokenUnavailable", "DeadlineExceeded"}
    assert len(during.failed) == len(during)
    assert outcome.calls.stall < DEADLINE + 0.5
    assert max(outcome.asked_for.values()) <= 10
