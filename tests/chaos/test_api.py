"""The API itself misbehaves: what a new token cannot mend makes nobody ask for one for ever."""

import time
from dataclasses import asdict

from apiclient_app.guard.circuit import LONGEST_FACTOR
from apiclient_app.guard.retries import RESERVE, Retry
from tests.servers import Reply

from .lengths import only_full
from .storm import Storm

MENDED = 6  # seconds after which a revocation is noticed amid refusals that a token cannot mend
EVERY_TENTH = 10
BUDGET = Retry().budget
PAUSE = 1.0  # of an open circuit, at first
CLOSED = LONGEST_FACTOR * PAUSE + 1
FIRST = 500  # requests until every process has heard of it
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


@only_full
def test_with_retries_no_call_fails_for_a_torn_connection(storm: Storm) -> None:
    storm.configure(RETRY={"attempts": 6, "backoff": 0.1})
    storm.begin(
        "API: every tenth connection reset in mid body, with RETRY",
        "0 failed, 0 token requests; at most a fifth more requests than calls",
    )
    before, torn = storm.api.count(200), time.time()
    storm.api.set(odd={"every": EVERY_TENTH, "reply": asdict(PAGE)})
    storm.wait_until(storm.seconds)
    storm.api.set(odd={})
    sent = storm.api.count(200) - before
    outcome = storm.end()

    assert outcome.complaints == []
    assert outcome.failed == []
    assert outcome.asked == []
    assert len(outcome.calls.since(torn)) < sent <= (1 + BUDGET) * len(outcome.calls)
    assert outcome.calls.stall < 2


def down(storm: Storm) -> int:
    """Let the API be down for all of the time; give how many requests it got."""
    storm.api.always("/api/whose", Reply(503))
    before = storm.api.count(503)
    storm.wait_until(storm.seconds)
    sent = storm.api.count(503) - before
    storm.api.usual("/api/whose")
    return sent


@only_full
def test_retries_do_not_multiply_an_outage(storm: Storm) -> None:
    storm.configure(RETRY=4)
    storm.begin(
        "API: 503 for ever, with RETRY: 4",
        "each call a ServerError, at most a fifth more requests than calls",
    )
    sent = down(storm)
    outcome = storm.end()

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) == {"ServerError"}
    reserve = 2 * RESERVE * storm.scale.processes
    assert sent <= (1 + BUDGET) * len(outcome.calls) + reserve
    assert outcome.asked == []


@only_full
def test_an_open_circuit_spares_an_api_that_is_down_and_closes_when_it_is_back(
    storm: Storm,
) -> None:
    storm.configure(BREAKER={"pause": PAUSE})
    storm.begin(
        "API: 503 for ever, with BREAKER",
        f"a hundredth of the requests; all is well {CLOSED:.0f} s after it is",
    )
    sent = down(storm)
    mended = time.time()
    time.sleep(CLOSED + 3)
    outcome = storm.end()

    assert outcome.complaints == []
    assert set(outcome.calls.kinds) <= {"ServerError", "CircuitOpen"}
    assert sent <= FIRST + len(outcome.calls) / 100
    assert outcome.calls.since(mended + CLOSED).failed == []
    assert outcome.asked == []
    assert outcome.calls.stall < 1
