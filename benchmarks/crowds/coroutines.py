"""Many calls through the asynchronous peers: a semaphore, and gather."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    contextmanager,
)
from functools import partial
from typing import Any

from benchmarks.api import Api
from benchmarks.missing import peer

from .crowd import Crowd, Run

Get = Callable[[Any, str], Awaitable[tuple[int, Any]]]


@contextmanager
def running(
    opened: Callable[[], AbstractAsyncContextManager[Any]],
    get: Get,
    api: Api,
    concurrency: int,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> Iterator[Run]:
    """Keep a loop, and in it the peer's client, while the block lasts."""

    async def run(client: Any, calls: int) -> int:
        semaphore = asyncio.Semaphore(concurrency)

        async def call(url: str) -> bool:
            async with semaphore:
                status, document = await get(client, url)
            return status == 200 and bool(document["id"] == 42)

        return sum(await asyncio.gather(*map(call, api.urls(calls))))

    with asyncio.Runner(loop_factory=loop) as runner:
        stack = AsyncExitStack()
        client = runner.run(entered(stack, opened))
        try:
            yield lambda calls: runner.run(run(client, calls))
        finally:
            runner.run(stack.aclose())


async def entered(
    stack: AsyncExitStack, opened: Callable[[], AbstractAsyncContextManager[Any]]
) -> Any:
    return await stack.enter_async_context(opened())


async def httpx_get(client: Any, url: str) -> tuple[int, Any]:
    response = await client.get(url)
    return response.status_code, response.json()


async def aiohttp_get(session: Any, url: str) -> tuple[int, Any]:
    async with session.get(url) as response:
        return response.status, await response.json()


async def pyreqwest_get(client: Any, url: str) -> tuple[int, Any]:
    response = await client.get(url).build().send()
    return response.status, await response.json()


def httpx_client(api: Api, concurrency: int) -> AbstractContextManager[Run]:
    httpx = peer("httpx")
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    opened = partial(httpx.AsyncClient, headers=api.headers, limits=limits)
    return running(opened, httpx_get, api, concurrency)


def aiohttp_session(
    api: Api, concurrency: int, loop: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> AbstractContextManager[Run]:
    aiohttp = peer("aiohttp")

    def opened() -> Any:
        connector = aiohttp.TCPConnector(limit=concurrency)
        return aiohttp.ClientSession(headers=api.headers, connector=connector)

    return running(opened, aiohttp_get, api, concurrency, loop)


def aiohttp_uvloop(api: Api, concurrency: int) -> AbstractContextManager[Run]:
    return aiohttp_session(api, concurrency, peer("uvloop").new_event_loop)


def pyreqwest_client(api: Api, concurrency: int) -> AbstractContextManager[Run]:
    builder = peer("pyreqwest.client").ClientBuilder

    def opened() -> Any:
        return builder().default_headers(api.headers).build()

    return running(opened, pyreqwest_get, api, concurrency)


AIOHTTP = Crowd("aiohttp, semaphore", aiohttp_session)
AIOHTTP_UVLOOP = Crowd("aiohttp, semaphore, uvloop", aiohttp_uvloop)
CROWDS = [
    Crowd("httpx.AsyncClient, semaphore", httpx_client, every=4),
    AIOHTTP,
    AIOHTTP_UVLOOP,
    Crowd("pyreqwest, semaphore", pyreqwest_client),
]
