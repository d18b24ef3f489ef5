"""Under a steady load, tokens come and go and no caller notices."""

from collections.abc import Callable

import pytest

from tests.servers import Handle

from .crew import Fleet

ASKING = 0.3  # seconds that a token request takes


def test_a_regular_expiry_costs_no_caller_a_401(api: Handle, fleet: Callable[..., Fleet]) -> None:
    api.set(expires_in=4, token_delay=ASKING)
    crew = fleet(api=api.config())
    began = crew.start(threads=8, every=0.1, seconds=10)
    report = crew.collect()

    assert report.failed == []
    assert api.count(401) == 0
    # Stale at 3.2 to 3.36 s of its 4: the first, and those that follow it.
    asked = len(api.token_requests)
    assert 3 <= asked <= 4
    assert api.seen()["most_at_once"] == 1
    # Nor does it cost a wait: who renews waits for it, the others go on with what they have.
    waited = [call for call in report.calls if call.at > began + 1 and call.elapsed >= ASKING]
    assert len(waited) <= asked - 1


@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.slow)])
def test_tokens_of_two_seconds_fail_no_call(
    api: Handle, fleet: Callable[..., Fleet], tell: Callable[[str], None], seconds: int
) -> None:
    api.set(expires_in=2, token_delay=0.05)
    report = fleet(api=api.config()).burst(threads=8, every=0.05, seconds=seconds)

    tell(
        f"tokens of 2 s life for {seconds} s, 4 x 8: {len(report.calls)} calls, "
        f"{len(report.failed)} failed, {len(api.token_requests)} token requests, "
        f"{api.count(401)} refusals"
    )
    assert report.failed == []
    assert len(api.token_requests) <= seconds / 1.6 + 1
    assert api.seen()["most_at_once"] == 1
