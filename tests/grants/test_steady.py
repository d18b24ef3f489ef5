"""Tokens end before their time, again and again, and the grant lives on."""

import time
from collections.abc import Callable

from project.valkey import Valkey

from .crew import Crew
from .load import BRIEF, SHORT, Scale, expiries, figures, scales, wait_for
from .provider.handle import Provider

Crews = Callable[..., Crew]
Tell = Callable[[str], None]


@scales(SHORT)
def test_each_expiry_costs_one_refresh_token_and_no_call(
    strict: Provider, crew: Crews, tell: Tell, scale: Scale
) -> None:
    outlives_expiries(strict, crew, tell, scale, "directly")


@scales(BRIEF)
def test_views_that_roll_back_take_no_refresh_token_with_them(
    strict: Provider, crew: Crews, tell: Tell, scale: Scale
) -> None:
    workers = outlives_expiries(strict, crew, tell, scale, "in a failing view")
    assert workers.ask("visits") == 0


def outlives_expiries(
    strict: Provider, crew: Crews, tell: Tell, scale: Scale, caller: str
) -> Crew:
    workers = crew(scale.processes, api=strict.client(strict.mint()))
    workers.start(caller=caller, threads=scale.threads, every=scale.every)
    expired = max(expiries(strict, scale.expiries))
    calls, seen = workers.stop(), strict.seen()

    tell(f"called {caller}: {figures(calls, seen, expired)}")
    assert seen.alive == ["ann"]
    assert calls.failed == []
    assert len(calls) > scale.processes * scale.threads * expired
    assert expired <= seen.issued <= expired + 1
    assert seen.repeated == []
    return workers


def test_two_versions_of_the_settings_share_a_grant(
    strict: Provider, crew: Crews, tell: Tell
) -> None:
    first = strict.mint()
    # The same scope in other words: this provider never gives back what was once left out.
    old, new = (strict.client(first, scope=scope) for scope in ("read write", "write read"))
    workers = crew(2, api=old)
    workers.muster(2, API_CLIENTS={"api": new})
    workers.start(threads=BRIEF.threads, every=BRIEF.every)
    expired = max(expiries(strict, 3, settle=False))
    calls, seen = workers.stop(), strict.seen()

    tell(f"two versions of the settings: {figures(calls, seen, expired)}")
    assert seen.alive == ["ann"]
    assert seen.repeated == []


def test_a_cache_outage_loses_no_grant(
    strict: Provider, crew: Crews, tell: Tell, valkey: Valkey
) -> None:
    workers = crew(BRIEF.processes, valkey.url, api=strict.client(strict.mint()))
    workers.start(threads=BRIEF.threads, every=BRIEF.every)
    with_it = max(expiries(strict, 2))
    valkey.stop()
    # Without a cache to share them in, each process must get its tokens for itself.
    without = max(expiries(strict, 2, settle=False))
    valkey.start()
    wait_for(strict.settled)
    back = time.time()
    again = max(expiries(strict, 2))
    calls, seen = workers.stop(), strict.seen()

    expired = with_it + without + again
    tell(f"with a cache outage for {without} of them: {figures(calls, seen, expired)}")
    assert seen.alive == ["ann"]
    assert seen.repeated == []
    assert sum(entry["at"] > back for entry in seen.asked) <= again + 1
