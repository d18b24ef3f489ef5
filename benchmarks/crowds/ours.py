"""Many calls through a client."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.api import Api
from benchmarks.missing import ours
from benchmarks.runner import good

from .crowd import Crowd, Run


@contextmanager
def mapped(api: Api, concurrency: int) -> Iterator[Run]:
    mapping = ours(api.alias, "map")

    def run(calls: int) -> int:
        return sum(map(good, mapping(api.paths(calls), concurrency=concurrency, ordered=False)))

    yield run


@contextmanager
def amapped(api: Api, concurrency: int) -> Iterator[Run]:
    mapping = ours(api.alias, "amap")

    async def run(calls: int) -> int:
        answered = 0
        async for response in mapping(api.paths(calls), concurrency=concurrency, ordered=False):
            answered += good(response)
        return answered

    with asyncio.Runner() as runner:
        yield lambda calls: runner.run(run(calls))


@contextmanager
def gathered(api: Api, concurrency: int) -> Iterator[Run]:
    """All at once: the client has its own bound, if any."""
    aget = ours(api.alias, "aget")

    async def call(path: str) -> bool:
        return good(await aget(path))

    async def run(calls: int) -> int:
        return sum(await asyncio.gather(*map(call, api.paths(calls))))

    with asyncio.Runner() as runner:
        yield lambda calls: runner.run(run(calls))


@contextmanager
def threaded(api: Api, concurrency: int) -> Iterator[Run]:
    get = ours(api.alias, "get")
    with ThreadPoolExecutor(concurrency) as pool:
        yield lambda calls: sum(pool.map(lambda path: good(get(path)), api.paths(calls)))


MAP = Crowd("client.map", mapped)
AMAP = Crowd("client.amap", amapped)
CROWDS = [
    MAP,
    AMAP,
    Crowd("client.aget, gathered", gathered, bounded=False),
    Crowd("client.get in a thread pool", threaded, every=2),
]
