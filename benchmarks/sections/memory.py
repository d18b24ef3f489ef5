"""What memory long work takes: a million calls, a gibibyte streamed down."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from apiclient_app import clients
from benchmarks.bench import REQUESTS, Bench, Part
from benchmarks.child import Outcome, in_child
from benchmarks.crowds import expect
from benchmarks.crowds.ours import MAP
from benchmarks.missing import Missing, ours
from benchmarks.nginx import BIG
from benchmarks.site import Site
from benchmarks.tables import left_out, table

Task = Callable[..., None]

CHUNK = 1 << 16
FEW = 10_000
CONCURRENCY = 60


def long_work(bench: Bench) -> Part:
    many = bench.calls_or(1_000_000, quick=100_000)
    skipped: dict[str, str] = {}
    peer_streamed(bench.site, bench.size)  # from here on the file is in the system's cache
    rows = list(outcomes(bench, many, skipped))
    base = rows[0][1].peak
    lines = [
        (what, f"{found.peak:.1f}", f"{found.peak - base:+.1f}", f"{found.seconds:.1f}")
        for what, found in rows
    ]
    text = f"""\
The peak of resident memory, in MiB, of a process that does just this; `map` with {CONCURRENCY} in
flight takes its paths from a generator, and each response is dropped once read.

{table(("", "peak", "over idle", "seconds"), lines)}
{left_out(skipped)}"""
    return Part(text, (*REQUESTS, "pycurl"))


def outcomes(bench: Bench, many: int, skipped: dict[str, str]) -> Iterator[tuple[str, Outcome]]:
    for what, task, arguments in tasks(bench, many):
        try:
            yield what, in_child(task, bench.site, **arguments)
        except Missing as missing:
            skipped[what] = str(missing)


def tasks(bench: Bench, many: int) -> list[tuple[str, Task, dict[str, Any]]]:
    plain: dict[str, Any] = {"size": bench.size, "alias": bench.api.alias}
    curl, size = {**plain, "alias": bench.api.curl_alias}, f"{bench.size >> 20:,} MiB"
    return [
        ("idle: one `client.get`", idle, {}),
        (f"`client.map`, {FEW:,} calls", mapped, {"calls": FEW}),
        (f"`client.map`, {many:,} calls", mapped, {"calls": many}),
        (f"`requests.get(stream=True)`, {size}", peer_streamed, {"size": bench.size}),
        (f"`client.get(stream=True)`, {size}", streamed, plain),
        (f"`client.get(stream=True)`, the curl engine, {size}", streamed, curl),
        (f"`client.download`, {size}", downloaded, plain),
        (f"`client.download`, the curl engine, {size}", downloaded, curl),
    ]


def idle(site: Site) -> None:
    api = site.apis[0]
    clients[api.alias].get(api.path).json()


def mapped(site: Site, calls: int) -> None:
    with MAP.ready(site.apis[0], CONCURRENCY) as run:
        expect(MAP, run, calls)


def streamed(site: Site, size: int, alias: str) -> None:
    get = ours(alias, "get")
    with get(BIG, stream=True) as response:
        whole(response, size)


def peer_streamed(site: Site, size: int) -> None:
    api = site.apis[0]
    with requests.get(f"{api.base_url}{BIG}", headers=api.headers, stream=True) as response:
        whole(response, size)


def downloaded(site: Site, size: int, alias: str) -> None:
    download = ours(alias, "download")
    with tempfile.TemporaryDirectory(prefix="bench-download-") as folder:
        target = Path(folder, BIG)
        download(BIG, target)
        complete(target.stat().st_size, size)


def whole(response: requests.Response, size: int) -> None:
    complete(sum(map(len, response.iter_content(CHUNK))), size)


def complete(received: int, size: int) -> None:
    if received != size:
        raise SystemExit(f"{received:,} bytes of {size:,}")
