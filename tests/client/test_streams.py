"""`astream`: an answer read in an event loop, as it comes."""

import asyncio
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from apiclient_app import InvalidRequest, NotFound, TransportError, clients
from apiclient_app.client import Client
from apiclient_app.client.streams import lines
from tests.conftest import Configure
from tests.loops import looped, until
from tests.servers import Handle, Reply
from tests.servers.files import Files, serving

BODY = bytes(range(256)) * 4096


@pytest.fixture
def files() -> Iterator[Files]:
    with serving() as served:
        served.body = BODY
        yield served


@pytest.fixture(params=["requests", "curl"])
def client(
    api: Handle, files: Files, api_clients: Configure, request: pytest.FixtureRequest
) -> Client:
    api_clients(api=api.config(BASE_URL=files.origin, ENGINE=request.param))
    return clients["api"]


def pooled(client: Client) -> int:
    """How many connections are kept alive, and good for another call."""
    adapter = client.rooms.engine.sessions._adapter
    found = 0
    for key in list(adapter.poolmanager.pools.keys()):
        queue = adapter.poolmanager.pools[key].pool
        found += sum(1 for one in queue.queue if one is not None and one.sock is not None)
    return found


def idle(client: Client) -> bool:
    """Whether no thread of the engine is at work any more."""
    threads = client.rooms.engine.callers._threads
    return threads._idle_semaphore._value == len(threads._threads)  # type: ignore[no-any-return]


@looped
async def test_the_head_comes_first_and_the_body_as_it_arrives(
    client: Client, files: Files
) -> None:
    files.pause = threading.Event()
    async with client.astream("GET", "file", params={"a": "1"}) as response:
        assert (response.status_code, response.ok) == (200, True)
        assert response.headers["ETag"] == '"one"'
        assert response.url.endswith("/file?a=1")
        assert response.request.method == "GET"
        pieces = response.aiter_content(1000)
        assert await anext(pieces) == BODY[:1]
        files.pause.set()
        rest = [piece async for piece in pieces]
        assert max(map(len, rest)) <= 1000
        assert BODY[:1] + b"".join(rest) == BODY
    assert pooled(client) == 1


@pytest.mark.parametrize("length", ["length", "chunked", "none"])
@looped
async def test_all_of_it_can_be_read_at_once(client: Client, files: Files, length: str) -> None:
    files.length = length
    async with client.astream("GET", "file") as response:
        assert await response.aread() == BODY
        assert await response.aread() == BODY


@looped
async def test_lines_come_as_they_are_ended(client: Client, files: Files) -> None:
    files.body = b"\nfirst\r\nsecond\n\nlast"
    files.pause = threading.Event()
    async with client.astream("GET", "file") as response:
        found = response.aiter_lines()
        assert await anext(found) == b""
        files.pause.set()
        assert [line async for line in found] == [b"first", b"second", b"", b"last"]


@pytest.mark.parametrize("size", range(1, 9))
def test_lines_are_the_same_wherever_pieces_are_cut(size: int) -> None:
    text = b"a\r\nbc\rd\n\r\n\n\re\r\r\nlong and long\r\nend\r"
    pieces = (text[i : i + size] for i in range(0, len(text), size))
    assert [line for found in lines(pieces) for line in found] == text.splitlines()


@looped
async def test_a_body_that_breaks_off_is_a_transport_error(client: Client, files: Files) -> None:
    files.breaks = [100_000]
    async with client.astream("GET", "file") as response:
        with pytest.raises(TransportError, match="the answer broke off"):
            async for _ in response.aiter_content():
                pass
    assert pooled(client) == 0


@looped
async def test_an_expired_token_is_replaced_before_the_body_is_read(
    client: Client, files: Files, api: Handle
) -> None:
    files.refusals = [401]
    async with client.astream("GET", "file") as response:
        assert len(await response.aread()) == len(BODY)
    assert len(api.token_requests) == 2


@looped
async def test_a_refusal_is_raised_unless_it_is_wanted(client: Client, files: Files) -> None:
    files.refusals = [404, 404]
    with pytest.raises(NotFound):
        async with client.astream("GET", "file"):
            pass
    async with client.astream("GET", "file", raise_for_status=False) as response:
        assert (response.status_code, await response.aread()) == (404, b"")


@looped
async def test_what_is_left_unread_leaves_no_connection_in_the_pool(
    client: Client, files: Files
) -> None:
    async with client.astream("GET", "file") as response:
        pieces = response.aiter_content(10)
        assert await anext(pieces) == BODY[:10]
    assert pooled(client) == 0
    assert await until(lambda: files.open == 0)
    with pytest.raises(TransportError, match="closed"):
        await anext(response.aiter_content())
    with pytest.raises(TransportError, match="closed"):
        await response.aread()


@looped
async def test_a_cancelled_reader_goes_at_once_and_leaves_nothing_behind(
    client: Client, files: Files
) -> None:
    files.pause = threading.Event()

    async def reader() -> None:
        async with client.astream("GET", "file") as response:
            async for _ in response.aiter_content():
                read.set()

    read = asyncio.Event()
    task = asyncio.create_task(reader())
    await read.wait()
    await asyncio.sleep(0.05)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1.0
    free = await until(lambda: idle(client))
    assert free
    assert pooled(client) == 0
    files.pause.set()
    assert await until(lambda: files.open == 0)


@looped
async def test_a_caller_cancelled_before_the_head_has_come_leaves_nothing_behind(
    client: Client, api: Handle, files: Files
) -> None:
    api.set(token_delay=2)

    async def reader() -> None:
        async with client.astream("GET", "file"):
            pass

    task = asyncio.create_task(reader())
    await until(lambda: len(api.token_requests) == 1)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1.0
    await until(lambda: len(files.asked) == 1)
    assert await until(lambda: files.open == 0)
    assert pooled(client) == 0
    assert client.inspect().state.value == "fresh"  # what was asked for was kept


@looped
async def test_after_a_cancelled_read_nothing_looks_like_the_end(
    client: Client, files: Files
) -> None:
    files.pause = threading.Event()
    async with client.astream("GET", "file") as response:
        pieces = response.aiter_content()
        await anext(pieces)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(pieces), 0.05)
        with pytest.raises(TransportError, match="broken off"):
            await anext(response.aiter_content())


@looped
async def test_many_are_read_side_by_side(client: Client, files: Files) -> None:
    async def size() -> int:
        async with client.astream("GET", "file") as response:
            return sum([len(piece) async for piece in response.aiter_content()])

    assert await asyncio.gather(*(size() for _ in range(8))) == [len(BODY)] * 8


@looped
async def test_a_large_body_takes_no_memory(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config())
    await clients["api"].aget("echo")
    tracemalloc.start()
    try:
        async with clients["api"].astream("GET", "big?mb=60") as response:
            total = sum([len(piece) async for piece in response.aiter_content()])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 60 << 20
    assert peak < 2 << 20


@looped
async def test_what_cannot_be_sent_is_not(client: Client, files: Files) -> None:
    with pytest.raises(InvalidRequest):
        async with client.astream("GE T", "file"):
            pass
    assert files.asked == []


@looped
async def test_a_compressed_body_is_decoded(api: Handle, api_clients: Configure) -> None:
    api_clients(api=api.config())
    api.always("/api/echo", Reply(style="bomb", megabytes=2))
    async with clients["api"].astream("GET", "echo") as response:
        assert sum([len(piece) async for piece in response.aiter_content()]) == 2 << 20
