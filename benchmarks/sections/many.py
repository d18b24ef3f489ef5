"""Thousands of calls at once: `map`, `amap`, `aget`, and what else people take."""

from collections.abc import Iterator

from benchmarks.bench import REQUESTS, Bench, Part, Picture
from benchmarks.child import in_child
from benchmarks.crowds import CROWDS, expect, in_turn
from benchmarks.crowds.coroutines import AIOHTTP
from benchmarks.measured import Field
from benchmarks.site import Site
from benchmarks.tables import compared, left_out

from .memory import idle

CONCURRENCY, OTHERS = 60, (10, 400)
REFERENCE = AIOHTTP.name
LONGEST = 8  # times the reference: what takes more is cut in the plot
PEERS = ("httpx", "aiohttp", "uvloop", "pyreqwest", "requests-futures", "pycurl")


def many_calls(bench: Bench) -> Part:
    calls = bench.calls_or(4000, quick=1000)
    rounds, fewer = bench.rounds_or(12, quick=2), bench.rounds_or(6, quick=1)
    field = in_turn(CROWDS, bench.api, CONCURRENCY, rounds, calls)
    peaks = dict(memory(bench, field, calls))
    bounded = [crowd for crowd in CROWDS if crowd.bounded]
    others = {n: in_turn(bounded, bench.api, n, fewer, calls) for n in OTHERS}
    seldom = "; ".join(f"{each.name} (1 of {each.every})" for each in CROWDS if each.every > 1)
    text = f"""\
{calls:,} calls for different paths, as many in flight as it says; every status looked at, every
body read as JSON; µs per call. In each round every contender opens what it needs, connects, and
makes the {calls:,} calls in one go, in a new order each time. Slow ones play in fewer rounds:
{seldom}.

### {CONCURRENCY} in flight

Rounds: {rounds}. Memory: the peak of a process that does just this, over that of one that makes
a single call.

{compared(field, REFERENCE, "memory", peaks)}
{left_out(field.skipped)}{"".join(other(n, field, fewer) for n, field in others.items())}"""
    picture = Picture(
        "many", f"{calls:,} calls, {CONCURRENCY} in flight", field, REFERENCE, LONGEST
    )
    return Part(text, (*REQUESTS, *PEERS), picture)


def other(concurrency: int, field: Field, rounds: int) -> str:
    return f"""
### {concurrency} in flight

Rounds: {rounds}.

{compared(field, REFERENCE)}"""


def memory(bench: Bench, field: Field, calls: int) -> Iterator[tuple[str, str]]:
    base = in_child(idle, bench.site).peak
    for measured in field.measured:
        peak = in_child(once, bench.site, name=measured.name, calls=calls).peak
        yield measured.name, f"{peak - base:.0f} MiB"


def once(site: Site, name: str, calls: int) -> None:
    crowd = next(crowd for crowd in CROWDS if crowd.name == name)
    with crowd.ready(site.apis[0], CONCURRENCY) as run:
        expect(crowd, run, calls)
