"""A 401 that no new token mends must not make the fleet ask for one for ever."""

import time
from collections.abc import Callable

import pytest

from tests.fleet.crew import Fleet
from tests.servers import Handle

MENDED_SECONDS = 6

# Token requests: the first; those that turned out fruitless, 2, 4, 8, ... 60 s apart; and, where
# a token is revoked in truth, the one that mends it.
lengths = pytest.mark.parametrize(
    ("seconds", "revoked_after", "at_most"),
    [(20, 8.3, 7), pytest.param(300, 150.3, 12, marks=pytest.mark.chaos)],
)


@lengths
def test_one_forbidden_path_harms_no_other(
    api: Handle,
    fleet: Callable[..., Fleet],
    tell: Callable[[str], None],
    seconds: int,
    revoked_after: float,
    at_most: int,
) -> None:
    """Half of 64 threads call what is always refused; in the middle the token is revoked."""
    crew = fleet(api=api.config())
    began = crew.start(paths=["echo", "forbidden"], every=1, seconds=seconds)
    revoked = began + revoked_after
    time.sleep(revoked - time.time())
    api.expire_all()
    report = crew.collect()

    failed = report.on("echo").failed
    mended = max((call.at + call.elapsed for call in failed), default=revoked) - revoked
    asked = len(api.token_requests)
    tell(
        f"one path of two refused for {seconds} s, 64 threads: {asked} token requests, "
        f"{len(failed)} of {len(report.on('echo').calls)} calls on the other path failed, "
        f"a revocation in the middle was mended in {mended:.1f} s"
    )
    assert [call for call in failed if call.at + call.elapsed < revoked] == []
    assert mended <= MENDED_SECONDS
    assert {call.end for call in report.on("forbidden").calls} == {401}
    assert asked <= at_most


@pytest.mark.parametrize(
    ("seconds", "at_most"), [(10, 5), pytest.param(300, 12, marks=pytest.mark.chaos)]
)
def test_everything_forbidden_costs_the_fleet_few_token_requests(
    api: Handle,
    fleet: Callable[..., Fleet],
    tell: Callable[[str], None],
    seconds: int,
    at_most: int,
) -> None:
    api.set(forbid_all=True)
    report = fleet(api=api.config()).burst(every=1, seconds=seconds)

    asked = len(api.token_requests)
    tell(f"everything refused for {seconds} s, 64 threads: {asked} token requests")
    assert {call.end for call in report.calls} == {401}
    assert asked <= at_most
