"""Two versions of the settings at once: neither meets the other's tokens, and no grant is lost."""

from typing import Any

from tests.secrecy.canaries import HEADER_TAIL

from .lengths import also_short, only_full
from .load import TARGETS
from .storm import Storm, clients

STALL = 2.0  # while as many processes start as call


def roll_out(storm: Storm, **settings: Any) -> None:
    """Have half of the workers replaced, and a while after that the others."""
    half = len(storm.crew.workers) // 2
    for moment, workers in ((0.15, storm.crew.workers[:half]), (0.6, storm.crew.workers[half:])):
        storm.wait_until(moment * storm.seconds)
        for worker in list(workers):
            storm.crew.replace(worker, **settings)
    storm.wait_until(storm.seconds)


@also_short
def test_a_changed_client_secret_costs_one_token_request_a_version(storm: Storm) -> None:
    secret = storm.canaries.hatch("the next client secret", tail=HEADER_TAIL)
    old = storm.crew.settings["API_CLIENTS"]["api"]["AUTH"]["OPTIONS"]["client_secret"]
    storm.begin(
        "rolling deployment: another client secret",
        "0 failed, one token request a token and version, no stall above 2 s",
    )
    storm.api.set(credentials={"app": secret}, older={"app": old})
    roll_out(storm, API_CLIENTS=clients(storm.api, secret))
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert len(outcome.asked) <= len(TARGETS)
    assert outcome.calls.stall < STALL


@only_full
def test_a_changed_scope_costs_one_token_request_a_version(storm: Storm) -> None:
    secret = storm.crew.settings["API_CLIENTS"]["api"]["AUTH"]["OPTIONS"]["client_secret"]
    storm.begin(
        "rolling deployment: another scope",
        "0 failed, one token request a token and version, no stall above 2 s",
    )
    roll_out(storm, API_CLIENTS=clients(storm.api, secret, scope="read write"))
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert len(outcome.asked) <= len(TARGETS)
    assert outcome.calls.stall < STALL


@only_full
def test_a_rotated_secret_key_costs_a_token_request_a_life(storm: Storm) -> None:
    storm.api.set(expires_in=storm.seconds / 3)
    fallback, key = storm.crew.settings["SECRET_KEY"], storm.canaries.hatch("the next SECRET_KEY")
    storm.begin(
        "SECRET_KEY rotated in half of the processes, then in the others, the old one a fallback",
        "0 failed, at most two token requests a token and life, no stall above 2 s",
    )
    roll_out(storm, SECRET_KEY=key, SECRET_KEY_FALLBACKS=[fallback])
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert max(outcome.asked_for.values()) <= 2 * storm.lives(storm.seconds / 3)
    assert outcome.calls.stall < STALL
