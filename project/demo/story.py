"""The story: what is promised, done for real and measured at the provider."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from apiclient_app import clients

from . import terminal
from .crowd import THREADS, Crowd, Tally
from .fleet import Fleet, fetch

ALIAS = "planets"
REUSED = 100
BEFORE = AFTER = 1.5  # seconds of calls before the token may be renewed, and after its expiry


def tell(fleet: Fleet) -> bool:
    """Tell it all; give whether every promise was kept."""
    story = Story(fleet)
    chapters = [
        story.obtained,
        story.reused,
        story.crossed,
        story.returned,
        story.refused,
        story.rotated,
        story.listed,
    ]
    kept = [story.chapter(number, told) for number, told in enumerate(chapters, 1)]
    return all(kept)


class Story:
    """Each chapter's docstring is its heading; each gives whether its promise was kept."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def chapter(self, number: int, told: Callable[[], bool]) -> bool:
        terminal.chapter(number, told.__doc__ or "")
        try:
            kept = told()
        except (requests.RequestException, LookupError) as error:
            terminal.verdict(kept=False, text=str(error))
            kept = False
        if not kept:
            self.fleet.check()
        return kept

    def obtained(self) -> bool:
        """The first call obtains a token"""
        planet = self.planet("earth")
        terminal.aside(f"The API says: {planet['name']}, {counted(planet['moons'], 'moon')}")
        return verdict(self.fleet.seen(), asked=1)

    def reused(self) -> bool:
        """100 more calls use it again"""
        for _ in range(REUSED):
            self.planet("mars")
        return verdict(self.fleet.seen(), asked=1 + REUSED, so_far="still ")

    def crossed(self) -> bool:
        """32 threads and the worker's tasks cross its expiry, without a pause"""
        renew_at, expires_at = self.token_times()
        wait_until(renew_at - BEFORE)
        return self.all_call(until=expires_at + AFTER)

    def returned(self) -> bool:
        """Nobody calls until the token has expired; then all call at once"""
        _, expires_at = self.token_times()
        wait_until(expires_at + 0.1)
        return self.all_call()

    def refused(self) -> bool:
        """The provider ends the token before its time, and tells nobody; all call at once"""
        self.fleet.expire_tokens()
        return self.all_call()

    def rotated(self) -> bool:
        """Rotated by hand: manage.py apiclient rotate planets"""
        with self.measured() as cost:
            kept = self.command("rotate", ALIAS)
            tally = Crowd(self.fleet.site_url).call()
        return judge(cost, tally) and kept

    def listed(self) -> bool:
        """What is known now: manage.py apiclient list"""
        return self.command("list")

    def planet(self, name: str) -> dict[str, str | int]:
        planet: dict[str, str | int] = fetch(f"{self.fleet.site_url}/planets/{name}/").json()
        return planet

    def all_call(self, until: float = 0.0) -> bool:
        with self.measured() as cost:
            tally = Crowd(self.fleet.site_url).call(until)
        return judge(cost, tally)

    def command(self, *words: str) -> bool:
        done = self.fleet.manage("apiclient", *words)
        terminal.quotation(done.stdout)
        if done.returncode:
            terminal.quotation("\n".join(done.stderr.splitlines()[-5:]))
            terminal.verdict(kept=False, text=f"exit status {done.returncode}")
        return done.returncode == 0

    @contextmanager
    def measured(self) -> Iterator[Counter[str]]:
        """Count at the provider while the block runs."""
        cost: Counter[str] = Counter()
        before = self.fleet.seen()
        yield cost
        cost.update(self.fleet.seen() - before)

    def token_times(self) -> tuple[float, float]:
        """When the token may be renewed, and when it expires; asks the cache, not the API."""
        token = clients[ALIAS].inspect()
        if not (token.renew_at and token.expires_at):
            raise LookupError(f"There is no token in the cache: {token.last_error or token.state}")
        return token.renew_at.timestamp(), token.expires_at.timestamp()


def judge(cost: Counter[str], tally: Tally) -> bool:
    """Say who called, and what it cost; give whether that is as promised."""
    terminal.aside(
        f"{counted(len(tally.by_site), 'call')} of {THREADS} threads,"
        f" {counted(len(tally.by_worker), 'task')}, in {counted(len(tally.processes), 'process')};"
        f" {cost['calls_401'] or 'none'} met a 401"
        + (", and were repeated" * bool(cost["calls_401"]))
    )
    for failure in tally.failures[:3]:
        terminal.aside(f"failed: {failure}")
    return verdict(cost, asked=len(tally.all)) and not tally.failures


def verdict(cost: Counter[str], asked: int, so_far: str = "") -> bool:
    """Say what the calls cost, as the provider counted it."""
    requested, failed = cost["token_requests"], asked - cost["calls_200"]
    kept = requested == 1 and failed == 0
    text = f"{counted(requested, 'token request')}, {counted(failed, 'failed call')}"
    terminal.verdict(kept=kept, text=so_far + text)
    return kept


def wait_until(moment: float) -> None:
    if (seconds := moment - time.time()) > 0:
        terminal.aside(f"... in {seconds:.0f} s")
        time.sleep(seconds)


def counted(number: object, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"
