"""Many calls without an HTTP library: what a server can give, were its clients free of charge."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import urlsplit

from benchmarks.api import Api
from benchmarks.server import fastest_loop

from .crowd import Crowd, Run

MARK = b'"id": 42'  # the answers are small: each comes in one piece


class Wire(asyncio.Protocol):
    """One connection that asks again as soon as it is answered, while there is something left."""

    def __init__(self, request: bytes) -> None:
        self.request = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def start(self, left: Iterator[int]) -> asyncio.Future[int]:
        self.left, self.answered = left, 0
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ask()
        return self.done

    def ask(self) -> None:
        if next(self.left, None) is None:
            self.done.set_result(self.answered)
        else:
            self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.answered += data.startswith(b"HTTP/1.1 200 ") and MARK in data
        self.ask()


async def connected(api: Api, concurrency: int) -> list[Wire]:
    place = urlsplit(api.url)
    host, port = place.netloc.split(":")
    request = (
        f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Authorization: {api.authorization}\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    return [
        (await loop.create_connection(lambda: Wire(request), host, int(port)))[1]
        for _ in range(concurrency)
    ]


@contextmanager
def sockets(api: Api, concurrency: int) -> Iterator[Run]:
    async def run(wires: list[Wire], calls: int) -> int:
        left = iter(range(calls))
        return sum(await asyncio.gather(*(wire.start(left) for wire in wires)))

    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        wires = runner.run(connected(api, concurrency))
        yield lambda calls: runner.run(run(wires, calls))


SOCKETS = Crowd("bare sockets", sockets)
