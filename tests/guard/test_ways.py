"""Slots and allowances are kept whichever way a call takes, and by who breaks off, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Any

import pytest

from apiclient_app import DeadlineExceeded, RateLimited, clients
from tests.conftest import Configure
from tests.fleet.toll import Toll, tolling

WAYS = ("requests", "curl", "awaited", "map", "amap")
CALLS = 20


@pytest.fixture(scope="module")
def _toll() -> Iterator[Toll]:
    with tolling() as toll:
        yield toll


@pytest.fixture
def toll(_toll: Toll) -> Toll:
    until = time.monotonic() + 10
    while _toll.count().there and time.monotonic() < until:  # whose callers have gone
        time.sleep(0.02)
    return _toll


@pytest.fixture(params=["default", "locmem"])
def cache(request: pytest.FixtureRequest) -> str:
    """With Redis, and without."""
    return str(request.param)


async def gathered(path: str) -> list[int]:
    made = await asyncio.gather(*(clients["api"].aget(path) for _ in range(CALLS)))
    return [response.status_code for response in made]


async def mapped(path: str) -> list[int]:
    return [response.status_code async for response in clients["api"].amap([path] * CALLS)]


def calls(way: str, path: str) -> list[int]:
    """Make all the calls at once."""
    match way:
        case "awaited":
            return asyncio.run(gathered(path))
        case "amap":
            return asyncio.run(mapped(path))
        case "map":
            return [response.status_code for response in clients["api"].map([path] * CALLS)]
    with ThreadPoolExecutor(CALLS) as threads:
        made = threads.map(lambda _: clients["api"].get(path).status_code, range(CALLS))
        return list(made)


def client(toll: Toll, way: str, **settings: object) -> dict[str, object]:
    engine = "curl" if way == "curl" else "requests"
    return {"BASE_URL": toll.origin, "ENGINE": engine, **settings}


@pytest.mark.parametrize("way", WAYS)
def test_no_more_are_under_way_than_there_are_slots(
    toll: Toll, api_clients: Configure, redis_url: str, cache: str, way: str
) -> None:
    api_clients(api=client(toll, way, MAX_IN_FLIGHT=3, CACHE=cache))
    assert calls(way, "10/one") == [200] * CALLS
    count = toll.count()
    assert len(count.arrivals) == CALLS
    assert count.most == 3


@pytest.mark.parametrize("way", WAYS)
def test_an_allowance_is_kept(
    toll: Toll, api_clients: Configure, redis_url: str, cache: str, way: str
) -> None:
    api_clients(api=client(toll, way, RATE_LIMIT="5/second", MAX_IN_FLIGHT=4, CACHE=cache))
    calls(way, "0/one") if way in ("map", "amap") else kept(way)
    assert toll.count().densest(0.9) <= 6  # what is late on its way may be one


def kept(way: str) -> None:
    with ThreadPoolExecutor(12) as threads:
        if way == "awaited":
            list(threads.map(lambda _: asyncio.run(awaited()), range(12)))
        else:
            list(threads.map(lambda _: clients["api"].get("0/one"), range(12)))


async def awaited() -> None:
    await clients["api"].aget("0/one")


def test_who_is_cancelled_in_line_or_on_its_way_leaves_his_slot_to_others(
    toll: Toll, api_clients: Configure, redis_url: str, cache: str
) -> None:
    api_clients(api=client(toll, "", MAX_IN_FLIGHT=2, CACHE=cache))

    async def scenario() -> list[int]:
        tasks = [asyncio.create_task(clients["api"].aget("300/one")) for _ in range(10)]
        await asyncio.sleep(0.1)
        for task in tasks[:9]:
            task.cancel()
        for task in tasks[:9]:
            with suppress(asyncio.CancelledError):
                await task
        return [(await tasks[9]).status_code, *(await gathered("0/one"))]

    began = time.monotonic()
    assert asyncio.run(scenario()) == [200] * (CALLS + 1)
    assert time.monotonic() - began < 3


def test_who_stops_a_map_leaves_its_slots_to_others(
    toll: Toll, api_clients: Configure, redis_url: str, cache: str
) -> None:
    api_clients(api=client(toll, "", MAX_IN_FLIGHT=2, CACHE=cache))

    async def scenario() -> None:
        responses: Any = clients["api"].amap(["100/one"] * 30)
        async with aclosing(responses):
            async for _ in responses:
                break

    asyncio.run(scenario())
    for _ in clients["api"].map(["100/one"] * 30):
        break
    began = time.monotonic()
    assert calls("requests", "0/one") == [200] * CALLS
    assert time.monotonic() - began < 3


def test_a_loop_that_is_closed_with_calls_in_line_holds_nobody_up_for_long(
    toll: Toll, api_clients: Configure, redis_url: str
) -> None:
    api_clients(api=client(toll, "", MAX_IN_FLIGHT=1))
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(clients["api"].aget("50/one")) for _ in range(5)]
    loop.run_until_complete(asyncio.sleep(0.02))
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
    assert calls("requests", "0/one") == [200] * CALLS


def test_a_slot_that_none_gives_back_is_waited_for_until_patience_ends(
    toll: Toll, api_clients: Configure, redis_url: str, cache: str
) -> None:
    api_clients(api=client(toll, "", MAX_IN_FLIGHT=1, TIMEOUT=(0.5, 2.5), CACHE=cache))
    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(clients["api"].get, "1500/one")
        time.sleep(0.3)
        with pytest.raises((DeadlineExceeded, RateLimited)) as late:  # both end then
            clients["api"].get("0/one", deadline=0.5)
        assert late.value.sent is False
        assert clients["api"].get("0/one").status_code == 200
        assert held.result().status_code == 200
