"""A server that counts: when each request arrived, whose it was, and how many were there at once.

`GET /ms/who` is answered after so many milliseconds; `GET /report` gives what was counted, and
starts anew. In a process of its own: python -m tests.fleet.toll
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.request import urlopen


@dataclass
class Count:
    """`arrivals` are epoch seconds and whose request it was; `most`, at once; `there`, still."""

    arrivals: list[tuple[float, str]] = field(default_factory=list)
    most: int = 0
    there: int = 0

    @property
    def moments(self) -> list[float]:
        return [moment for moment, _ in self.arrivals]

    def densest(self, seconds: float) -> int:
        """Give how many arrived within the fullest window of that length."""
        moments = self.moments
        return max(
            (n + 1 - bisect_left(moments, at - seconds) for n, at in enumerate(moments)), default=0
        )

    def by(self) -> Counter[str]:
        return Counter(who for _, who in self.arrivals)

    def longest_wait(self, who: str) -> float:
        """Give the longest time in which nothing came of this one, while others were served."""
        mine = [moment for moment, one in self.arrivals if one == who]
        return max((b - a for a, b in pairwise(mine)), default=0.0)


class Toll:
    """The test's side of it."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}/"

    def count(self) -> Count:
        with urlopen(f"{self.origin}report") as answer:
            said = json.load(answer)
        arrivals = sorted((at, who) for at, who in said["arrivals"])
        return Count(arrivals, said["most"], said["there"])


@contextmanager
def tolling() -> Iterator[Toll]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.toll"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield Toll(int(process.stdout.readline()))
        finally:
            process.kill()


class Counting(asyncio.Protocol):
    """One connection. A protocol, since streams take more time than the requests."""

    count, there = Count(), 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.held = transport, b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        while b"\r\n\r\n" in self.held:
            head, _, self.held = self.held.partition(b"\r\n\r\n")
            self.asked(head.split(b" ", 2)[1].decode())

    def asked(self, path: str) -> None:
        kind, here = path.strip("/").split("/"), type(self)
        if kind == ["report"]:
            count = here.count
            said = {"arrivals": count.arrivals, "most": count.most, "there": here.there}
            here.count = Count()
            return self.answer(json.dumps(said).encode())
        here.there += 1
        here.count.arrivals.append((time.time(), kind[1]))
        here.count.most = max(here.count.most, here.there)
        asyncio.get_running_loop().call_later(int(kind[0]) / 1000, self.done)
        return None

    def done(self) -> None:
        type(self).there -= 1
        self.answer(b"{}")

    def answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Counting, "127.0.0.1", 0, backlog=999)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
