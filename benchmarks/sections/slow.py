"""A server that takes its time: how near the calls come to what their number in flight allows."""

from collections.abc import Iterator, Sequence

from benchmarks.bench import REQUESTS, Bench, Part
from benchmarks.crowds import coroutines, in_turn, ours
from benchmarks.crowds.sockets import SOCKETS
from benchmarks.measured import Field
from benchmarks.tables import left_out, table

DELAY = 0.05
CONCURRENCIES = 60, 400
ANSWERS = 30  # for each call in flight
CROWDS = [SOCKETS, ours.MAP, ours.AMAP, coroutines.AIOHTTP, coroutines.AIOHTTP_UVLOOP]


def slow_server(bench: Bench) -> Part:
    rounds = bench.rounds_or(5, quick=1)
    fields = {
        n: in_turn(CROWDS, bench.slow, n, rounds, bench.calls_or(n * ANSWERS))
        for n in CONCURRENCIES
    }
    rows = [row for concurrency, field in fields.items() for row in shares(concurrency, field)]
    head = ("", "in flight", "calls a second", "share", "quartiles", "own CPU, µs a call")
    text = f"""\
Our own server answers after {DELAY * 1000:.0f} ms. The most that so many in flight can do is their
number divided by {DELAY:g} s; the share is of that. Bare sockets are there to show that the server
keeps up. Rounds: {rounds}, of {ANSWERS} calls for each in flight.

{table(head, rows)}
{left_out(fields[CONCURRENCIES[0]].skipped)}"""
    return Part(text, (*REQUESTS, "aiohttp", "uvloop", "pycurl"))


def shares(concurrency: int, field: Field) -> Iterator[Sequence[str]]:
    ideal = concurrency / DELAY
    for measured in field.measured:
        low, high = (1e6 / microseconds / ideal for microseconds in reversed(measured.quartiles))
        rate = 1e6 / measured.median
        yield (
            measured.name,
            f"{concurrency}",
            f"{rate:,.0f}",
            f"**{rate / ideal:.2f}**",
            f"{low:.2f} to {high:.2f}",
            f"{measured.cpu_median:.0f}",
        )
