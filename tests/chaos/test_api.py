"""The API itself misbehaves: what a new token cannot mend makes nobody ask for one for ever."""

from dataclasses import asdict

from tests.servers import Reply

from .lengths import only_full
from .storm import Storm

MENDED = 6  # seconds after which a revocation is noticed amid refusals that a token cannot mend
EVERY_TENTH = 10
PAGE = Reply(body="x" * 20_000, style="reset")


@only_full
def test_an_api_that_refuses_everything_costs_few_token_requests(storm: Storm) -> None:
    storm.begin(
        "API: 401 for ever",
        "each call Unauthorized, at most 7 token requests a token in a minute (12 in five)",
    )
    storm.api.set(forbid_all=True)
    storm.wait_until(storm.seconds)
    storm.api.set(forbid_all=False)
    outcome = storm.end(mended=MENDED)

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) == {"Unauthorized"}
    assert max(outcome.asked_for.values()) <= 7
    assert outcome.calls.stall < 1


@only_full
def test_an_api_that_refuses_every_second_call_costs_few_token_requests(storm: Storm) -> None:
    storm.begin("API: every second call 401", "no loop: at most 12 token requests a token")
    storm.api.set(odd={"every": 2, "reply": asdict(Reply(401))})
    storm.wait_until(storm.seconds)
    storm.api.set(odd={})
    outcome = storm.end(mended=MENDED)

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) == {"Unauthorized"}
    assert max(outcome.asked_for.values()) <= 12
    assert outcome.calls.stall < 1


@only_full
def test_a_connection_torn_in_mid_body_fails_its_call_alone(storm: Storm) -> None:
    storm.begin(
        "API: every tenth connection reset in mid body",
        "only these calls fail, with a TransportError; 0 token requests",
    )
    storm.api.set(odd={"every": EVERY_TENTH, "reply": asdict(PAGE)})
    storm.wait_until(storm.seconds)
    storm.api.set(odd={})
    outcome = storm.end()

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) == {"TransportError"}
    assert len(outcome.failed) <= len(outcome.calls) / EVERY_TENTH + 1
    assert outcome.asked == []
    assert outcome.calls.stall < 1
