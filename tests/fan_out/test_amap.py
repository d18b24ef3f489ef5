"""Many calls from async code, and one by one."""

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from apiclient_app import Call, Client, NotFound, Unauthorized, clients, signals
from apiclient_app.auth import Secret
from tests.conftest import Configure
from tests.servers import Handle

from .conftest import files, shop_of

Main = Callable[[], Coroutine[Any, Any, Any]]


def test_every_verb_has_its_twin(shop: Client) -> None:
    async def main() -> list[str]:
        sent = [
            await shop.aget("echo"),
            await shop.aoptions("echo"),
            await shop.apost("echo", json={"a": 1}),
            await shop.aput("echo", data=b"x"),
            await shop.apatch("echo"),
            await shop.adelete("echo"),
            await shop.arequest("get", "echo"),
        ]
        assert (await shop.ahead("echo")).status_code == 200
        return [response.json()["method"] for response in sent]

    assert asyncio.run(main()) == ["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "GET"]


def test_every_token_operation_has_its_twin(shop: Client, api: Handle) -> None:
    async def main() -> None:
        first = await shop.atoken()
        assert (await shop.arotate_token()).id != first.id
        assert (await shop.ainspect()).state == "fresh"
        await shop.arevoke_token()
        assert await shop.acheck() is None
        await shop.asettle()

    asyncio.run(main())
    assert len(api.token_requests) == 3


def test_endpoints_have_theirs(api: Handle, api_clients: Configure, way: str) -> None:
    shop = shop_of(api, api_clients, way, ENDPOINTS={"user": "GET echo/{name}"}, CHECK="GET echo")

    async def main() -> None:
        assert (await shop.acall("user", name="a b")).json()["path"].endswith("/a b")
        assert (await shop.acheck()).status_code == 200  # type: ignore[union-attr]

    asyncio.run(main())


def test_an_error_status_is_raised(shop: Client) -> None:
    async def main() -> None:
        with pytest.raises(NotFound):
            await shop.aget("status/404")
        assert (await shop.aget("status/404", raise_for_status=False)).status_code == 404

    asyncio.run(main())


def test_gathered_cold_calls_cost_one_token_request(shop: Client, api: Handle) -> None:
    async def main() -> list[Any]:
        return await asyncio.gather(*[shop.aget("echo") for _ in range(300)])

    assert {response.status_code for response in asyncio.run(main())} == {200}
    assert len(api.token_requests) == 1


def test_an_expiry_in_the_middle_costs_one(shop: Client, api: Handle) -> None:
    async def main() -> int:
        done = 0
        calls = itertools.repeat("echo", 600)
        async for response in shop.amap(calls, concurrency=20, ordered=False):
            done += response.status_code == 200
            if done == 200:
                api.expire_all()
        return done

    assert asyncio.run(main()) == 600
    assert len(api.token_requests) == 2
    assert api.count(401) <= 20


def test_gathered_calls_at_an_expiry_are_replayed_by_as_many_as_are_under_way(
    api: Handle, api_clients: Configure
) -> None:
    shop = shop_of(api, api_clients, "libcurl", CONCURRENCY=10)

    async def main() -> None:
        await shop.aget("echo")
        api.expire_all()
        await asyncio.gather(*[shop.aget("echo") for _ in range(200)])

    asyncio.run(main())
    assert len(api.token_requests) == 2
    assert api.count(401) <= 10


def test_a_token_that_is_refused_for_good_is_the_apis_answer(shop: Client, api: Handle) -> None:
    async def main() -> None:
        with pytest.raises(Unauthorized):
            await shop.aget("forbidden")

    asyncio.run(main())


def test_calls_may_come_from_an_async_iterable(shop: Client) -> None:
    async def source() -> AsyncIterator[Call]:
        for number in range(30):
            await asyncio.sleep(0.001)
            yield Call("POST", "echo", json={"n": number}, tag=number)

    async def main() -> list[int]:
        return [r.call.tag async for r in shop.amap(source(), concurrency=5)]

    assert asyncio.run(main()) == list(range(30))


def test_an_async_source_that_fails_does_so_after_what_it_gave(shop: Client) -> None:
    async def failing() -> AsyncIterator[str]:
        yield "echo"
        yield "echo"
        raise LookupError("no more rows")

    async def main() -> None:
        results = shop.amap(failing())
        assert [(await anext(results)).status_code for _ in range(2)] == [200] * 2
        with pytest.raises(LookupError, match="no more rows"):
            await anext(results)

    asyncio.run(main())


def test_results_come_while_an_async_source_is_slow(shop: Client) -> None:
    async def source() -> AsyncIterator[str]:
        yield "echo"
        await asyncio.sleep(30)

    async def main() -> None:
        async with asyncio.timeout(5), aclosing(shop.amap(source())) as results:  # type: ignore[type-var]
            async for response in results:
                assert response.status_code == 200
                break

    asyncio.run(main())


def test_who_stops_early_leaves_nothing_behind(shop: Client, api: Handle) -> None:
    async def main() -> None:
        calls = itertools.repeat("slow?ms=20")
        async with aclosing(shop.amap(calls, concurrency=8)) as results:  # type: ignore[type-var]
            async for _ in results:
                break
        assert (await shop.aget("echo")).status_code == 200
        api.expire_all()
        assert (await shop.aget("echo")).status_code == 200

    asyncio.run(main())
    assert len(api.token_requests) == 2


def test_a_cancelled_call_goes_at_once_and_harms_no_other(shop: Client) -> None:
    async def main() -> None:
        await shop.aget("echo")
        others = [asyncio.create_task(shop.aget("slow?ms=300")) for _ in range(5)]
        task = asyncio.create_task(shop.aget("slow?ms=2000"))
        await asyncio.sleep(0.1)
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < 1
        assert [r.status_code for r in await asyncio.gather(*others)] == [200] * 5

    asyncio.run(main())


def test_a_token_request_goes_on_when_its_caller_is_cancelled(shop: Client, api: Handle) -> None:
    api.set(token_delay=2)

    async def main() -> None:
        began = time.perf_counter()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await shop.aget("echo")
        assert time.perf_counter() - began < 1.5
        assert (await shop.aget("echo")).status_code == 200

    asyncio.run(main())
    assert len(api.token_requests) == 1


def test_a_token_request_goes_on_when_its_loop_is_gone(shop: Client, api: Handle) -> None:
    api.set(token_delay=0.5)

    async def main() -> None:
        asyncio.create_task(shop.aget("echo"))  # noqa: RUF006
        await asyncio.sleep(0.2)

    asyncio.run(main())
    deadline = time.monotonic() + 5
    while shop.memory.token is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shop.get("echo").status_code == 200
    assert len(api.token_requests) == 1


def test_who_waits_for_anothers_token_can_be_cancelled(shop: Client, api: Handle) -> None:
    api.set(token_delay=0.6)

    async def main() -> None:
        first = asyncio.create_task(shop.aget("echo"))
        await asyncio.sleep(0.1)
        waiting = [asyncio.create_task(shop.aget("echo")) for _ in range(20)]
        await asyncio.sleep(0.1)
        for task in waiting[:10]:
            task.cancel()
        gone = await asyncio.gather(*waiting[:10], return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in gone)
        assert (await first).status_code == 200
        assert {r.status_code for r in await asyncio.gather(*waiting[10:])} == {200}

    asyncio.run(main())
    assert len(api.token_requests) == 1


def test_cancelled_at_any_moment_no_lock_stays_behind(shop: Client, api: Handle) -> None:
    """A lock left behind would hold the next one up until its lease ends."""

    async def cancelled(after: float) -> None:
        task = asyncio.create_task(shop.aget("echo"))
        await asyncio.sleep(after)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for step in range(25):
        api.expire_all()
        asyncio.run(cancelled(step * 0.002))
        began = time.perf_counter()
        assert shop.get("echo").status_code == 200
        assert time.perf_counter() - began < 6


def test_several_loops_in_several_threads(shop: Client, api: Handle) -> None:
    got: list[int] = []

    async def main() -> None:
        responses = await asyncio.gather(*[shop.aget("echo") for _ in range(30)])
        got.extend(response.status_code for response in responses)

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [200] * 180
    assert len(api.token_requests) == 1


def test_loop_after_loop_leaves_no_sockets_behind(shop: Client) -> None:
    for _ in range(3):
        assert async_to_sync(shop.aget)("echo").status_code == 200
    before = files()
    for _ in range(30):
        assert async_to_sync(shop.aget)("echo").status_code == 200
    assert files() <= before + 3


def test_a_warm_call_hops_to_no_thread(api: Handle, api_clients: Configure) -> None:
    shop = shop_of(api, api_clients, "libcurl")
    shop.get("echo")

    async def main() -> None:
        for _ in range(5):
            await shop.aget("echo")

    before = set(threading.enumerate())
    asyncio.run(main())
    assert set(threading.enumerate()) <= before


def test_the_loop_is_not_held_up_by_a_token_request(shop: Client, api: Handle) -> None:
    api.set(token_delay=0.5)

    async def main() -> int:
        task, turns = asyncio.create_task(shop.aget("echo")), 0
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(main()) > 5


def test_calls_are_announced(shop: Client) -> None:
    told: list[int | None] = []

    def hear(status: int | None, **_: Any) -> None:
        told.append(status)

    async def main() -> None:
        await shop.aget("echo")
        await asyncio.gather(shop.aget("status/404"), return_exceptions=True)
        async for _ in shop.amap(["echo"]):
            pass

    signals.call_finished.connect(hear)
    try:
        asyncio.run(main())
    finally:
        signals.call_finished.disconnect(hear)
    assert told == [200, 404, 200]


def test_subjects_in_one_loop_have_their_own(shop: Client, api: Handle) -> None:
    async def main() -> None:
        callers = [shop.for_subject(who) for who in ("ann", "bob") for _ in range(20)]
        replies = await asyncio.gather(*[each.aget("echo") for each in callers])
        tokens: dict[str, set[str]] = {"ann": set(), "bob": set()}
        for caller, reply in zip(callers, replies, strict=True):
            tokens[caller.subject].add(reply.json()["headers"]["authorization"])
        assert [len(each) for each in tokens.values()] == [1, 1]
        assert tokens["ann"] != tokens["bob"]

    asyncio.run(main())


def test_a_stored_refresh_token_is_masked_on_its_way(shop: Client) -> None:
    async def main() -> None:
        with pytest.raises(Exception, match="knows no refresh tokens") as caught:
            await shop.astore_refresh_token(Secret("hunter2"))
        frames = caught.traceback
        assert not any("hunter2" in repr(frame.frame.f_locals) for frame in frames)

    asyncio.run(main())
    clients.close()
