"""One call, and then the next: engines and peers."""

from benchmarks.bench import REQUESTS, Bench, Part, Picture
from benchmarks.contenders import CONTENDERS, REFERENCE
from benchmarks.runner import TURN, interleaved
from benchmarks.tables import compared, left_out

PACKAGES = (*REQUESTS, "django-redis", "httpx", "pycurl")


def one_call(bench: Bench) -> Part:
    rounds, calls = bench.rounds_or(25, quick=3), bench.calls_or(300, quick=100)
    field = interleaved(CONTENDERS, bench.api, rounds, calls)
    text = f"""\
A tiny JSON document over loopback, connections kept; µs per call. {rounds} rounds in one process;
in each, every contender made {calls} calls, in turns of {TURN}, in a new order each time.

{compared(field, REFERENCE)}
{left_out(field.skipped)}"""
    return Part(text, PACKAGES, Picture("one", "One call", field, REFERENCE))
