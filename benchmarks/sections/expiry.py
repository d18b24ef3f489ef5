"""A token that expires in the middle of many calls: who asks for another, and what fails."""

from requests import RequestException

from benchmarks.bench import REQUESTS, Bench, Part
from benchmarks.crowds import Crowd, ours
from benchmarks.missing import Missing
from benchmarks.server import TOKEN_DELAY
from benchmarks.serving import expire_after, seen
from benchmarks.tables import left_out, table

CONCURRENCY = 60
HEAD = ("", "token requests", "calls refused", "replayed", "failed")


def expiring_token(bench: Bench) -> Part:
    calls = bench.calls_or(4000)
    rows, skipped = [], {}
    for crowd in ours.CROWDS:
        try:
            rows.append((crowd.name, *counted(crowd, bench, calls)))
        except Missing as missing:
            skipped[crowd.name] = str(missing)
    text = f"""\
{calls:,} calls, {CONCURRENCY} in flight; the token was good for the first {calls // 2:,} of them.
Counted by the API; a token request takes it {TOKEN_DELAY * 1000:.0f} ms.

{table(HEAD, rows)}
{left_out(skipped)}"""
    return Part(text, (*REQUESTS, "pycurl"))


def counted(crowd: Crowd, bench: Bench, calls: int) -> tuple[str, ...]:
    with crowd.ready(bench.expiring, CONCURRENCY) as run:
        run(CONCURRENCY)
        expire_after(bench.expiring, calls // 2)
        failed = ""
        try:
            answered = run(calls)
        except RequestException as error:
            answered, failed = seen(bench.expiring)["served"], f", {type(error).__name__}"
    counts = seen(bench.expiring)
    figures = [f"{counts[what]:,}" for what in ("token requests", "refused", "replayed")]
    return (*figures, f"{calls - answered:,}{failed}")
