"""However many processes and threads need a token at one moment: one token request."""

import time
from collections.abc import Callable
from statistics import median

import pytest

from tests.servers import Handle, Reply

from .crew import Fleet, Report

TOKEN_SECONDS = 0.1
RUNS = 5


def succeeded(api: Handle, report: Report, token_requests: int) -> None:
    """64 calls succeeded, and there were so many token requests since the provider was reset."""
    assert report.failed == []
    assert len(report.calls) == 64
    assert len(api.token_requests) == token_requests
    assert api.seen()["most_at_once"] == 1


@pytest.mark.parametrize(
    ("cache", "revoke_older"),
    [("default", False), ("default", True), ("django_redis_builtin", True)],
)
def test_64_callers_cost_one_token_request(
    api: Handle, fleet: Callable[..., Fleet], cache: str, revoke_older: bool
) -> None:
    api.set(expires_in=2, revoke_older=revoke_older, token_delay=TOKEN_SECONDS)
    crew = fleet(api=api.config(CACHE=cache))

    succeeded(api, crew.burst(), 1)  # cold

    time.sleep(2)  # its time is over
    api.set(expires_in=3600)
    succeeded(api, crew.burst(), 2)
    assert api.count(401) == 0

    api.expire_all()  # before its time
    succeeded(api, crew.burst(), 3)
    assert api.count(401) == 64


def test_a_dead_token_endpoint_is_asked_once_for_all(
    api: Handle, fleet: Callable[..., Fleet]
) -> None:
    api.always("/token", Reply(503, delay=TOKEN_SECONDS))
    report = fleet(api=api.config()).burst()

    assert {str(call.end).partition(":")[0] for call in report.calls} == {"TokenUnavailable"}
    assert len(report.calls) == 64
    assert len(api.token_requests) == 1
    assert api.requests[-1]["path"] == "/token"  # no token, no call


def test_rotations_at_one_moment_are_one(api: Handle, fleet: Callable[..., Fleet]) -> None:
    api.set(token_delay=0.3)
    crew = fleet(api=api.config())
    crew.burst(threads=1)
    for worker in crew.workers:
        worker.order(do="rotate", alias="api")

    assert len({worker.report() for worker in crew.workers}) == 1
    assert len(api.token_requests) == 2


def test_waiters_leave_as_soon_as_the_token_is_there(
    api: Handle,
    other_api: Handle,
    fleet: Callable[..., Fleet],
    tell: Callable[[str], None],
) -> None:
    """Cold and after a rejection: at most 200 ms over the token request, in the median."""
    api.set(token_delay=TOKEN_SECONDS)
    runs = [f"run{n}" for n in range(RUNS)]
    crew = fleet(warm=other_api.config(), **{alias: api.config() for alias in runs})
    crew.burst(alias="warm", calls=2)
    cold, rejected = [], []
    for alias in runs:
        cold.append(crew.burst(alias=alias).slowest)
        api.expire_all()
        rejected.append(crew.burst(alias=alias).slowest)

    assert len(api.token_requests) == 2 * RUNS
    for name, seconds in (("cold", cold), ("rejected", rejected)):
        spread = f"{min(seconds) * 1000:.0f}-{max(seconds) * 1000:.0f}"
        tell(
            f"slowest of 64 calls, {name}, token request {TOKEN_SECONDS * 1000:.0f} ms: "
            f"median of {RUNS} runs {median(seconds) * 1000:.0f} ms ({spread})"
        )
    assert median(cold) <= TOKEN_SECONDS + 0.2
    assert median(rejected) <= TOKEN_SECONDS + 0.2
